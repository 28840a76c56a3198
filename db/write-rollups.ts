import { mergeRollups, type Rollup, type RollupStep, rollupSteps } from '#core/rollup.ts';
import { type AlikeRow, alikeColumns, detailsJoin, rollupOfRow } from './alike-results.ts';
import { readStretch } from './read-results.ts';
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
import { outcomeBits } from './stored-columns.ts';

const claimProgress = query<{ seq: number }>('roll_up_claim', 'select read_through_seq as seq from roll_up_progress for update skip locked');
const waitForProgress = query<{ seq: number }>('roll_up_wait', 'select read_through_seq as seq from roll_up_progress for update');
const readProgress = query<{ seq: number }>('roll_up_progress', 'select read_through_seq as seq from roll_up_progress');
const moveProgress = query('roll_up_move', 'update roll_up_progress set read_through_seq = $1::bigint');

// The origin of date_bin may be any bucket start; this one is UTC midnight.
const selectTouched = query<SeriesBucket & { last_seq: number; scheduled: boolean }>(
	'roll_up_touched',
	`select fresh.series_key, date_bin('5 minutes', fresh.slot_at, timestamptz '2000-01-01 00:00:00+00') as bucket_at, max(fresh.seq) as last_seq,
		bool_or(s.kind = 0) as scheduled
	from (select seq, slot_at, series_key from probe_results where seq > $1::bigint and seq <= $2::bigint order by seq limit $3::int) fresh
	join series s using (series_key)
	group by fresh.series_key, bucket_at`,
);

const given = 'unnest($1::int[], $2::float8[]) as given(series_key, bucket_s)';

const selectRaw = query<AlikeRow & SeriesBucket>(
	'roll_up_raw',
	`select given.series_key, to_timestamp(given.bucket_s) as bucket_at, ${alikeColumns(['ttft', 'total', 'speed'])}
	from ${given}
	cross join lateral (
		select * from probe_results r
		where r.series_key = given.series_key and r.slot_at >= to_timestamp(given.bucket_s) and r.slot_at < to_timestamp(given.bucket_s) + interval '5 minutes'
		offset 0
	) p
	${detailsJoin}
	group by given.series_key, given.bucket_s, p.code & ${outcomeBits}, ran`,
);

const selectFiner = Object.fromEntries(
	(['five_minutes', 'hour'] as const).map((step) => [
		step,
		query<SeriesBucket & { into_at: number } & CountsRow & DistributionsRow>(
			`roll_up_finer_${step}`,
			`select r.series_key, r.bucket_at, to_timestamp(given.bucket_s) as into_at,
				${[...sumColumns, ...distributionColumns.flat()].map((column) => `r.${column}`).join(', ')}
			from ${given}
			cross join lateral (
				select * from ${rollupTables[step]} own where own.series_key = given.series_key
					and own.bucket_at >= to_timestamp(given.bucket_s) and own.bucket_at < to_timestamp(given.bucket_s) + interval '${step === 'hour' ? '1 day' : '1 hour'}'
				order by own.bucket_at
			) r`,
		),
	]),
) as Record<'five_minutes' | 'hour', ReturnType<typeof query<SeriesBucket & { into_at: number } & CountsRow & DistributionsRow>>>;

const selectKnown = Object.fromEntries(
	Object.entries(rollupTables).map(([step, table]) => [
		step,
		query<SeriesBucket & CountsRow & DistributionsRow>(
			`roll_up_known_${step}`,
			`select r.series_key, r.bucket_at, ${[...sumColumns, ...distributionColumns.flat()].map((column) => `r.${column}`).join(', ')}
			from ${given} join ${table} r on r.series_key = given.series_key and r.bucket_at = to_timestamp(given.bucket_s)`,
		),
	]),
) as Record<RollupStep, ReturnType<typeof query<SeriesBucket & CountsRow & DistributionsRow>>>;

const names = rollupColumns.map(({ name }) => name);
const upserts = Object.fromEntries(
	Object.entries(rollupTables).map(([step, table]) => [
		step,
		query(
			`roll_up_write_${step}`,
			`insert into ${table} (${names.join(', ')})
			select ${rollupColumns.map(({ name, cast }) => (name === 'bucket_at' ? 'to_timestamp(bucket_at)' : `${name}${cast}`)).join(', ')}
			from unnest(${rollupColumns.map(({ type }, i) => `$${i + 1}::${type}[]`).join(', ')}) as made(${names.join(', ')})
			on conflict (series_key, bucket_at) do update set ${names
				.slice(2)
				.map((name) => `${name} = excluded.${name}`)
				.join(', ')}`,
		),
	]),
) as Record<RollupStep, ReturnType<typeof query<unknown>>>;

