import { kindCodes } from './result-codes.ts';
import { instant, query, type Sql } from './sql.ts';
import { neverStarted } from './stored-columns.ts';

const select = query<{ at: number }>(
	'schedule_progress_read',
	'select settled_through_at as at from schedule_progress where vantage = $1::text and shard = $2::int',
);
const upsert = query(
	'schedule_progress_write',
	`insert into schedule_progress as kept (vantage, shard, settled_through_at) values ($1::text, $2::int, $3::timestamptz)
	on conflict (vantage, shard) do update set settled_through_at = greatest(kept.settled_through_at, excluded.settled_through_at)`,
);
const pullBack = query(
	'schedule_progress_pull_back',
	`update schedule_progress set settled_through_at = least(settled_through_at, $3::timestamptz) where vantage = $1::text and shard = $2::int`,
);
const selectFirst = query<{ id: string; at: number }>(
	'schedule_progress_first_slots',
	`select t.target_id as id, min(p.slot_at) as at
	from vantages v join series s using (vantage_key) join targets t using (target_key)
	cross join lateral (
		select r.slot_at from probe_results r
		where r.series_key = s.series_key and r.slot_at >= $2::timestamptz and r.start_delay_ms <> ${neverStarted} order by r.slot_at limit 1
	) p
	where v.name = $1::text and s.kind = ${kindCodes.scheduled}
	group by t.target_id`,
);

/** Every slot of the shard before this instant has a result or a missed marker. ms since epoch; null before the first tick. */
export async function readScheduleProgress(sql: Sql, vantage: string, shard: number): Promise<number | null> {
	return (await sql.run(select, [vantage, shard]))[0]?.at ?? null;
}

/** Only moves forward: a late worker changes nothing. */
export async function setScheduleProgress(sql: Sql, vantage: string, shard: number, settledThroughAt: number): Promise<void> {
	await sql.run(upsert, [vantage, shard, instant(settledThroughAt)]);
}

/** Only moves back: the slots from then on are looked at again, which changes nothing where all have a result. */
export async function pullBackScheduleProgress(sql: Sql, vantage: string, shard: number, settledThroughAt: number): Promise<void> {
	await sql.run(pullBack, [vantage, shard, instant(settledThroughAt)]);
}

/** Target id → its first scheduled slot that ran from a vantage since an instant, ms since epoch. Those that did not run are left out. */
export async function firstSlotsSince(sql: Sql, vantage: string, sinceAt: number): Promise<ReadonlyMap<string, number>> {
	return new Map((await sql.run(selectFirst, [vantage, instant(sinceAt)])).map(({ id, at }) => [id, at]));
}
