import type { AlertEvent, AlertMessage, News, Transition } from '#core/alert.ts';
import { eventType } from '#core/alert.ts';
import type { Thread } from '#core/alert-thread.ts';
import { sampleNow } from './sample-results.ts';

export type EventChanges = Partial<Omit<AlertEvent, 'incident'>> & { readonly incident?: Partial<AlertEvent['incident']> };

/** An outage of `m` on groq, opened. */
export function sampleEvent({ incident, ...changes }: EventChanges = {}, transition: Transition = 'opened'): AlertEvent {
	const alertClass = changes.class ?? 'provider';
	const at = new Date(sampleNow + 40_000).toISOString();
	return {
		type: eventType(alertClass, transition),
		class: alertClass,
		at,
		simulated: false,
		incident: {
			id: 'inc-1',
			title: 'm on groq: outage',
			scope: { provider: 'groq', model: 'm', operation: 'chat', vantage: null },
			cause: alertClass === 'operator' ? 'monitor' : 'provider',
			impact: 'major',
			status: transition === 'resolved' ? 'resolved' : 'identified',
			startedAt: new Date(sampleNow).toISOString(),
			detectedAt: at,
			resolvedAt: transition === 'resolved' ? new Date(sampleNow + 640_000).toISOString() : null,
			reason: '3 of the last 3 results failed: server_error ×3 (HTTP 503)',
			targetIds: ['groq:m:chat'],
			evidence: alertClass === 'provider' ? { good: 0, bad: 3, excluded: 0, outcomes: { server_error: 3 }, vantages: ['local'] } : null,
			...incident,
		},
		useInstead: alertClass === 'provider' ? ['cerebras'] : [],
		advice: null,
		link: 'https://status.example.org/incident/inc-1.html',
		...changes,
	};
}

/** An incident of a model of groq, by name. */
export function eventOfModel(model: string, changes: EventChanges = {}, transition: Transition = 'opened'): AlertEvent {
	const incident = {
		id: `inc-${model}`,
		title: `${model} on groq: outage`,
		scope: { provider: 'groq', model, operation: 'chat', vantage: null },
		targetIds: [`groq:${model}:chat`],
		...changes.incident,
	};
	return sampleEvent({ ...changes, incident }, transition);
}

/** What a channel words; of one member unless given. */
export function sampleAlert(changes: Partial<AlertMessage> = {}): AlertMessage {
	const members = changes.members ?? [{ news: 'new' as News, event: sampleEvent() }];
	const [first] = members;
	return {
		kind: 'opened',
		class: first?.event.class ?? 'provider',
		groupId: 'inc-1',
		at: first?.event.at ?? '',
		simulated: false,
		...changes,
		members,
	};
}

/** Open, committed a minute ago, and not told. */
export function sampleThread(changes: Partial<Thread> = {}): Thread {
	const event = changes.event ?? sampleEvent();
	return {
		subjectId: event.incident.id,
		channel: 'pager',
		class: event.class,
		state: 'open',
		transition: 1,
		openTransition: 1,
		openedAt: sampleNow - 60_000,
		changedAt: sampleNow - 60_000,
		told: 'nothing',
		toldTransition: null,
		toldAt: null,
		groupId: null,
		pendingCount: 0,
		via: 'route',
		...changes,
		event,
	};
}
