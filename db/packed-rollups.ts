/** Days of 5-minute rollups that nothing is added to any more are packed: one row a series and day. A late result unpacks its day again. */
import { rollupSteps } from '#core/rollup.ts';
import { type PlacedRollup, packRollups, unpackRollups } from './pack-rollups.ts';
import { dayOf, dropDay, listDays } from './partitions.ts';
import { type CountsRow, type DistributionsRow, distributionColumns, type SeriesBucket, sumColumns, toRollup } from './rollup-row.ts';
import { type Db, query, type Sql, type Tx, transaction } from './sql.ts';
import { holdRollUp, writeRollups } from './write-rollups.ts';

type FineRow = SeriesBucket & CountsRow & DistributionsRow;
interface PackedRow {
	readonly series_key: number;
	readonly day: string;
	readonly packed: Buffer;
}

const selectFine = query<FineRow>(
	'packed_select_fine',
	`select series_key, bucket_at, ${[...sumColumns, ...distributionColumns.flat()].join(', ')} from rollups_5m
	where bucket_at >= $1::timestamptz and bucket_at < $1::timestamptz + interval '1 day' and series_key > $2::int and series_key <= $3::int
	order by series_key, bucket_at`,
);
const selectStray = query<{ day: string }>(
	'packed_select_stray',
	`select distinct (bucket_at at time zone 'UTC')::date as day from rollups_5m_default where bucket_at < $1::timestamptz order by day`,
);
const selectSeries = query<{ series_key: number }>(
	'packed_select_series',
	`select distinct series_key from rollups_5m where bucket_at >= $1::timestamptz and bucket_at < $1::timestamptz + interval '1 day' order by series_key`,
);
const deleteFine = query(
	'packed_delete_fine',
	`delete from rollups_5m where bucket_at >= $1::timestamptz and bucket_at < $1::timestamptz + interval '1 day' and series_key > $2::int and series_key <= $3::int`,
);
const upsertPacked = query(
	'packed_write',
	`insert into packed_5m (series_key, day, packed) select series_key, $2::date, packed from unnest($1::int[], $3::bytea[]) as made(series_key, packed)
	on conflict (series_key, day) do update set packed = excluded.packed`,
);
const selectPacked = query<PackedRow>(
	'packed_find',
	`select p.series_key, p.day, p.packed
	from unnest($1::int[], $2::date[]) as given(series_key, day)
	join packed_5m p on p.series_key = given.series_key and p.day = given.day`,
);
const selectPackedRange = query<PackedRow>(
	'packed_range',
	`select series_key, day, packed from packed_5m where series_key = any($1::int[]) and day >= $2::date and day <= $3::date order by day`,
);
const deletePacked = query(
	'packed_delete',
	`delete from packed_5m p using unnest($1::int[], $2::date[]) as given(series_key, day) where p.series_key = given.series_key and p.day = given.day`,
);
const listMonths = query<{ name: string }>(
	'packed_months',
	`select c.relname as name from pg_inherits i join pg_class c on c.oid = i.inhrelid where i.inhparent = to_regclass('packed_5m') order by c.relname`,
);

const stepMs = rollupSteps.five_minutes;
/** Some megabytes at once. */
const seriesPerStep = 200;

/** Packs every day that ended before the one of `beforeAt`. @returns the days, YYYY-MM-DD. */
export async function packDays(db: Db, beforeAt: number): Promise<string[]> {
	const before = dayOf(beforeAt);
	// A day that was unpacked for a late result has no partition of its own any more.
	const stray = (await db.run(selectStray, [`${before}T00:00:00Z`])).map(({ day }) => day);
	const days = [...new Set([...(await listDays(db, 'rollups_5m')).filter((day) => day < before), ...stray])].sort();
	for (const day of days) {
		await ensureMonth(db, day);
		const series = (await db.run(selectSeries, [`${day}T00:00:00Z`])).map(({ series_key }) => series_key);
		for (let start = 0; start < series.length; start += seriesPerStep) {
			const through = series[Math.min(start + seriesPerStep, series.length) - 1] ?? 0;
			await transaction(db, (tx) => packStep(tx, day, (series[start] ?? 1) - 1, through));
		}
		// What came meanwhile stays in the table, and the day is packed at the next pruning.
		if ((await db.run(selectSeries, [`${day}T00:00:00Z`])).length === 0) await dropDay(db, 'rollups_5m', day);
	}
	return days;
}

