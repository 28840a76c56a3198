/** The providers' own words, beside the record: never evidence. */
import type { OfficialIncident, OfficialUpdate, StoredOfficialIncident } from '#core/official.ts';
import { instant, query, type Sql } from './sql.ts';

const write = query<{ id: string }>(
	'official_write',
	`insert into official_incidents as known (provider, official_id, title, impact, status, url, started_at, first_update_at, resolved_at, components, target_ids, updates,
		seen_at, changed_at)
	select $1::text, id, title, impact, status, url, started_at, first_update_at, resolved_at, array(select jsonb_array_elements_text(components)),
		array(select jsonb_array_elements_text(target_ids)), updates, $2::timestamptz, $2::timestamptz
	from jsonb_to_recordset($3::jsonb) as given(id text, title text, impact text, status text, url text, started_at timestamptz, first_update_at timestamptz,
		resolved_at timestamptz, components jsonb, target_ids jsonb, updates jsonb)
	on conflict (provider, official_id) do update set title = excluded.title, impact = excluded.impact, status = excluded.status, url = excluded.url,
		started_at = excluded.started_at, first_update_at = least(known.first_update_at, excluded.first_update_at), resolved_at = excluded.resolved_at,
		components = excluded.components, target_ids = excluded.target_ids, updates = excluded.updates, changed_at = excluded.changed_at
	where (known.title, known.impact, known.status, known.url, known.started_at, known.resolved_at, known.components, known.target_ids, known.updates)
		is distinct from (excluded.title, excluded.impact, excluded.status, excluded.url, excluded.started_at, excluded.resolved_at, excluded.components,
			excluded.target_ids, excluded.updates)
	returning official_id as id`,
);

const endMissing = query<{ id: string }>(
	'official_end_missing',
	`update official_incidents set status = 'resolved', resolved_at = $2::timestamptz, changed_at = $2::timestamptz
	where provider = $1::text and resolved_at is null and status <> 'scheduled' and not official_id = any($3::text[])
	returning official_id as id`,
);

const select = query<Omit<StoredOfficialIncident, 'updates'> & { updates: OfficialUpdate[] }>(
	'official_list',
	`select provider, official_id as "officialId", title, impact, status, url, started_at as "startedAt", first_update_at as "firstUpdateAt",
		resolved_at as "resolvedAt", components, target_ids as "targetIds", updates, seen_at as "seenAt"
	from official_incidents
	where started_at >= $1::timestamptz or resolved_at is null
	order by started_at desc limit $2::int`,
);

const trim = query('official_trim', 'delete from official_incidents where coalesce(resolved_at, started_at) < $1::timestamptz');

export interface OfficialPageState {
	readonly provider: string;
	readonly url: string;
	readonly etag: string | null;
	readonly lastModified: string | null;
	/** When it last answered, ms since epoch; null before the first time. */
	readonly readAt: number | null;
	readonly failureCount: number;
	readonly lastError: string | null;
}

const selectPages = query<OfficialPageState>(
	'official_pages_list',
	`select provider, url, etag, last_modified as "lastModified", read_at as "readAt", failure_count as "failureCount", last_error as "lastError" from official_pages`,
);

const writePage = query(
	'official_pages_read',
	`insert into official_pages as known (provider, url, kind, etag, last_modified, read_at, changed_at) values ($1::text, $2::text, $3::text, $4::text, $5::text,
		$6::timestamptz, case when $7::boolean then $6::timestamptz end)
	on conflict (provider) do update set url = excluded.url, kind = excluded.kind, etag = excluded.etag, last_modified = excluded.last_modified,
		read_at = excluded.read_at, changed_at = coalesce(excluded.changed_at, known.changed_at), failure_count = 0, last_error = null`,
);

const writeFailure = query(
	'official_pages_failed',
	`insert into official_pages as known (provider, url, kind, failure_count, last_error) values ($1::text, $2::text, $3::text, 1, $4::text)
	on conflict (provider) do update set url = excluded.url, kind = excluded.kind, failure_count = known.failure_count + 1, last_error = excluded.last_error`,
);

const iso = (at: number | null) => (at === null ? null : new Date(at).toISOString());

export interface OfficialWrite extends OfficialIncident {
	readonly targetIds: readonly string[];
}

/** Stores what a page says; what has not changed is left alone. @returns ids of the new and changed ones */
export async function writeOfficialIncidents(sql: Sql, provider: string, incidents: readonly OfficialWrite[], now: number): Promise<string[]> {
	if (incidents.length === 0) return [];
	const rows = incidents.map((one) => ({
		id: one.officialId,
		title: one.title,
		impact: one.impact,
		status: one.status,
		url: one.url,
		started_at: iso(one.startedAt),
		first_update_at: iso(one.firstUpdateAt),
		resolved_at: iso(one.resolvedAt),
		components: one.components,
		target_ids: one.targetIds,
		updates: one.updates,
	}));
	return (await sql.run(write, [provider, instant(now), JSON.stringify(rows)])).map(({ id }) => id);
}

/** For pages that list what is open only: the others have ended, now at the latest. @returns their ids */
export async function endOfficialIncidents(sql: Sql, provider: string, openIds: readonly string[], now: number): Promise<string[]> {
	return (await sql.run(endMissing, [provider, instant(now), openIds])).map(({ id }) => id);
}

/** Newest first: begun since, or still open. */
export function listOfficialIncidents(sql: Sql, { sinceAt, limit }: { readonly sinceAt: number; readonly limit: number }): Promise<StoredOfficialIncident[]> {
	return sql.run(select, [instant(sinceAt), limit]);
}

export async function trimOfficialIncidents(sql: Sql, before: number): Promise<void> {
	await sql.run(trim, [instant(before)]);
}

export function listOfficialPages(sql: Sql): Promise<OfficialPageState[]> {
	return sql.run(selectPages);
}

export interface PageAnswer {
	readonly url: string;
	readonly kind: string;
	readonly etag: string | null;
	readonly lastModified: string | null;
	readonly changed: boolean;
}

export async function recordPageRead(sql: Sql, provider: string, { url, kind, etag, lastModified, changed }: PageAnswer, now: number): Promise<void> {
	await sql.run(writePage, [provider, url, kind, etag, lastModified, instant(now), changed]);
}

export async function recordPageFailure(sql: Sql, provider: string, { url, kind }: Pick<PageAnswer, 'url' | 'kind'>, why: string): Promise<void> {
	await sql.run(writeFailure, [provider, url, kind, why.slice(0, 500)]);
}
