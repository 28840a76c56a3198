import { z } from 'zod';
import type { Impact } from '#core/incident.ts';
import { type Channel, commonSettings, envName, httpUrl, jsonField } from './channel.ts';
import { cutBytes } from './cut-text.ts';
import { impactOf, linkOf, textOf, titleOf } from './message.ts';

const settings = z.strictObject({
	...commonSettings,
	type: z.literal('ntfy'),
	/** Of the server; default: the public one. */
	url: httpUrl.optional(),
	/** Names the variable with the topic: whoever knows it can read and write there. */
	topicEnv: envName,
	/** Names the variable with an access token. */
	tokenEnv: envName.optional(),
});

type NtfySettings = z.infer<typeof settings>;

// 5 rings through, 1 makes no sound.
const priorities = { critical: 5, major: 4, minor: 3, none: 2 } as const satisfies Record<Impact, number>;

/** A push notification. A message above 4,096 bytes would become an attachment. */
export const ntfy = {
	type: 'ntfy',
	about: { service: 'ntfy, push', success: '200 with the message’s id', limits: 'message 4,096 bytes, title 250 bytes' },
	settings,
	secretEnvs: ({ topicEnv, tokenEnv }) => [topicEnv, tokenEnv].filter((name) => name !== undefined),
	endpoints: () => [''],
	keepsAlerts: false,
	resendEveryMs: null,
	wire(message, { url = 'https://ntfy.sh', topicEnv, tokenEnv }, attempt) {
		const over = message.kind === 'resolved';
		const link = linkOf(message);
		const body = {
			topic: attempt.secret(topicEnv),
			title: cutBytes(titleOf(message), 250),
			message: cutBytes(textOf(message, attempt.at).join('\n'), 4_000),
			priority: over ? 3 : priorities[impactOf(message.members)],
			tags: [over ? 'white_check_mark' : message.class === 'operator' ? 'wrench' : 'rotating_light'],
			...(link === null ? {} : { click: link }),
		};
		return {
			kind: 'http',
			method: 'POST',
			url: url.replace(/\/+$/, ''),
			headers: { 'content-type': 'application/json', ...(tokenEnv === undefined ? {} : { authorization: `Bearer ${attempt.secret(tokenEnv)}` }) },
			body: JSON.stringify(body),
		};
	},
	accepted: (status, body) => status === 200 && typeof jsonField(body, 'id') === 'string',
	retryAfterMs: () => null,
} satisfies Channel<NtfySettings>;
