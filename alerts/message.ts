/** The words of an alert, for somebody just woken: what, since when, how bad, whose fault with what evidence, what to use instead. */
import type { AlertEvent } from '#core/alert.ts';
import { formatDuration } from '#core/duration.ts';
import type { Cause } from '#core/incident.ts';

export const causeWords = {
	provider: 'the provider',
	monitor: 'our own monitor or network',
	credentials: 'our API key',
	quota: 'our account or budget',
	rate_limit: 'our own rate limit',
	maintenance: 'announced maintenance',
} as const satisfies Record<Cause, string>;

export function titleOf({ type, incident, simulated }: AlertEvent): string {
	const verb = { 'incident.opened': 'Down', 'incident.updated': 'Changed', 'incident.reopened': 'Down again', 'incident.resolved': 'Resolved' }[type];
	const degraded = incident.impact === 'minor' && type !== 'incident.resolved' ? 'Degraded' : verb;
	const word = incident.cause === 'provider' ? degraded : type === 'incident.resolved' ? 'Resolved' : 'Action needed';
	return `${simulated ? '[simulated] ' : ''}${word}: ${incident.title}`;
}

export function linesOf({ incident, useInstead, link }: AlertEvent): string[] {
	const { good, bad, excluded, vantages } = incident.evidence;
	const lines = [
		`Since ${incident.startedAt.slice(0, 19).replace('T', ' ')} UTC, impact ${incident.impact}, cause: ${causeWords[incident.cause]}.`,
		`${incident.reason}.`,
		`Measured since then: ${bad} bad, ${good} good, ${excluded} excluded${vantages.length > 0 ? ` from ${vantages.join(', ')}` : ''}.`,
	];
	if (incident.resolvedAt !== null) {
		lines.push(`Lasted ${formatDuration(Date.parse(incident.resolvedAt) - Date.parse(incident.startedAt))}.`);
	} else if (useInstead.length > 0) {
		lines.push(`Well now, same model: ${useInstead.join(', ')}.`);
	}
	if (link !== null) lines.push(link);
	return lines;
}
