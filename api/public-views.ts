/** The snapshot in the shapes of the public routes. Pure. */
import type { Snapshot, TargetView } from '#core/snapshot.ts';
import type { ObservedTraffic } from '#db/observations.ts';
import type { RecordedResult } from './evidence.ts';
import { observedView } from './observations.ts';

/** One target as a router reads it; the page's own extras (days, outcome mix) are at `/v1/targets/{id}`. */
function healthTarget(target: TargetView) {
	const { '5m': fiveMinutes, '30m': halfHour, '1d': day } = target.availability;
	return {
		id: target.id,
		provider: target.provider,
		model: target.model,
		operation: target.operation,
		upstreamModel: target.upstreamModel,
		state: target.state,
		reason: target.reason,
		since: target.since,
		incident: target.incident,
		measuredAt: target.measuredAt,
		staleAfter: target.staleAfter,
		availability: { '5m': fiveMinutes, '30m': halfHour, '1d': day },
		capacity: {
			state: target.capacity.state,
			ratio: target.capacity.ratio,
			retryAfterMs: target.capacity.retryAfterMs,
			headroom: target.capacity.headroom,
		},
		quality: { state: target.quality.state, ratio: target.quality.ratio, right: target.quality.right, answered: target.quality.answered },
		ttftMs: target.ttftMs,
		outputTokensPerSecond: target.outputTokensPerSecond,
		price: target.price,
		lifecycle: target.lifecycle,
		vantages: target.vantages,
	};
}

export interface HealthFilter {
	readonly provider: readonly string[];
	readonly model: readonly string[];
	readonly operation: readonly string[];
	readonly state: readonly string[];
}

export const everything: HealthFilter = { provider: [], model: [], operation: [], state: [] };

export function healthView(snapshot: Snapshot, filter: HealthFilter) {
	const fits = (target: TargetView) =>
		(Object.keys(filter) as (keyof HealthFilter)[]).every((key) => filter[key].length === 0 || filter[key].includes(target[key]));
	return {
		schema: 'linnet.health/1' as const,
		snapshot: snapshot.number,
		generatedAt: snapshot.generatedAt,
		staleAfter: snapshot.staleAfter,
		simulated: snapshot.simulated,
		targets: snapshot.targets.filter(fits).map(healthTarget),
	};
}

/** Holds nothing that moves by itself: no age, no counter, no snapshot number. */
export function verdictsView(snapshot: Snapshot) {
	const targets = snapshot.targets.map(({ id, state, reason, since }) => [id, { state, reason, since }] as const);
	return { schema: 'linnet.verdicts/1' as const, simulated: snapshot.simulated, targets: Object.fromEntries(targets) };
}

const objectiveMaps = new WeakMap<Snapshot, ReadonlyMap<string, TargetObjective[]>>();

interface TargetObjective {
	readonly id: string;
	readonly title: string;
	readonly objectiveRatio: number;
	readonly periodMs: number;
	readonly sharedBy: number;
	readonly remainingRatio: number | null;
	readonly exhaustedInMs: number | null;
	readonly firing: boolean;
}

/** Target id -> the objectives that it counts towards, with what is left of their budgets; made once a snapshot. */
function objectivesOf(snapshot: Snapshot): ReadonlyMap<string, readonly TargetObjective[]> {
	const known = objectiveMaps.get(snapshot);
	if (known !== undefined) return known;
	const map = new Map<string, TargetObjective[]>();
	for (const { id, title, objectiveRatio, periodMs, targetIds, budget, rules } of snapshot.objectives ?? []) {
		const { remainingRatio, exhaustedInMs } = budget;
		const one = { id, title, objectiveRatio, periodMs, sharedBy: targetIds.length, remainingRatio, exhaustedInMs, firing: rules.some(({ firing }) => firing) };
		for (const targetId of targetIds) map.set(targetId, [...(map.get(targetId) ?? []), one]);
	}
	objectiveMaps.set(snapshot, map);
	return map;
}

export function targetsView(snapshot: Snapshot) {
	return {
		schema: 'linnet.targets/1' as const,
		snapshot: snapshot.number,
		generatedAt: snapshot.generatedAt,
		simulated: snapshot.simulated,
		targets: snapshot.targets.map(({ id, slug, provider, model, operation, upstreamModel, state, intervalMs, plannedIntervalMs, price, lifecycle }) => ({
			objectives: objectivesOf(snapshot).get(id) ?? [],
			id,
			slug,
			provider,
			model,
			operation,
			upstreamModel,
			state,
			intervalMs,
			plannedIntervalMs,
			price,
			lifecycle,
		})),
	};
}

/** @param observed what routers report of it, beside what was probed */
export function targetView(snapshot: Snapshot, target: TargetView, observed: readonly ObservedTraffic[] = []) {
	return {
		schema: 'linnet.target/1' as const,
		snapshot: snapshot.number,
		generatedAt: snapshot.generatedAt,
		staleAfter: snapshot.staleAfter,
		simulated: snapshot.simulated,
		target: { ...target, days: target.days.unpack(), objectives: objectivesOf(snapshot).get(target.id) ?? [] },
		observations: observed.map(observedView),
	};
}

export function incidentsView(snapshot: Snapshot, status: 'open' | 'resolved' | null, limit: number) {
	const fitting = snapshot.incidents.filter((incident) => status === null || (status === 'open') === (incident.resolvedAt === null));
	return {
		schema: 'linnet.incidents/1' as const,
		snapshot: snapshot.number,
		generatedAt: snapshot.generatedAt,
		simulated: snapshot.simulated,
		incidents: fitting.slice(0, limit),
	};
}

/** The providers' own words; never evidence. */
export function officialView(snapshot: Snapshot, provider: readonly string[], limit: number) {
	const fitting = (snapshot.official ?? []).filter((incident) => provider.length === 0 || provider.includes(incident.provider));
	return {
		schema: 'linnet.official/1' as const,
		snapshot: snapshot.number,
		generatedAt: snapshot.generatedAt,
		simulated: snapshot.simulated,
		incidents: fitting.slice(0, limit),
	};
}

export function slosView(snapshot: Snapshot) {
	return {
		schema: 'linnet.slos/1' as const,
		snapshot: snapshot.number,
		generatedAt: snapshot.generatedAt,
		simulated: snapshot.simulated,
		objectives: snapshot.objectives ?? [],
	};
}

const iso = (at: number) => new Date(at).toISOString();

/** A recorded result in public: the same fields, times as ISO 8601. */
export function resultView(result: RecordedResult) {
	return {
		id: result.id,
		slotAt: iso(result.slotAt),
		startedAt: result.startedAt === null ? null : iso(result.startedAt),
		vantage: result.vantage,
		provider: result.provider,
		model: result.model,
		operation: result.operation,
		canary: result.canary,
		kind: result.kind,
		outcome: result.outcome,
		sli: result.sli,
		phase: result.phase,
		httpStatus: result.httpStatus,
		dnsMs: result.dnsMs,
		connectMs: result.connectMs,
		tlsMs: result.tlsMs,
		ttfbMs: result.ttfbMs,
		ttftMs: result.ttftMs,
		maxGapMs: result.maxGapMs,
		totalMs: result.totalMs,
		lagMs: result.lagMs,
		inputTokens: result.inputTokens,
		outputTokens: result.outputTokens,
		outputTokensPerSecond: result.outputTokensPerSecond,
		servedModel: result.servedModel,
		requestId: result.requestId,
		retryAfterMs: result.retryAfterMs,
		costMicroUsd: result.costMicroUsd,
		evidence: result.evidence,
	};
}
