/** One target of the public document: its numbers and its verdict. */
import type { DayCounts } from './day-counts.ts';
import { dayViews, type ShownDays } from './day-views.ts';
import type { Condition, Incident } from './incident.ts';
import { type Doubt, judgeTarget, type RunningMaintenance, staleAfterMs, type TargetVerdict } from './judge-target.ts';
import type { Outcome, Sli } from './outcome.ts';
import type { RateLimitHeaders } from './probe-result.ts';
import { emptyRollup } from './rollup.ts';
import { countSlots, seriesOf } from './schedule.ts';
import { type CanaryTest, requestKey } from './self-test.ts';
import { availability, ratio } from './sli.ts';
import {
	type CanaryFault,
	type CapacityState,
	type Headroom,
	longWindows,
	type QualityState,
	shortWindows,
	type TargetView,
	type WindowName,
} from './snapshot.ts';
import { type WrittenTarget, writeTarget } from './snapshot-text.ts';
import type { State } from './state.ts';
import { fileSlug, type Target } from './target.ts';
import type { LatencyFigures, WindowCounts } from './window-figures.ts';

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
	/** When the window of a day was read, ms since epoch: what was due is counted up to then, as what ran is; left out: now. */
	readonly countedAt?: number;
	/** When they were put together, ms since epoch; left out: it does not matter. */
	readonly readAt?: number;
	/** Where the budget stretches its cadence, ms; left out: it does not. */
	readonly plannedIntervalMs?: number;
	/** A missing window is empty. */
	readonly windows: Readonly<Partial<Record<WindowName, WindowCounts>>>;
	/** The first canary only: percentiles over mixed canaries mean nothing (Simpson's paradox). */
	readonly latency: Readonly<Partial<Record<'30m' | '1d', LatencyFigures | undefined>>>;
	/** Left out: none. */
	readonly days?: DayCounts | undefined;
	readonly recent: Readonly<Record<string, RecentResults>>;
	/** What rate-limit headers told in the last 10 min, per vantage; left out: nothing. */
	readonly headroom?: readonly ToldHeadroom[];
	/** Of canaries that are not accepted; left out: none. */
	readonly canaryTests?: readonly CanaryTest[];
}

/** What is the same for all targets of a snapshot. */
export interface ViewFacts {
	readonly now: number;
	readonly vantages: readonly string[];
	readonly shown: ShownDays;
	readonly doubts: readonly Doubt[];
	readonly maintenances: readonly ScopedMaintenance[];
}

/** Nulls: all. */
export interface ScopedMaintenance extends RunningMaintenance {
	readonly provider: string | null;
	readonly model: string | null;
	readonly operation: string | null;
	readonly vantage: string | null;
	/** ms since epoch. */
	readonly toAt: number;
}

const dayMs = 86_400_000;

interface Kept {
	readonly target: Target;
	readonly written: WrittenTarget;
	readonly key: string;
}

/** By the numbers that they are of: verdicts are published more often than numbers are read, and of 10,000 targets all take 250 ms. */
const kept = new WeakMap<TargetFacts, Kept>();

/** @param facts undefined: nothing is known of the target yet */
export function writtenTarget(target: Target, facts: TargetFacts | undefined, incidents: readonly Incident[], common: ViewFacts): WrittenTarget {
	const { now, doubts, maintenances } = common;
	const recent = facts?.recent ?? {};
	const staleMs = staleAfterMs(target, facts?.plannedIntervalMs);
	const faults = canaryFaults(target, facts?.canaryTests ?? []);
	const verdict = judgeTarget(
		target,
		{
			firstScheduledAt: facts?.firstScheduledAt ?? null,
			plannedIntervalMs: facts?.plannedIntervalMs,
			heard: recent,
			incidents,
			doubts: doubts.filter((doubt) => isIn(doubt, target)),
			maintenance: maintenances.find((window) => window.vantage === null && isIn(window, target) && window.fromAt <= now && now < window.toAt) ?? null,
			canaryFault: faults[0],
		},
		now,
	);
	const vantageStates = Object.fromEntries(Object.entries(recent).map(([vantage, one]) => [vantage, vantageState(one, verdict.state, now, staleMs)]));
	// The minutes of an open incident go on.
	const key = facts === undefined || incidents.some(isOpen) ? null : keyOf(incidents, verdict, vantageStates, facts.countedAt ?? now, common);
	const known = facts === undefined ? undefined : kept.get(facts);
	if (key !== null && known?.key === key && known.target === target) return known.written;
	const written = writeTarget(makeView(target, facts, incidents, { verdict, vantageStates, faults }, common));
	if (facts !== undefined && key !== null) kept.set(facts, { target, written, key });
	return written;
}

