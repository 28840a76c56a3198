import { type Rollup, type RollupStep, rollupSteps } from '#core/rollup.ts';
import { outcomeOfCode, sliOfCode } from './result-codes.ts';
import {
	type CountsRow,
	type DistributionsRow,
	distributionColumns,
	rollupColumns,
	rollupTables,
	type SeriesBucket,
	sumColumns,
	toRollup,
} from './rollup-row.ts';
import { instant, query, type Sql, type Tx } from './sql.ts';

const claimProgress = query<{ seq: number }>('roll_up_claim', 'select read_through_seq as seq from roll_up_progress for update skip locked');
const moveProgress = query('roll_up_move', 'update roll_up_progress set read_through_seq = $1::bigint');

// The origin of date_bin may be any bucket start; this one is UTC midnight.
const selectTouched = query<SeriesBucket & { last_seq: number; scheduled: boolean }>(
	'roll_up_touched',
	`select target_key, vantage_key, canary_key, date_bin('5 minutes', slot_at, timestamptz '2000-01-01 00:00:00+00') as bucket_at, max(seq) as last_seq,
		bool_or(kind = 0) as scheduled
	from (select seq, slot_at, target_key, vantage_key, canary_key, kind from probe_results where seq > $1::bigint order by seq limit $2::int) fresh
	group by target_key, vantage_key, canary_key, bucket_at`,
);

interface RawRow extends SeriesBucket {
	readonly started_at: number | null;
	readonly outcome: number;
	readonly sli: number;
	readonly ttft_ms: number | null;
	readonly total_ms: number | null;
	readonly output_tokens_per_second: number | null;
	readonly input_tokens: number | null;
	readonly output_tokens: number | null;
	readonly cost_nano_usd: number | null;
}

const given = 'unnest($1::int[], $2::int[], $3::int[], $4::float8[]) as given(target_key, vantage_key, canary_key, bucket_s)';

const selectRaw = query<RawRow>(
	'roll_up_raw',
	`select given.target_key, given.vantage_key, given.canary_key, to_timestamp(given.bucket_s) as bucket_at, p.started_at, p.outcome, p.sli, p.ttft_ms,
		p.total_ms, p.output_tokens_per_second, p.input_tokens, p.output_tokens, p.cost_nano_usd
	from ${given}
	cross join lateral (
		select * from probe_results r
		where r.target_key = given.target_key and r.slot_at >= to_timestamp(given.bucket_s) and r.slot_at < to_timestamp(given.bucket_s) + interval '5 minutes'
			and r.vantage_key = given.vantage_key and r.canary_key = given.canary_key and r.kind = 0
		order by r.slot_at
	) p`,
);

const selectFiner = Object.fromEntries(
	(['five_minutes', 'hour'] as const).map((step) => [
		step,
		query<SeriesBucket & { into_at: number } & CountsRow & DistributionsRow>(
			`roll_up_finer_${step}`,
			`select r.target_key, r.vantage_key, r.canary_key, r.bucket_at, to_timestamp(given.bucket_s) as into_at,
				${[...sumColumns, ...distributionColumns.flat()].map((column) => `r.${column}`).join(', ')}
			from ${given}
			join ${rollupTables[step]} r on r.target_key = given.target_key and r.vantage_key = given.vantage_key and r.canary_key = given.canary_key
				and r.bucket_at >= to_timestamp(given.bucket_s) and r.bucket_at < to_timestamp(given.bucket_s) + interval '${step === 'hour' ? '1 day' : '1 hour'}'
			order by r.bucket_at`,
		),
	]),
) as Record<'five_minutes' | 'hour', ReturnType<typeof query<SeriesBucket & { into_at: number } & CountsRow & DistributionsRow>>>;

const names = rollupColumns.map(({ name }) => name);
const upserts = Object.fromEntries(
	Object.entries(rollupTables).map(([step, table]) => [
		step,
		query(
			`roll_up_write_${step}`,
			`insert into ${table} (${names.join(', ')})
			select ${rollupColumns.map(({ name, cast }) => (name === 'bucket_at' ? 'to_timestamp(bucket_at)' : `${name}${cast}`)).join(', ')}
			from unnest(${rollupColumns.map(({ type }, i) => `$${i + 1}::${type}[]`).join(', ')}) as made(${names.join(', ')})
			on conflict (target_key, bucket_at, vantage_key, canary_key) do update set ${names
				.slice(4)
				.map((name) => `${name} = excluded.${name}`)
				.join(', ')}`,
		),
	]),
) as Record<RollupStep, ReturnType<typeof query<unknown>>>;

const trims = {
	five_minutes: query<{ count: number }>('rollups_trim_5m', trimText('rollups_5m')),
	hour: query<{ count: number }>('rollups_trim_hour', trimText('rollups_hour')),
};

