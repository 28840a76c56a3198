import { instant, query, type Sql } from './sql.ts';

const select = query<BackOff>(
	'back_offs_list',
	'select target_id as "targetId", vantage, until_at as "untilAt", reason, step from back_offs where vantage = $1::text order by target_id',
);
// Of two that decide at once the longer one holds.
const upsert = query(
	'back_offs_set',
	`insert into back_offs as kept (target_id, vantage, until_at, reason, step) values ($1::text, $2::text, $3::timestamptz, $4::text, $5::int)
	on conflict (target_id, vantage) do update set until_at = excluded.until_at, reason = excluded.reason, step = excluded.step
		where excluded.until_at > kept.until_at`,
);
const remove = query('back_offs_clear', 'delete from back_offs where target_id = $1::text and vantage = $2::text');

export interface BackOff {
	readonly targetId: string;
	readonly vantage: string;
	/** No probe before; ms since epoch. */
	readonly untilAt: number;
	/** Outcome code that caused it. */
	readonly reason: string;
	/** How many in a row, from 1. */
	readonly step: number;
}

/** Of a vantage, those that have run out included: their step decides the length of the next. */
export function listBackOffs(sql: Sql, vantage: string): Promise<BackOff[]> {
	return sql.run(select, [vantage]);
}

/** An earlier deadline never shortens a later one. */
export async function setBackOff(sql: Sql, { targetId, vantage, untilAt, reason, step }: BackOff): Promise<void> {
	await sql.run(upsert, [targetId, vantage, instant(untilAt), reason, step]);
}

/** After a result that shows the trouble to be over. */
export async function clearBackOff(sql: Sql, targetId: string, vantage: string): Promise<void> {
	await sql.run(remove, [targetId, vantage]);
}
