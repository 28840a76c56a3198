/** What the readers of all kinds of pages have in common: one incident out of untrusted parts. */
import type { OfficialImpact, OfficialIncident, OfficialStatus, OfficialUpdate } from '#core/official.ts';
import { instantOf, plainText, webAddress } from './plain-text.ts';

export interface OfficialReading {
	readonly incidents: readonly OfficialIncident[];
	/** What was left out, and why: one line each, at most 20. */
	readonly skipped: readonly string[];
	/** The page lists open incidents only: what is no longer on it has ended. */
	readonly openOnly: boolean;
}

export const mostIncidents = 200;
const mostUpdates = 50;
const mostComponents = 50;
const longestBody = 2_000;
const longestTitle = 300;

export type Loose = Readonly<Record<string, unknown>>;
export const isLoose = (value: unknown): value is Loose => typeof value === 'object' && value !== null && !Array.isArray(value);
export const listOf = (value: unknown): Loose[] => (Array.isArray(value) ? value.filter(isLoose) : []);

/** Words that pages have for a status, lower case without separators. */
const statusWords: Readonly<Record<string, OfficialStatus>> = {
	investigating: 'investigating',
	identified: 'identified',
	monitoring: 'monitoring',
	verifying: 'monitoring',
	inprogress: 'monitoring',
	maintenanceinprogress: 'monitoring',
	update: 'identified',
	resolved: 'resolved',
	completed: 'resolved',
	postmortem: 'resolved',
	available: 'resolved',
	operational: 'resolved',
	fixed: 'resolved',
	scheduled: 'scheduled',
	maintenancescheduled: 'scheduled',
	notstartedyet: 'scheduled',
	servicedisruption: 'identified',
	serviceoutage: 'identified',
	serviceinformation: 'identified',
};

const impactWords: Readonly<Record<string, OfficialImpact>> = {
	none: 'none',
	operational: 'none',
	serviceinformation: 'none',
	information: 'none',
	low: 'minor',
	minor: 'minor',
	minoroutage: 'minor',
	degraded: 'minor',
	degradedperformance: 'minor',
	medium: 'major',
	major: 'major',
	partialoutage: 'major',
	servicedisruption: 'major',
	high: 'critical',
	critical: 'critical',
	majoroutage: 'critical',
	fulloutage: 'critical',
	downtime: 'critical',
	serviceoutage: 'critical',
	maintenance: 'maintenance',
	undermaintenance: 'maintenance',
};

const key = (value: unknown) => (typeof value === 'string' ? value.toLowerCase().replace(/[^a-z]/g, '') : '');
export const readStatus = (value: unknown): OfficialStatus => (Object.hasOwn(statusWords, key(value)) ? (statusWords[key(value)] ?? 'unknown') : 'unknown');
export const readImpact = (value: unknown): OfficialImpact => (Object.hasOwn(impactWords, key(value)) ? (impactWords[key(value)] ?? 'unknown') : 'unknown');

export interface IncidentParts {
	readonly id: unknown;
	readonly title: unknown;
	readonly impact: OfficialImpact;
	readonly status: OfficialStatus;
	readonly url: unknown;
	readonly startedAt: unknown;
	readonly resolvedAt: unknown;
	readonly components: readonly unknown[];
	readonly updates: readonly { readonly at: unknown; readonly status: OfficialStatus; readonly body: unknown }[];
}

/** An incident, or why it is none. `base`: what relative addresses stand under. */
export function draftIncident(parts: IncidentParts, base: string): OfficialIncident | string {
	const id = plainText(parts.id, 200);
	const title = plainText(parts.title, longestTitle);
	if (id === '') return `expected an incident with an id, got "${plainText(parts.title, 60)}" without one`;
	const updates = parts.updates
		.flatMap(({ at, status, body }): OfficialUpdate[] => {
			const when = instantOf(at);
			return when === null ? [] : [{ at: when, status, body: plainText(body, longestBody) }];
		})
		.sort((a, b) => b.at - a.at);
	const first = updates.at(-1)?.at ?? null;
	const startedAt = instantOf(parts.startedAt) ?? first;
	if (startedAt === null) return `${id}: expected a time of its start or of an update, got none`;
	const status = parts.status === 'unknown' ? (updates[0]?.status ?? 'unknown') : parts.status;
	const ended =
		instantOf(parts.resolvedAt) ?? (status === 'resolved' ? (updates.find((update) => update.status === 'resolved')?.at ?? updates[0]?.at ?? startedAt) : null);
	return {
		officialId: id,
		title: title === '' ? 'untitled' : title,
		impact: parts.impact,
		status: ended !== null && status !== 'scheduled' ? 'resolved' : status,
		url: webAddress(parts.url, base),
		startedAt,
		firstUpdateAt: first ?? startedAt,
		resolvedAt: status === 'scheduled' ? null : ended,
		components: [...new Set(parts.components.map((name) => plainText(name, 120)).filter((name) => name !== ''))].slice(0, mostComponents),
		// The oldest stays: it says when they first spoke.
		updates: updates.length <= mostUpdates ? updates : [...updates.slice(0, mostUpdates - 1), ...updates.slice(-1)],
	};
}

/** Good ones, each id once, newest first, in bounds; the others with their reasons. */
export function collect(drafts: readonly (OfficialIncident | string)[], openOnly: boolean): OfficialReading {
	const good = drafts.filter((draft) => typeof draft !== 'string');
	const byId = new Map(good.map((incident) => [incident.officialId, incident]));
	return {
		incidents: [...byId.values()].sort((a, b) => b.startedAt - a.startedAt).slice(0, mostIncidents),
		skipped: drafts.filter((draft) => typeof draft === 'string').slice(0, 20),
		openOnly,
	};
}
