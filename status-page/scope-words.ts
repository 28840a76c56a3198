/** An incident's scope and numbers in plain words. */
import { formatDuration } from '#core/duration.ts';
import type { Cause } from '#core/incident.ts';
import type { IncidentView, Snapshot } from '#core/snapshot.ts';
import { formatCount } from './figures.ts';

export const causeWords = {
	provider: 'the provider',
	monitor: 'our own monitor: its results are excluded',
	credentials: 'our key',
	quota: 'our plan or wallet',
	rate_limit: 'our own rate limit',
	maintenance: 'maintenance',
} as const satisfies Record<Cause, string>;

export function scopeWords({ scope }: Pick<IncidentView, 'scope'>, snapshot: Pick<Snapshot, 'providers'>): string {
	const name = snapshot.providers.find((provider) => provider.id === scope.provider)?.name ?? scope.provider;
	const who = name === null ? 'every provider' : name;
	const what = scope.model === null ? 'every model' : scope.model;
	const operation = scope.operation === null || scope.operation === 'chat' ? '' : ` (${scope.operation})`;
	const where = scope.vantage === null ? 'from every vantage' : `from vantage ${scope.vantage} only`;
	return `${who}, ${what}${operation}, ${where}`;
}

/** "13 of 16 valid results bad: server_error 9, first_token_timeout 4; seen from fra, iad"; "none of 65 valid results bad, but slow; seen from fra". */
export function evidenceWords({ evidence, condition }: Pick<IncidentView, 'evidence' | 'condition'>): string {
	const codes = Object.entries(evidence.outcomes)
		.filter(([code]) => code !== 'ok')
		.sort(([, a], [, b]) => (b ?? 0) - (a ?? 0))
		.map(([code, count]) => `${code} ${formatCount(count ?? 0)}`);
	const valid = evidence.good + evidence.bad;
	const slow = condition === 'slow' ? ', but slow' : '';
	const bad =
		evidence.bad === 0 ? `none of ${formatCount(valid)} valid results bad${slow}` : `${formatCount(evidence.bad)} of ${formatCount(valid)} valid results bad`;
	const counts = valid === 0 ? `${formatCount(evidence.excluded)} results excluded` : bad;
	const seen = evidence.vantages.length === 0 ? '' : `; seen from ${evidence.vantages.join(', ')}`;
	return `${counts}${codes.length === 0 ? '' : `: ${codes.join(', ')}`}${seen}`;
}

/** "2 of 2 other models, 5 of 5 other providers"; null when nothing else was heard, or it says nothing. */
export function foundWellWords({ evidence }: Pick<IncidentView, 'evidence'>): string | null {
	if (evidence.checked === null) return null;
	const { models, vantages, providers } = evidence.checked;
	const words = (
		[
			['model', models],
			['vantage', vantages],
			['provider', providers],
		] as const
	)
		.filter(([, { heard }]) => heard > 0)
		.map(([noun, { heard, well }]) => `${formatCount(well)} of ${formatCount(heard)} other ${noun}${heard === 1 ? '' : 's'}`);
	return words.length === 0 ? null : words.join(', ');
}

/** How seldom chance alone looks like this; null where it is not judged so. */
export function confidenceWords({ evidence }: Pick<IncidentView, 'evidence'>): string | null {
	return evidence.nats === null ? null : `less than 1 in 10^${Math.floor(evidence.nats / Math.LN10)}`;
}

/** Null while it is open. */
export function durationWords(incident: Pick<IncidentView, 'startedAt' | 'resolvedAt'>): string | null {
	if (incident.resolvedAt === null) return null;
	return formatDuration(Date.parse(incident.resolvedAt) - Date.parse(incident.startedAt));
}
