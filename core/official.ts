/**
 * What providers say of themselves on their status pages. A layer of its own: it never enters a number or a verdict, it is only set beside them.
 */
import type { Incident } from './incident.ts';
import type { Target } from './target.ts';

export const officialImpacts = ['none', 'minor', 'major', 'critical', 'maintenance', 'unknown'] as const;
export type OfficialImpact = (typeof officialImpacts)[number];

export const officialStatuses = ['investigating', 'identified', 'monitoring', 'resolved', 'scheduled', 'unknown'] as const;
export type OfficialStatus = (typeof officialStatuses)[number];

export interface OfficialUpdate {
	/** ms since epoch. */
	readonly at: number;
	readonly status: OfficialStatus;
	/** Plain text, at most 2,000 characters. */
	readonly body: string;
}

/** Times: ms since epoch, by the provider's clock. All text is theirs, as plain text. */
export interface OfficialIncident {
	/** Id on their page, stable from reading to reading. */
	readonly officialId: string;
	readonly title: string;
	readonly impact: OfficialImpact;
	readonly status: OfficialStatus;
	/** Null when it has no page of its own. */
	readonly url: string | null;
	/** Start as they say. */
	readonly startedAt: number;
	/** When they first said something. */
	readonly firstUpdateAt: number;
	/** Null while open. */
	readonly resolvedAt: number | null;
	readonly components: readonly string[];
	/** Newest first. */
	readonly updates: readonly OfficialUpdate[];
}

/** Where a provider's page is read. */
export interface OfficialPage {
	readonly url: string;
	/** A reader of providers/official/. */
	readonly kind: string;
	/** Pattern of what concerns this provider, where the page is of a whole cloud; null: everything. */
	readonly only: string | null;
}

export interface StoredOfficialIncident extends OfficialIncident {
	readonly provider: string;
	/** Of ours, those that it names; empty: the provider as a whole. */
	readonly targetIds: readonly string[];
	/** When we first read it. */
	readonly seenAt: number;
}

/** A name without what pages spell differently: case, spaces, dashes, dots. */
const bare = (text: string) => text.toLowerCase().replace(/[^a-z0-9]+/g, '');
/** Shorter names are found in ordinary words. */
const shortestName = 4;

/** Ids of the provider's targets whose model the incident names in its title or components; empty when it names none. */
export function matchTargets(
	incident: Pick<OfficialIncident, 'title' | 'components'>,
	targets: readonly Pick<Target, 'id' | 'model' | 'upstreamModel'>[],
): string[] {
	const words = [incident.title, ...incident.components].map(bare).join('\n');
	const names = ({ model, upstreamModel }: Pick<Target, 'model' | 'upstreamModel'>) =>
		[model, upstreamModel].map((name) => bare(name.slice(name.lastIndexOf('/') + 1))).filter((name) => name.length >= shortestName && words.includes(name));
	const found = targets.map((target) => ({ id: target.id, names: names(target) })).filter((one) => one.names.length > 0);
	// "GPT-5 mini" names gpt-5-mini and not gpt-5: a name that is part of another found one counts only where it stands alone.
	const all = [...new Set(found.flatMap((one) => one.names))];
	const alone = (name: string) => {
		const rest = all.filter((other) => other !== name && other.includes(name)).reduce((text, longer) => text.replaceAll(longer, '\n'), words);
		return rest.includes(name);
	};
	return found.filter((one) => one.names.some(alone)).map(({ id }) => id);
}

/** How what they said stands to what we measured. */
export interface OfficialWord {
	readonly official: StoredOfficialIncident;
	/** Their first word minus our detection, ms: above 0 we told first. */
	readonly lagMs: number;
	/** Their first word minus our estimated onset, ms: how long users had trouble before they read of it. */
	readonly silenceMs: number;
}

/** A word this long before the onset may still be about it (their clock, a slow start)… */
const earliestMs = 2 * 3_600_000;
/** …and this long after its end (an outage that is told of when it is over). */
const latestMs = 6 * 3_600_000;

/**
 * Official incidents that are about an incident of ours: same provider, their first word from 2 hours before its onset to 6 hours after its end,
 * not over before it began, naming one of its targets or none. Nearest first. Only for trouble of the provider's; maintenance counts too.
 */
export function officialWordsOn(
	incident: Pick<Incident, 'scope' | 'cause' | 'startedAt' | 'detectedAt' | 'resolvedAt' | 'targetIds'>,
	officials: readonly StoredOfficialIncident[],
	now: number,
): OfficialWord[] {
	const { provider } = incident.scope;
	if (provider === null || incident.cause !== 'provider') return [];
	const affected = new Set(incident.targetIds);
	const endAt = incident.resolvedAt ?? now;
	return officials
		.filter(
			(official) =>
				official.provider === provider &&
				official.firstUpdateAt >= incident.startedAt - earliestMs &&
				official.firstUpdateAt <= endAt + latestMs &&
				(official.resolvedAt === null || official.resolvedAt >= incident.startedAt) &&
				(official.targetIds.length === 0 || official.targetIds.some((id) => affected.has(id))),
		)
		.map((official) => ({ official, lagMs: official.firstUpdateAt - incident.detectedAt, silenceMs: official.firstUpdateAt - incident.startedAt }))
		.sort((a, b) => Math.abs(a.silenceMs) - Math.abs(b.silenceMs));
}

/** "acknowledged 14 min after we measured it", for people. */
export function lagWords(lagMs: number): string {
	const distance = Math.abs(lagMs);
	if (distance < 60_000) return 'acknowledged within a minute of our measuring it';
	const minutes = Math.floor(distance / 60_000);
	const length = minutes < 120 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
	return lagMs > 0 ? `acknowledged ${length} after we measured it` : `said ${length} before we measured it`;
}
