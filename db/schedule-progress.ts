import { instant, query, type Sql } from './sql.ts';

const select = query<{ at: number }>(
	'schedule_progress_read',
	'select settled_through_at as at from schedule_progress where vantage = $1::text and shard = $2::int',
);
const upsert = query(
	'schedule_progress_write',
	`insert into schedule_progress as kept (vantage, shard, settled_through_at) values ($1::text, $2::int, $3::timestamptz)
	on conflict (vantage, shard) do update set settled_through_at = greatest(kept.settled_through_at, excluded.settled_through_at)`,
);

/** Every slot of the shard before this instant has a result or a missed marker. ms since epoch; null before the first tick. */
export async function readScheduleProgress(sql: Sql, vantage: string, shard: number): Promise<number | null> {
	return (await sql.run(select, [vantage, shard]))[0]?.at ?? null;
}

/** Only moves forward: a late worker changes nothing. */
export async function setScheduleProgress(sql: Sql, vantage: string, shard: number, settledThroughAt: number): Promise<void> {
	await sql.run(upsert, [vantage, shard, instant(settledThroughAt)]);
}
