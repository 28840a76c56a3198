import { instant, query, type Sql } from './sql.ts';

const select = query<BackOff>(
	'back_offs_list',
	`select target_id as "targetId", vantage, until_at as "untilAt", reason, step from back_offs
	where (vantage = $1::text or vantage = '*') and until_at > $2::timestamptz order by target_id, until_at`,
);
// Of two that decide at once the longer one holds: an earlier deadline never shortens a later one.
const upsert = query(
	'back_offs_set',
	`insert into back_offs as kept (target_id, vantage, until_at, reason, step)
	select target_id, $2::text, $3::timestamptz + make_interval(secs => $4::float8 / 1000), $6::text, 1 from unnest($1::text[]) as given(target_id)
	on conflict (target_id, vantage) do update set reason = excluded.reason, step = kept.step + 1,
		until_at = greatest(kept.until_at, $3::timestamptz + make_interval(secs => least($4::float8 * power(2, least(kept.step, 30)), $5::float8) / 1000))
		where not $7::boolean or kept.until_at <= $3::timestamptz`,
);
const selectHeld = query<{ targetId: string }>('back_offs_held', 'select distinct target_id as "targetId" from back_offs');
const remove = query('back_offs_clear', 'delete from back_offs where target_id = any($1::text[])');

export interface BackOff {
	readonly targetId: string;
	/** `*` is every vantage. */
	readonly vantage: string;
	/** No probe before; ms since epoch. */
	readonly untilAt: number;
	readonly reason: string;
	/** How many in a row, from 1. */
	readonly step: number;
}

export interface NewBackOff {
	readonly reason: string;
	/** ms since epoch. */
	readonly at: number;
	/** Length of the first one; each further one is twice as long. */
	readonly firstMs: number;
	readonly longestMs: number;
	/** Leaves those alone that still run. */
	readonly onlyExpired?: boolean;
	/** Absent: every vantage. */
	readonly vantage?: string;
}

/** Target id → the back-off that holds it now at this vantage. */
export async function activeBackOffs(sql: Sql, vantage: string, now: number): Promise<Map<string, BackOff>> {
	return new Map((await sql.run(select, [vantage, instant(now)])).map((backOff) => [backOff.targetId, backOff]));
}

/** Targets that have a back-off, running or expired: the next refusal would lengthen it. */
export async function heldTargets(sql: Sql): Promise<Set<string>> {
	return new Set((await sql.run(selectHeld)).map(({ targetId }) => targetId));
}

/** Lengthens the back-off of each target by one step. */
export async function setBackOff(
	sql: Sql,
	targetIds: readonly string[],
	{ reason, at, firstMs, longestMs, onlyExpired = false, vantage = '*' }: NewBackOff,
): Promise<void> {
	await sql.run(upsert, [targetIds, vantage, instant(at), firstMs, longestMs, reason, onlyExpired]);
}

/** After a result that shows the trouble to be over: probes go on at once, and the next back-off is a first one. */
export async function clearBackOffs(sql: Sql, targetIds: readonly string[]): Promise<void> {
	await sql.run(remove, [targetIds]);
}
