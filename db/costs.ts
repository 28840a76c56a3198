import { instant, query, type Sql } from './sql.ts';

const selectCosts = query<TargetCost>(
	'costs_of_targets',
	`select t.target_id as "targetId",
		coalesce(sum(r.cost_nano_usd) filter (where r.bucket_at >= $1::timestamptz), 0)::bigint / 1000.0 as "todayMicroUsd",
		coalesce(sum(r.cost_nano_usd), 0)::bigint / 1000.0 as "monthMicroUsd",
		coalesce(sum(r.slot_count - r.missed_count), 0)::bigint as "monthProbes"
	from rollups_day r join series s using (series_key) join targets t using (target_key)
	where r.bucket_at >= $2::timestamptz
	group by t.target_id order by t.target_id`,
);

const selectSpent = query<{ day: string; spent: number }>(
	'costs_of_days',
	'select day::text as day, spent_micro_usd + reserved_micro_usd as spent from budget_days where day >= $1::date order by day',
);

/** Of scheduled probes; extra ones are in the sums of days only. */
export interface TargetCost {
	readonly targetId: string;
	/** Since UTC midnight. */
	readonly todayMicroUsd: number;
	/** Today and the 29 days before it. */
	readonly monthMicroUsd: number;
	readonly monthProbes: number;
}

const dayMs = 86_400_000;

/** Of every target that was probed in the last 30 days, also of those that are gone. */
export async function readTargetCosts(sql: Sql, now: number): Promise<TargetCost[]> {
	const today = Math.floor(now / dayMs) * dayMs;
	const rows = await sql.run(selectCosts, [instant(today), instant(today - 29 * dayMs)]);
	return rows.map((row) => ({ ...row, todayMicroUsd: Number(row.todayMicroUsd), monthMicroUsd: Number(row.monthMicroUsd) }));
}

/** UTC day → spent and reserved, 1e-6 USD, all probes; a day without any is missing. */
export async function readDaySpend(sql: Sql, fromDay: string): Promise<Map<string, number>> {
	return new Map((await sql.run(selectSpent, [fromDay])).map(({ day, spent }) => [day, spent]));
}
