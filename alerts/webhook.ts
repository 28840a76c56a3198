import { Webhook } from 'standardwebhooks';
import { z } from 'zod';
import { type AlertMessage, eventType } from '#core/alert.ts';
import { type Attempt, type Channel, commonSettings, envName, httpUrl, isSuccess, SettingsError, secretUrl } from './channel.ts';
import { cutLines, cutText, oneLine } from './cut-text.ts';
import { textOf, titleOf } from './message.ts';

const settings = z
	.strictObject({
		...commonSettings,
		type: z.literal('webhook'),
		/** A URL that carries no secret may stand in the file; otherwise name the variable that holds it. */
		url: httpUrl.optional(),
		urlEnv: envName.optional(),
		/** Names the variable with the signing secret: `whsec_` and base64 of 24 to 64 bytes. */
		secretEnv: envName,
		/** During a rotation: the previous secret's variable; both sign. */
		previousSecretEnv: envName.optional(),
	})
	.refine((value) => (value.url === undefined) !== (value.urlEnv === undefined), { error: 'expected exactly one of `url` and `urlEnv`' });

type WebhookSettings = z.infer<typeof settings>;

/** The specification asks to stay below 20 kB. */
const maxBytes = 19_000;

/** Signed JSON over HTTP after Standard Webhooks 1.0.0: `webhook-id` is the same at every attempt, so a receiver can drop doubles. */
export const webhook = {
	type: 'webhook',
	about: { service: 'any HTTP endpoint, signed after Standard Webhooks', success: '2xx', limits: 'body below 20 kB' },
	settings,
	secretEnvs: ({ urlEnv, secretEnv, previousSecretEnv }) => [urlEnv, secretEnv, previousSecretEnv].filter((name) => name !== undefined),
	endpoints: () => [''],
	keepsAlerts: false,
	resendEveryMs: null,
	wire(message, { url, urlEnv, secretEnv, previousSecretEnv }, attempt) {
		const body = bodyOf(message, attempt.at);
		const signatures = [secretEnv, previousSecretEnv].filter((name) => name !== undefined).map((name) => sign(name, body, attempt));
		return {
			kind: 'http',
			method: 'POST',
			url: url ?? secretUrl(attempt, urlEnv ?? ''),
			headers: {
				'content-type': 'application/json',
				'webhook-id': attempt.id,
				'webhook-timestamp': String(Math.floor(attempt.at.getTime() / 1_000)),
				'webhook-signature': signatures.join(' '),
			},
			body,
		};
	},
	accepted: isSuccess,
	retryAfterMs: () => null,
} satisfies Channel<WebhookSettings>;

function sign(name: string, body: string, { id, at, secret }: Attempt): string {
	const key = secret(name);
	const bytes = /^(whsec_)?[A-Za-z0-9+/]+={0,2}$/.test(key) ? (key.replace(/^whsec_/, '').replace(/=+$/, '').length * 3) / 4 : 0;
	if (bytes < 24 || bytes >= 65) throw new SettingsError(`expected the variable ${name} to hold a signing secret: \`whsec_\` and base64 of 24 to 64 bytes`);
	return new Webhook(key).sign(id, at, body);
}

/** `data.incident` is the first and worst of `data.incidents`; what does not fit is counted in `data.truncated`. */
function bodyOf(message: AlertMessage, at: Date): string {
	const { kind, class: alertClass, groupId, members, simulated } = message;
	const [first] = members;
	const encoder = new TextEncoder();
	for (let kept = members.length; ; kept = Math.floor(kept / 2)) {
		const incidents = members.slice(0, kept).map(({ news, event }) => ({
			news,
			...event.incident,
			targetIds: event.incident.targetIds.slice(0, 50),
			title: cutText(oneLine(event.incident.title), 300),
			reason: cutText(oneLine(event.incident.reason), 1_000),
		}));
		const data = {
			title: cutText(titleOf(message), 500),
			text: cutLines(textOf(message, at), 4_000),
			class: alertClass,
			groupId,
			simulated,
			incident: incidents[0] ?? null,
			incidents,
			truncated: members.length - kept,
			useInstead: first?.event.useInstead.slice(0, 50) ?? [],
			advice: first?.event.advice ?? null,
			link: first?.event.link ?? null,
		};
		const body = JSON.stringify({ type: eventType(alertClass, kind), timestamp: message.at, data });
		if (kept === 0 || encoder.encode(body).length <= maxBytes) return body;
	}
}
