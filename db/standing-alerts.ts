import type { Impact, Scope } from '#core/incident.ts';
import { instant, query, type Sql, type Tx } from './sql.ts';

interface StandingRow extends Omit<StandingAlert, 'scope'>, Scope {}

const columns = `alert_id as id, class, kind, alert_key as key, title, reason, impact, provider, model, operation, vantage, opened_at as "openedAt",
	resolved_at as "resolvedAt", transition_count as "transitionCount"`;

const insert = query(
	'standing_alerts_open',
	`insert into standing_alerts (alert_id, class, kind, alert_key, title, reason, impact, provider, model, operation, vantage, opened_at, transition_count)
	values ($1::text, $2::text, $3::text, $4::text, $5::text, $6::text, $7::text, $8::text, $9::text, $10::text, $11::text, $12::timestamptz, 1)`,
);
const close = query<StandingRow>(
	'standing_alerts_resolve',
	`update standing_alerts set resolved_at = $2::timestamptz, reason = $3::text, transition_count = transition_count + 1
	where alert_id = $1::text and resolved_at is null returning ${columns}`,
);
const refresh = query('standing_alerts_refresh', 'update standing_alerts set reason = $2::text where alert_id = $1::text and resolved_at is null');
const selectOpen = query<StandingRow>(
	'standing_alerts_list_open',
	`select ${columns} from standing_alerts where resolved_at is null and ($1::text is null or class = $1::text) order by opened_at, alert_id`,
);
const trim = query<{ id: string }>('standing_alerts_trim', 'delete from standing_alerts where resolved_at < $1::timestamptz returning alert_id as id');

/** An alert of the operator's own, or a burning objective. Times in ms since epoch. */
export interface StandingAlert {
	readonly id: string;
	readonly class: 'operator' | 'slo';
	readonly kind: string;
	/** Which one of the kind. */
	readonly key: string;
	readonly title: string;
	readonly reason: string;
	readonly impact: Impact;
	readonly scope: Scope;
	readonly openedAt: number;
	/** Null while open. */
	readonly resolvedAt: number | null;
	readonly transitionCount: number;
}

/** @throws when one of its kind and key is open (23505) */
export async function openStandingAlert(tx: Tx, alert: Omit<StandingAlert, 'resolvedAt' | 'transitionCount'>): Promise<void> {
	const { provider, model, operation, vantage } = alert.scope;
	const told = [alert.id, alert.class, alert.kind, alert.key, alert.title, alert.reason, alert.impact];
	await tx.run(insert, [...told, provider, model, operation, vantage, instant(alert.openedAt)]);
}

/** @returns null when it is not open */
export async function resolveStandingAlert(
	tx: Tx,
	id: string,
	{ reason, at }: { readonly reason: string; readonly at: number },
): Promise<StandingAlert | null> {
	const [row] = await tx.run(close, [id, instant(at), reason]);
	return row === undefined ? null : toAlert(row);
}

/** The numbers move while it is open; that is no transition. */
export async function refreshStandingAlert(sql: Sql, id: string, reason: string): Promise<void> {
	await sql.run(refresh, [id, reason]);
}

/** Oldest first. @param alertClass null: all */
export async function listOpenStandingAlerts(sql: Sql, alertClass: StandingAlert['class'] | null = null): Promise<StandingAlert[]> {
	return (await sql.run(selectOpen, [alertClass])).map(toAlert);
}

export async function trimStandingAlerts(sql: Sql, before: number): Promise<number> {
	return (await sql.run(trim, [instant(before)])).length;
}

function toAlert({ provider, model, operation, vantage, ...alert }: StandingRow): StandingAlert {
	return { ...alert, scope: { provider, model, operation, vantage } };
}
