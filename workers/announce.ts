/** A transition of an incident -> what each channel is owed, in the transition's own transaction. When it is told is decided in plan-alerts.ts. */
import { type AlertEvent, type AlertRoute, channelsFor, classOfCause, eventType, routedOf, type Transition } from '#core/alert.ts';
import type { Incident } from '#core/incident.ts';
import { overrideIncident, overrideWords } from '#core/override-incident.ts';
import type { Target } from '#core/target.ts';
import { oweNotices } from '#db/alert-notices.ts';
import { listOpenIncidents } from '#db/incidents.ts';
import { listOperatorEntries } from '#db/operator-entries.ts';
import type { Tx } from '#db/sql.ts';

export interface AnnounceTools {
	targets(): readonly Target[];
	routes(): readonly AlertRoute[];
	readonly simulated: boolean;
	/** Public base URL of the page; null when there is none. */
	publicUrl(): string | null;
}

export interface Announcement {
	/** As it stands after the transition. */
	readonly incident: Incident;
	readonly transition: Transition;
	/** Its number within the incident, from 1. */
	readonly number: number;
	/** When it was decided, ms since epoch. */
	readonly at: number;
}

export async function announce(tx: Tx, announcement: Announcement, tools: AnnounceTools): Promise<void> {
	const { incident, transition } = announcement;
	const entries = (await listOperatorEntries(tx, [incident.id])).get(incident.id) ?? [];
	const overridden = overrideIncident(incident, entries);
	// The operator closed it as a false alarm: what moves in it is no news, until it is over or comes back.
	if (transition === 'updated' && overridden.override?.falseAlarm) return;
	await tell(tx, { ...announcement, incident: overridden }, tools);
}

/** Of an override itself. */
export async function announceOverride(tx: Tx, announcement: Announcement, tools: AnnounceTools): Promise<void> {
	const { incident } = announcement;
	const entries = (await listOperatorEntries(tx, [incident.id])).get(incident.id) ?? [];
	await tell(tx, { ...announcement, incident: overrideIncident(incident, entries) }, tools);
}

async function tell(tx: Tx, announcement: Announcement, tools: AnnounceTools): Promise<void> {
	const { incident, transition, number, at } = announcement;
	const event = await eventOf(tx, announcement, tools);
	await owe(tx, { subjectId: incident.id, transition, number, at, event }, tools);
}

/** Of any subject: the routes of now, and every channel that heard of it before. A resolve alone leads to no new channel. */
export async function owe(
	tx: Tx,
	told: { readonly subjectId: string; readonly transition: Transition; readonly number: number; readonly at: number; readonly event: AlertEvent },
	{ routes }: Pick<AnnounceTools, 'routes'>,
): Promise<void> {
	await oweNotices(tx, { ...told, channels: told.transition === 'resolved' ? [] : channelsFor(routes(), routedOf(told.event)) });
}

const advice: Partial<Record<Incident['cause'], string>> = {
	credentials: 'put a key that the provider takes into its variable, and restart. Until then its targets are probed seldom, and read as unknown.',
	quota: 'top up the account, or raise its limit. Until then its targets are probed seldom, and read as unknown.',
	rate_limit: 'lengthen the interval of this provider, or ask it for a higher limit.',
	monitor: 'look at the network and the load of the machine that probes. Nobody is blamed for what it saw.',
};

async function eventOf(tx: Tx, { incident, transition, at }: Announcement, { simulated, publicUrl, targets }: AnnounceTools): Promise<AlertEvent> {
	const { id, title, scope, cause, impact, status, startedAt, detectedAt, resolvedAt, targetIds, evidence, override } = incident;
	const reason = override === undefined ? incident.reason : `${incident.reason}; ${overrideWords(override)}`;
	const affected = new Set((await listOpenIncidents(tx)).filter((other) => other.cause === 'provider').flatMap((other) => other.targetIds));
	const useInstead = targets()
		.filter((target) => target.model === scope.model && target.provider !== scope.provider && !affected.has(target.id))
		.map(({ provider }) => provider);
	const url = publicUrl();
	// Of the cause as judged: a thread stays among its own.
	const alertClass = classOfCause(override?.judged.cause ?? cause);
	return {
		type: eventType(alertClass, transition),
		class: alertClass,
		at: new Date(at).toISOString(),
		simulated,
		incident: {
			...{ id, title, scope, cause, impact, reason, targetIds, status },
			startedAt: new Date(startedAt).toISOString(),
			detectedAt: new Date(detectedAt).toISOString(),
			resolvedAt: resolvedAt === null ? null : new Date(resolvedAt).toISOString(),
			evidence: { ...evidence, outcomes: evidence.outcomes as Record<string, number> },
		},
		useInstead: [...new Set(useInstead)],
		advice: advice[cause] ?? null,
		// The public page shows neither our keys nor our wallet.
		link: url === null || cause === 'credentials' || cause === 'quota' || cause === 'rate_limit' ? null : `${url}/incident/${id}.html`,
	};
}
