/** How each target is probed, and since when in another way. */

import type { Target } from '#core/target.ts';
import { changesOf, type SeriesMark, setupOf } from '#core/target-setup.ts';
import { instant, query, type Sql, type Tx } from './sql.ts';

const selectSetups = query<{ id: string; aspect: string; value: string }>(
	'setups_list',
	'select t.target_id as id, s.aspect, s.value from target_setups s join targets t using (target_key) where t.target_id = any($1::text[])',
);
const deleteSetups = query(
	'setups_delete',
	`delete from target_setups s using targets t, unnest($1::text[], $2::text[]) as gone(target_id, aspect)
	where t.target_id = gone.target_id and s.target_key = t.target_key and s.aspect = gone.aspect`,
);
const writeSetups = query(
	'setups_write',
	`insert into target_setups (target_key, aspect, value)
	select t.target_key, given.aspect, given.value from unnest($1::text[], $2::text[], $3::text[]) as given(target_id, aspect, value) join targets t using (target_id)
	on conflict (target_key, aspect) do update set value = excluded.value`,
);
const writeMarks = query(
	'marks_write',
	`insert into series_marks (target_key, at, aspect, before, after)
	select t.target_key, $1::timestamptz, given.aspect, given.before, given.after
	from unnest($2::text[], $3::text[], $4::text[], $5::text[]) as given(target_id, aspect, before, after) join targets t using (target_id)
	on conflict (target_key, at, aspect) do update set after = excluded.after`,
);
const selectMarks = query<SeriesMark>(
	'marks_list',
	`select m.at, m.aspect, m.before, m.after from series_marks m join targets t using (target_key)
	where t.target_id = $1::text and m.at >= $2::timestamptz and m.at < $3::timestamptz order by m.at, m.aspect limit 200`,
);

/** Marks what changed since the targets were last registered; a target that was away is compared with how it was probed then. */
export async function markChanges(tx: Tx, targets: readonly Target[], at: number): Promise<void> {
	const known = Map.groupBy(await tx.run(selectSetups, [targets.map(({ id }) => id)]), ({ id }) => id);
	const fresh: { id: string; aspect: string; value: string }[] = [];
	const gone: { id: string; aspect: string }[] = [];
	const marks: (Omit<SeriesMark, 'at'> & { id: string })[] = [];
	for (const target of targets) {
		const { id } = target;
		const before = new Map((known.get(id) ?? []).map(({ aspect, value }) => [aspect, value]));
		const after = setupOf(target);
		marks.push(...changesOf(before, after).map((change) => ({ id, ...change })));
		for (const [aspect, value] of after) if (before.get(aspect) !== value) fresh.push({ id, aspect, value });
		for (const aspect of before.keys()) if (!after.has(aspect)) gone.push({ id, aspect });
	}
	if (gone.length > 0) await tx.run(deleteSetups, [gone.map(({ id }) => id), gone.map(({ aspect }) => aspect)]);
	if (fresh.length > 0) await tx.run(writeSetups, [fresh.map(({ id }) => id), fresh.map(({ aspect }) => aspect), fresh.map(({ value }) => value)]);
	if (marks.length > 0)
		await tx.run(writeMarks, [
			instant(at),
			marks.map(({ id }) => id),
			marks.map(({ aspect }) => aspect),
			marks.map(({ before }) => before),
			marks.map(({ after }) => after),
		]);
}

/** Oldest first, fromAt ≤ at < toAt. */
export function listMarks(sql: Sql, targetId: string, { fromAt, toAt }: { readonly fromAt: number; readonly toAt: number }): Promise<SeriesMark[]> {
	return sql.run(selectMarks, [targetId, instant(fromAt), instant(toAt)]);
}
