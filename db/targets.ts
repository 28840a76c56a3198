import type { Target } from '#core/target.ts';
import { markChanges } from './series-marks.ts';
import { type Db, instant, query, type Sql, transaction } from './sql.ts';

const insertTargets = query(
	'targets_insert',
	`insert into targets (target_id, provider, model, operation, upstream_model, interval_ms, first_scheduled_at)
	select target_id, provider, model, operation, upstream_model, interval_ms, $7::timestamptz
	from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::int[])
		as wanted(target_id, provider, model, operation, upstream_model, interval_ms)
	where not exists (select from targets known where known.target_id = wanted.target_id)
	on conflict do nothing`,
);

const refreshTargets = query(
	'targets_refresh',
	`update targets set removed_at = null, upstream_model = wanted.upstream_model, interval_ms = wanted.interval_ms
	from unnest($1::text[], $2::text[], $3::int[]) as wanted(target_id, upstream_model, interval_ms)
	where targets.target_id = wanted.target_id
		and (targets.removed_at, targets.upstream_model, targets.interval_ms) is distinct from (null, wanted.upstream_model, wanted.interval_ms)`,
);

const removeTargets = query('targets_remove', 'update targets set removed_at = $2::timestamptz where removed_at is null and not (target_id = any($1::text[]))');

const selectTargets = query<TargetRow>(
	'targets_list',
	`select target_key as key, target_id as id, interval_ms as "intervalMs", first_scheduled_at as "firstScheduledAt", removed_at as "removedAt"
	from targets order by target_id`,
);

const selectHighest = query<{ key: number }>('targets_highest', 'select coalesce(max(target_key), 0) as key from targets');

export interface TargetRow {
	readonly key: number;
	readonly id: string;
	readonly intervalMs: number;
	/** ms since epoch. */
	readonly firstScheduledAt: number;
	/** ms since epoch; null while it is configured. */
	readonly removedAt: number | null;
}

/**
 * The configured targets from now on: new ones get a key, those that are gone are marked, those that return keep their key and first day. What is
 * probed in another way than before gets a mark in its series.
 */
export async function registerTargets(db: Db, targets: readonly Target[], now: number): Promise<void> {
	const ids = targets.map(({ id }) => id);
	const upstream = targets.map(({ upstreamModel }) => upstreamModel);
	const intervals = targets.map(({ intervalMs }) => intervalMs);
	const column = (pick: (target: Target) => string) => targets.map(pick);
	await transaction(db, async (tx) => {
		// Two processes that start at once would lock the rows in different orders.
		await tx.execute('lock table targets in share row exclusive mode');
		await tx.run(insertTargets, [ids, column((t) => t.provider), column((t) => t.model), column((t) => t.operation), upstream, intervals, instant(now)]);
		await tx.run(refreshTargets, [ids, upstream, intervals]);
		await tx.run(removeTargets, [ids, instant(now)]);
		await markChanges(tx, targets, now);
	});
}

/** 0 while there is none. */
export async function highestTargetKey(sql: Sql): Promise<number> {
	return (await sql.run(selectHighest))[0]?.key ?? 0;
}

const firstKept = new WeakMap<object, ReadonlyMap<string, number>>();

/**
 * Target id → when it was first configured, ms since epoch; the removed ones included. None of it ever changes, so that it is read anew only where one of the
 * given targets is not in it: of 10,000 it took 50 ms of the prober each time.
 */
export async function firstScheduledAt(sql: Sql, targets: readonly { readonly id: string }[]): Promise<ReadonlyMap<string, number>> {
	const known = firstKept.get(sql.pool);
	if (known !== undefined && targets.every(({ id }) => known.has(id))) return known;
	const read = new Map((await sql.run(selectTargets)).map((target) => [target.id, target.firstScheduledAt]));
	firstKept.set(sql.pool, read);
	return read;
}

/** Every target ever configured, by id. */
export function listTargetKeys(sql: Sql): Promise<TargetRow[]> {
	return sql.run(selectTargets);
}
