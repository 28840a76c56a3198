/** A transition of an incident -> one outbox row for each channel that hears of it, in the transition's own transaction. */
import { type AlertEvent, type AlertRoute, channelsFor, type Transition } from '#core/alert.ts';
import type { Incident } from '#core/incident.ts';
import type { Target } from '#core/target.ts';
import { listOpenIncidents } from '#db/incidents.ts';
import { enqueueDeliveries } from '#db/outbox.ts';
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
	const { incident, transition, number, at } = announcement;
	const resolves = transition === 'resolved';
	const channels = channelsFor(tools.routes(), incident);
	if (channels.length === 0 && !resolves) return;
	// A resolve follows its trigger on every channel that heard of it, also when the routes have changed since.
	await enqueueDeliveries(tx, {
		incidentId: incident.id,
		transition: number,
		channels: resolves ? [] : channels,
		alsoToPreviousChannels: resolves,
		event: await eventOf(tx, announcement, tools),
		at,
	});
}

async function eventOf(tx: Tx, { incident, transition, at }: Announcement, { simulated, publicUrl, targets }: AnnounceTools): Promise<AlertEvent> {
	const { id, title, scope, cause, impact, status, startedAt, detectedAt, resolvedAt, reason, targetIds, evidence } = incident;
	const affected = new Set((await listOpenIncidents(tx)).filter((other) => other.cause === 'provider').flatMap((other) => other.targetIds));
	const useInstead = targets()
		.filter((target) => target.model === scope.model && target.provider !== scope.provider && !affected.has(target.id))
		.map(({ provider }) => provider);
	const url = publicUrl();
	return {
		type: `incident.${transition}`,
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
		link: url === null ? null : `${url}/incident/${id}.html`,
	};
}
