import type { Cadence, CadencePlan } from '#core/cadence.ts';
import { instant, query, type Sql } from './sql.ts';

// Of ten thousand targets the cadences are a megabyte: they are written and read only when they change.
const upsert = query(
	'cadence_plan_write',
	`insert into cadence_plans as kept (made_at, head, cadences, revision) values ($1::timestamptz, $2::jsonb, coalesce($3::jsonb, '{}'), 1)
	on conflict (only_one) do update set made_at = excluded.made_at, head = excluded.head,
		cadences = case when $3::jsonb is null then kept.cadences else excluded.cadences end, revision = kept.revision + case when $3::jsonb is null then 0 else 1 end
		where kept.made_at < excluded.made_at or kept.made_at > excluded.made_at + interval '10 minutes'`,
);
const selectPlan = query<{ head: Omit<CadencePlan, 'cadences'>; cadences: CadencePlan['cadences'] | null; revision: number }>(
	'cadence_plan_read',
	'select head, case when revision = $1::bigint then null else cadences end as cadences, revision from cadence_plans',
);

export interface StoredPlan {
	readonly plan: CadencePlan;
	readonly revision: number;
}

/** @param known what was read last: its cadences are not read again while they hold. @returns null before the first plan */
export async function readCadencePlan(sql: Sql, known: StoredPlan | null = null): Promise<StoredPlan | null> {
	const [row] = await sql.run(selectPlan, [known?.revision ?? 0]);
	if (row === undefined) return null;
	return { plan: { ...row.head, cadences: row.cadences ?? known?.plan.cadences ?? {} }, revision: row.revision };
}

/** Of two that are made at once the later one stands, unless it is of a clock that was set back since. @param before the plan that it was made from */
export async function writeCadencePlan(sql: Sql, { cadences, ...head }: CadencePlan, before: CadencePlan | null): Promise<void> {
	const same = before !== null && isSame(before.cadences, cadences);
	await sql.run(upsert, [instant(head.madeAt), JSON.stringify(head), same ? null : JSON.stringify(cadences)]);
}

/** Not by their JSON: jsonb has an order of its own. */
function isSame(before: CadencePlan['cadences'], after: CadencePlan['cadences']): boolean {
	const words = ({ factor, baseFactor, reason, turn, slack }: Cadence) => [factor, baseFactor, reason, turn, slack?.factor, slack?.untilAt].join();
	const ids = Object.keys(after);
	return (
		ids.length === Object.keys(before).length &&
		ids.every((id) => {
			const [was, is] = [before[id], after[id]];
			return was !== undefined && is !== undefined && words(was) === words(is);
		})
	);
}
