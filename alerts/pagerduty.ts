import { z } from 'zod';
import type { Impact } from '#core/incident.ts';
import { type Channel, commonSettings, envName, httpUrl, jsonField, SettingsError } from './channel.ts';
import { cutText } from './cut-text.ts';
import { impactOf, linkOf, textOf, titleOf } from './message.ts';

const settings = z.strictObject({
	...commonSettings,
	type: z.literal('pagerduty'),
	/** Names the variable with the integration key of an Events API v2 integration. */
	routingKeyEnv: envName,
	/** The EU service region, for one. */
	url: httpUrl.optional(),
});

type PagerdutySettings = z.infer<typeof settings>;

const severities = { critical: 'critical', major: 'error', minor: 'warning', none: 'info' } as const satisfies Record<Impact, string>;

/** Events API v2. The dedup key is the group's: more news of it update the alert that is open, and its end resolves it. A resolve without an alert is dropped there. */
export const pagerduty = {
	type: 'pagerduty',
	about: { service: 'PagerDuty, Events API v2', success: '202 with `"status": "success"`', limits: 'summary 1,024, dedup key 255, body 512 kB' },
	settings,
	secretEnvs: ({ routingKeyEnv }) => [routingKeyEnv],
	endpoints: () => [''],
	keepsAlerts: true,
	resendEveryMs: null,
	wire(message, { routingKeyEnv, url = 'https://events.pagerduty.com/v2/enqueue' }, attempt) {
		const routingKey = attempt.secret(routingKeyEnv);
		if (!/^[A-Za-z0-9]{20,64}$/.test(routingKey))
			throw new SettingsError(`expected the variable ${routingKeyEnv} to hold an integration key of 32 letters and digits`);
		const { kind, groupId, members } = message;
		const [first] = members;
		const link = linkOf(message);
		const scope = first?.event.incident.scope;
		const event = {
			routing_key: routingKey,
			event_action: kind === 'resolved' ? 'resolve' : 'trigger',
			dedup_key: cutText(`linnet/${groupId}`, 255),
			payload: {
				summary: cutText(titleOf(message), 1_024),
				source: cutText(scope?.provider ?? 'linnet', 255),
				severity: severities[impactOf(members)],
				timestamp: first?.event.incident.startedAt ?? message.at,
				component: cutText(scope?.model ?? scope?.vantage ?? 'all', 255),
				class: message.class,
				custom_details: { text: cutText(textOf(message, attempt.at).join('\n'), 16_000) },
			},
			client: 'Linnet',
			...(link === null ? {} : { client_url: link, links: [{ href: link, text: 'Timeline and evidence' }] }),
		};
		return { kind: 'http', method: 'POST', url, headers: { 'content-type': 'application/json' }, body: JSON.stringify(event) };
	},
	accepted: (status, body) => status === 202 && jsonField(body, 'status') === 'success',
	retryAfterMs: () => null,
} satisfies Channel<PagerdutySettings>;
