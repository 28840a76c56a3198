/** Messages on their way to the channels. */
import type { AlertMessage } from '#core/alert.ts';
import { instant, query, type Sql } from './sql.ts';

const columns = `delivery_id as "deliveryId", group_id as "groupId", sequence, channel, endpoint, message_id as "messageId", message,
	attempt_count as "attemptCount", created_at as "createdAt"`;

// An earlier message of the group that has not ended holds the later ones back, so a resolve never overtakes its trigger, and never goes while
// its trigger is under way. An endpoint has few deliveries under way at once, and each gets its turn: a slow one never fills the batch.
const leaseDeliveries = query<Delivery>(
	'outbox_lease',
	`with busy as (
		select channel, endpoint, count(*) as count from outbox where state = 'pending' and lease_until > $1::timestamptz group by channel, endpoint
	), due as (
		select delivery_id, channel, endpoint, next_attempt_at, row_number() over (partition by channel, endpoint order by next_attempt_at, delivery_id) as place
		from outbox due
		where state = 'pending' and next_attempt_at <= $1::timestamptz and (lease_until is null or lease_until <= $1::timestamptz)
			and not exists (
				select from outbox earlier
				where earlier.group_id = due.group_id and earlier.channel = due.channel and earlier.endpoint = due.endpoint
					and earlier.sequence < due.sequence and earlier.state = 'pending'
			)
	), chosen as (
		select outbox.delivery_id from due join outbox using (delivery_id) left join busy on busy.channel = due.channel and busy.endpoint = due.endpoint
		where due.place + coalesce(busy.count, 0) <= $4::int and outbox.state = 'pending' and (outbox.lease_until is null or outbox.lease_until <= $1::timestamptz)
		order by due.place, due.next_attempt_at, due.delivery_id
		limit $2::int
		for update of outbox skip locked
	)
	update outbox set lease_until = $1::timestamptz + make_interval(secs => $3::float8 / 1000), attempt_count = attempt_count + 1
	where delivery_id in (select delivery_id from chosen)
	returning ${columns}`,
);

// What came through shows that the endpoint is back: the others that wait for it go at once, but for those that it asked to wait itself.
const setDelivered = query<{ id: number }>(
	'outbox_delivered',
	`with ended as (
		update outbox set state = 'delivered', delivered_at = $3::timestamptz, lease_until = null, settings = $4::jsonb
		where delivery_id = $1::bigint and attempt_count = $2::int and state = 'pending' returning delivery_id, channel, endpoint
	), woken as (
		update outbox set next_attempt_at = $3::timestamptz from ended
		where outbox.channel = ended.channel and outbox.endpoint = ended.endpoint and outbox.delivery_id <> ended.delivery_id and outbox.state = 'pending'
			and outbox.attempt_count > 0 and outbox.lease_until is null and outbox.next_attempt_at > $3::timestamptz
			and (outbox.not_before is null or outbox.not_before <= $3::timestamptz)
	)
	select delivery_id as id from ended`,
);

const setFailed = query<{ id: number }>(
	'outbox_failed',
	`update outbox set state = case when $3::timestamptz is null then 'dead' else 'pending' end, next_attempt_at = coalesce($3::timestamptz, next_attempt_at),
		last_error = $4::text, lease_until = null, not_before = $5::timestamptz
	where delivery_id = $1::bigint and attempt_count = $2::int and state = 'pending' returning delivery_id as id`,
);

const countStates = query<{ state: DeliveryState; channel: string; count: number; oldest_at: number }>(
	'outbox_counts',
	'select state, channel, count(*) as count, min(created_at) as oldest_at from outbox where discarded_at is null group by state, channel order by state, channel',
);

const selectEnded = query<DeadLetter>(
	'outbox_dead',
	`select ${columns}, last_error as "lastError" from outbox
	where state = 'dead' and discarded_at is null and ($1::text is null or channel = $1::text) order by created_at desc, delivery_id desc limit $2::int`,
);

// The same id again: a receiver that did get it drops the repeat. What later news of its group have overtaken stays: a trigger after its resolve
// would open what nobody closes.
const replayDead = query<{ id: number }>(
	'outbox_replay',
	`update outbox set state = 'pending', attempt_count = 0, next_attempt_at = $3::timestamptz, not_before = null, created_at = $3::timestamptz
	where state = 'dead' and discarded_at is null and ($1::bigint[] is null or delivery_id = any($1::bigint[])) and ($2::text is null or channel = $2::text)
		and not exists (
			select from outbox later
			where later.group_id = outbox.group_id and later.channel = outbox.channel and later.endpoint = outbox.endpoint
				and later.sequence > outbox.sequence and later.state = 'delivered'
		)
	returning delivery_id as id`,
);

const discardDead = query<{ id: number }>(
	'outbox_discard',
	`update outbox set discarded_at = $3::timestamptz
	where state = 'dead' and discarded_at is null and ($1::bigint[] is null or delivery_id = any($1::bigint[])) and ($2::text is null or channel = $2::text)
	returning delivery_id as id`,
);

const claimFallbacks = query<Delivery>(
	'outbox_fall_back',
	`update outbox set fell_back_at = $1::timestamptz
	where fell_back_at is null and channel = any($2::text[])
		and (state = 'dead' or (state = 'pending' and attempt_count > 0 and last_error is not null and created_at <= $1::timestamptz - make_interval(secs => $3::float8 / 1000)))
	returning ${columns}`,
);

const selectLastSettings = query<{ settings: unknown }>(
	'outbox_last_settings',
	`select settings from outbox where group_id = $1::text and channel = $2::text and endpoint = $3::text and settings is not null
	order by sequence desc limit 1`,
);

