import { emptyHistogram, type Histogram } from '#core/histogram.ts';
import type { Outcome } from '#core/outcome.ts';
import { emptyRollup, type Rollup, type RollupStep } from '#core/rollup.ts';
import { outcomeCodes, outcomeOfCode } from './result-codes.ts';

export const rollupTables = { five_minutes: 'rollups_5m', hour: 'rollups_hour', day: 'rollups_day' } as const satisfies Record<RollupStep, string>;

/** What one rollup is of. */
export interface SeriesBucket {
	readonly series_key: number;
	/** Start, ms since epoch. */
	readonly bucket_at: number;
}

const counts = {
	slot_count: 'count',
	missed_count: 'missed',
	good_count: 'good',
	bad_count: 'bad',
	excluded_count: 'excluded',
	served_count: 'served',
	refused_count: 'refused',
	right_count: 'right',
	answered_count: 'answered',
	input_tokens: 'inputTokens',
	output_tokens: 'outputTokens',
} as const satisfies Record<string, keyof Rollup>;
type CountColumn = keyof typeof counts;
const countFields = Object.entries(counts) as readonly (readonly [CountColumn, keyof Rollup])[];

/** Columns that add up. */
export const sumColumns = [...(Object.keys(counts) as CountColumn[]), 'cost_nano_usd'] as const;

export type CountsRow = Readonly<Record<CountColumn | 'cost_nano_usd', number>>;

export interface DistributionsRow {
	readonly outcome_codes: readonly number[] | null;
	readonly outcome_counts: readonly number[] | null;
	readonly ttft_buckets: readonly number[] | null;
	readonly ttft_counts: readonly number[] | null;
	readonly total_buckets: readonly number[] | null;
	readonly total_counts: readonly number[] | null;
	readonly speed_buckets: readonly number[] | null;
	readonly speed_counts: readonly number[] | null;
}

/** Pairs of columns that hold a sparse distribution: keys, counts. */
export const distributionColumns = [
	['outcome_codes', 'outcome_counts'],
	['ttft_buckets', 'ttft_counts'],
	['total_buckets', 'total_counts'],
	['speed_buckets', 'speed_counts'],
] as const;

/** Without distributions outcomes and histograms are empty. */
export function toRollup(row: CountsRow & Partial<DistributionsRow>): Rollup {
	const outcomes: Partial<Record<Outcome, number>> = {};
	for (const [i, code] of (row.outcome_codes ?? []).entries()) outcomes[outcomeOfCode(code)] = row.outcome_counts?.[i] ?? 0;
	const rollup: Record<string, unknown> = {
		...emptyRollup,
		costMicroUsd: row.cost_nano_usd / 1_000,
		outcomes,
		ttft: toHistogram(row.ttft_buckets, row.ttft_counts),
		total: toHistogram(row.total_buckets, row.total_counts),
		speed: toHistogram(row.speed_buckets, row.speed_counts),
	};
	for (const [column, field] of countFields) rollup[field] = row[column];
	return rollup as unknown as Rollup;
}

function toHistogram(buckets: readonly number[] | null | undefined, bucketCounts: readonly number[] | null | undefined): Histogram {
	return buckets == null || bucketCounts == null ? emptyHistogram : { buckets, counts: bucketCounts };
}

// unnest flattens an array of arrays, so each row's own array travels as its text.
const literal = (numbers: readonly number[]) => `{${numbers.join(',')}}`;

/** The columns of a row: name, type of the parameter, cast in the select, value. */
export const rollupColumns: readonly { name: string; type: string; cast: string; of: (bucket: SeriesBucket, rollup: Rollup) => unknown }[] = [
	{ name: 'series_key', type: 'int4', cast: '', of: (bucket) => bucket.series_key },
	{ name: 'bucket_at', type: 'float8', cast: '', of: (bucket) => bucket.bucket_at / 1_000 },
	...countFields.map(([name, field]) => ({ name, type: 'int8', cast: '', of: (_: SeriesBucket, rollup: Rollup) => rollup[field] })),
	{ name: 'cost_nano_usd', type: 'int8', cast: '', of: (_, rollup) => Math.round(rollup.costMicroUsd * 1_000) },
	{ name: 'outcome_codes', type: 'text', cast: '::smallint[]', of: (_, rollup) => literal(codesOf(rollup)) },
	{
		name: 'outcome_counts',
		type: 'text',
		cast: '::integer[]',
		of: (_, rollup) => literal(codesOf(rollup).map((code) => rollup.outcomes[outcomeOfCode(code)] ?? 0)),
	},
	...(['ttft', 'total', 'speed'] as const).flatMap((field) => [
		{ name: `${field}_buckets`, type: 'text', cast: '::smallint[]', of: (_: SeriesBucket, rollup: Rollup) => literal(rollup[field].buckets) },
		{ name: `${field}_counts`, type: 'text', cast: '::integer[]', of: (_: SeriesBucket, rollup: Rollup) => literal(rollup[field].counts) },
	]),
];

function codesOf({ outcomes }: Rollup): number[] {
	return (Object.keys(outcomes) as Outcome[]).map((outcome) => outcomeCodes[outcome]).sort((a, b) => a - b);
}