function trimText(table: string): string {
	return `with gone as (delete from ${table} where bucket_at < $1::timestamptz returning 1) select count(*) as count from gone`;
}

export interface Touched {
	/** Series and 5-minute buckets that the next results fall into. */
	readonly buckets: readonly SeriesBucket[];
	/** Progress after them; null when there are no new results. */
	readonly readThroughSeq: number | null;
}

/**
 * Takes the roll-up for this transaction and looks at the next results in order of commit.
 * @returns null when another process has it.
 */
export async function claimTouchedBuckets(tx: Tx, resultsAtMost: number): Promise<Touched | null> {
	const [progress] = await tx.run(claimProgress);
	if (progress === undefined) return null;
	const rows = await tx.run(selectTouched, [progress.seq, resultsAtMost]);
	return {
		buckets: rows.filter(({ scheduled }) => scheduled),
		readThroughSeq: rows.length === 0 ? null : Math.max(...rows.map(({ last_seq }) => last_seq)),
	};
}

export async function setRollUpProgress(tx: Tx, readThroughSeq: number): Promise<void> {
	await tx.run(moveProgress, [readThroughSeq]);
}

type RawResult = Parameters<typeof import('#core/rollup.ts').rollupOf>[0][number];

/** Every scheduled result of each bucket, in slot order. */
export async function readRawOfBuckets(tx: Tx, buckets: readonly SeriesBucket[]): Promise<{ bucket: SeriesBucket; results: RawResult[] }[]> {
	const rows = await tx.run(selectRaw, keysOf(buckets));
	return [...Map.groupBy(rows, seriesBucketKey).values()].flatMap((group) => {
		const [first] = group;
		if (first === undefined) return [];
		return [{ bucket: bucketOf(first, first.bucket_at), results: group.map(toRawResult) }];
	});
}

/** For each bucket of `step` (hour or day) the rollups of the next finer step that lie in it. */
export async function readFinerRollups(tx: Tx, step: 'hour' | 'day', buckets: readonly SeriesBucket[]): Promise<{ bucket: SeriesBucket; parts: Rollup[] }[]> {
	const rows = await tx.run(selectFiner[step === 'day' ? 'hour' : 'five_minutes'], keysOf(buckets));
	return [...Map.groupBy(rows, (row) => seriesBucketKey(bucketOf(row, row.into_at))).values()].flatMap((group) => {
		const [first] = group;
		return first === undefined ? [] : [{ bucket: bucketOf(first, first.into_at), parts: group.map(toRollup) }];
	});
}

export async function writeRollups(tx: Tx, step: RollupStep, rollups: readonly { bucket: SeriesBucket; rollup: Rollup }[]): Promise<void> {
	if (rollups.length === 0) return;
	await tx.run(
		upserts[step],
		rollupColumns.map(({ of }) => rollups.map(({ bucket, rollup }) => of(bucket, rollup))),
	);
}

/** @returns how many were older and are gone. Days are kept for ever. */
export async function trimRollups(sql: Sql, step: 'five_minutes' | 'hour', before: number): Promise<number> {
	return (await sql.run(trims[step], [instant(before)]))[0]?.count ?? 0;
}

/** The buckets of a coarser step that hold the given ones, each once. */
export function coarserBuckets(buckets: readonly SeriesBucket[], step: RollupStep): SeriesBucket[] {
	const stepMs = rollupSteps[step];
	const coarser = buckets.map((bucket) => bucketOf(bucket, Math.floor(bucket.bucket_at / stepMs) * stepMs));
	return [...new Map(coarser.map((bucket) => [seriesBucketKey(bucket), bucket])).values()];
}

function bucketOf({ target_key, vantage_key, canary_key }: SeriesBucket, bucket_at: number): SeriesBucket {
	return { target_key, vantage_key, canary_key, bucket_at };
}

function seriesBucketKey({ target_key, vantage_key, canary_key, bucket_at }: SeriesBucket): string {
	return `${target_key} ${vantage_key} ${canary_key} ${bucket_at}`;
}

function keysOf(buckets: readonly SeriesBucket[]): unknown[] {
	return [
		buckets.map(({ target_key }) => target_key),
		buckets.map(({ vantage_key }) => vantage_key),
		buckets.map(({ canary_key }) => canary_key),
		buckets.map(({ bucket_at }) => bucket_at / 1_000),
	];
}

function toRawResult(row: RawRow): RawResult {
	return {
		startedAt: row.started_at,
		outcome: outcomeOfCode(row.outcome),
		sli: sliOfCode(row.sli),
		ttftMs: row.ttft_ms,
		totalMs: row.total_ms,
		outputTokensPerSecond: row.output_tokens_per_second,
		inputTokens: row.input_tokens,
		outputTokens: row.output_tokens,
		costMicroUsd: row.cost_nano_usd === null ? null : row.cost_nano_usd / 1_000,
	};
}
