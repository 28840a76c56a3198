import { type Maintenance, type MaintenanceScope, type MaintenanceWindow, type Recurrence, windowsOf } from '#core/maintenance.ts';
import { instant, query, type Sql, type Tx } from './sql.ts';

const columns = `maintenance_id as "id", source, title, provider, model, vantage, from_at as "fromAt", duration_ms as "durationMs", recurrence,
	until_at as "untilAt", created_by as "createdBy", created_at as "createdAt", cancelled_at as "cancelledAt"`;

interface MaintenanceRow extends Omit<StoredMaintenance, 'scope'>, MaintenanceScope {}

const insert = query<{ id: string }>(
	'maintenances_add',
	`insert into maintenances as kept (maintenance_id, source, title, provider, model, vantage, from_at, duration_ms, recurrence, until_at, created_by, created_at)
	values ($1::text, $2::text, $3::text, $4::text, $5::text, $6::text, $7::timestamptz, $8::bigint, $9::jsonb, $10::timestamptz, $11::text, $12::timestamptz)
	on conflict (maintenance_id) do update set title = excluded.title, cancelled_at = null where kept.source = 'file'
	returning maintenance_id as id`,
);

const cancel = query<{ id: string }>(
	'maintenances_cancel',
	`update maintenances set cancelled_at = $2::timestamptz where maintenance_id = $1::text and cancelled_at is null returning maintenance_id as id`,
);

// A recurring one may have a window at any time after its first; one that is over for good is left out by its end.
const selectBetween = query<MaintenanceRow>(
	'maintenances_between',
	`select ${columns} from maintenances
	where from_at < $2::timestamptz and (cancelled_at is null or cancelled_at > $1::timestamptz)
		and (recurrence is not null or from_at + make_interval(secs => duration_ms / 1000.0) > $1::timestamptz)
		and (recurrence is null or until_at is null or until_at + make_interval(secs => duration_ms / 1000.0) > $1::timestamptz)
	order by from_at, maintenance_id`,
);

const selectStanding = query<MaintenanceRow>(
	'maintenances_standing',
	`select ${columns} from maintenances
	where cancelled_at is null and (recurrence is not null or from_at + make_interval(secs => duration_ms / 1000.0) > $1::timestamptz)
		and (until_at is null or until_at > $1::timestamptz)
	order by from_at, maintenance_id`,
);

const cancelOthers = query<{ id: string }>(
	'maintenances_cancel_others',
	`update maintenances set cancelled_at = $2::timestamptz
	where source = 'file' and cancelled_at is null and not (maintenance_id = any($1::text[])) returning maintenance_id as id`,
);

export interface StoredMaintenance extends Maintenance {
	/** `file`: the configuration announced it, and takes it away. */
	readonly source: 'api' | 'file';
	readonly createdBy: string;
	/** ms since epoch. */
	readonly createdAt: number;
}

export type NewMaintenance = Omit<StoredMaintenance, 'cancelledAt'>;

/** @returns false when the id is taken by another announcement. */
export async function addMaintenance(sql: Sql, maintenance: NewMaintenance): Promise<boolean> {
	const { id, source, title, scope, fromAt, durationMs, recurrence, untilAt, createdBy, createdAt } = maintenance;
	const values = [id, source, title, scope.provider, scope.model, scope.vantage, instant(fromAt), durationMs];
	const added = await sql.run(insert, [...values, recurrence === null ? null : JSON.stringify(recurrence), instant(untilAt), createdBy, instant(createdAt)]);
	return added.length > 0;
}

/** Ends it now: a window under way too. @returns false when there is none of that id that stands. */
export async function cancelMaintenance(sql: Sql, id: string, now: number): Promise<boolean> {
	return (await sql.run(cancel, [id, instant(now)])).length > 0;
}

/** Makes the file's announcements exactly these; one that is there already keeps running. */
export async function syncFileMaintenances(tx: Tx, maintenances: readonly NewMaintenance[], now: number): Promise<void> {
	await tx.run(cancelOthers, [maintenances.map(({ id }) => id), instant(now)]);
	for (const maintenance of maintenances) await addMaintenance(tx, maintenance);
}

/** Windows that touch the stretch from `fromAt` (included) to `toAt` (not included), ms since epoch; recurring ones expanded, oldest first. */
export async function listMaintenances(sql: Sql, stretch: { readonly fromAt: number; readonly toAt: number }): Promise<MaintenanceWindow[]> {
	const rows = await sql.run(selectBetween, [instant(stretch.fromAt), instant(stretch.toAt)]);
	return rows.flatMap((row) => windowsOf(toMaintenance(row), stretch)).sort((a, b) => a.fromAt - b.fromAt || (a.id < b.id ? -1 : 1));
}

/** Those that have a window now or later, by their first window. */
export async function listStandingMaintenances(sql: Sql, now: number): Promise<StoredMaintenance[]> {
	return (await sql.run(selectStanding, [instant(now)])).map(toMaintenance);
}

function toMaintenance({ provider, model, vantage, ...row }: MaintenanceRow): StoredMaintenance {
	return { ...row, recurrence: row.recurrence as Recurrence | null, scope: { provider, model, vantage } };
}
