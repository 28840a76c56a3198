/** What is owed to each channel, and how each subject stands there. */
import type { AlertEvent, Transition } from '#core/alert.ts';
import { advisoryLocks, instant, query, type Sql, type Tx } from './sql.ts';

// Whoever owes something holds it shared, whoever plans messages holds it alone: a plan sees every transition whole, and neither deadlocks.
const lockShared = query('alert_notices_lock', `select pg_advisory_xact_lock_shared(${advisoryLocks.alerts})`);

const insertNotices = query<{ channel: string }>(
	'alert_notices_owe',
	`with told as (
		select unnest($4::text[]) as channel
		union
		select channel from alert_threads where subject_id = $1::text
	), owed as (
		insert into alert_notices (subject_id, transition, channel, kind, event, created_at)
		select $1::text, $2::int, channel, $3::text, $5::jsonb, $6::timestamptz from told
		on conflict (subject_id, channel, transition, kind) do nothing
		returning channel
	)
	insert into alert_threads as kept (subject_id, channel, class, state, transition, open_transition, opened_at, changed_at, event, via)
	select $1::text, channel, $7::text, $8::text, $2::int, $2::int, $6::timestamptz, $6::timestamptz, $5::jsonb, $10::text from owed
	on conflict (subject_id, channel) do update set state = excluded.state, transition = excluded.transition, event = excluded.event,
		changed_at = excluded.changed_at,
		open_transition = case when $9::boolean then excluded.open_transition else kept.open_transition end,
		opened_at = case when $9::boolean then excluded.opened_at else kept.opened_at end
		where kept.transition < excluded.transition
	returning channel`,
);

const insertBranch = query<{ channel: string }>(
	'alert_notices_branch',
	`with source as (
		select * from alert_threads where subject_id = $1::text order by transition desc limit 1
	), owed as (
		insert into alert_notices (subject_id, transition, channel, kind, event, created_at)
		select subject_id, transition, $2::text, $3::text, event, $4::timestamptz from source
		on conflict (subject_id, channel, transition, kind) do nothing
		returning channel
	)
	insert into alert_threads (subject_id, channel, class, state, transition, open_transition, opened_at, changed_at, event, via)
	select source.subject_id, owed.channel, source.class, source.state, source.transition, source.open_transition, source.opened_at, source.changed_at, source.event,
		$3::text
	from source, owed
	on conflict (subject_id, channel) do nothing
	returning channel`,
);

const selectNotices = query<Notice>(
	'alert_notices_list',
	`select subject_id as "subjectId", transition, channel, kind, event, created_at as "createdAt", ended_at as "endedAt", ended_as as "endedAs",
		message_id as "messageId"
	from alert_notices where ($1::text is null or subject_id = $1::text) order by notice_id`,
);

const trimNotices = query<{ id: number }>('alert_notices_trim', 'delete from alert_notices where ended_at < $1::timestamptz returning notice_id as id');

const trimThreads = query<{ id: string }>(
	'alert_threads_trim',
	`delete from alert_threads where state = 'resolved' and told <> 'open' and told_transition = transition and changed_at < $1::timestamptz
	returning subject_id as id`,
);

export interface Notice {
	readonly subjectId: string;
	readonly transition: number;
	readonly channel: string;
	readonly kind: 'transition' | 'escalation' | 'fallback';
	readonly event: AlertEvent;
	/** ms since epoch. */
	readonly createdAt: number;
	/** Null while owed. */
	readonly endedAt: number | null;
	readonly endedAs: 'sent' | 'untold' | null;
	readonly messageId: string | null;
}

export interface NewNotices {
	readonly subjectId: string;
	readonly transition: Transition;
	/** Of the transition within the subject, from 1. */
	readonly number: number;
	/** Beside these, every channel that heard of the subject before hears of it again: a resolve follows its trigger whatever the routes say by now. */
	readonly channels: readonly string[];
	readonly event: AlertEvent;
	/** ms since epoch. */
	readonly at: number;
}

/** In the transaction of the transition. One that is there already stays as it is. */
export async function oweNotices(tx: Tx, { subjectId, transition, number, channels, event, at }: NewNotices): Promise<void> {
	await tx.run(lockShared);
	const opens = transition === 'opened' || transition === 'reopened';
	const state = transition === 'resolved' ? 'resolved' : 'open';
	const values = [subjectId, number, 'transition', channels, JSON.stringify(event), instant(at), event.class, state, opens, 'route'];
	await tx.run(insertNotices, values);
}

/** A further channel hears how the subject stands. @returns false when it hears of it already, or nobody ever did. */
export async function branchThread(sql: Sql, subjectId: string, channel: string, via: 'escalation' | 'fallback', now: number): Promise<boolean> {
	return (await sql.run(insertBranch, [subjectId, channel, via, instant(now)])).length > 0;
}

/** Oldest first; of one subject, or null for all. */
export function listNotices(sql: Sql, subjectId: string | null = null): Promise<Notice[]> {
	return sql.run(selectNotices, [subjectId]);
}

/** Forgets what ended before. @returns how many notices. */
export async function trimNoticesBefore(sql: Sql, before: number): Promise<number> {
	await sql.run(trimThreads, [instant(before)]);
	return (await sql.run(trimNotices, [instant(before)])).length;
}
