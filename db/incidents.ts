import type { Cause, Condition, Impact, Incident, IncidentEvidence, IncidentStatus, IncidentUpdate, Scope, Severity } from '#core/incident.ts';
import { instant, query, type Sql, type Tx } from './sql.ts';

interface IncidentRow {
	readonly incident_id: string;
	readonly provider: string | null;
	readonly model: string | null;
	readonly operation: string | null;
	readonly vantage: string | null;
	readonly condition: string;
	readonly cause: string;
	readonly severity: string;
	readonly impact: string;
	readonly status: string;
	readonly title: string;
	readonly started_at: number;
	readonly detected_at: number;
	readonly resolved_at: number | null;
	readonly reason: string;
	readonly evidence: IncidentEvidence;
	readonly relapse_count: number;
	readonly target_ids: readonly string[];
	readonly updates: readonly { at_ms: number; status: string; body: string }[];
}

const selected = `i.incident_id, i.provider, i.model, i.operation, i.vantage, i.condition, i.cause, i.severity, i.impact, i.status, i.title, i.started_at, i.detected_at,
	i.resolved_at, i.reason, i.evidence, i.relapse_count, i.target_ids,
	coalesce((
		select jsonb_agg(jsonb_build_object('at_ms', round(extract(epoch from u.at) * 1000), 'status', u.status, 'body', u.body) order by u.ordinal)
		from incident_updates u where u.incident_id = i.incident_id
	), '[]') as updates`;

const insertIncident = query(
	'incidents_open',
	`insert into incidents (incident_id, provider, model, operation, vantage, condition, cause, impact, status, title, started_at, detected_at, reason, evidence,
		relapse_count, target_ids, severity, transition_count)
	values ($1::text, $2::text, $3::text, $4::text, $5::text, $6::text, $7::text, $8::text, $9::text, $10::text, $11::timestamptz, $12::timestamptz, $13::text,
		$14::jsonb, $15::int, $16::text[], $17::text, 1)`,
);

const insertUpdate = query(
	'incidents_add_update',
	`insert into incident_updates (incident_id, ordinal, at, status, body)
	select $1::text, coalesce(max(ordinal), 0) + 1, $2::timestamptz, $3::text, $4::text from incident_updates where incident_id = $1::text`,
);

// resolved_at: 'keep', 'set' to the time of the change, or 'clear'.
const changeIncident = query<{ transition: number }>(
	'incidents_change',
	`update incidents set
		status = coalesce($2::text, status), impact = coalesce($3::text, impact), title = coalesce($4::text, title), reason = coalesce($8::text, reason), evidence = coalesce($5::jsonb, evidence),
		target_ids = coalesce($6::text[], target_ids), relapse_count = relapse_count + $7::int, transition_count = transition_count + 1,
		resolved_at = case $9::text when 'set' then $10::timestamptz when 'clear' then null else resolved_at end,
		severity = coalesce($12::text, severity), condition = coalesce($13::text, condition),
		provider = case when $14::boolean then $15::text else provider end, model = case when $14::boolean then $16::text else model end,
		operation = case when $14::boolean then $17::text else operation end, vantage = case when $14::boolean then $18::text else vantage end
	where incident_id = $1::text and (resolved_at is null) = $11::boolean
	returning transition_count as transition`,
);

const selectIncident = query<IncidentRow>('incidents_find', `select ${selected} from incidents i where i.incident_id = $1::text`);

const selectRecent = query<IncidentRow>(
	'incidents_list',
	`select ${selected} from incidents i
	where (i.resolved_at is null or i.resolved_at >= $1::timestamptz) and (i.detected_at, i.incident_id) < ($2::timestamptz, $3::text)
	order by i.detected_at desc, i.incident_id desc limit $4::int`,
);

const selectOpen = query<IncidentRow>(
	'incidents_list_open',
	`select ${selected} from incidents i where i.resolved_at is null order by i.detected_at desc, i.incident_id desc`,
);

const refreshOpen = query(
	'incidents_refresh',
	'update incidents set evidence = $2::jsonb, target_ids = $3::text[] where incident_id = $1::text and resolved_at is null',
);

export interface IncidentChange {
	/** Entry of the timeline; its status becomes the incident's. */
	readonly update: IncidentUpdate;
	readonly reason?: string;
	readonly severity?: Severity;
	readonly impact?: Impact;
	readonly condition?: Condition;
	/** Where it is now. */
	readonly scope?: Scope;
	readonly title?: string;
	readonly evidence?: IncidentEvidence;
	readonly targetIds?: readonly string[];
}

/**
 * @returns the number of the transition: 1.
 * @throws when the scope has an open incident of that condition, or the id is taken (23505).
 */
