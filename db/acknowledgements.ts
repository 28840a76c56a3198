import { instant, query, type Sql } from './sql.ts';

// Holds through the newest transition that anybody was told of: what opens again after it is news.
const upsert = query<{ transition: number }>(
	'acknowledgements_add',
	`insert into acknowledgements (subject_id, transition, acknowledged_by, comment, acknowledged_at)
	select subject_id, max(transition), $2::text, $3::text, $4::timestamptz from alert_threads
	where subject_id = $1::text and state = 'open' group by subject_id
	on conflict (subject_id) do update set transition = excluded.transition, acknowledged_by = excluded.acknowledged_by, comment = excluded.comment,
		acknowledged_at = excluded.acknowledged_at
	returning transition`,
);
const select = query<Acknowledgement>(
	'acknowledgements_list',
	`select subject_id as "subjectId", transition, acknowledged_by as "by", comment, acknowledged_at as "at" from acknowledgements
	where subject_id = any($1::text[]) order by subject_id`,
);
const trim = query<{ id: string }>('acknowledgements_trim', 'delete from acknowledgements where acknowledged_at < $1::timestamptz returning subject_id as id');

export interface Acknowledgement {
	readonly subjectId: string;
	/** Transition through which it holds. */
	readonly transition: number;
	readonly by: string;
	readonly comment: string;
	/** ms since epoch. */
	readonly at: number;
}

/** No reminders and no escalation until it opens again. @returns false when no channel was to hear of an open subject of that id. */
export async function acknowledge(sql: Sql, { subjectId, by, comment, at }: Omit<Acknowledgement, 'transition'>): Promise<boolean> {
	return (await sql.run(upsert, [subjectId, by, comment, instant(at)])).length > 0;
}

export function listAcknowledgements(sql: Sql, subjectIds: readonly string[]): Promise<Acknowledgement[]> {
	return sql.run(select, [subjectIds]);
}

export async function trimAcknowledgements(sql: Sql, before: number): Promise<number> {
	return (await sql.run(trim, [instant(before)])).length;
}
