import { instant, query, type Sql, type Tx } from './sql.ts';

const columns = `delivery_id as "deliveryId", incident_id as "incidentId", transition, channel, message_id as "messageId", payload,
	attempt_count as "attemptCount", created_at as "createdAt"`;

const insertDeliveries = query(
	'outbox_enqueue',
	`insert into outbox (incident_id, transition, channel, message_id, payload, next_attempt_at, created_at)
	select $1::text, $2::int, channel, concat_ws('.', $1::text, $2::int, channel), $4::jsonb, $6::timestamptz, $6::timestamptz
	from (
		select unnest($3::text[]) as channel
		union
		select channel from outbox where incident_id = $1::text and $5::boolean
	) told
	on conflict (incident_id, channel, transition) do nothing`,
);

// An earlier transition that has not ended holds the later ones back, so a resolve never overtakes its trigger, and never goes while its trigger is under way.
const leaseDeliveries = query<Delivery>(
	'outbox_lease',
	`update outbox set lease_until = $1::timestamptz + make_interval(secs => $3::float8 / 1000), attempt_count = attempt_count + 1
	where delivery_id in (
		select due.delivery_id from outbox due
		where due.state = 'pending' and due.next_attempt_at <= $1::timestamptz and (due.lease_until is null or due.lease_until <= $1::timestamptz)
			and not exists (
				select from outbox earlier
				where earlier.incident_id = due.incident_id and earlier.channel = due.channel and earlier.transition < due.transition and earlier.state = 'pending'
			)
		order by due.next_attempt_at, due.delivery_id
		limit $2::int
		for update skip locked
	)
	returning ${columns}`,
);

const setDelivered = query<{ id: number }>(
	'outbox_delivered',
	`update outbox set state = 'delivered', delivered_at = $3::timestamptz, lease_until = null
	where delivery_id = $1::bigint and attempt_count = $2::int and state = 'pending' returning delivery_id as id`,
);

const setFailed = query<{ id: number }>(
	'outbox_failed',
	`update outbox set state = case when $3::timestamptz is null then 'dead' else 'pending' end, next_attempt_at = coalesce($3::timestamptz, next_attempt_at),
		last_error = $4::text, lease_until = null
	where delivery_id = $1::bigint and attempt_count = $2::int and state = 'pending' returning delivery_id as id`,
);

const countStates = query<{ state: DeliveryState; count: number; oldest_at: number }>(
	'outbox_counts',
	'select state, count(*) as count, min(created_at) as oldest_at from outbox group by state',
);

const trimEnded = query<{ id: number }>(
	'outbox_trim',
	"delete from outbox where state <> 'pending' and created_at < $1::timestamptz returning delivery_id as id",
);

export type DeliveryState = 'pending' | 'delivered' | 'dead';

export interface NewDeliveries {
	readonly incidentId: string;
	/** Number of the transition: deliveries of an incident to one channel go in this order. */
	readonly transition: number;
	readonly channels: readonly string[];
	/** Also to every channel that heard of the incident before: a resolve follows its trigger, whatever the routes say by now. */
	readonly alsoToPreviousChannels: boolean;
	/** What the channel renders; kept, so that every attempt says the same. */
	readonly event: unknown;
	/** ms since epoch. */
	readonly at: number;
}

export interface Delivery {
	readonly deliveryId: number;
	readonly incidentId: string;
	readonly transition: number;
	readonly channel: string;
	/** Stays the same over every attempt, so that the receiver can drop repeats. */
	readonly messageId: string;
	readonly payload: unknown;
	/** Number of the attempt that the lease is for, from 1; the marks take it, so that a late worker changes nothing. */
	readonly attemptCount: number;
	/** When the transition was committed, ms since epoch. */
	readonly createdAt: number;
}

type LeaseOfDelivery = Pick<Delivery, 'deliveryId' | 'attemptCount'>;

/** In the transaction of the transition. A delivery that is already there stays as it is. */
export async function enqueueDeliveries(tx: Tx, { incidentId, transition, channels, alsoToPreviousChannels, event, at }: NewDeliveries): Promise<void> {
	await tx.run(insertDeliveries, [incidentId, transition, channels, JSON.stringify(event), alsoToPreviousChannels, instant(at)]);
}

/** Takes due deliveries for `leaseMs`; a delivery whose lease runs out without a mark is leased again. */
export async function leaseDueDeliveries(sql: Sql, now: number, limit: number, leaseMs: number): Promise<Delivery[]> {
	const leased = await sql.run(leaseDeliveries, [instant(now), limit, leaseMs]);
	return leased.sort((a, b) => a.deliveryId - b.deliveryId);
}

/** @returns false when the lease had run out and another worker has the delivery. */
export async function markDelivered(sql: Sql, { deliveryId, attemptCount }: LeaseOfDelivery, now: number): Promise<boolean> {
	return (await sql.run(setDelivered, [deliveryId, attemptCount, instant(now)])).length > 0;
}

/** @param nextAttemptAt ms since epoch; null gives up. @returns false when another worker has the delivery. */
export async function markFailed(
	sql: Sql,
	{ deliveryId, attemptCount }: LeaseOfDelivery,
	{ error, nextAttemptAt }: { readonly error: string; readonly nextAttemptAt: number | null },
): Promise<boolean> {
	return (await sql.run(setFailed, [deliveryId, attemptCount, instant(nextAttemptAt), error])).length > 0;
}

/** Deliveries in each state, and when the oldest of it was committed (ms since epoch); a state without any is missing. */
export async function countDeliveries(sql: Sql): Promise<Partial<Record<DeliveryState, { count: number; oldestAt: number }>>> {
	return Object.fromEntries((await sql.run(countStates)).map(({ state, count, oldest_at }) => [state, { count, oldestAt: oldest_at }]));
}

/** Forgets deliveries that ended. @returns how many. */
export async function trimOutbox(sql: Sql, before: number): Promise<number> {
	return (await sql.run(trimEnded, [instant(before)])).length;
}
