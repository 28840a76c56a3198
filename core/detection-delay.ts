/** Our own record: how long after its onset a trouble was declared. */
import { type Condition, conditions } from './incident.ts';
import type { IncidentView } from './snapshot.ts';

export interface DetectionDelay {
	readonly condition: Condition;
	readonly count: number;
	/** Nearest-rank quantiles of declared − first bad result, ms. */
	readonly p50Ms: number;
	readonly p95Ms: number;
}

/**
 * Of incidents that blame a provider and that no operator has called a false alarm, by what was wrong; a kind without any is left out.
 * The onset is the first bad result that the incident rests on: what came before the first probe saw it is not in the figure, up to one interval.
 */
export function detectionDelays(incidents: readonly IncidentView[]): readonly DetectionDelay[] {
	const own = incidents.filter(({ cause, override }) => (override?.judged.cause ?? cause) === 'provider' && override?.falseAlarm !== true);
	const byCondition = Map.groupBy(own, ({ condition }) => condition);
	return conditions.flatMap((condition) => {
		const found = byCondition.get(condition) ?? [];
		if (found.length === 0) return [];
		const delays = found.map(({ startedAt, detectedAt }) => Math.max(0, Date.parse(detectedAt) - Date.parse(startedAt))).sort((a, b) => a - b);
		const at = (share: number) => delays[Math.max(0, Math.ceil(share * delays.length) - 1)] ?? 0;
		return [{ condition, count: delays.length, p50Ms: at(0.5), p95Ms: at(0.95) }];
	});
}

/** Incidents that blamed a provider, and those of them that the operator has since called false. */
export function falseAlarms(incidents: readonly IncidentView[]): { readonly blamed: number; readonly false: number } {
	const blamed = incidents.filter(({ cause, override }) => (override?.judged.cause ?? cause) === 'provider');
	return { blamed: blamed.length, false: blamed.filter(({ override }) => override?.falseAlarm === true).length };
}
