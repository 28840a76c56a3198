/**
 * When a channel is told what: level-triggered. For each subject and channel (a thread) it compares how things stand with what was told,
 * so a restart, a mute or a channel that was away leaves nothing behind: what is still true is told, what is over is closed, once.
 */

import { type AlertEvent, type AlertMessage, type MessageKind, type News, policyFor, type RoutePolicy, routedOf } from './alert.ts';
import { inhibitorOf, muteOf } from './alert-mute.ts';
import type { Group, Hold, PlanInput, Thread } from './alert-thread.ts';
import { type Impact, impacts } from './incident.ts';

/** Why a message goes now. */
export type SendReason = 'first' | 'worse' | 'more' | 'all_over' | 'reminder' | 'resend';

export interface PlannedMessage {
	readonly channel: string;
	readonly groupId: string;
	readonly key: string;
	readonly reason: SendReason;
	readonly worstImpact: Impact;
	/** False: its last member is over. */
	readonly open: boolean;
	readonly message: AlertMessage;
	/** Threads that it tells something new, with the transition told. */
	readonly tells: readonly { readonly subjectId: string; readonly transition: number; readonly told: 'open' | 'resolved' }[];
}

export interface Plan {
	readonly messages: readonly PlannedMessage[];
	/** What would be told now, and why it waits. */
	readonly holds: readonly Hold[];
	/** Over before anything was told: nothing is owed. */
	readonly untold: readonly { readonly subjectId: string; readonly channel: string; readonly transition: number }[];
	readonly escalations: readonly { readonly subjectId: string; readonly channel: string; readonly event: AlertEvent; readonly transition: number }[];
}

interface Due {
	readonly thread: Thread;
	readonly news: Exclude<News, 'same'>;
	readonly policy: RoutePolicy;
}

export function planAlerts(input: PlanInput): Plan {
	const holds: Hold[] = [];
	const untold: Plan['untold'][number][] = [];
	const messages: PlannedMessage[] = [];
	for (const [channel, threads] of Map.groupBy(input.threads, (thread) => thread.channel)) {
		const buckets = Map.groupBy(threads, (thread) => keyOf(thread, policyOf(thread, input)));
		for (const [key, members] of buckets) {
			const due: Due[] = [];
			for (const thread of members) {
				const news = newsOf(thread);
				if (news === 'over') untold.push({ subjectId: thread.subjectId, channel, transition: thread.transition });
				if (news === null || news === 'over') continue;
				const policy = policyOf(thread, input);
				const hold = muteOf(thread, policy, input) ?? (news === 'resolved' ? null : inhibitorOf(thread, threads));
				if (hold !== null) holds.push({ subjectId: thread.subjectId, channel, reason: hold });
				else due.push({ thread, news, policy });
			}
			const message = messageOf({ channel, key, members, due, input });
			if (message !== null) messages.push(message);
		}
	}
	return { messages, holds, untold, escalations: escalationsOf(input) };
}

function policyOf({ event, channel }: Thread, { routes }: PlanInput): RoutePolicy {
	return policyFor(routes, routedOf(event), channel);
}

/** What the channel does not know yet; null: nothing; `over`: it began and ended without a word. */
export function newsOf({ state, told, transition, openTransition, toldTransition }: Thread): Due['news'] | 'over' | null {
	if (state === 'resolved') {
		if (told === 'open') return 'resolved';
		return toldTransition === null || toldTransition < transition ? 'over' : null;
	}
	if (told === 'nothing') return 'new';
	if (told === 'resolved' || openTransition > (toldTransition ?? 0)) return 'again';
	return transition > (toldTransition ?? 0) ? 'changed' : null;
}

function keyOf({ class: alertClass, subjectId, event }: Thread, { groupBy }: RoutePolicy): string {
	if (groupBy === 'incident') return subjectId;
	const { provider, model } = event.incident.scope;
	return JSON.stringify([alertClass, groupBy === 'model' ? model : alertClass === 'operator' ? null : provider]);
}

