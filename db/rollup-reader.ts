import { longWindows, type WindowName } from '#core/snapshot.ts';
import { type WindowFigures, windowFigures } from '#core/window-figures.ts';
import { readDayRollups } from './day-rollups.ts';
import { type KeptFor, keepRead } from './keep-read.ts';
import { dayOf } from './partitions.ts';
import { readWindowRollups, type WindowDistributions } from './rollups.ts';
import type { Db } from './sql.ts';
import { highestTargetKey } from './targets.ts';

type Windows = Map<string, Partial<Record<WindowName, WindowFigures>>>;
type Days = Awaited<ReturnType<typeof readDayRollups>>;

/** The reads of a publisher that runs every few seconds, with what hardly moves read less often. Keeps its answers in memory: one for a process. */
export interface RollupReader {
	/**
	 * What is published of each window of `readWindowRollups`, by target id; 1d and longer are kept for a hundred times as long as reading them took, a
	 * minute at most; the latency of 1d for two hundred times, ten minutes at most; the shorter ones for twenty-five times, half a minute at most.
	 */
	windows(now: number): Promise<Windows>;
	/** As `readDayRollups`, 90 days, kept as long as the windows of 1d; a result that is later than a day shows within a quarter of an hour. */
	days(now: number): Promise<Days>;
}

const brisk = ['5m', '30m', '1h'] as const satisfies readonly WindowName[];
const slow = ['1d', ...longWindows] as const satisfies readonly WindowName[];
// A share of the time, so what becomes cheaper is only read more often: of 1,000 targets the counts of a day and longer take 0.2 s of server CPU, the ninety
// days 0.3 s and 0.6 s of our own (bench/roll-up.ts).
const slowKept: KeptFor = { perReadMs: 100, atMostMs: 60_000 };
// Of 10,000 targets they are read at every second publication.
const briskKept: KeptFor = { perReadMs: 25, atMostMs: 30_000 };
// Adding up a day's histograms takes 6 s of server CPU of 10,000 targets, its counts and outcomes 1.4 (bench/roll-up.ts); one part in 144 is new meanwhile.
const dayLatencyKept: KeptFor = { perReadMs: 200, atMostMs: 600_000 };
/** As far as it is published (core/window-figures.ts). */
const distributionsOf: Readonly<Partial<Record<WindowName, WindowDistributions>>> = { '30m': 'ttft', '1d': 'outcomes' };
// With the minute that what was read last is kept: within a quarter of an hour.
const allDaysEveryMs = 840_000;
const dayMs = 86_400_000;
const shownDays = 90;

export function createRollupReader(db: Db): RollupReader {
	const readSlow = keepRead((now) => readFigures(db, now, slow), slowKept);
	const readBrisk = keepRead((now) => readFigures(db, now, brisk), briskKept);
	const readDayLatency = keepRead((now) => readLatency(db, now), dayLatencyKept);
	let merged: { readonly of: readonly unknown[]; readonly windows: Windows } | null = null;
	let allDays: { at: number; days: Days } | null = null;
	const readDays = keepRead(async (now): Promise<Days> => {
		// One day more: slots close to midnight may be a little ahead.
		const [first, last] = [dayOf(now - shownDays * dayMs), dayOf(now + dayMs)];
		if (allDays === null || now - allDays.at >= allDaysEveryMs || now < allDays.at) {
			allDays = { at: now, days: await readDayRollups(db, first, last) };
			return new Map(allDays.days);
		}
		for (const [id, days] of await readDayRollups(db, dayOf(now - dayMs), last)) {
			const known = allDays.days.get(id);
			// A target without news keeps its very counts: what is made of them (core/day-views.ts) is found again by them.
			allDays.days.set(id, known === undefined ? days : known.replacedBy(days));
		}
		return new Map(allDays.days);
	}, slowKept);
	return {
		async windows(now) {
			const read = [await readSlow(now), await readDayLatency(now), await readBrisk(now)] as const;
			// The very same while nothing was read anew: what is made of it is found again by it.
			if (merged === null || read.some((one, i) => one !== merged?.of[i])) merged = { of: read, windows: mergeWindows(...read) };
			return merged.windows;
		},
		days: readDays,
	};
}

type DayLatency = Awaited<ReturnType<typeof readLatency>>;

function mergeWindows(slowOnes: Windows, dayLatency: DayLatency, briskOnes: Windows): Windows {
	const merged: Windows = new Map(slowOnes);
	for (const [id, latency] of dayLatency) {
		const own = merged.get(id);
		if (own?.['1d'] !== undefined) merged.set(id, { ...own, '1d': { ...own['1d'], latency } });
	}
	for (const [id, windows] of briskOnes) merged.set(id, { ...merged.get(id), ...windows });
	return merged;
}

/** One window after the other: the sums of all of them at once are 50 MB of 10,000 targets. */
async function readFigures(db: Db, now: number, windows: readonly WindowName[]): Promise<Windows> {
	const byTarget: Windows = new Map();
	for (const window of windows) {
		for (const [id, { [window]: sums }] of await readWindowRollups(db, { now, windows: [window], distributions: distributionsOf[window] ?? 'none' })) {
			if (sums === undefined) continue;
			const own = byTarget.get(id) ?? {};
			own[window] = windowFigures(window, sums);
			byTarget.set(id, own);
		}
	}
	return byTarget;
}

/** So many targets at once are some seconds of a statement at most: of 10,000 it takes 17 on a slow machine, and one may take 30. */
const targetsAtOnce = 1_000;

async function readLatency(db: Db, now: number): Promise<Map<string, WindowFigures['latency']>> {
	const byTarget = new Map<string, WindowFigures['latency']>();
	const last = await highestTargetKey(db);
	for (let after = 0; after < last; after += targetsAtOnce) {
		const found = await readWindowRollups(db, { now, windows: ['1d'], distributions: 'latency', targetKeys: [after, after + targetsAtOnce] });
		for (const [id, { '1d': sums }] of found) byTarget.set(id, sums === undefined ? {} : windowFigures('1d', sums).latency);
	}
	return byTarget;
}
