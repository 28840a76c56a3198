/** What a plan of messages reads, and how it is stored: threads, groups and messages move together. */
import type { Plan } from '#core/alert-plan.ts';
import type { Group, HoldReason, Thread } from '#core/alert-thread.ts';
import { advisoryLocks, instant, query, type Sql, type Tx } from './sql.ts';

const lockAlone = query<{ locked: boolean }>('alert_plans_lock', `select pg_try_advisory_xact_lock(${advisoryLocks.alerts}) as locked`);

const threadColumns = `subject_id as "subjectId", channel, class, state, transition, open_transition as "openTransition", opened_at as "openedAt",
	changed_at as "changedAt", event, told, told_transition as "toldTransition", told_at as "toldAt", group_id as "groupId", via,
	(select count(*) from outbox where outbox.group_id = alert_threads.group_id and outbox.channel = alert_threads.channel and state = 'pending') as "pendingCount"`;

const selectThreads = query<Thread & { readonly hold: string | null }>(
	'alert_plans_threads',
	`select ${threadColumns}, hold from alert_threads
	where alert_threads.state = 'open' or told = 'open' or told_transition is distinct from transition order by opened_at, subject_id, channel`,
);

const selectGroups = query<Group>(
	'alert_plans_groups',
	`select group_id as id, channel, group_key as key, open, last_message_at as "lastMessageAt", worst_impact as "worstImpact",
		(select count(*) from outbox where outbox.group_id = alert_groups.group_id and outbox.channel = alert_groups.channel and state = 'pending') as "pendingCount"
	from alert_groups where open order by channel, group_id`,
);

const upsertGroup = query<{ sequence: number }>(
	'alert_plans_group',
	`insert into alert_groups as kept (group_id, channel, group_key, open, last_message_at, worst_impact, sequence)
	values ($1::text, $2::text, $3::text, $4::boolean, $5::timestamptz, $6::text, 1)
	on conflict (group_id, channel) do update set group_key = excluded.group_key, open = excluded.open, last_message_at = excluded.last_message_at,
		worst_impact = excluded.worst_impact, sequence = kept.sequence + 1
	returning sequence`,
);

const insertMessage = query(
	'alert_plans_message',
	`insert into outbox (group_id, sequence, channel, endpoint, message_id, message, next_attempt_at, created_at)
	select $1::text, $2::int, $3::text, endpoint, $5::text, $6::jsonb, $7::timestamptz, $7::timestamptz from unnest($4::text[]) as given(endpoint)`,
);

const markTold = query(
	'alert_plans_told',
	`with moved as (
		update alert_threads set told = given.told, told_transition = given.transition, told_at = $5::timestamptz, group_id = $6::text, hold = null
		from unnest($1::text[], $2::int[], $3::text[]) as given(subject_id, transition, told)
		where alert_threads.subject_id = given.subject_id and alert_threads.channel = $4::text
		returning alert_threads.subject_id, given.transition
	)
	update alert_notices set ended_at = $5::timestamptz, ended_as = 'sent', message_id = $7::text from moved
	where alert_notices.subject_id = moved.subject_id and alert_notices.channel = $4::text and alert_notices.transition <= moved.transition and ended_at is null`,
);

const markUntold = query(
	'alert_plans_untold',
	`with moved as (
		update alert_threads set told_transition = $3::int, hold = null where subject_id = $1::text and channel = $2::text
	)
	update alert_notices set ended_at = $4::timestamptz, ended_as = 'untold'
	where subject_id = $1::text and channel = $2::text and transition <= $3::int and ended_at is null`,
);

const setHold = query('alert_plans_hold', 'update alert_threads set hold = $3::text where subject_id = $1::text and channel = $2::text');

const trimGroups = query<{ id: string }>(
	'alert_groups_trim',
	'delete from alert_groups where not open and last_message_at < $1::timestamptz returning group_id as id',
);

export interface LiveThread extends Thread {
	/** Why news wait; null: they do not. */
	readonly hold: HoldReason | null;
}

/** Until the transaction ends nobody owes anything new, and nobody else plans. @returns false when somebody does right now: try again. */
export async function lockPlans(tx: Tx): Promise<boolean> {
	return (await tx.run(lockAlone))[0]?.locked ?? false;
}

/** Every thread that is open, or has something to tell. */
export async function listThreads(sql: Sql): Promise<LiveThread[]> {
	return (await sql.run(selectThreads)).map((thread) => ({ ...thread, hold: thread.hold === null ? null : (JSON.parse(thread.hold) as HoldReason) }));
}

/** Those that are open. */
export function listGroups(sql: Sql): Promise<Group[]> {
	return sql.run(selectGroups);
}

/** Stores a plan, but for its escalations. @param endpointsOf of a channel: each gets its own copy of a message */
export async function storePlan(
	tx: Tx,
	plan: Pick<Plan, 'messages' | 'holds' | 'untold'>,
	threads: readonly LiveThread[],
	endpointsOf: (channel: string) => readonly string[],
	now: number,
): Promise<void> {
	for (const { channel, groupId, key, open, worstImpact, message, tells } of plan.messages) {
		const [group] = await tx.run(upsertGroup, [groupId, channel, key, open, instant(now), worstImpact]);
		const sequence = group?.sequence ?? 1;
		const messageId = [groupId, sequence, channel].join('.');
		await tx.run(insertMessage, [groupId, sequence, channel, endpointsOf(channel), messageId, JSON.stringify(message), instant(now)]);
		if (tells.length === 0) continue;
		const columns = [tells.map((tell) => tell.subjectId), tells.map((tell) => tell.transition), tells.map((tell) => tell.told)];
		await tx.run(markTold, [...columns, channel, instant(now), groupId, messageId]);
	}
	for (const { subjectId, channel, transition } of plan.untold) await tx.run(markUntold, [subjectId, channel, transition, instant(now)]);
	const told = new Set(plan.messages.flatMap(({ channel, tells }) => tells.map((tell) => JSON.stringify([tell.subjectId, channel]))));
	const holds = new Map(plan.holds.map(({ subjectId, channel, reason }) => [JSON.stringify([subjectId, channel]), JSON.stringify(reason)]));
	for (const { subjectId, channel, hold } of threads) {
		const key = JSON.stringify([subjectId, channel]);
		const next = holds.get(key) ?? null;
		if (!told.has(key) && next !== (hold === null ? null : JSON.stringify(hold))) await tx.run(setHold, [subjectId, channel, next]);
	}
}

/** Forgets groups that ended before. @returns how many. */
export async function trimGroupsBefore(sql: Sql, before: number): Promise<number> {
	return (await sql.run(trimGroups, [instant(before)])).length;
}
