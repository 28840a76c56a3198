import { z } from 'zod';
import type { AlertEvent } from '#core/alert.ts';
import { type Channel, commonSettings, envName, httpUrl, isSuccess } from './channel.ts';
import { cutText, oneLine } from './cut-text.ts';
import { textOf } from './message.ts';

const settings = z.strictObject({
	...commonSettings,
	type: z.literal('alertmanager'),
	/** Of every instance, never of a load balancer before them: they tell each other what they sent, not what they got. */
	urls: z.array(httpUrl).min(1, { error: 'expected the URL of at least one instance' }),
	/** Names the variable with a bearer token. */
	tokenEnv: envName.optional(),
});

type AlertmanagerSettings = z.infer<typeof settings>;

const resendEveryMs = 60_000;
/** Prometheus lets an alert run out after four times its resend delay; without any it would after Alertmanager's own five minutes. */
const firingForMs = 4 * resendEveryMs;

/** Alertmanager's own API, as Prometheus speaks it: it keeps no alert over a restart, so what fires is sent again each minute, to each instance. */
export const alertmanager = {
	type: 'alertmanager',
	about: { service: 'Prometheus Alertmanager, API v2', success: '2xx, from each instance', limits: 'none of its own' },
	settings,
	secretEnvs: ({ tokenEnv }) => (tokenEnv === undefined ? [] : [tokenEnv]),
	endpoints: ({ urls }) => urls,
	keepsAlerts: true,
	resendEveryMs,
	wire(message, { tokenEnv }, attempt) {
		const alerts = message.members.map(({ event }) => alertOf(event, attempt.at, textOf({ ...message, members: [{ news: 'same', event }] }, attempt.at)));
		return {
			kind: 'http',
			method: 'POST',
			url: `${attempt.endpoint.replace(/\/+$/, '')}/api/v2/alerts`,
			headers: { 'content-type': 'application/json', ...(tokenEnv === undefined ? {} : { authorization: `Bearer ${attempt.secret(tokenEnv)}` }) },
			body: JSON.stringify(alerts),
		};
	},
	accepted: isSuccess,
	retryAfterMs: () => null,
} satisfies Channel<AlertmanagerSettings>;

const names = { provider: 'LinnetIncident', operator: 'LinnetOperator', slo: 'LinnetErrorBudget' } as const;

/** Labels are the identity; what moves while it fires stands in annotations. An empty label is no label. */
function alertOf({ class: alertClass, incident, link }: AlertEvent, at: Date, lines: readonly string[]): object {
	const { scope, cause, impact, startedAt, resolvedAt } = incident;
	const labels = {
		alertname: names[alertClass],
		incident: incident.id,
		class: alertClass,
		cause,
		severity: impact,
		provider: scope.provider ?? '',
		model: scope.model ?? '',
		operation: scope.operation ?? '',
		region: scope.vantage ?? '',
	};
	return {
		labels: Object.fromEntries(Object.entries(labels).filter(([, value]) => value !== '')),
		annotations: { summary: cutText(oneLine(incident.title), 1_000), description: cutText(lines.join('\n'), 4_000) },
		startsAt: startedAt,
		endsAt: resolvedAt ?? new Date(at.getTime() + firingForMs).toISOString(),
		...(link === null ? {} : { generatorURL: link }),
	};
}
