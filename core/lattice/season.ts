/** How latency moves with the hour of the week: a slow Monday morning is no trouble when every Monday morning is slow. Hours are UTC. */
import type { LatencyBaseline, ProviderState, Season } from './lattice-state.ts';

const hourMs = 3_600_000;
const hoursOfWeek = 168;
/** 1 January 1970 was a Thursday: 72 hours after the Monday of its week. */
const hoursToMonday = 72;
/** An hour with fewer results tells nothing about hours of its kind. */
const resultsNeeded = 5;
/** One result counts at most this far from the week's mean, in ln: an outlier is no season. */
const clipLn = 1.5;
/** Results that the mean of a week remembers at one a minute; at a slower pace it remembers longer. */
const weekMemory = 10_080;

const hourOf = (at: number) => Math.floor(at / hourMs);
const slotOf = (hour: number) => (hour + hoursToMonday) % hoursOfWeek;

/** ln of what this hour of the week usually takes over the week's mean; 0 until every hour was seen in two weeks. */
export function seasonLn(provider: ProviderState, model: string, at: number): number {
	const season = provider.seasons[model];
	return season?.active ? believedLn(season, hourOf(at)) : 0;
}

/** What both weeks say: trouble of one week is no season. */
function believedLn({ lastCenti, beforeCenti }: Season, hour: number): number {
	const [last, before] = [lastCenti[slotOf(hour)] ?? 0, beforeCenti[slotOf(hour)] ?? 0];
	return last * before <= 0 ? 0 : (Math.sign(last) * Math.min(Math.abs(last), Math.abs(before))) / 100;
}

/** Adds one good result, a slow one too: whether slowness is a season shows in its coming back. */
export function learnSeason(provider: ProviderState, model: string, at: number, totalLn: number, baseline: LatencyBaseline): void {
	baseline.weekLn += (totalLn - baseline.weekLn) * Math.max(1 / baseline.samples, 1 / weekMemory);
	const season = (provider.seasons[model] ??= freshSeason());
	const hour = hourOf(at);
	// A late result of an hour that is over changes little and is left out.
	if (hour < season.hour) return;
	if (hour > season.hour) closeHour(season, hour);
	season.sumLn += Math.max(-clipLn, Math.min(clipLn, totalLn - baseline.weekLn));
	season.count += 1;
}

/** The level follows the hours by itself until the season is known; then what this hour adds comes off it, once. */
export function takeSeasonOff(baseline: LatencyBaseline, season: Season | undefined, at: number): void {
	if (!season?.active || baseline.seasonal) return;
	const nowLn = believedLn(season, hourOf(at));
	baseline.ttftLn -= nowLn;
	baseline.totalLn -= nowLn;
	baseline.seasonal = true;
}

const freshSeason = (): Season => ({ lastCenti: [], beforeCenti: [], hour: 0, sumLn: 0, count: 0, active: false });

function closeHour(season: Season, next: number): void {
	if (season.count >= resultsNeeded) {
		if (season.lastCenti.length === 0) {
			season.lastCenti = Array.from({ length: hoursOfWeek }, () => null);
			season.beforeCenti = Array.from({ length: hoursOfWeek }, () => null);
		}
		const slot = slotOf(season.hour);
		season.beforeCenti[slot] = season.lastCenti[slot] ?? null;
		season.lastCenti[slot] = Math.round((season.sumLn / season.count) * 100);
		season.active ||= season.beforeCenti.every((centi) => centi !== null);
	}
	season.hour = next;
	season.sumLn = 0;
	season.count = 0;
}
