import { instant, query, type Sql } from './sql.ts';

const insertQuarantine = query(
	'quarantine_insert',
	'insert into quarantine (reason, document) select reason, document from unnest($1::text[], $2::text[]) as refused(reason, document)',
);
const selectQuarantine = query<QuarantineRow>(
	'quarantine_list',
	'select quarantine_id as id, received_at as "receivedAt", reason, document from quarantine order by quarantine_id desc limit $1::int',
);
const trimRows = query<{ id: number }>('quarantine_trim', 'delete from quarantine where received_at < $1::timestamptz returning quarantine_id as id');

const longestDocument = 16_384;

export interface Refusal {
	/** As a person would search for it: `unknown target`. */
	readonly reason: string;
	readonly document: unknown;
}

export interface QuarantineRow {
	readonly id: number;
	/** ms since epoch. */
	readonly receivedAt: number;
	readonly reason: string;
	readonly document: string;
}

export async function quarantine(sql: Sql, refusals: readonly Refusal[]): Promise<void> {
	if (refusals.length === 0) return;
	await sql.run(insertQuarantine, [refusals.map(({ reason }) => cleanText(reason)), refusals.map(({ document }) => textOf(document))]);
}

/** Newest first. */
export function listQuarantine(sql: Sql, limit: number): Promise<QuarantineRow[]> {
	return sql.run(selectQuarantine, [limit]);
}

/** @returns how many were older and are gone. */
export async function trimQuarantine(sql: Sql, before: number): Promise<number> {
	return (await sql.run(trimRows, [instant(before)])).length;
}

function textOf(document: unknown): string {
	const text = typeof document === 'string' ? document : (JSON.stringify(document) ?? 'undefined');
	return cleanText(text.slice(0, longestDocument));
}

/** Postgres refuses U+0000 in text and jsonb, and half a surrogate pair in jsonb; models do send both. */
export function cleanText(text: string): string {
	return text.toWellFormed().replaceAll('\u0000', '\uFFFD');
}
