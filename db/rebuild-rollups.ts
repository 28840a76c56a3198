/** Takes the rollups of one day away, so that they can be summed anew from the raw results. */
import type { RollupStep } from '#core/rollup.ts';
import { rollupTables, type SeriesBucket } from './rollup-row.ts';
import { query, type Sql, type Tx } from './sql.ts';

const inDay = (column: string) => `${column} >= $1::timestamptz and ${column} < $1::timestamptz + interval '1 day'`;

const selectSeries = query<{ series_key: number }>(
	'rebuild_series',
	`select series_key from (
		select p.series_key from probe_results p join series s using (series_key) where ${inDay('p.slot_at')} and s.kind = 0
		union select series_key from rollups_5m where ${inDay('bucket_at')}
		union select series_key from rollups_hour where ${inDay('bucket_at')}
		union select series_key from rollups_day where ${inDay('bucket_at')}
		union select series_key from packed_5m where day = $1::timestamptz::date
	) known order by series_key`,
);

const selectAny = query<{ some: boolean }>('rebuild_any', `select exists (select from probe_results where ${inDay('slot_at')}) as some`);

const selectBuckets = query<SeriesBucket>(
	'rebuild_buckets',
	`select distinct series_key, date_bin('5 minutes', slot_at, timestamptz '2000-01-01 00:00:00+00') as bucket_at
	from probe_results where ${inDay('slot_at')} and series_key = any($2::int[])`,
);

const steps = Object.keys(rollupTables) as RollupStep[];

const selectDigests = query<{ step: string; series_key: number; bucket_at: number; digest: string }>(
	'rebuild_digests',
	steps
		.map(
			(step) =>
				`select '${step}' as step, series_key, bucket_at, md5(r::text) as digest from ${rollupTables[step]} r where ${inDay('bucket_at')} and series_key = any($2::int[])`,
		)
		.join(' union all '),
);

const deletes = steps.map((step) =>
	query(`rebuild_delete_${step}`, `delete from ${rollupTables[step]} where ${inDay('bucket_at')} and series_key = any($2::int[])`),
);

/** Series that have scheduled results or rollups on the UTC day. */
export async function listSeriesOfDay(sql: Sql, day: string): Promise<number[]> {
	return (await sql.run(selectSeries, [`${day}T00:00:00Z`])).map(({ series_key }) => series_key);
}

/** False for a day whose raw results are gone, or that never had any here. */
export async function hasRawResults(sql: Sql, day: string): Promise<boolean> {
	return (await sql.run(selectAny, [`${day}T00:00:00Z`]))[0]?.some ?? false;
}

/** 5-minute buckets of the day that the series have raw results in. */
export function listRawBuckets(sql: Sql, day: string, seriesKeys: readonly number[]): Promise<SeriesBucket[]> {
	return sql.run(selectBuckets, [`${day}T00:00:00Z`, seriesKeys]);
}

/** A bucket of the day for each series: enough to have the day unpacked. */
export function firstBuckets(day: string, seriesKeys: readonly number[]): SeriesBucket[] {
	const startAt = Date.parse(`${day}T00:00:00Z`);
	return seriesKeys.map((series_key) => ({ series_key, bucket_at: startAt }));
}

/** One text for each rollup of the day: its place → a digest of all its digits. Days must be unpacked. */
export async function digestRollups(tx: Tx, day: string, seriesKeys: readonly number[]): Promise<Map<string, string>> {
	const rows = await tx.run(selectDigests, [`${day}T00:00:00Z`, seriesKeys]);
	return new Map(rows.map((row) => [`${row.step} ${row.series_key} ${new Date(row.bucket_at).toISOString()}`, row.digest]));
}

export async function deleteRollups(tx: Tx, day: string, seriesKeys: readonly number[]): Promise<void> {
	for (const one of deletes) await tx.run(one, [`${day}T00:00:00Z`, seriesKeys]);
}