interface Bucket {
	readonly channel: string;
	readonly key: string;
	readonly members: readonly Thread[];
	readonly due: readonly Due[];
	readonly input: PlanInput;
}

function messageOf(whole: Bucket): PlannedMessage | null {
	const { channel, key, members, input } = whole;
	// A group lives on under its own members: a changed grouping does not tear it apart.
	const group =
		input.groups.find((each) => each.channel === channel && each.open && members.some(({ groupId, told }) => told === 'open' && groupId === each.id)) ??
		input.groups.find((each) => each.channel === channel && each.open && each.key === key) ??
		null;
	if (whole.due.length === 0) return remind(whole, group);
	// Messages go in order within their group only: a relapse told in another one would overtake the end that is still on its way.
	const home = group?.id ?? endedIn(whole.due);
	const due = whole.due.filter(({ thread }) => thread.pendingCount === 0 || thread.groupId === home);
	if (due.length === 0) return null;
	const bucket = { ...whole, due };
	const stillOpen = members.filter((thread) => thread.told === 'open' && !due.some((each) => each.thread === thread && each.news === 'resolved'));
	const opening = due.filter(({ news }) => news !== 'resolved');
	const worst = worstOf(opening.map(({ thread }) => thread.event.incident.impact));
	const over = opening.length === 0 && stillOpen.length === 0;
	const reason: SendReason = over ? 'all_over' : group === null ? 'first' : worst !== null && rank(worst) > rank(group.worstImpact) ? 'worse' : 'more';
	if (!over && input.now < Math.min(...due.map((each) => readyAt(each, reason, group)))) return null;
	const told = new Set(due.map(({ thread }) => thread));
	const same = members.filter((thread) => thread.told === 'open' && !told.has(thread));
	const oldest = due.reduce((first, { thread }) => (thread.event.at < first ? thread.event.at : first), due[0]?.thread.event.at ?? '');
	return compose(bucket, group, {
		reason,
		kind: kindOf(due, over),
		at: oldest,
		members: [...due.map(({ thread, news }) => ({ news, event: thread.event })), ...same.map(({ event }) => ({ news: 'same' as const, event }))],
		tells: due.map(({ thread, news }) => ({
			subjectId: thread.subjectId,
			transition: thread.transition,
			told: news === 'resolved' ? ('resolved' as const) : ('open' as const),
		})),
	});
}

function endedIn(due: readonly Due[]): string | null {
	return due.find(({ news }) => news === 'resolved')?.thread.groupId ?? null;
}

/** A relapse waits out the interval since it was last told, so that flapping is told once an interval and closed at once. */
function readyAt({ thread, news, policy }: Due, reason: SendReason, group: Group | null): number {
	const waited = thread.changedAt + (thread.via === 'escalation' ? 0 : policy.groupWaitMs);
	const damped = news === 'again' && thread.toldAt !== null ? Math.max(waited, thread.toldAt + policy.groupIntervalMs) : waited;
	return reason === 'more' && group !== null ? Math.max(damped, group.lastMessageAt + policy.groupIntervalMs) : damped;
}

function kindOf(due: readonly Due[], over: boolean): MessageKind {
	if (over) return 'resolved';
	if (due.some(({ thread, news }) => news === 'new' && thread.via === 'escalation')) return 'escalated';
	if (due.some(({ news }) => news === 'new')) return 'opened';
	return due.some(({ news }) => news === 'again') ? 'reopened' : 'updated';
}

