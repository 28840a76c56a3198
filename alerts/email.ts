import { z } from 'zod';
import type { AlertMessage } from '#core/alert.ts';
import { type Attempt, type Channel, commonSettings, envName } from './channel.ts';
import { cutText } from './cut-text.ts';
import { escapeHtml } from './escape-html.ts';
import { sectionsOf, textOf, titleOf } from './message.ts';

// `Name <mail@host>` or the address alone; line ends would begin another header.
const address = z.string().regex(/^([^<>\r\n]* <[^\s<>@]+@[^\s<>@]+>|[^\s<>@]+@[^\s<>@]+)$/, {
	error: 'expected an address, like "on-call@example.org" or "Linnet <linnet@example.org>"',
});

const settings = z
	.strictObject({
		...commonSettings,
		type: z.literal('email'),
		host: z.string().min(1),
		port: z.int().min(1).max(65_535).optional(),
		/** Default: starttls, without which nothing is sent. `none` sends in clear. */
		security: z.enum(['tls', 'starttls', 'none']).optional(),
		userEnv: envName.optional(),
		passwordEnv: envName.optional(),
		from: address,
		to: z.array(address).min(1).max(50),
	})
	.refine((value) => (value.userEnv === undefined) === (value.passwordEnv === undefined), { error: 'expected both of `userEnv` and `passwordEnv`, or none' });

type EmailSettings = z.infer<typeof settings>;

const ports = { tls: 465, starttls: 587, none: 25 } as const;

/** Mail in text and HTML; the messages of a group are one thread: all answer its first. */
export const email = {
	type: 'email',
	about: { service: 'mail over SMTP', success: 'the server takes it', limits: 'subject of 200' },
	settings,
	secretEnvs: ({ userEnv, passwordEnv }) => [userEnv, passwordEnv].filter((name) => name !== undefined),
	endpoints: () => [''],
	keepsAlerts: false,
	resendEveryMs: null,
	wire(message, { host, security = 'starttls', port = ports[security], userEnv, passwordEnv, from, to }, attempt) {
		const title = titleOf(message);
		const first = messageIdOf(message, 1, from);
		return {
			kind: 'mail',
			smtp: {
				host,
				port,
				security,
				login: userEnv === undefined || passwordEnv === undefined ? null : { user: attempt.secret(userEnv), password: attempt.secret(passwordEnv) },
			},
			from,
			to,
			subject: cutText(title, 200).replace(/[\r\n]+/g, ' '),
			text: `${title}\n\n${textOf(message, attempt.at).join('\n')}\n`,
			html: htmlOf(message, title, attempt),
			messageId: messageIdOf(message, attempt.sequence, from),
			inReplyTo: attempt.sequence === 1 ? null : first,
		};
	},
	accepted: () => false,
	retryAfterMs: () => null,
} satisfies Channel<EmailSettings>;

function messageIdOf({ groupId }: AlertMessage, sequence: number, from: string): string {
	const host = /@([^\s<>@]+)>?$/.exec(from)?.[1] ?? 'linnet.invalid';
	// Only characters that RFC 5322 lets stand in a dot-atom; two ids never become one.
	const local = [...groupId].map((char) => (/[A-Za-z0-9-]/.test(char) ? char : `_${char.codePointAt(0)?.toString(16)}_`)).join('');
	return `<linnet.${local}.${sequence}@${host}>`;
}

function htmlOf(message: AlertMessage, title: string, { at }: Attempt): string {
	const line = (text: string) => (/^https?:\/\/\S+$/.test(text) ? `<a href="${escapeHtml(text)}">${escapeHtml(text)}</a>` : escapeHtml(text));
	const parts = sectionsOf(message, at).map(
		({ heading, lines }) => `${heading === null ? '' : `<h3>${escapeHtml(heading)}</h3>\n`}<p>${lines.map(line).join('<br>\n')}</p>`,
	);
	return `<!doctype html>\n<html lang="en"><body style="font-family:sans-serif">\n<h2>${escapeHtml(title)}</h2>\n${parts.join('\n')}\n</body></html>\n`;
}
