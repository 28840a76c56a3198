/** Mergeable sums of results over a bucket of time. Every published number over a window comes from these, or from raw by the same function. */
import { emptyHistogram, type Histogram, histogramOf, mergeHistograms } from './histogram.ts';
import { type Outcome, ruleOf } from './outcome.ts';
import type { ProbeResult } from './probe-result.ts';

export const rollupSteps = { five_minutes: 300_000, hour: 3_600_000, day: 86_400_000 } as const;
export type RollupStep = keyof typeof rollupSteps;

export interface Rollup {
	/** Slots in the bucket, missed ones included. */
	readonly count: number;
	/** Slots that never ran. */
	readonly missed: number;
	readonly good: number;
	readonly bad: number;
	/** Ran, and stays out of availability. Missed slots are not in here: nothing was measured. */
	readonly excluded: number;
	readonly served: number;
	readonly refused: number;
	readonly right: number;
	readonly answered: number;
	/** Counts per code of the slots that ran. */
	readonly outcomes: Readonly<Partial<Record<Outcome, number>>>;
	readonly inputTokens: number;
	readonly outputTokens: number;
	readonly costMicroUsd: number;
	/** Of results that are ok only: errors never improve latency. */
	readonly ttft: Histogram;
	readonly total: Histogram;
	readonly speed: Histogram;
}

export const emptyRollup: Rollup = {
	count: 0,
	missed: 0,
	good: 0,
	bad: 0,
	excluded: 0,
	served: 0,
	refused: 0,
	right: 0,
	answered: 0,
	outcomes: {},
	inputTokens: 0,
	outputTokens: 0,
	costMicroUsd: 0,
	ttft: emptyHistogram,
	total: emptyHistogram,
	speed: emptyHistogram,
};

type RolledFields = Pick<
	ProbeResult,
	'outcome' | 'sli' | 'startedAt' | 'ttftMs' | 'totalMs' | 'outputTokensPerSecond' | 'inputTokens' | 'outputTokens' | 'costMicroUsd'
>;

/** The rollup of scheduled results of one series. */
export function rollupOf(results: readonly RolledFields[]): Rollup {
	const ran = results.filter((result) => result.startedAt !== null);
	const ok = ran.filter((result) => result.outcome === 'ok');
	const outcomes: Partial<Record<Outcome, number>> = {};
	for (const { outcome } of ran) outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
	const countSli = (sli: ProbeResult['sli']) => ran.filter((result) => result.sli === sli).length;
	const countRule = (matches: (rule: ReturnType<typeof ruleOf>) => boolean) => ran.filter((result) => matches(ruleOf(result.outcome))).length;
	const sum = (pick: (result: RolledFields) => number | null) => ran.reduce((total, result) => total + (pick(result) ?? 0), 0);
	const histogram = (pick: (result: RolledFields) => number | null) => histogramOf(ok.map(pick).filter((value) => value !== null));
	return {
		count: results.length,
		missed: results.length - ran.length,
		good: countSli('good'),
		bad: countSli('bad'),
		excluded: countSli('excluded'),
		served: countRule((rule) => rule.capacity === 'served'),
		refused: countRule((rule) => rule.capacity === 'refused'),
		right: countRule((rule) => rule.quality === 'right'),
		answered: countRule((rule) => rule.quality !== 'none'),
		outcomes,
		inputTokens: sum((result) => result.inputTokens),
		outputTokens: sum((result) => result.outputTokens),
		costMicroUsd: sum((result) => result.costMicroUsd),
		ttft: histogram((result) => result.ttftMs),
		total: histogram((result) => result.totalMs),
		speed: histogram((result) => result.outputTokensPerSecond),
	};
}

const summed = ['count', 'missed', 'good', 'bad', 'excluded', 'served', 'refused', 'right', 'answered', 'inputTokens', 'outputTokens', 'costMicroUsd'] as const;

/** Associative and commutative. */
export function mergeRollups(rollups: readonly Rollup[]): Rollup {
	const sums: Record<(typeof summed)[number], number> = { ...emptyRollup };
	for (const rollup of rollups) for (const field of summed) sums[field] += rollup[field];
	const outcomes: Partial<Record<Outcome, number>> = {};
	for (const rollup of rollups) {
		for (const [outcome, count] of Object.entries(rollup.outcomes) as [Outcome, number][]) outcomes[outcome] = (outcomes[outcome] ?? 0) + count;
	}
	return {
		...sums,
		outcomes,
		ttft: mergeHistograms(rollups.map((rollup) => rollup.ttft)),
		total: mergeHistograms(rollups.map((rollup) => rollup.total)),
		speed: mergeHistograms(rollups.map((rollup) => rollup.speed)),
	};
}
