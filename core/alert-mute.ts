/** What keeps an alert from being told now. A mute delays, it never drops: when it ends, what is still true is told and what is over is closed. */
import { matchesSubject, type RoutePolicy, routedOf } from './alert.ts';
import type { HoldReason, PlanInput, Thread } from './alert-thread.ts';
import { impacts, type Scope } from './incident.ts';
import { coversScope } from './maintenance.ts';
import { quietAt } from './quiet-hours.ts';

/** Null: nothing mutes it. */
export function muteOf({ event, class: alertClass }: Thread, policy: RoutePolicy, { now, silences, maintenances }: PlanInput): HoldReason | null {
	const subject = routedOf(event);
	const silence = silences.find(({ match, fromAt, untilAt }) => fromAt <= now && now < untilAt && matchesSubject(match, subject));
	if (silence !== undefined) return { kind: 'silence', id: silence.id };
	// Maintenance of a provider says nothing about our own key or disk.
	const window =
		alertClass === 'operator'
			? undefined
			: maintenances.find(({ scope, fromAt, toAt }) => fromAt <= now && now < toAt && coversScope(scope, event.incident.scope));
	if (window !== undefined) return { kind: 'maintenance', id: window.id };
	return quietAt(policy.quiet, event.incident.impact, now) === null ? null : { kind: 'quiet_hours' };
}

/** @param threads of the same channel: only what this channel hears can stand for something narrower */
export function inhibitorOf(thread: Thread, threads: readonly Thread[]): HoldReason | null {
	const { scope, impact, id } = thread.event.incident;
	const broader = threads.find(
		({ state, class: alertClass, event }) =>
			state === 'open' &&
			alertClass === thread.class &&
			alertClass === 'provider' &&
			event.incident.id !== id &&
			impacts.indexOf(event.incident.impact) >= impacts.indexOf(impact) &&
			isBroader(event.incident.scope, scope),
	);
	return broader === undefined ? null : { kind: 'inhibited', by: broader.subjectId };
}

function isBroader(outer: Scope, inner: Scope): boolean {
	const keys = ['provider', 'model', 'operation', 'vantage'] as const;
	return keys.every((key) => outer[key] === null || outer[key] === inner[key]) && keys.some((key) => outer[key] === null && inner[key] !== null);
}
