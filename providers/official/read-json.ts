/** Pages that speak JSON: Statuspage v2 (incident.io serves a copy), incident.io's own, Better Stack, Instatus, Google Cloud. */
import type { OfficialStatus } from '#core/official.ts';
import { collect, draftIncident, isLoose, type Loose, listOf, type OfficialReading, readImpact, readStatus } from './draft.ts';

export class NotAPage extends Error {}

function parse(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch {
		throw new NotAPage(`expected JSON, got "${text.slice(0, 40).replace(/[\p{Cc}\s]+/gu, ' ')}"`);
	}
}

function parseRecord(text: string): Loose {
	const value = parse(text);
	if (!isLoose(value)) throw new NotAPage('expected a JSON object');
	return value;
}

/** `/api/v2/incidents.json` or `/api/v2/scheduled-maintenances.json`. @throws NotAPage */
export function readStatuspage(text: string, base: string): OfficialReading {
	const page = parseRecord(text);
	if (Array.isArray(page.ongoing_incidents)) return readIncidentIo(page, base);
	if (!Array.isArray(page.incidents) && !Array.isArray(page.scheduled_maintenances)) throw new NotAPage('expected `incidents` or `scheduled_maintenances`');
	return collect(
		[...listOf(page.incidents), ...listOf(page.scheduled_maintenances)].map((incident) =>
			draftIncident(
				{
					id: incident.id,
					title: incident.name,
					impact: readImpact(incident.impact),
					status: readStatus(incident.status),
					url: incident.shortlink,
					startedAt: incident.scheduled_for ?? incident.started_at ?? incident.created_at,
					resolvedAt: incident.resolved_at,
					components: [
						...listOf(incident.components).map(({ name }) => name),
						...listOf(incident.incident_updates).flatMap((update) => listOf(update.affected_components).map(({ name }) => name)),
					],
					updates: listOf(incident.incident_updates).map((update) => ({
						at: update.display_at ?? update.created_at,
						status: readStatus(update.status),
						body: update.body,
					})),
				},
				base,
			),
		),
		false,
	);
}

function readIncidentIo(page: Loose, base: string): OfficialReading {
	const events = [...listOf(page.ongoing_incidents), ...listOf(page.in_progress_maintenances), ...listOf(page.scheduled_maintenances)];
	return collect(
		events.map((event) =>
			draftIncident(
				{
					id: event.id,
					title: event.name,
					impact: String(event.status).startsWith('maintenance') ? 'maintenance' : readImpact(event.current_worst_impact),
					status: readStatus(event.status),
					url: event.url,
					startedAt: event.started_at ?? event.starts_at ?? event.last_update_at,
					resolvedAt: null,
					components: listOf(event.affected_components).map(({ name }) => name),
					updates: [{ at: event.last_update_at, status: readStatus(event.status), body: event.last_update_message }],
				},
				base,
			),
		),
		true,
	);
}

/** `/index.json`: JSON:API, with the reports and their updates among `included`. @throws NotAPage */
export function readBetterStack(text: string, base: string): OfficialReading {
	const page = parseRecord(text);
	if (!isLoose(page.data) || page.data.type !== 'status_page') throw new NotAPage('expected `data` of type status_page');
	const included = listOf(page.included).map((item) => ({ ...item, attributes: isLoose(item.attributes) ? item.attributes : {} })) as (Loose & {
		attributes: Loose;
	})[];
	const resources = new Map(included.filter(({ type }) => type === 'status_page_resource').map(({ id, attributes }) => [String(id), attributes.public_name]));
	const updates = new Map(included.filter(({ type }) => type === 'status_update').map(({ id, attributes }) => [String(id), attributes]));
	return collect(
		included
			.filter(({ type }) => type === 'status_report')
			.map(({ id, attributes, relationships }) => {
				const related = isLoose(relationships) && isLoose(relationships.status_updates) ? listOf(relationships.status_updates.data) : [];
				const ended = typeof attributes.ends_at === 'string';
				const open: OfficialStatus = attributes.report_type === 'maintenance' ? 'monitoring' : 'investigating';
				return draftIncident(
					{
						id,
						title: attributes.title,
						impact: attributes.report_type === 'maintenance' ? 'maintenance' : readImpact(attributes.aggregate_state),
						status: attributes.aggregate_state === 'resolved' || (ended && attributes.report_type !== 'maintenance') ? 'resolved' : open,
						url: null,
						startedAt: attributes.starts_at,
						resolvedAt: attributes.report_type === 'maintenance' ? null : attributes.ends_at,
						components: listOf(attributes.affected_resources).map((resource) => resources.get(String(resource.status_page_resource_id))),
						updates: related.flatMap((reference) => {
							const update = updates.get(String(reference.id));
							return update === undefined ? [] : [{ at: update.published_at, status: open, body: update.message }];
						}),
					},
					base,
				);
			}),
		false,
	);
}

/** `/summary.json`: what is open only. @throws NotAPage */
export function readInstatus(text: string, base: string): OfficialReading {
	const page = parseRecord(text);
	if (!isLoose(page.page)) throw new NotAPage('expected `page`');
	const incident = (event: Loose, maintenance: boolean) =>
		draftIncident(
			{
				// Older pages give no id: the address of an incident is its own.
				id: event.id ?? event.url ?? `${event.started ?? event.start} ${event.name}`,
				title: event.name,
				impact: maintenance ? 'maintenance' : readImpact(event.impact),
				status: readStatus(event.status),
				url: event.url,
				startedAt: event.started ?? event.start,
				resolvedAt: null,
				components: listOf(event.components).map(({ name }) => name),
				updates: event.updatedAt === undefined ? [] : [{ at: event.updatedAt, status: readStatus(event.status), body: '' }],
			},
			base,
		);
	return collect(
		[...listOf(page.activeIncidents).map((event) => incident(event, false)), ...listOf(page.activeMaintenances).map((event) => incident(event, true))],
		true,
	);
}

/** `incidents.json` of Google Cloud: a list of all products' incidents. @throws NotAPage */
export function readGoogleCloud(text: string, base: string): OfficialReading {
	const page = parse(text);
	if (!Array.isArray(page)) throw new NotAPage('expected a list of incidents');
	return collect(
		listOf(page).map((incident) =>
			draftIncident(
				{
					id: incident.id ?? incident.number,
					title: incident.external_desc,
					impact: readImpact(incident.status_impact ?? incident.severity),
					status: incident.end === undefined || incident.end === null || incident.end === '' ? 'identified' : 'resolved',
					url: typeof incident.uri === 'string' ? `/${incident.uri.replace(/^\/+/, '')}` : null,
					startedAt: incident.begin,
					resolvedAt: incident.end,
					components: [...listOf(incident.affected_products).map(({ title }) => title), incident.service_name],
					updates: listOf(incident.updates).map((update) => ({ at: update.when ?? update.created, status: readStatus(update.status), body: update.text })),
				},
				base,
			),
		),
		false,
	);
}
