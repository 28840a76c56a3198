import { dayOf } from './partitions.ts';
import { type Db, instant, inTransaction, query, type Sql, type Tx, transaction } from './sql.ts';

const ensureDay = query('budget_ensure_day', 'insert into budget_days (day) values ($1::date) on conflict do nothing');
const lockDay = query<BudgetDay>(
	'budget_lock_day',
	'select reserved_micro_usd as "reservedMicroUsd", spent_micro_usd as "spentMicroUsd" from budget_days where day = $1::date for update',
);
const selectDay = query<BudgetDay>(
	'budget_day',
	'select reserved_micro_usd as "reservedMicroUsd", spent_micro_usd as "spentMicroUsd" from budget_days where day = $1::date',
);
const selectKnown = query<{ id: string }>('budget_known', 'select reservation_id as id from budget_reservations where reservation_id = any($1::text[])');
const insertReservations = query(
	'budget_reserve',
	`with given as (
		insert into budget_reservations (reservation_id, day, estimate_micro_usd, expires_at)
		select id, $3::date, estimate, $4::timestamptz from unnest($1::text[], $2::bigint[]) as given(id, estimate)
		returning estimate_micro_usd
	)
	update budget_days set reserved_micro_usd = reserved_micro_usd + (select coalesce(sum(estimate_micro_usd), 0) from given) where day = $3::date`,
);
const lockDaysOf = query(
	'budget_lock_days',
	`select day from budget_days where day in (select day from budget_reservations where reservation_id = any($1::text[])) order by day for update`,
);
const settleMany = query<{ id: string }>(
	'budget_settle',
	`with settled as (
		update budget_reservations r set settled_at = clock_timestamp() from unnest($1::text[], $2::bigint[]) as given(id, actual)
		where r.reservation_id = given.id and r.settled_at is null returning r.reservation_id as id, r.day, r.estimate_micro_usd, given.actual
	), sums as (
		select day, sum(estimate_micro_usd) as estimate, sum(actual) as actual from settled group by day
	), moved as (
		update budget_days set reserved_micro_usd = reserved_micro_usd - sums.estimate, spent_micro_usd = spent_micro_usd + sums.actual
		from sums where budget_days.day = sums.day
	)
	select id from settled`,
);
const giveBackAll = query(
	'budget_give_back',
	`with given_back as (
		delete from budget_reservations where reservation_id = any($1::text[]) and settled_at is null returning day, estimate_micro_usd
	), sums as (
		select day, sum(estimate_micro_usd) as estimate from given_back group by day
	)
	update budget_days set reserved_micro_usd = reserved_micro_usd - sums.estimate from sums where budget_days.day = sums.day`,
);
const lockExpiring = query<{ day: string }>(
	'budget_lock_expiring',
	`select day from budget_days where day in (select day from budget_reservations where settled_at is null and expires_at <= $1::timestamptz)
	order by day for update`,
);
const expire = query<{ count: number }>(
	'budget_expire',
	`with expired as (
		update budget_reservations set settled_at = clock_timestamp() where settled_at is null and expires_at <= $1::timestamptz and day = any($2::date[])
		returning day, estimate_micro_usd
	), sums as (
		select day, sum(estimate_micro_usd) as estimate, count(*) as count from expired group by day
	), moved as (
		update budget_days set reserved_micro_usd = reserved_micro_usd - sums.estimate, spent_micro_usd = spent_micro_usd + sums.estimate
		from sums where budget_days.day = sums.day
	)
	select coalesce(sum(count), 0)::bigint as count from sums`,
);
const trim = query<{ count: number }>(
	'budget_trim',
	`with trimmed as (delete from budget_reservations where settled_at is not null and expires_at < $1::timestamptz returning 1)
	select count(*) as count from trimmed`,
);

export interface BudgetDay {
	readonly reservedMicroUsd: number;
	readonly spentMicroUsd: number;
}

export interface Reservation {
	/** One probe of one slot. */
	readonly id: string;
	/** An upper bound of what the probe can cost; parts of a micro-dollar are rounded up. */
	readonly estimateMicroUsd: number;
}

export interface ReserveOptions {
	/** ms since epoch; its UTC day is charged. */
	readonly now: number;
	readonly capMicroUsd: number;
	/** After this an unsettled reservation counts as spent; longer than the wait for the slot and the probe's own timeout. */
	readonly holdMs?: number;
}

const defaultHoldMs = 600_000;