const trimEnded = query<{ id: number }>(
	'outbox_trim',
	"delete from outbox where state <> 'pending' and created_at < $1::timestamptz returning delivery_id as id",
);

// An attempt under way has not failed yet.
const selectTroubled = query<ChannelTrouble>(
	'outbox_troubled',
	`select channel, count(*) as count, min(created_at) as "oldestAt", (array_agg(last_error order by next_attempt_at desc))[1] as "lastError"
	from outbox where state = 'pending' and last_error is not null and attempt_count - (lease_until is not null)::int >= 2 group by channel order by channel`,
);

export type DeliveryState = 'pending' | 'delivered' | 'dead';

export interface Delivery {
	readonly deliveryId: number;
	readonly groupId: string;
	/** Of the message within its group, from 1. */
	readonly sequence: number;
	readonly channel: string;
	/** Which of the channel's endpoints; empty for a channel with one. */
	readonly endpoint: string;
	/** Stays the same over every attempt, so that the receiver can drop repeats. */
	readonly messageId: string;
	readonly message: AlertMessage;
	/** Number of the attempt that the lease is for, from 1; the marks take it, so that a late worker changes nothing. */
	readonly attemptCount: number;
	/** ms since epoch. */
	readonly createdAt: number;
}

export interface DeadLetter extends Delivery {
	readonly lastError: string | null;
}

export interface ChannelTrouble {
	readonly channel: string;
	/** Messages that wait after at least two failed attempts. */
	readonly count: number;
	/** ms since epoch. */
	readonly oldestAt: number;
	readonly lastError: string;
}

type LeaseOfDelivery = Pick<Delivery, 'deliveryId' | 'attemptCount'>;

/** Under way at once to one endpoint. */
const perEndpoint = 4;

/** Takes due deliveries for `leaseMs`; a delivery whose lease runs out without a mark is leased again. */
export async function leaseDueDeliveries(sql: Sql, now: number, limit: number, leaseMs: number): Promise<Delivery[]> {
	const leased = await sql.run(leaseDeliveries, [instant(now), limit, leaseMs, perEndpoint]);
	return leased.sort((a, b) => a.deliveryId - b.deliveryId);
}

/** @param settings that it was sent with, secrets only named. @returns false when the lease had run out and another worker has the delivery. */
export async function markDelivered(sql: Sql, { deliveryId, attemptCount }: LeaseOfDelivery, now: number, settings: unknown = null): Promise<boolean> {
	return (await sql.run(setDelivered, [deliveryId, attemptCount, instant(now), JSON.stringify(settings)])).length > 0;
}

/** @param nextAttemptAt ms since epoch; null gives up. @returns false when another worker has the delivery. */
export async function markFailed(
	sql: Sql,
	{ deliveryId, attemptCount }: LeaseOfDelivery,
	failure: {
		readonly error: string;
		readonly nextAttemptAt: number | null;
		/** The receiver asked to wait until then. */
		readonly notBefore?: number | null;
	},
): Promise<boolean> {
	const values = [deliveryId, attemptCount, instant(failure.nextAttemptAt), failure.error, instant(failure.notBefore ?? null)];
	return (await sql.run(setFailed, values)).length > 0;
}

export interface DeliveryCount {
	readonly state: DeliveryState;
	readonly channel: string;
	readonly count: number;
	/** When the oldest was made, ms since epoch. */
	readonly oldestAt: number;
}

/** Per state and channel; dead letters that were put aside do not count. */
export async function countDeliveries(sql: Sql): Promise<DeliveryCount[]> {
	return (await sql.run(countStates)).map(({ oldest_at, ...count }) => ({ ...count, oldestAt: oldest_at }));
}

/** Newest first. @param channel null: of all */
export function listDeadLetters(sql: Sql, channel: string | null = null, limit = 100): Promise<DeadLetter[]> {
	return sql.run(selectEnded, [channel, limit]);
}

export interface DeadLetterChoice {
	/** Null: all. */
	readonly deliveryIds: readonly number[] | null;
	readonly channel: string | null;
}

/** Sends dead letters again, with their own ids and the whole schedule before them; those that later news have overtaken stay dead. @returns how many. */
export async function replayDeadLetters(sql: Sql, { deliveryIds, channel }: DeadLetterChoice, now: number): Promise<number> {
	return (await sql.run(replayDead, [deliveryIds, channel, instant(now)])).length;
}

/** They count no longer, and can't be replayed. @returns how many. */
export async function discardDeadLetters(sql: Sql, { deliveryIds, channel }: DeadLetterChoice, now: number): Promise<number> {
	return (await sql.run(discardDead, [deliveryIds, channel, instant(now)])).length;
}

/** Deliveries of these channels that their fallbacks should hear of, each once. In the transaction that tells them. */
export function takeFallbacks(sql: Sql, channels: readonly string[], afterMs: number, now: number): Promise<Delivery[]> {
	return sql.run(claimFallbacks, [instant(now), channels, afterMs]);
}

/** Settings that the last message of a group got through with; null when none did. */
export async function lastSettings(sql: Sql, { groupId, channel, endpoint }: Pick<Delivery, 'groupId' | 'channel' | 'endpoint'>): Promise<unknown> {
	return (await sql.run(selectLastSettings, [groupId, channel, endpoint]))[0]?.settings ?? null;
}

/** Channels that fail repeatedly now. */
export function listTroubledChannels(sql: Sql): Promise<ChannelTrouble[]> {
	return sql.run(selectTroubled);
}

/** Forgets deliveries that ended. @returns how many. */
export async function trimOutbox(sql: Sql, before: number): Promise<number> {
	return (await sql.run(trimEnded, [instant(before)])).length;
}
