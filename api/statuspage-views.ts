/** The snapshot in the shape of Atlassian's Statuspage v2, which every aggregator parses. A provider is a group, a target its component. */
import { createHash } from 'node:crypto';
import type { IncidentView, Snapshot, TargetView } from '#core/snapshot.ts';
import type { State } from '#core/state.ts';

/** There is no word for "we don't know" there. It must not be green, and not an outage that nobody saw; the description begins with "Unknown:". */
const componentStatus = (state: State) => (state === 'unknown' ? ('under_maintenance' as const) : state);

const indicators = {
	operational: ['none', 'All Systems Operational'],
	degraded_performance: ['minor', 'Partially Degraded Service'],
	partial_outage: ['major', 'Partial System Outage'],
	major_outage: ['critical', 'Major Service Outage'],
	under_maintenance: ['maintenance', 'Service Under Maintenance'],
	// Their readers know only four words, and the three others say more than we know.
	unknown: ['minor', 'Unknown: no fresh measurement'],
} as const satisfies Record<State, readonly [string, string]>;

/** Opaque and short as theirs: 12 lower-case letters and digits. */
function shortId(text: string): string {
	return BigInt(`0x${createHash('sha256').update(text).digest('hex').slice(0, 16)}`)
		.toString(36)
		.padStart(12, '0')
		.slice(-12);
}

/** Consumers check that it is a URL; without a configured one it is where the request came in. */
function pageOf(snapshot: Snapshot, origin: string) {
	const url = snapshot.url ?? origin;
	const changes = [...snapshot.targets.map((target) => target.since), ...snapshot.incidents.flatMap((incident) => incident.updates.map((update) => update.at))];
	// The last change, not the last look: else the ETag would move with every snapshot.
	const updatedAt = changes.reduce((latest, at) => (at > latest ? at : latest), '1970-01-01T00:00:00.000Z');
	return { id: shortId('page'), name: snapshot.simulated ? `${snapshot.title} (simulated)` : snapshot.title, url, time_zone: 'Etc/UTC', updated_at: updatedAt };
}

function componentOf(target: TargetView, position: number, pageId: string) {
	const at = target.since;
	return {
		id: shortId(target.id),
		name: target.operation === 'chat' ? target.model : `${target.model} (${target.operation})`,
		status: componentStatus(target.state),
		created_at: at,
		updated_at: at,
		position,
		description: target.state === 'unknown' ? `Unknown: ${target.reason}` : target.reason,
		showcase: true,
		start_date: null,
		group_id: shortId(`provider ${target.provider}`),
		page_id: pageId,
		group: false,
		only_show_if_degraded: false,
	};
}

function componentsOf(snapshot: Snapshot, pageId: string) {
	const targets = new Map(snapshot.targets.map((target) => [target.id, target]));
	return snapshot.providers.flatMap((provider, index) => {
		const members = provider.targetIds.flatMap((id) => targets.get(id) ?? []).map((target, position) => componentOf(target, position + 1, pageId));
		const latest = members.reduce((found, member) => (member.updated_at > found ? member.updated_at : found), '1970-01-01T00:00:00.000Z');
		const group = {
			id: shortId(`provider ${provider.id}`),
			name: provider.name,
			status: componentStatus(provider.state),
			created_at: latest,
			updated_at: latest,
			position: index + 1,
			description: provider.state === 'unknown' ? `Unknown: ${provider.reason}` : provider.reason,
			showcase: false,
			start_date: null,
			group_id: null,
			page_id: pageId,
			group: true,
			only_show_if_degraded: false,
			components: members.map((member) => member.id),
		};
		return [group, ...members];
	});
}

function incidentOf(incident: IncidentView, snapshot: Snapshot, page: ReturnType<typeof pageOf>) {
	const targets = new Map(snapshot.targets.map((target) => [target.id, target]));
	const id = shortId(`incident ${incident.id}`);
	const affected = incident.targetIds.flatMap((target) => targets.get(target) ?? []);
	const updatedAt = incident.updates[0]?.at ?? incident.detectedAt;
	return {
		id,
		name: incident.title,
		status: incident.status,
		created_at: incident.detectedAt,
		updated_at: updatedAt,
		monitoring_at: incident.updates.findLast((update) => update.status === 'monitoring')?.at ?? null,
		resolved_at: incident.resolvedAt,
		impact: incident.impact,
		shortlink: `${page.url.replace(/\/$/, '')}/v1/incidents/${encodeURIComponent(incident.id)}`,
		started_at: incident.startedAt,
		page_id: page.id,
		incident_updates: incident.updates.map((update, index) => ({
			id: shortId(`${incident.id} ${update.at} ${incident.updates.length - index}`),
			status: update.status,
			body: update.body,
			incident_id: id,
			created_at: update.at,
			updated_at: update.at,
			display_at: update.at,
			affected_components: null,
			deliver_notifications: false,
			custom_tweet: null,
			tweet_id: null,
		})),
		components: affected.map((target, index) => componentOf(target, index + 1, page.id)),
		reminder_intervals: null,
	};
}

export const statuspageNames = [
	'summary',
	'status',
	'components',
	'incidents',
	'incidents/unresolved',
	'scheduled-maintenances',
	'scheduled-maintenances/upcoming',
	'scheduled-maintenances/active',
] as const;
export type StatuspageName = (typeof statuspageNames)[number];

/** Their list holds the 50 most recent. */
const listed = 50;

export function statuspageView(name: StatuspageName, snapshot: Snapshot, origin: string): object {
	const page = pageOf(snapshot, origin);
	const [indicator, description] = indicators[snapshot.state];
	const status = { indicator, description };
	const provider = snapshot.incidents.filter((incident) => incident.cause === 'provider');
	const incidents = (open: boolean) =>
		provider
			.filter((incident) => !open || incident.resolvedAt === null)
			.slice(0, listed)
			.map((incident) => incidentOf(incident, snapshot, page));
	switch (name) {
		case 'summary':
			return { page, status, components: componentsOf(snapshot, page.id), incidents: incidents(true), scheduled_maintenances: [] };
		case 'status':
			return { page, status };
		case 'components':
			return { page, components: componentsOf(snapshot, page.id) };
		case 'incidents':
			return { page, incidents: incidents(false) };
		case 'incidents/unresolved':
			return { page, incidents: incidents(true) };
		default:
			return { page, scheduled_maintenances: [] };
	}
}