export async function openIncident(tx: Tx, incident: Incident): Promise<number> {
	const { id, scope, updates } = incident;
	await tx.run(insertIncident, [
		...[id, scope.provider, scope.model, scope.operation, scope.vantage, incident.condition, incident.cause, incident.impact, incident.status, incident.title],
		...[instant(incident.startedAt), instant(incident.detectedAt), incident.reason, JSON.stringify(incident.evidence), incident.relapseCount],
		...[incident.targetIds, incident.severity],
	]);
	for (const { at, status, body } of updates) await tx.run(insertUpdate, [id, instant(at), status, body]);
	return 1;
}

/** Changes an open incident. @returns the number of this transition. @throws when it is not open. */
export function updateIncident(tx: Tx, id: string, change: IncidentChange): Promise<number> {
	return moveIncident(tx, id, change, { resolvedAt: 'keep', whenOpen: true });
}

/** @returns the number of this transition. @throws when it is not open. */
export function resolveIncident(tx: Tx, id: string, change: IncidentChange): Promise<number> {
	return moveIncident(tx, id, change, { resolvedAt: 'set', whenOpen: true });
}

/** A relapse within the hold-down. @returns the number of this transition. @throws when it is not resolved, or another one is open in its place. */
export function reopenIncident(tx: Tx, id: string, change: IncidentChange): Promise<number> {
	return moveIncident(tx, id, change, { resolvedAt: 'clear', whenOpen: false });
}

async function moveIncident(
	tx: Tx,
	id: string,
	{ update, reason, severity, impact, condition, scope, title, evidence, targetIds }: IncidentChange,
	{ resolvedAt, whenOpen }: { resolvedAt: 'keep' | 'set' | 'clear'; whenOpen: boolean },
): Promise<number> {
	const [moved] = await tx.run(changeIncident, [
		...[id, update.status, impact ?? null, title ?? null, evidence === undefined ? null : JSON.stringify(evidence), targetIds ?? null],
		...[resolvedAt === 'clear' ? 1 : 0, reason ?? null, resolvedAt, instant(update.at), whenOpen, severity ?? null, condition ?? null],
		...[scope !== undefined, scope?.provider ?? null, scope?.model ?? null, scope?.operation ?? null, scope?.vantage ?? null],
	]);
	if (moved === undefined) throw new Error(`Expected incident ${id} to be ${whenOpen ? 'open' : 'resolved'}`);
	await tx.run(insertUpdate, [id, instant(update.at), update.status, update.body]);
	return moved.transition;
}

/** New numbers of an open incident: no transition, no entry of the timeline. */
export async function refreshEvidence(tx: Tx, id: string, evidence: IncidentEvidence, targetIds: readonly string[]): Promise<void> {
	await tx.run(refreshOpen, [id, JSON.stringify(evidence), targetIds]);
}

/** Null when there is none. */
export async function findIncident(sql: Sql, id: string): Promise<Incident | null> {
	const [row] = await sql.run(selectIncident, [id]);
	return row === undefined ? null : toIncident(row);
}

export async function listOpenIncidents(sql: Sql): Promise<Incident[]> {
	return (await sql.run(selectOpen)).map(toIncident);
}

export interface ListIncidentsOptions {
	/** Open ones and those resolved since, ms since epoch. */
	readonly resolvedSinceAt: number;
	/** The last incident of the page before; absent for the first. */
	readonly before?: Pick<Incident, 'id' | 'detectedAt'>;
	readonly limit: number;
}

/** By detection, newest first. */
export async function listIncidents(sql: Sql, { resolvedSinceAt, before, limit }: ListIncidentsOptions): Promise<Incident[]> {
	const cursor = before === undefined ? ['infinity', ''] : [instant(before.detectedAt), before.id];
	return (await sql.run(selectRecent, [instant(resolvedSinceAt), ...cursor, limit])).map(toIncident);
}

function toIncident(row: IncidentRow): Incident {
	return {
		id: row.incident_id,
		scope: { provider: row.provider, model: row.model, operation: row.operation, vantage: row.vantage },
		condition: row.condition as Condition,
		cause: row.cause as Cause,
		severity: row.severity as Severity,
		impact: row.impact as Impact,
		status: row.status as IncidentStatus,
		title: row.title,
		startedAt: row.started_at,
		detectedAt: row.detected_at,
		resolvedAt: row.resolved_at,
		reason: row.reason,
		evidence: { ...row.evidence, nats: row.evidence.nats ?? null, checked: row.evidence.checked ?? null },
		updates: row.updates.map(({ at_ms, status, body }) => ({ at: at_ms, status: status as IncidentStatus, body })),
		relapseCount: row.relapse_count,
		targetIds: row.target_ids,
	};
}
