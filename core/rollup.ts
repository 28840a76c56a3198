/** Mergeable sums of results over a bucket of time. Every published number over a window comes from these, or from raw by the same function. */
import { emptyHistogram, type Histogram, histogramOf, mergeHistograms, subtractHistogram } from './histogram.ts';
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

/** Of so many slots that ran and ended alike: no tokens, money and times. */
export function rollupOfAlike(outcome: Outcome, sli: ProbeResult['sli'], count: number): Rollup {
	const { capacity, quality } = ruleOf(outcome);
	return {
		...emptyRollup,
		count,
		[sli]: count,
		served: capacity === 'served' ? count : 0,
		refused: capacity === 'refused' ? count : 0,
		right: quality === 'right' ? count : 0,
		answered: quality === 'none' ? 0 : count,
		outcomes: { [outcome]: count },
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

/**
 * A sum some of whose parts have been replaced: the same digits as all its parts added up anew, for they are whole numbers.
 * @returns null where those of before can't have been in it
 */
export function replaceParts(sum: Rollup, before: readonly Rollup[], after: readonly Rollup[]): Rollup | null {
	const rest = before.reduce(subtractRollup, sum);
	// Money is in fractions here, of which a rest may be just below nothing.
	const isPossible =
		summed.every((field) => rest[field] >= 0 || field === 'costMicroUsd') &&
		Object.values(rest.outcomes).every((count) => count > 0) &&
		[rest.ttft, rest.total, rest.speed].every(({ counts }) => counts.every((count) => count > 0));
	return isPossible ? mergeRollups([rest, ...after]) : null;
}

function subtractRollup(whole: Rollup, part: Rollup): Rollup {
	const rest: Record<(typeof summed)[number], number> = { ...emptyRollup };
	for (const field of summed) rest[field] = whole[field] - part[field];
	const outcomes: Partial<Record<Outcome, number>> = { ...whole.outcomes };
	for (const [outcome, count] of Object.entries(part.outcomes) as [Outcome, number][]) {
		const left = (outcomes[outcome] ?? 0) - count;
		if (left === 0) delete outcomes[outcome];
		else outcomes[outcome] = left;
	}
	return {
		...rest,
		outcomes,
		ttft: subtractHistogram(whole.ttft, part.ttft),
		total: subtractHistogram(whole.total, part.total),
		speed: subtractHistogram(whole.speed, part.speed),
	};
}
