import type { RouteMatch } from '#core/alert.ts';
import type { Silence } from '#core/alert-thread.ts';
import { instant, query, type Sql } from './sql.ts';

const columns = 'silence_id as id, match, from_at as "fromAt", until_at as "untilAt", created_by as "createdBy", comment, created_at as "createdAt"';

const insert = query(
	'silences_add',
	`insert into silences (silence_id, match, from_at, until_at, created_by, comment, created_at)
	values ($1::text, $2::jsonb, $3::timestamptz, $4::timestamptz, $5::text, $6::text, $7::timestamptz)`,
);
const end = query<{ id: string }>(
	'silences_end',
	'update silences set until_at = $2::timestamptz where silence_id = $1::text and until_at > $2::timestamptz returning silence_id as id',
);
const select = query<StoredSilence>('silences_list', `select ${columns} from silences where until_at > $1::timestamptz order by from_at, silence_id`);

export interface StoredSilence extends Silence {
	readonly match: RouteMatch;
	readonly createdBy: string;
	readonly comment: string;
	/** ms since epoch. */
	readonly createdAt: number;
}

/** @throws when the id is taken (23505) */
export async function addSilence(sql: Sql, { id, match, fromAt, untilAt, createdBy, comment, createdAt }: StoredSilence): Promise<void> {
	await sql.run(insert, [id, JSON.stringify(match), instant(fromAt), instant(untilAt), createdBy, comment, instant(createdAt)]);
}

/** What it muted is told now. @returns false when there is none of that id that still lasts. */
export async function endSilence(sql: Sql, id: string, now: number): Promise<boolean> {
	return (await sql.run(end, [id, instant(now)])).length > 0;
}

/** Those that last, and those to come. */
export function listSilences(sql: Sql, now: number): Promise<StoredSilence[]> {
	return sql.run(select, [instant(now)]);
}
