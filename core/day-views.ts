/** The ninety days of a target: counts of the rollups, minutes of the incidents. */
import type { DayCount, DayCounts } from './day-counts.ts';
import type { Incident } from './incident.ts';
import { judgedIncident } from './override-incident.ts';
import { PackedDays } from './packed-days.ts';
import type { DayView } from './snapshot.ts';
import type { State } from './state.ts';

/** First instant and date of each shown day, oldest first. */
export type ShownDays = readonly (readonly [from: number, date: string])[];

const dayMs = 86_400_000;
const none: DayCount = { good: 0, bad: 0, excluded: 0 };

/** The first instants and dates of the shown days: the same for every target. */
export function shownDays(now: number): ShownDays {
	const today = Math.floor(now / dayMs) * dayMs;
	return Array.from({ length: 90 }, (_, i) => {
		const from = today - (89 - i) * dayMs;
		return [from, new Date(from).toISOString().slice(0, 10)] as const;
	});
}

/** Of targets without an incident, by their counts: verdicts are published more often than counts are read, and 90,000 look-ups take 50 ms. */
const quietDays = new WeakMap<DayCounts, { readonly shownFrom: number | undefined; readonly views: PackedDays }>();

export function dayViews(counts: DayCounts | undefined, incidents: readonly Incident[], shown: ShownDays, now: number): PackedDays {
	const [shownFrom] = shown[0] ?? [];
	const known = counts === undefined || incidents.length > 0 ? undefined : quietDays.get(counts);
	if (known !== undefined && known.shownFrom === shownFrom) return known.views;
	const views = PackedDays.of(countDays(counts, incidents, shown, now));
	if (counts !== undefined && incidents.length === 0) quietDays.set(counts, { shownFrom, views });
	return views;
}

function countDays(counts: DayCounts | undefined, incidents: readonly Incident[], shown: ShownDays, now: number): DayView[] {
	// No number moves because somebody says so.
	const judged = incidents.map(judgedIncident);
	const down = judged.filter(({ cause, impact }) => cause === 'provider' && (impact === 'major' || impact === 'critical'));
	const degraded = judged.filter(({ cause, impact }) => cause === 'provider' && impact === 'minor');
	return shown.map(([from, date]) => {
		const { good, bad, excluded } = counts?.of(from) ?? none;
		const until = Math.min(from + dayMs, now);
		const downMinutes = down.length === 0 ? 0 : overlapMinutes(down, from, until);
		const degradedMinutes = degraded.length === 0 ? 0 : overlapMinutes(degraded, from, until);
		return { date, state: dayState(good + bad > 0, downMinutes, degradedMinutes), downMinutes, degradedMinutes, good, bad, excluded };
	});
}

/** By confirmed minutes, not by single failures: 0, up to 5, up to 30, more. */
export function dayState(measured: boolean, downMinutes: number, degradedMinutes: number): State {
	if (downMinutes > 30) return 'major_outage';
	if (downMinutes > 5) return 'partial_outage';
	if (downMinutes > 0 || degradedMinutes > 0) return 'degraded_performance';
	return measured ? 'operational' : 'unknown';
}

/** Minutes of [from, to) covered by at least one incident: overlaps count once. One decimal. */
export function overlapMinutes(incidents: readonly Pick<Incident, 'startedAt' | 'resolvedAt'>[], from: number, to: number): number {
	const spans = incidents
		.map(({ startedAt, resolvedAt }) => [Math.max(startedAt, from), Math.min(resolvedAt ?? to, to)] as const)
		.filter(([start, end]) => end > start)
		.sort((a, b) => a[0] - b[0]);
	let [covered, reached] = [0, from];
	for (const [start, end] of spans) {
		covered += Math.max(0, end - Math.max(start, reached));
		reached = Math.max(reached, end);
	}
	return Math.round(covered / 6_000) / 10;
}