const trimHours = query<{ count: number }>(
	'rollups_trim_hour',
	'with gone as (delete from rollups_hour where bucket_at < $1::timestamptz returning 1) select count(*) as count from gone',
);

export interface Touched {
	/** Series and 5-minute buckets that the next results fall into. */
	readonly buckets: readonly SeriesBucket[];
	/** Progress after them; null when there are no new results. */
	readonly readThroughSeq: number | null;
}

/** Waits for the roll-up and keeps others from it for this transaction. */
export async function holdRollUp(tx: Tx): Promise<void> {
	await tx.run(waitForProgress);
}

/**
 * Takes the roll-up for this transaction and looks at the next results in order of commit.
 * @returns null when another process has it.
 */
export async function claimTouchedBuckets(tx: Tx, resultsAtMost: number): Promise<Touched | null> {
	const [progress] = await tx.run(claimProgress);
	if (progress === undefined) return null;
	const rows = await readStretch(tx, progress.seq, resultsAtMost, (throughSeq) => tx.run(selectTouched, [progress.seq, throughSeq, resultsAtMost]));
	return {
		buckets: rows.filter(({ scheduled }) => scheduled),
		readThroughSeq: rows.length === 0 ? null : Math.max(...rows.map(({ last_seq }) => last_seq)),
	};
}

/** Every result through this number is in the sums. */
export async function readRollUpProgress(sql: Sql): Promise<number> {
	return (await sql.run(readProgress))[0]?.seq ?? 0;
}

export async function setRollUpProgress(tx: Tx, readThroughSeq: number): Promise<void> {
	await tx.run(moveProgress, [readThroughSeq]);
}

/** The buckets that have raw results, and what these add up to. */
export async function sumRawOfBuckets(tx: Tx, buckets: readonly SeriesBucket[]): Promise<{ bucket: SeriesBucket; rollup: Rollup }[]> {
	const rows = await tx.run(selectRaw, keysOf(buckets));
	return [...Map.groupBy(rows, seriesBucketKey).values()].flatMap((group) => {
		const [first] = group;
		return first === undefined ? [] : [{ bucket: bucketOf(first, first.bucket_at), rollup: mergeRollups(group.map(rollupOfRow)) }];
	});
}

/** Those of the buckets that have one, by `seriesBucketKey`. */
export async function readKnownRollups(tx: Tx, step: RollupStep, buckets: readonly SeriesBucket[]): Promise<Map<string, Rollup>> {
	return new Map((await tx.run(selectKnown[step], keysOf(buckets))).map((row) => [seriesBucketKey(row), toRollup(row)]));
}

/** For each bucket of `step` (hour or day) the rollups of the next finer step that lie in it. */
export async function readFinerRollups(tx: Tx, step: 'hour' | 'day', buckets: readonly SeriesBucket[]): Promise<{ bucket: SeriesBucket; parts: Rollup[] }[]> {
	const rows = await tx.run(selectFiner[step === 'day' ? 'hour' : 'five_minutes'], keysOf(buckets));
	return [...Map.groupBy(rows, (row) => seriesBucketKey(bucketOf(row, row.into_at))).values()].flatMap((group) => {
		const [first] = group;
		return first === undefined ? [] : [{ bucket: bucketOf(first, first.into_at), parts: group.map(toRollup) }];
	});
}

/** 5-minute rows of days that are packed must have been unpacked before. */
export async function writeRollups(tx: Tx, step: RollupStep, rollups: readonly { bucket: SeriesBucket; rollup: Rollup }[]): Promise<void> {
	if (rollups.length === 0) return;
	await tx.run(
		upserts[step],
		rollupColumns.map(({ of }) => rollups.map(({ bucket, rollup }) => of(bucket, rollup))),
	);
}

/** Hours only: the 5 minutes go with their days, and days are kept for ever. @returns how many were older and are gone. */
export async function trimHourRollups(sql: Sql, before: number): Promise<number> {
	return (await sql.run(trimHours, [instant(before)]))[0]?.count ?? 0;
}

/** The bucket of a coarser step that holds the given one. */
export function coarserBucket(bucket: SeriesBucket, step: RollupStep): SeriesBucket {
	return bucketOf(bucket, Math.floor(bucket.bucket_at / rollupSteps[step]) * rollupSteps[step]);
}

function bucketOf({ series_key }: SeriesBucket, bucket_at: number): SeriesBucket {
	return { series_key, bucket_at };
}

export function seriesBucketKey({ series_key, bucket_at }: SeriesBucket): string {
	return `${series_key} ${bucket_at}`;
}

function keysOf(buckets: readonly SeriesBucket[]): unknown[] {
	return [buckets.map(({ series_key }) => series_key), buckets.map(({ bucket_at }) => bucket_at / 1_000)];
}
