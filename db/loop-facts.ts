/** How far the work has come, from the record itself. */
import { instant, query, type Sql } from './sql.ts';

// Results carry no time of commit: their slot is it to within a probe. Partitions are pruned by slot_at, and seq has an index of ranges in each.
const select = query<LoopRow>(
	'loop_facts',
	`with head as (select coalesce(max(read_through_seq), 0) as seq from evaluator_heads)
	select
		(select max(slot_at) from probe_results
			where slot_at > $1::timestamptz - interval '1 day' and seq > (select seq from head) - 2000 and start_delay_ms <> -32768) as "measuredAt",
		(select min(slot_at) from probe_results where slot_at > $1::timestamptz - interval '1 day' and seq > (select seq from head)) as "unjudgedSinceAt",
		(select generated_at from snapshots order by number desc limit 1) as "publishedAt",
		(select min(created_at) from outbox where state = 'pending') as "oldestPendingAt",
		(select min(n.created_at) from alert_notices n join alert_threads t using (subject_id, channel) where n.ended_at is null and t.hold is null) as "oldestOwedAt"`,
);

const selectVantages = query<{ name: string; settledThroughAt: number }>(
	'loop_facts_vantages',
	`select vantage as name, max(settled_through_at) as "settledThroughAt" from schedule_progress group by vantage
	having max(settled_through_at) > $1::timestamptz - interval '1 day' order by vantage`,
);

interface LoopRow {
	readonly measuredAt: number | null;
	readonly unjudgedSinceAt: number | null;
	readonly publishedAt: number | null;
	readonly oldestPendingAt: number | null;
	readonly oldestOwedAt: number | null;
}

/** All in ms since epoch; null: there is none. `oldestOwedAt` leaves out what a mute holds back. */
export async function readLoopFacts(sql: Sql, now: number): Promise<LoopRow> {
	const [row] = await sql.run(select, [instant(now)]);
	return row ?? { measuredAt: null, unjudgedSinceAt: null, publishedAt: null, oldestPendingAt: null, oldestOwedAt: null };
}

/** Vantages whose schedule moved within a day: one that is silent for longer was taken down. */
export function readVantageProgress(sql: Sql, now: number): Promise<{ name: string; settledThroughAt: number }[]> {
	return sql.run(selectVantages, [instant(now)]);
}
