/** Facts of the record -> the one public document. Pure: the same facts and the same clock give the same snapshot. */

import { deriveGroup, derivePage } from './component.ts';
import { type DayCounts, dayViews, type ShownDays, shownDays } from './day-views.ts';
import type { DrillReport } from './drill-report.ts';
import { hash32 } from './hash.ts';
import { countOf, type Histogram, quantile } from './histogram.ts';
import type { Condition, Incident } from './incident.ts';
import { incidentView, officialView } from './incident-view.ts';
import { type Doubt, judgeTarget, type RunningMaintenance, staleAfterMs } from './judge-target.ts';
import { objectiveView } from './objective-view.ts';
import type { StoredOfficialIncident } from './official.ts';
import type { Outcome, Sli } from './outcome.ts';
import type { RateLimitHeaders } from './probe-result.ts';
import { emptyRollup, type Rollup } from './rollup.ts';
import { countSlots, specsOf } from './schedule.ts';
import { type CanaryTest, requestKey } from './self-test.ts';
import { availability, ratio } from './sli.ts';
import type { ObjectiveStanding } from './slo-board.ts';
import {
	type CanaryFault,
	type CapacityState,
	type GroupView,
	type Headroom,
	type IncidentView,
	longWindows,
	type Percentiles,
	type QualityState,
	type Snapshot,
	type SpendView,
	shortWindows,
	type TargetView,
	type WindowName,
} from './snapshot.ts';
import type { State } from './state.ts';
import { fileSlug, type Target } from './target.ts';

/** The newest results of one target from one vantage. */
export interface RecentResults {
	/** Start of the newest result that ran, ms since epoch; null before the first. */
	readonly measuredAt: number | null;
	/** Start of the newest good or bad result; null before the first. */
	readonly validAt: number | null;
	/** Outcome of the newest result that ran. */
	readonly outcome: Outcome | null;
	/** Finer cause of it, e.g. why nothing was sent. */
	readonly subcode: string | null;
	readonly retryAfterMs: number | null;
	/** SLI of the newest good or bad results, newest first, at most 3. */
	readonly votes: readonly Sli[];
}

export interface ToldHeadroom extends Pick<RateLimitHeaders, 'requestsLimit' | 'requestsRemaining' | 'tokensLimit' | 'tokensRemaining'> {
	/** Start of the probe, ms since epoch. */
	readonly at: number;
}

export interface TargetFacts {
	readonly firstScheduledAt: number;
	/** All canaries and vantages merged. A missing window is empty. */
	readonly windows: Readonly<Partial<Record<WindowName, Rollup>>>;
	/** The first canary only: percentiles over mixed canaries mean nothing (Simpson's paradox). */
	readonly latency: Readonly<Partial<Record<'30m' | '1d', Rollup>>>;
	readonly days: DayCounts;
	readonly recent: Readonly<Record<string, RecentResults>>;
	/** What rate-limit headers told in the last 10 min, per vantage; left out: nothing. */
	readonly headroom?: readonly ToldHeadroom[];
	/** Of canaries that are not accepted; left out: none. */
	readonly canaryTests?: readonly CanaryTest[];
}

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

/** Nulls: all. Times in ms since epoch. */
export interface AnnouncedMaintenance extends RunningMaintenance {
	readonly id: string;
	readonly provider: string | null;
	readonly model: string | null;
	readonly operation: string | null;
	readonly vantage: string | null;
	readonly toAt: number;
}

/** A snapshot is published at least every 15 s: four missed ones and the reader must stop believing it. */
export const snapshotStaleMs = 60_000;
const minSamples = 5;
const shownIncidents = 200;
const shownOfficial = 100;
const dayMs = 86_400_000;