export interface Reserved {
	readonly granted: Set<string>;
	readonly denied: Set<string>;
	readonly held: Set<string>;
}

/**
 * Reserves in the given order while the day's cap allows; a costly one that does not fit leaves room for cheaper ones after it.
 * Spent and reserved together never pass the cap: every reservation of a day waits for the one before.
 * @returns each id in one of the three. `granted` once in its life, so the reservation is the claim to send the probe; `held` is one that was
 *   granted before, to whoever that was; `denied` does not fit.
 */
export function reserve(db: Db, reservations: readonly Reservation[], { now, capMicroUsd, holdMs = defaultHoldMs }: ReserveOptions): Promise<Reserved> {
	const day = dayOf(now);
	return transaction(db, async (tx) => {
		await tx.run(ensureDay, [day]);
		const [today] = await tx.run(lockDay, [day]);
		let free = Math.floor(capMicroUsd) - (today?.spentMicroUsd ?? 0) - (today?.reservedMicroUsd ?? 0);
		const held = new Set((await tx.run(selectKnown, [reservations.map(({ id }) => id)])).map(({ id }) => id));
		const denied = new Set<string>();
		const added = new Map<string, number>();
		for (const { id, estimateMicroUsd } of reservations) {
			const estimate = Math.ceil(estimateMicroUsd);
			if (!(estimate >= 0)) throw new RangeError(`Expected \`estimateMicroUsd\` of ${id} to be 0 or more, got ${estimateMicroUsd}`);
			if (held.has(id) || added.has(id)) continue;
			if (estimate > free) {
				denied.add(id);
				continue;
			}
			free -= estimate;
			added.set(id, estimate);
		}
		if (added.size > 0) await tx.run(insertReservations, [[...added.keys()], [...added.values()], day, instant(now + holdMs)]);
		return { granted: new Set(added.keys()), denied, held };
	});
}

/**
 * Turns reservations into what the probes did cost, rounded up: reservation id → 1e-6 USD. One statement for many, since every one waits for the
 * day's row and for the disk. The day is locked first, as `reserve` does, so that they never wait for each other in a ring.
 * @returns the ids that were settled now; one that was settled or expired before is not among them, and nothing changes for it.
 */
export function settleAll(sql: Db | Tx, actualMicroUsd: ReadonlyMap<string, number>): Promise<Set<string>> {
	for (const [id, actual] of actualMicroUsd) if (!(actual >= 0)) throw new RangeError(`Expected \`actualMicroUsd\` of ${id} to be 0 or more, got ${actual}`);
	const ids = [...actualMicroUsd.keys()];
	return inTransaction(sql, async (tx) => {
		await tx.run(lockDaysOf, [ids]);
		return new Set((await tx.run(settleMany, [ids, [...actualMicroUsd.values()].map(Math.ceil)])).map(({ id }) => id));
	});
}

/** One of them. @returns false when it was settled or expired before. */
export async function settle(sql: Db | Tx, id: string, actualMicroUsd: number): Promise<boolean> {
	return (await settleAll(sql, new Map([[id, actualMicroUsd]]))).has(id);
}

/** Of probes that were not sent and will not be, by their holder: another one may reserve them. Settled or expired ones stay as they are. */
export function giveBack(sql: Db | Tx, ids: readonly string[]): Promise<void> {
	return inTransaction(sql, async (tx) => {
		await tx.run(lockDaysOf, [ids]);
		await tx.run(giveBackAll, [ids]);
	});
}

/** A probe that crashed between the two may have been billed: its estimate counts as spent. @returns how many expired. */
export function releaseExpired(sql: Db | Tx, now: number): Promise<number> {
	return inTransaction(sql, async (tx) => {
		// One that is reserved meanwhile, of a day that is not locked, waits for the next call.
		const days = (await tx.run(lockExpiring, [instant(now)])).map(({ day }) => day);
		return days.length === 0 ? 0 : ((await tx.run(expire, [instant(now), days]))[0]?.count ?? 0);
	});
}

/** Zeros for a day without any. */
export async function readBudgetDay(sql: Sql, day: string): Promise<BudgetDay> {
	return (await sql.run(selectDay, [day]))[0] ?? { reservedMicroUsd: 0, spentMicroUsd: 0 };
}

/** Forgets settled reservations that expired before. @returns how many. */
export async function trimReservations(sql: Sql, before: number): Promise<number> {
	return (await sql.run(trim, [instant(before)]))[0]?.count ?? 0;
}
