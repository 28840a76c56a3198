/** Facts of the record -> the one public document. Pure: the same facts and the same clock give the same snapshot. */

import { deriveGroup, derivePage } from './component.ts';
import { shownDays } from './day-views.ts';
import type { DrillReport } from './drill-report.ts';
import { hash32 } from './hash.ts';
import type { Incident } from './incident.ts';
import { incidentView, officialView } from './incident-view.ts';
import { type Doubt, staleAfterMs } from './judge-target.ts';
import { objectiveView } from './objective-view.ts';
import type { StoredOfficialIncident } from './official.ts';
import { availability } from './sli.ts';
import type { ObjectiveStanding } from './slo-board.ts';
import type { GroupView, IncidentView, Snapshot, SpendView } from './snapshot.ts';
import type { WrittenSnapshot, WrittenTarget } from './snapshot-text.ts';
import type { Target } from './target.ts';
import { latest, type ScopedMaintenance, type TargetFacts, writtenTarget } from './target-view.ts';

export interface SnapshotFacts {
	readonly now: number;
	readonly number: number;
	readonly title: string;
	readonly url: string | null;
	readonly simulated: boolean;
	readonly intervalMs: number;
	readonly vantages: readonly string[];
	readonly targets: readonly Target[];
	readonly facts: ReadonlyMap<string, TargetFacts>;
	/** Open ones and those of the last 90 days, any cause. */
	readonly incidents: readonly Incident[];
	readonly doubts: readonly Doubt[];
	/** Announced, running or ahead. */
	readonly maintenances: readonly AnnouncedMaintenance[];
	/** How the operator's objectives stand; left out: there are none. */
	readonly objectives?: readonly ObjectiveStanding[];
	/** Left out: not known. */
	readonly spend?: SpendView;
	readonly drill: DrillReport | null;
	/** What providers say of themselves; left out: nothing was read. */
	readonly official?: readonly StoredOfficialIncident[];
}

export interface AnnouncedMaintenance extends ScopedMaintenance {
	readonly id: string;
}

/** A snapshot is published at least every 15 s: four missed ones and the reader must stop believing it. */
export const snapshotStaleMs = 60_000;
const shownIncidents = 200;
const shownOfficial = 100;

type JudgedFacts = Pick<SnapshotFacts, 'now' | 'vantages' | 'targets' | 'facts' | 'incidents' | 'doubts' | 'maintenances'>;

/**
 * The targets of a snapshot, one at each step. They are kept with the numbers that they are of, so that a snapshot of the same numbers is built in a
 * fraction of the time: who has new numbers takes these steps first, in pieces, and delays nobody's verdict.
 */
export function* writeTargets({ now, vantages, targets, facts, incidents, doubts, maintenances }: JudgedFacts): Generator<WrittenTarget> {
	const byTarget = new Map<string, Incident[]>();
	for (const incident of incidents) {
		for (const id of incident.targetIds) byTarget.set(id, [...(byTarget.get(id) ?? []), incident]);
	}
	const common = { now, vantages, shown: shownDays(now), doubts, maintenances };
	for (const target of targets) yield writtenTarget(target, facts.get(target.id), byTarget.get(target.id) ?? [], common);
}

export function buildSnapshot(input: SnapshotFacts): WrittenSnapshot {
	const { now } = input;
	const targets = [...writeTargets(input)];
	const viewOf = new Map(targets.map((view) => [view.id, view]));
	const providers = groupBy(input.targets, ({ provider }) => provider).map(([id, members]) => ({
		...groupView(id, members[0]?.providerName ?? id, members, viewOf, 'models'),
		statusPageUrl: members[0]?.statusPageUrl ?? null,
	}));
	const models = groupBy(input.targets, ({ model }) => model).map(([id, members]) => groupView(id, id, members, viewOf, 'providers'));
	const incidents = input.incidents
		.filter(({ cause, override }) => [cause, override?.judged.cause].some((one) => one === 'provider' || one === 'monitor'))
		.sort((a, b) => Number(b.resolvedAt === null) - Number(a.resolvedAt === null) || b.startedAt - a.startedAt)
		.slice(0, shownIncidents)
		.map((incident) => incidentView(incident, input.official ?? [], now));
	return {
		schema: 'linnet.snapshot/1',
		number: input.number,
		generatedAt: iso(now),
		staleAfter: iso(now + snapshotStaleMs),
		simulated: input.simulated,
		title: input.title,
		url: input.url,
		...derivePage(providers),
		intervalMs: input.intervalMs,
		vantages: input.vantages.map((id) => vantageView(id, input)),
		providers,
		models,
		targets,
		incidents,
		...(input.official === undefined || input.official.length === 0 ? {} : { official: input.official.slice(0, shownOfficial).map(officialView) }),
		objectives: (input.objectives ?? []).map(objectiveView),
		...(input.spend === undefined ? {} : { spend: input.spend }),
		drill: input.drill,
		verdictRevision: revisionOf(targets, incidents),
	};
}

function vantageView(id: string, { facts, targets, now, incidents }: SnapshotFacts): Snapshot['vantages'][number] {
	const blind = incidents.some((one) => one.condition === 'blind' && one.resolvedAt === null && (one.scope.vantage === null || one.scope.vantage === id));
	const measuredAt = latest([...facts.values()].map(({ recent }) => recent[id]?.measuredAt ?? null));
	const slowest = Math.max(0, ...targets.map((target) => staleAfterMs(target, facts.get(target.id)?.plannedIntervalMs)));
	const state = blind ? 'blind' : measuredAt === null ? 'unknown' : now - measuredAt > slowest ? 'late' : 'trusted';
	return { id, state, measuredAt: measuredAt === null ? null : iso(measuredAt) };
}

/** @param viewOf by target: a search through all views for each of 10,000 models takes 1.4 s of CPU */
function groupView(id: string, name: string, members: readonly Target[], viewOf: ReadonlyMap<string, WrittenTarget>, noun: string): GroupView {
	const own = members.flatMap((member) => viewOf.get(member.id) ?? []);
	const sum = (field: 'good' | 'bad' | 'excluded') => own.reduce((total, view) => total + view.availability['1d'][field], 0);
	return {
		id,
		name,
		...deriveGroup(
			own.map(({ state }) => state),
			noun,
		),
		targetIds: own.map((view) => view.id),
		availability1d: availability(sum('good'), sum('bad'), sum('excluded')),
	};
}

function revisionOf(targets: readonly WrittenTarget[], incidents: readonly IncidentView[]): string {
	const text = JSON.stringify([
		targets.map(({ id, state, reason, since, incident }) => [id, state, reason, since, incident]),
		incidents.map(({ id, status, impact, updates, relapseCount }) => [id, status, impact, updates.length, relapseCount]),
	]);
	// Two independent 32-bit halves: one alone would repeat by chance within tens of thousands of revisions.
	return hash32(text).toString(16).padStart(8, '0') + hash32(`${text.length}\n${text}`).toString(16).padStart(8, '0');
}

function groupBy<T>(items: readonly T[], key: (item: T) => string): [string, T[]][] {
	const groups = new Map<string, T[]>();
	for (const item of items) {
		const group = groups.get(key(item));
		if (group === undefined) groups.set(key(item), [item]);
		else group.push(item);
	}
	return [...groups];
}

function iso(ms: number): string {
	return new Date(ms).toISOString();
}
