/** Time lost to incidents: overlaps are merged, so an hour in two incidents is an hour. Pure; times are ms since epoch. */
import type { Cause, Impact, Incident } from './incident.ts';

export interface Span {
	readonly from: number;
	readonly to: number;
}

/** Disjoint, ascending, empty ones left out; spans that touch are one. */
export function mergeSpans(spans: readonly Span[]): Span[] {
	const merged: { from: number; to: number }[] = [];
	for (const { from, to } of spans.filter((span) => span.to > span.from).toSorted((a, b) => a.from - b.from)) {
		const last = merged.at(-1);
		if (last !== undefined && from <= last.to) last.to = Math.max(last.to, to);
		else merged.push({ from, to });
	}
	return merged;
}

/** ms of [from, to) that at least one span covers. */
export function coveredMs(spans: readonly Span[], from: number, to: number): number {
	return mergeSpans(spans).reduce((sum, span) => sum + Math.max(0, Math.min(span.to, to) - Math.max(span.from, from)), 0);
}

/** Share of its time that counts as lost, 0..1, by impact. */
export type ImpactWeights = Readonly<Record<Impact, number>>;

/** Confirmed outage counts whole; slowness is no downtime. */
export const outageWeights: ImpactWeights = { none: 0, minor: 0, major: 1, critical: 1 };
/** As Statuspage reckons its uptime: major outage whole, partial outage 30 %. */
export const statuspageWeights: ImpactWeights = { none: 0, minor: 0, major: 0.3, critical: 1 };

export type TimedIncident = Pick<Incident, 'startedAt' | 'resolvedAt' | 'impact' | 'cause'>;

/**
 * Time-weighted downtime of [from, to), ms: at each instant the heaviest of the incidents that are open then counts.
 * @param causes whose trouble counts; default: the provider's only
 */
export function downtimeMs(
	incidents: readonly TimedIncident[],
	from: number,
	to: number,
	weights: ImpactWeights = outageWeights,
	causes: readonly Cause[] = ['provider'],
): number {
	const counted = incidents.filter(({ cause, impact }) => causes.includes(cause) && weights[impact] > 0);
	let lost = 0;
	// What is covered at weight w or more, minus what is covered by more, counts w.
	let heavier = 0;
	for (const weight of [...new Set(counted.map(({ impact }) => weights[impact]))].sort((a, b) => b - a)) {
		const spans = counted
			.filter(({ impact }) => weights[impact] >= weight)
			.map(({ startedAt, resolvedAt }) => ({ from: startedAt, to: resolvedAt ?? Number.POSITIVE_INFINITY }));
		const covered = coveredMs(spans, from, to);
		lost += weight * (covered - heavier);
		heavier = covered;
	}
	return lost;
}

/** 1 − downtime / length of [from, to); null when the stretch is empty. The time before a target was first measured is not its uptime: begin there. */
export function timeUptime(incidents: readonly TimedIncident[], from: number, to: number, weights: ImpactWeights = outageWeights): number | null {
	return to > from ? 1 - downtimeMs(incidents, from, to, weights) / (to - from) : null;
}
