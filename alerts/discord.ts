import { z } from 'zod';
import { type Channel, commonSettings, envName, jsonField, secretUrl } from './channel.ts';
import { cutLines, cutText } from './cut-text.ts';
import { colourOf, linkOf, textOf, titleOf } from './message.ts';

const settings = z.strictObject({
	...commonSettings,
	type: z.literal('discord'),
	/** Names the variable with the URL of the webhook. */
	urlEnv: envName,
});

type DiscordSettings = z.infer<typeof settings>;

/** A webhook with one embed. Mentions in a provider's text ping nobody; `wait=true` answers when the message is stored, not when it is queued. */
export const discord = {
	type: 'discord',
	about: { service: 'Discord, webhook', success: '200 with the stored message’s id, or 204', limits: 'title 256, description 4,096' },
	settings,
	secretEnvs: ({ urlEnv }) => [urlEnv],
	endpoints: () => [''],
	keepsAlerts: false,
	resendEveryMs: null,
	wire(message, { urlEnv }, attempt) {
		const url = new URL(secretUrl(attempt, urlEnv));
		url.searchParams.set('wait', 'true');
		const link = linkOf(message);
		const embed = {
			title: cutText(titleOf(message), 256),
			description: cutLines(textOf(message, attempt.at), 4_096),
			color: colourOf(message),
			timestamp: message.at,
			...(link === null ? {} : { url: link }),
		};
		return {
			kind: 'http',
			method: 'POST',
			url: url.href,
			headers: { 'content-type': 'application/json' },
			body: JSON.stringify({ username: 'Linnet', allowed_mentions: { parse: [] }, embeds: [embed] }),
		};
	},
	accepted: (status, body) => status === 204 || (status === 200 && typeof jsonField(body, 'id') === 'string'),
	retryAfterMs: (body) => {
		const seconds = jsonField(body, 'retry_after');
		return typeof seconds === 'number' && seconds >= 0 ? Math.ceil(seconds * 1_000) : null;
	},
} satisfies Channel<DiscordSettings>;