const isOpen = ({ resolvedAt, override }: Incident) => resolvedAt === null || override?.judged.resolvedAt === null;

/** Everything but the target and the facts that a view is made of. */
function keyOf(
	incidents: readonly Incident[],
	{ state, reason, sinceAt, incident }: TargetVerdict,
	vantageStates: Readonly<Record<string, State>>,
	countedAt: number,
	{ vantages, shown }: ViewFacts,
): string {
	const past = incidents.map(({ id, cause, impact, condition, startedAt, resolvedAt, override }) => [
		id,
		cause,
		impact,
		condition,
		startedAt,
		resolvedAt,
		override?.judged,
	]);
	return JSON.stringify([state, reason, sinceAt, incident, vantageStates, past, countedAt, vantages, shown[0]?.[0]]);
}

interface Judged {
	readonly verdict: TargetVerdict;
	readonly vantageStates: Readonly<Record<string, State>>;
	readonly faults: CanaryFault[];
}

function makeView(target: Target, facts: TargetFacts | undefined, incidents: readonly Incident[], judged: Judged, common: ViewFacts): TargetView {
	const { verdict, vantageStates, faults } = judged;
	const { now, vantages, shown } = common;
	const countedAt = facts?.countedAt ?? now;
	const recent = facts?.recent ?? {};
	const windowOf = (name: WindowName) => facts?.windows[name] ?? emptyRollup;
	const measuredAt = latest(Object.values(recent).map((one) => one.measuredAt));
	const staleMs = staleAfterMs(target, facts?.plannedIntervalMs);
	const [halfHour, day] = [windowOf('30m'), windowOf('1d')];
	const due = vantages
		.flatMap((vantage) => seriesOf(target, vantage))
		.reduce((sum, spec) => sum + countSlots(spec, Math.max(facts?.firstScheduledAt ?? countedAt, countedAt - dayMs), countedAt - staleAfterMs(target)), 0);
	// Slots whose probes may still be running are not due yet; one that ended early must not lift coverage above 1.
	const ran = Math.min(day.count - day.missed, due);
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
		...{ intervalMs: target.intervalMs, plannedIntervalMs: facts?.plannedIntervalMs ?? target.intervalMs },
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
		ttftMs: facts?.latency['30m']?.ttftMs ?? null,
		ttftMs1d: facts?.latency['1d']?.ttftMs ?? null,
		outputTokensPerSecond: facts?.latency['1d']?.outputTokensPerSecond ?? null,
		price: target.price,
		lifecycle: target.lifecycle ?? 'active',
		canaryFaults: faults,
		vantages: Object.fromEntries(
			Object.entries(recent).map(([vantage, one]) => [
				vantage,
				{ state: vantageStates[vantage] ?? 'unknown', measuredAt: one.measuredAt === null ? null : iso(one.measuredAt) },
			]),
		),
		outcomes: day.outcomes as Readonly<Record<string, number>>,
		days: dayViews(facts?.days, incidents, shown, now),
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

function capacityState({ served, refused }: WindowCounts, incidents: readonly Incident[]): CapacityState {
	const open = openOf(incidents, 'capacity');
	if (open !== undefined) return open.severity === 'down' ? 'exhausted' : 'strained';
	return served + refused === 0 ? 'unknown' : 'available';
}

function qualityState({ answered }: WindowCounts, incidents: readonly Incident[]): QualityState {
	if (openOf(incidents, 'wrong_answers') !== undefined) return 'degraded';
	return answered === 0 ? 'unknown' : 'as_expected';
}

function vantageState(recent: RecentResults, targetState: State, now: number, staleMs: number): State {
	if (recent.validAt === null || now - recent.validAt > staleMs) return 'unknown';
	if (recent.votes.length >= 3 && recent.votes.every((vote) => vote === 'bad')) return 'major_outage';
	return targetState === 'major_outage' && recent.votes[0] === 'good' ? 'operational' : targetState;
}

export function latest(times: readonly (number | null)[]): number | null {
	return times.reduce((newest, time) => (time !== null && (newest === null || time > newest) ? time : newest), null);
}

function iso(ms: number): string {
	return new Date(ms).toISOString();
}