function remind(bucket: Bucket, group: Group | null): PlannedMessage | null {
	const { channel, members, input } = bucket;
	// What did not get through yet is still on its way: another one behind it helps nobody.
	if (group === null || group.pendingCount > 0) return null;
	const open = members.filter((thread) => thread.told === 'open' && thread.state === 'open' && newsOf(thread) === null);
	const resendMs = input.resendEveryMs.get(channel);
	if (resendMs !== undefined) {
		if (open.length === 0 || input.now < group.lastMessageAt + resendMs) return null;
		return repeat(bucket, group, 'resend', open);
	}
	const reminded = open.filter((thread) => {
		const policy = policyOf(thread, input);
		if (policy.repeatEveryMs === null || input.now < group.lastMessageAt + policy.repeatEveryMs) return false;
		return (
			!isAcknowledged(thread, input) &&
			muteOf(thread, policy, input) === null &&
			inhibitorOf(
				thread,
				input.threads.filter((each) => each.channel === channel),
			) === null
		);
	});
	return reminded.length === 0 ? null : repeat(bucket, group, 'reminder', reminded);
}

function repeat(bucket: Bucket, group: Group, reason: 'reminder' | 'resend', threads: readonly Thread[]): PlannedMessage {
	const members = threads.map(({ event }) => ({ news: 'same' as const, event }));
	return compose(bucket, group, { reason, kind: 'reminder', at: new Date(bucket.input.now).toISOString(), members, tells: [] });
}

interface Composed {
	readonly reason: SendReason;
	readonly kind: MessageKind;
	readonly at: string;
	readonly members: AlertMessage['members'];
	readonly tells: PlannedMessage['tells'];
}

const newsOrder: readonly News[] = ['new', 'again', 'changed', 'resolved', 'same'];

function compose({ channel, key, due }: Bucket, group: Group | null, { reason, kind, at, members, tells }: Composed): PlannedMessage {
	const sorted = members.toSorted(
		(a, b) =>
			newsOrder.indexOf(a.news) - newsOrder.indexOf(b.news) ||
			rank(b.event.incident.impact) - rank(a.event.incident.impact) ||
			(a.event.incident.id < b.event.incident.id ? -1 : 1),
	);
	const [first] = sorted;
	if (first === undefined) throw new Error('Expected a message to have a member, got none');
	// The end of what was told is told where it was told.
	const groupId = group?.id ?? endedIn(due) ?? first.event.incident.id;
	const worstImpact = worstOf([...(group === null ? [] : [group.worstImpact]), ...members.map(({ event }) => event.incident.impact)]) ?? 'none';
	const message = { kind, class: first.event.class, groupId, at, simulated: first.event.simulated, members: sorted };
	return { channel, groupId, key, reason, worstImpact, open: reason !== 'all_over', message, tells };
}

function escalationsOf(input: PlanInput): Plan['escalations'] {
	const known = new Set(input.threads.map(({ subjectId, channel }) => JSON.stringify([subjectId, channel])));
	const due = new Map<string, Plan['escalations'][number]>();
	for (const thread of input.threads) {
		const policy = policyOf(thread, input);
		const { escalate } = policy;
		if (escalate === null || thread.state !== 'open' || thread.via !== 'route' || input.now < thread.openedAt + escalate.afterMs) continue;
		if (isAcknowledged(thread, input) || muteOf(thread, policy, input) !== null) continue;
		if (
			inhibitorOf(
				thread,
				input.threads.filter(({ channel }) => channel === thread.channel),
			) !== null
		)
			continue;
		for (const channel of escalate.channels) {
			const key = JSON.stringify([thread.subjectId, channel]);
			if (!known.has(key)) due.set(key, { subjectId: thread.subjectId, channel, event: thread.event, transition: thread.transition });
		}
	}
	return [...due.values()];
}

function isAcknowledged({ subjectId, openTransition }: Thread, { acknowledged }: PlanInput): boolean {
	return (acknowledged.get(subjectId) ?? 0) >= openTransition;
}

function rank(impact: Impact): number {
	return impacts.indexOf(impact);
}

function worstOf(all: readonly Impact[]): Impact | null {
	return all.reduce<Impact | null>((worst, impact) => (worst === null || rank(impact) > rank(worst) ? impact : worst), null);
}