async function packStep(tx: Tx, day: string, after: number, through: number): Promise<void> {
	await holdRollUp(tx);
	const range = [`${day}T00:00:00Z`, after, through];
	const rows = await tx.run(selectFine, range);
	const bySeries = Map.groupBy(rows, ({ series_key }) => series_key);
	const keys = [...bySeries.keys()];
	const known = new Map((await findPacked(tx, keys, [day])).map(({ series_key, packed }) => [series_key, unpackRollups(packed)]));
	const startAt = Date.parse(`${day}T00:00:00Z`);
	const packed = [...bySeries].map(([key, own]) => {
		const fresh = own.map((row): PlacedRollup => ({ place: (row.bucket_at - startAt) / stepMs, rollup: toRollup(row) }));
		const merged = new Map([...(known.get(key) ?? []), ...fresh].map((placed) => [placed.place, placed]));
		return packRollups([...merged.values()].sort((a, b) => a.place - b.place));
	});
	await tx.run(upsertPacked, [keys, day, packed]);
	await tx.run(deleteFine, range);
}

/** Brings the packed days that the buckets lie in back into the table: each is then as if it had never been packed. */
export async function unpackTouched(tx: Tx, buckets: readonly SeriesBucket[]): Promise<void> {
	const keys = buckets.map(({ series_key }) => series_key);
	const days = buckets.map(({ bucket_at }) => dayOf(bucket_at));
	const found = await tx.run(selectPacked, [keys, days]);
	for (const row of new Map(found.map((one) => [`${one.series_key} ${one.day}`, one])).values()) {
		await writeRollups(
			tx,
			'five_minutes',
			placesOf(row).map(({ at, rollup }) => ({ bucket: { series_key: row.series_key, bucket_at: at }, rollup })),
		);
	}
	if (found.length > 0) await tx.run(deletePacked, [found.map((row) => row.series_key), found.map((row) => row.day)]);
}

/** Packed rollups of some series that begin in fromAt ≤ at < toAt, oldest first. */
export async function readPacked(sql: Sql, seriesKeys: readonly number[], fromAt: number, toAt: number) {
	const rows = await sql.run(selectPackedRange, [seriesKeys, dayOf(fromAt), dayOf(toAt)]);
	return rows.flatMap(placesOf).filter(({ at }) => at >= fromAt && at < toAt);
}

async function findPacked(sql: Sql, keys: readonly number[], days: readonly string[]): Promise<PackedRow[]> {
	return sql.run(selectPacked, [keys.flatMap((key) => days.map(() => key)), keys.flatMap(() => days)]);
}

function placesOf({ day, packed }: PackedRow) {
	const startAt = Date.parse(`${day}T00:00:00Z`);
	return unpackRollups(packed).map(({ place, rollup }) => ({ at: startAt + place * stepMs, rollup }));
}

async function ensureMonth(db: Db, day: string): Promise<void> {
	const month = day.slice(0, 7);
	const [year = 0, number = 0] = month.split('-').map(Number);
	const next = new Date(Date.UTC(year, number, 1)).toISOString().slice(0, 10);
	await db.execute(`create table if not exists packed_5m_${month.replace('-', '')} partition of packed_5m for values from ('${month}-01') to ('${next}')`);
}

/** Drops every month that ended before the instant. @returns the tables dropped. */
export async function dropPackedMonths(db: Db, before: number): Promise<string[]> {
	const oldest = `packed_5m_${dayOf(before).slice(0, 7).replace('-', '')}`;
	const gone = (await db.run(listMonths)).map(({ name }) => name).filter((name) => name < oldest);
	for (const name of gone) {
		await transaction(db, async (tx) => {
			await tx.execute("set local lock_timeout = '5s'");
			await tx.execute(`drop table if exists ${name}`);
		});
	}
	return gone;
}
