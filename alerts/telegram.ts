import { z } from 'zod';
import { type Channel, commonSettings, envName, httpUrl, jsonField, SettingsError } from './channel.ts';
import { cutLines, cutText } from './cut-text.ts';
import { escapeHtml } from './escape-html.ts';
import { impactOf, textOf, titleOf } from './message.ts';

const settings = z.strictObject({
	...commonSettings,
	type: z.literal('telegram'),
	/** Names the variable with the bot's token. */
	tokenEnv: envName,
	/** A number, or `@name` of a public channel. */
	chatId: z.union([z.int(), z.string().regex(/^(-?\d+|@\w+)$/)], { error: 'expected a chat id: a number, or "@name" of a public channel' }),
	/** Topic of a forum. */
	threadId: z.int().positive().optional(),
	/** A Bot API server of one's own. */
	apiUrl: httpUrl.optional(),
});

type TelegramSettings = z.infer<typeof settings>;

/** A text may have 4,096 characters after its entities are read: the escapes don't count, so cutting before escaping is right. */
const maxTitle = 500;
const maxText = 3_500;

/** A bot's message. The token is part of the URL, which is never logged. */
export const telegram = {
	type: 'telegram',
	about: { service: 'Telegram, Bot API', success: '200 with `"ok": true`', limits: 'text of 4,096' },
	settings,
	secretEnvs: ({ tokenEnv }) => [tokenEnv],
	endpoints: () => [''],
	keepsAlerts: false,
	resendEveryMs: null,
	wire(message, { tokenEnv, chatId, threadId, apiUrl = 'https://api.telegram.org' }, attempt) {
		const token = attempt.secret(tokenEnv);
		if (!/^[A-Za-z0-9:_-]+$/.test(token)) throw new SettingsError(`expected the variable ${tokenEnv} to hold a bot's token, like 123456:ABC…`);
		const text = `<b>${escapeHtml(cutText(titleOf(message), maxTitle))}</b>\n${escapeHtml(cutLines(textOf(message, attempt.at), maxText))}`;
		const quiet = message.kind === 'resolved' || impactOf(message.members) === 'none';
		return {
			kind: 'http',
			method: 'POST',
			url: `${apiUrl.replace(/\/+$/, '')}/bot${token}/sendMessage`,
			headers: { 'content-type': 'application/json' },
			body: JSON.stringify({
				chat_id: chatId,
				text,
				parse_mode: 'HTML',
				link_preview_options: { is_disabled: true },
				...(threadId === undefined ? {} : { message_thread_id: threadId }),
				...(quiet ? { disable_notification: true } : {}),
			}),
		};
	},
	accepted: (status, body) => status === 200 && jsonField(body, 'ok') === true,
	retryAfterMs: (body) => {
		const seconds = jsonField(body, 'parameters', 'retry_after');
		return typeof seconds === 'number' && seconds >= 0 ? Math.ceil(seconds * 1_000) : null;
	},
} satisfies Channel<TelegramSettings>;
