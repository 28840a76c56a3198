/** Incidents and what providers said of them, as the public document tells them: times ISO 8601, newest word first. */

import type { Incident, OperatorOverride } from './incident.ts';
import { lagWords, type OfficialWord, officialWordsOn, type StoredOfficialIncident } from './official.ts';
import { judgedIncident } from './override-incident.ts';
import type { IncidentView, OfficialIncidentView, OfficialWordView, OverrideView } from './snapshot.ts';

const shownOfficialUpdates = 10;
/** Of one incident. */
const shownWords = 3;

const iso = (ms: number) => new Date(ms).toISOString();

function overrideView({ judged, at, ...said }: OperatorOverride): OverrideView {
	return { ...said, at: iso(at), judged: { ...judged, resolvedAt: judged.resolvedAt === null ? null : iso(judged.resolvedAt) } };
}

export function officialView(incident: StoredOfficialIncident): OfficialIncidentView {
	const { provider, officialId, title, impact, status, url, startedAt, firstUpdateAt, resolvedAt, components, targetIds, updates } = incident;
	return {
		...{ provider, id: officialId, title, impact, status, url },
		startedAt: iso(startedAt),
		firstUpdateAt: iso(firstUpdateAt),
		resolvedAt: resolvedAt === null ? null : iso(resolvedAt),
		...{ components, targetIds },
		updates: updates.slice(0, shownOfficialUpdates).map((update) => ({ ...update, at: iso(update.at) })),
	};
}

function wordView({ official, lagMs }: OfficialWord): OfficialWordView {
	const { officialId, title, url, firstUpdateAt, resolvedAt } = official;
	return {
		id: officialId,
		title,
		url,
		firstUpdateAt: iso(firstUpdateAt),
		resolvedAt: resolvedAt === null ? null : iso(resolvedAt),
		lagMs,
		words: lagWords(lagMs),
	};
}

export function incidentView(incident: Incident, officials: readonly StoredOfficialIncident[] = [], now = 0): IncidentView {
	const words = officialWordsOn(judgedIncident(incident), officials, now).slice(0, shownWords);
	const { startedAt, detectedAt, resolvedAt, updates, override, ...rest } = incident;
	return {
		...rest,
		...(override === undefined ? {} : { override: overrideView(override) }),
		startedAt: iso(startedAt),
		detectedAt: iso(detectedAt),
		resolvedAt: resolvedAt === null ? null : iso(resolvedAt),
		updates: updates.map((update) => ({ ...update, at: iso(update.at) })).reverse(),
		...(words.length === 0 ? {} : { official: words.map(wordView) }),
	};
}
