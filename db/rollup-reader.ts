import { longWindows, type WindowName } from '#core/snapshot.ts';
import { type WindowFigures, windowFigures } from '#core/window-figures.ts';
import { type BriefFigures, createBriefReader } from './brief-windows.ts';
import { readDayRollups } from './day-rollups.ts';
import { type KeptFor, keepRead } from './keep-read.ts';
import { dayOf } from './partitions.ts';
import { type RolledWindow, readWindowRollups } from './rollups.ts';
import type { Db } from './sql.ts';
import { highestTargetKey } from './targets.ts';

type FiguresOf<Window extends WindowName> = Readonly<Partial<Record<Window, WindowFigures>>>;
type Windows = ReadonlyMap<string, FiguresOf<WindowName>>;

export interface ReadWindows {
	/** Up to when results are in 1d and longer, ms since epoch. */
	readonly countedAt: number;
	/** By target id. */
	readonly of: Windows;
}

type Days = Awaited<ReturnType<typeof readDayRollups>>;

/** The reads of a publisher that runs every few seconds, with what hardly moves read less often. Keeps its answers in memory: one for a process. */
export interface RollupReader {
	/**
	 * What is published of each window. 1d and longer are kept for a hundred times as long as reading them took, two minutes at most; where there are many
	 * targets and that is more than a minute, until a bucket of five minutes is over; the latency of 1d for two hundred times, ten minutes at most; the
	 * shorter ones are those of now. What has not moved is the very same as before.
	 */
	windows(now: number): Promise<ReadWindows>;
	/** Whether 1d and longer would be read anew at this instant: the sums are to be up to date by then. */
	isDue(now: number): boolean;
	/** As `readDayRollups`, 90 days, kept as long as the windows of 1d; a result that is later than a day shows within a quarter of an hour. */
	days(now: number): Promise<Days>;
}

const slow = ['1d', ...longWindows] as const satisfies readonly RolledWindow[];
// A share of the time, so what becomes cheaper is only read more often: of 1,000 targets the counts of a day and longer take 0.2 s of server CPU, the ninety
// days 0.3 s and 0.6 s of our own (bench/roll-up.ts).
const slowKept = { perReadMs: 100, atMostMs: 120_000, firstAtMostMs: 5_000 } as const satisfies KeptFor;
// The sums of a large fleet are brought up to date just before, once a bucket: of 10,000 targets each 120 s that is 280 rows a second, like this 100.
const bucketMarks = { fromMs: 60_000, everyMs: 300_000, lateMs: 20_000 };
const manyTargets = 3_000;
// Adding up a day's histograms takes 6 s of server CPU of 10,000 targets, its counts and outcomes 1.4 (bench/roll-up.ts); one part in 144 is new meanwhile.
const dayLatencyKept: KeptFor = { perReadMs: 200, atMostMs: 600_000 };
// With the five minutes that what was read last is kept: within a quarter of an hour.
const allDaysEveryMs = 600_000;
const dayMs = 86_400_000;
const shownDays = 90;

export function createRollupReader(db: Db): RollupReader {
	const readSlow = keepRead(async (now) => ({ countedAt: now, of: await readFigures(db, now) }), slowKept, {
		...bucketMarks,
		isLarge: ({ of }) => of.size > manyTargets,
	});
	const readDayLatency = keepRead((now) => readLatency(db, now), dayLatencyKept);
	const brief = createBriefReader(db);
	const merge = rememberMerged();
	let allDays: { at: number; days: Days } | null = null;
	const readDays = keepRead(
		async (now): Promise<Days> => {
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
		},
		slowKept,
		{ ...bucketMarks, isLarge: ({ size }) => size > manyTargets },
	);
	return {
		async windows(now) {
			const { countedAt, of } = await readSlow(now);
			return { countedAt, of: merge(of, await readDayLatency(now), await brief.read(now)) };
		},
		isDue: readSlow.isDue,
		days: readDays,
	};
}

type SlowFigures = FiguresOf<RolledWindow>;
type Latency = WindowFigures['latency'];

/** Gives a target the very object of before while none of its parts is another: what is made of it is found again by it. */
function rememberMerged() {
	let known = new Map<string, { readonly parts: readonly unknown[]; readonly windows: FiguresOf<WindowName> }>();
	return (slowOf: ReadonlyMap<string, SlowFigures>, latencyOf: ReadonlyMap<string, Latency>, briefOf: ReadonlyMap<string, BriefFigures>): Windows => {
		const fresh: typeof known = new Map();
		for (const id of new Set([...slowOf.keys(), ...briefOf.keys()])) {
			const parts = [slowOf.get(id), latencyOf.get(id), briefOf.get(id)] as const;
			const same = known.get(id);
			fresh.set(id, same?.parts.every((part, i) => part === parts[i]) ? same : { parts, windows: mergeFigures(...parts) });
		}
		known = fresh;
		return new Map([...fresh].map(([id, { windows }]) => [id, windows]));
	};
}

function mergeFigures(slowOnes: SlowFigures | undefined, latency: Latency | undefined, brief: BriefFigures | undefined): FiguresOf<WindowName> {
	const day = slowOnes?.['1d'];
	return { ...slowOnes, ...(day === undefined || latency === undefined ? {} : { '1d': { ...day, latency } }), ...brief };
}

/** One window after the other: the sums of all of them at once are 50 MB of 10,000 targets. */
async function readFigures(db: Db, now: number): Promise<Map<string, SlowFigures>> {
	const byTarget = new Map<string, Partial<Record<RolledWindow, WindowFigures>>>();
	for (const window of slow) {
		// As far as it is published (core/window-figures.ts).
		const distributions = window === '1d' ? 'outcomes' : 'none';
		for (const [id, { [window]: sums }] of await readWindowRollups(db, { now, windows: [window], distributions })) {
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

async function readLatency(db: Db, now: number): Promise<Map<string, Latency>> {
	const byTarget = new Map<string, Latency>();
	const last = await highestTargetKey(db);
	for (let after = 0; after < last; after += targetsAtOnce) {
		const found = await readWindowRollups(db, { now, windows: ['1d'], distributions: 'latency', targetKeys: [after, after + targetsAtOnce] });
		for (const [id, { '1d': sums }] of found) byTarget.set(id, sums === undefined ? {} : windowFigures('1d', sums).latency);
	}
	return byTarget;
}
