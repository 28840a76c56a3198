import type { OperatorEntry } from '#core/incident.ts';
import { instant, query, type Sql, type Tx } from './sql.ts';

const columns = `incident_id as "incidentId", at, said_by as "by", kind, value, body, relapse_count as "relapseCount"`;

const insert = query<{ id: number }>(
	'operator_entries_add',
	`insert into operator_entries (incident_id, at, said_by, kind, value, body, relapse_count)
	select incident_id, $2::timestamptz, $3::text, $4::text, $5::text, $6::text, relapse_count from incidents where incident_id = $1::text
	returning entry_id as id`,
);
const select = query<OperatorEntry>(
	'operator_entries_list',
	`select ${columns} from operator_entries where incident_id = any($1::text[]) order by incident_id, entry_id`,
);
const selectUnannounced = query<OperatorEntry & { readonly id: number }>(
	'operator_entries_unannounced',
	`select entry_id as id, ${columns} from operator_entries where announced_at is null order by entry_id limit 100 for update skip locked`,
);
const markAnnounced = query(
	'operator_entries_announced',
	'update operator_entries set announced_at = $2::timestamptz where entry_id = $1::bigint and announced_at is null',
);
// A transition of its own number, and nothing else of the incident.
const countTransition = query<{ number: number }>(
	'operator_entries_transition',
	'update incidents set transition_count = transition_count + 1 where incident_id = $1::text returning transition_count as number',
);

/** @returns false when there is no such incident. */
export async function addOperatorEntry(sql: Sql, { incidentId, at, by, kind, value, body }: Omit<OperatorEntry, 'relapseCount'>): Promise<boolean> {
	return (await sql.run(insert, [incidentId, instant(at), by, kind, value, body])).length > 0;
}

/** Oldest first, by incident. */
export async function listOperatorEntries(sql: Sql, incidentIds: readonly string[]): Promise<Map<string, OperatorEntry[]>> {
	if (incidentIds.length === 0) return new Map();
	return Map.groupBy(await sql.run(select, [incidentIds]), ({ incidentId }) => incidentId);
}

/** Those that channels were not promised yet, oldest first; locked until the transaction ends. */
export function takeUnannounced(tx: Tx): Promise<(OperatorEntry & { readonly id: number })[]> {
	return tx.run(selectUnannounced);
}

export async function markEntryAnnounced(tx: Tx, id: number, at: number): Promise<void> {
	await tx.run(markAnnounced, [id, instant(at)]);
}

/** @returns the number of the new transition; null when there is no such incident. */
export async function countOperatorTransition(tx: Tx, incidentId: string): Promise<number | null> {
	return (await tx.run(countTransition, [incidentId]))[0]?.number ?? null;
}