export function buildSnapshot(input: SnapshotFacts): Snapshot {
	const { now } = input;
	const byTarget = new Map<string, Incident[]>();
	for (const incident of input.incidents) {
		for (const id of incident.targetIds) byTarget.set(id, [...(byTarget.get(id) ?? []), incident]);
	}
	const days = shownDays(now);
	const targets = input.targets.map((target) => targetView(target, input.facts.get(target.id), byTarget.get(target.id) ?? [], days, input));
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

function targetView(target: Target, facts: TargetFacts | undefined, incidents: readonly Incident[], days: ShownDays, input: SnapshotFacts): TargetView {
	const { now } = input;
	const recent = facts?.recent ?? {};
	const windowOf = (name: WindowName) => facts?.windows[name] ?? emptyRollup;
	const measuredAt = latest(Object.values(recent).map((one) => one.measuredAt));
	const staleMs = staleAfterMs(target);
	const faults = canaryFaults(target, facts?.canaryTests ?? []);
	const verdict = judgeTarget(
		target,
		{
			firstScheduledAt: facts?.firstScheduledAt ?? null,
			heard: recent,
			incidents,
			doubts: input.doubts.filter((doubt) => isIn(doubt, target)),
			maintenance: input.maintenances.find((window) => window.vantage === null && isIn(window, target) && window.fromAt <= now && now < window.toAt) ?? null,
			canaryFault: faults[0],
		},
		now,
	);
	const [halfHour, day] = [windowOf('30m'), windowOf('1d')];
	const due = input.vantages
		.flatMap((vantage) => specsOf([target], vantage))
		.reduce((sum, spec) => sum + countSlots(spec, Math.max(facts?.firstScheduledAt ?? now, now - dayMs), now - staleMs), 0);
	// Slots whose probes may still be running are not due yet; one that ended early must not lift coverage above 1.
	const ran = Math.min(day.count - day.missed, due);
	const speed = facts?.latency['1d']?.speed;
	const speedCount = speed === undefined ? 0 : countOf(speed);
	return {
		id: target.id,
		slug: fileSlug(target.id),
		provider: target.provider,
		model: target.model,
		operation: target.operation,
		upstreamModel: target.upstreamModel,
		...{ state: verdict.state, reason: verdict.reason, since: iso(verdict.sinceAt), incident: verdict.incident },
		measuredAt: measuredAt === null ? null : iso(measuredAt),
		staleAfter: iso((measuredAt ?? facts?.firstScheduledAt ?? now) + staleMs),
		availability: Object.fromEntries(
			[...shortWindows, ...longWindows].map((name) => [name, availability(windowOf(name).good, windowOf(name).bad, windowOf(name).excluded)]),
		) as TargetView['availability'],
		coverage: { ran, due, ratio: ratio(ran, due) },
		capacity: {
			state: capacityState(halfHour, incidents),
			ratio: ratio(halfHour.served, halfHour.served + halfHour.refused),
			served: halfHour.served,
			refused: halfHour.refused,
			retryAfterMs: latest(Object.values(recent).map((one) => one.retryAfterMs)),
			headroom: scarcest(facts?.headroom ?? []),
		},
		quality: { state: qualityState(day, incidents), ratio: ratio(day.right, day.answered), right: day.right, answered: day.answered },
		ttftMs: percentiles(facts?.latency['30m']?.ttft),
		ttftMs1d: percentiles(facts?.latency['1d']?.ttft),
		outputTokensPerSecond:
			speed === undefined || speedCount < minSamples ? null : { p50: round(quantile(speed, 0.5)), p10: round(quantile(speed, 0.1)), count: speedCount },
		price: target.price,
		lifecycle: target.lifecycle ?? 'active',
		canaryFaults: faults,
		vantages: Object.fromEntries(
			Object.entries(recent).map(([vantage, one]) => [
				vantage,
				{ state: vantageState(one, verdict.state, now, staleMs), measuredAt: one.measuredAt === null ? null : iso(one.measuredAt) },
			]),
		),
		outcomes: day.outcomes as Readonly<Record<string, number>>,
		days: dayViews(facts?.days, incidents, days, now),
	};
}

function scarcest(told: readonly ToldHeadroom[]): Headroom | null {
	let found: Headroom | null = null;
	for (const { at, requestsLimit, requestsRemaining, tokensLimit, tokensRemaining } of told) {
		for (const [of, limit, remaining] of [
			['requests', requestsLimit, requestsRemaining],
			['tokens', tokensLimit, tokensRemaining],
		] as const) {
			if (limit === null || remaining === null || limit <= 0) continue;
			const ratio = Math.min(1, Math.round((remaining / limit) * 1_000) / 1_000);
			if (found === null || ratio < found.ratio) found = { ratio, of, measuredAt: iso(at) };
		}
	}
	return found;
}

/** Where it holds from a vantage only, the target is not under it: the vantage is. */
function isIn(scope: Pick<Doubt, 'provider' | 'model' | 'operation'> & { vantage?: string | null }, target: Target): boolean {
	return (
		(scope.provider === null || scope.provider === target.provider) &&
		(scope.model === null || scope.model === target.model) &&
		(scope.operation === null || scope.operation === target.operation)
	);
}

/** What is known of requests as they are built now. */
function canaryFaults(target: Target, tests: readonly CanaryTest[]): CanaryFault[] {
	return tests
		.filter(({ canary, requestKey: key }) => target.canaries.some((own) => own.name === canary && requestKey(target, own) === key))
		.map(({ canary, fate, refusal, fateAt }) => ({
			...{ canary, state: fate === 'refused' ? ('refused' as const) : ('untested' as const) },
			...{ field: refusal?.field ?? null, advice: refusal?.advice ?? null, since: iso(fateAt) },
		}));
}

const openOf = (incidents: readonly Incident[], condition: Condition) => incidents.find((one) => one.condition === condition && one.resolvedAt === null);

function capacityState({ served, refused }: Rollup, incidents: readonly Incident[]): CapacityState {
	const open = openOf(incidents, 'capacity');
	if (open !== undefined) return open.severity === 'down' ? 'exhausted' : 'strained';
	return served + refused === 0 ? 'unknown' : 'available';
}

function qualityState({ answered }: Rollup, incidents: readonly Incident[]): QualityState {
	if (openOf(incidents, 'wrong_answers') !== undefined) return 'degraded';
	return answered === 0 ? 'unknown' : 'as_expected';
}

function vantageState(recent: RecentResults, targetState: State, now: number, staleMs: number): State {
	if (recent.validAt === null || now - recent.validAt > staleMs) return 'unknown';
	if (recent.votes.length >= 3 && recent.votes.every((vote) => vote === 'bad')) return 'major_outage';
	return targetState === 'major_outage' && recent.votes[0] === 'good' ? 'operational' : targetState;
}

function vantageView(id: string, { facts, targets, now, incidents }: SnapshotFacts): Snapshot['vantages'][number] {
	const blind = incidents.some((one) => one.condition === 'blind' && one.resolvedAt === null && (one.scope.vantage === null || one.scope.vantage === id));
	const measuredAt = latest([...facts.values()].map(({ recent }) => recent[id]?.measuredAt ?? null));
	const slowest = Math.max(0, ...targets.map(staleAfterMs));
	const state = blind ? 'blind' : measuredAt === null ? 'unknown' : now - measuredAt > slowest ? 'late' : 'trusted';
	return { id, state, measuredAt: measuredAt === null ? null : iso(measuredAt) };
}

/** @param viewOf by target: a search through all views for each of 10,000 models takes 1.4 s of CPU */
function groupView(id: string, name: string, members: readonly Target[], viewOf: ReadonlyMap<string, TargetView>, noun: string): GroupView {
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

function percentiles(histogram: Histogram | undefined): (Percentiles & { count: number }) | null {
	if (histogram === undefined) return null;
	const count = countOf(histogram);
	if (count < minSamples) return null;
	const at = (q: number) => round(quantile(histogram, q));
	return { p50: at(0.5), p90: at(0.9), p95: at(0.95), p99: at(0.99), count };
}

function revisionOf(targets: readonly TargetView[], incidents: readonly IncidentView[]): string {
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

function latest(times: readonly (number | null)[]): number | null {
	return times.reduce((newest, time) => (time !== null && (newest === null || time > newest) ? time : newest), null);
}

function round(value: number | null): number {
	return value === null ? 0 : Math.round(value * 10) / 10;
}

function iso(ms: number): string {
	return new Date(ms).toISOString();
}
