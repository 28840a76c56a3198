import { Webhook } from 'standardwebhooks';
import { z } from 'zod';
import type { Channel } from './channel.ts';
import { linesOf, titleOf } from './message.ts';

const settings = z
	.strictObject({
		type: z.literal('webhook'),
		/** A URL that carries no secret may stand in the file; otherwise name the variable that holds it. */
		url: z.url({ protocol: /^https?$/, error: 'expected an http or https URL' }).optional(),
		urlEnv: z.string().min(1).optional(),
		/** Names the variable with the signing secret: `whsec_` and base64 of 24 to 64 bytes. */
		secretEnv: z.string().min(1),
		/** During a rotation: the previous secret's variable; both sign. */
		previousSecretEnv: z.string().min(1).optional(),
	})
	.refine((value) => (value.url === undefined) !== (value.urlEnv === undefined), { error: 'expected exactly one of `url` and `urlEnv`' });

type WebhookSettings = z.infer<typeof settings>;

/** Signed JSON over HTTP after Standard Webhooks 1.0.0: `webhook-id` is the same at every attempt, so a receiver can drop doubles. */
export const webhook = {
	type: 'webhook',
	settings,
	secretEnvs: ({ urlEnv, secretEnv, previousSecretEnv }) => [urlEnv, secretEnv, previousSecretEnv].filter((name) => name !== undefined),
	request(event, { url, urlEnv, secretEnv, previousSecretEnv }, attempt) {
		const body = JSON.stringify({ type: event.type, timestamp: event.at, data: { title: titleOf(event), text: linesOf(event).join('\n'), ...event } });
		const signatures = [secretEnv, previousSecretEnv]
			.filter((name) => name !== undefined)
			.map((name) => new Webhook(attempt.secret(name)).sign(attempt.id, attempt.at, body));
		return {
			method: 'POST',
			url: url ?? attempt.secret(urlEnv ?? ''),
			headers: {
				'content-type': 'application/json',
				'webhook-id': attempt.id,
				'webhook-timestamp': String(Math.floor(attempt.at.getTime() / 1_000)),
				'webhook-signature': signatures.join(' '),
			},
			body,
		};
	},
	accepted: (status) => status >= 200 && status < 300,
} satisfies Channel<WebhookSettings>;
