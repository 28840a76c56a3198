/**
 * The first detector: k bad of the last n results of a target, a fast confirmation probe after each doubt, recovery by a run of good.
 * Deterministic and replayable: the same results in the same order give the same decisions. It reads no clock; `at` comes with each result.
 * An excluded result moves nothing. Several vantages vote by strict majority; fewer failing is a regional issue, not an outage.
 */

import { hash32 } from './hash.ts';
import type { Cause, Impact, IncidentEvidence, Scope } from './incident.ts';
import { type Outcome, ruleOf } from './outcome.ts';
import type { ProbeResult } from './probe-result.ts';
import { parseTargetId, targetId } from './target.ts';

export interface DetectorPolicy {
	/** k bad of the last n open; the newest must be bad. 3 of 5: three in a row, or a sporadic failure worse than one in two. */
	readonly badNeeded: number;
	readonly window: number;
	/** Good results in a row, since the last bad one, that resolve. */
	readonly goodNeeded: number;
	/** Delay of the confirmation probe after a bad result, and of the recovery probe after a good one. */
	readonly confirmAfterMs: number;
	/** Confirmation probes per episode of doubt; the rest comes with the slots. */
	readonly confirmationsMax: number;
	/** A relapse this soon after a resolve re-opens the same incident. */
	readonly holdDownMs: number;
	/** Slow: TTFT above this multiple of the target's own baseline (geometric mean of good results)... */
	readonly slowRatio: number;
	/** ...judged only after this many samples. */
	readonly baselineSamples: number;
	/** A vantage without a vote for this long neither votes nor is waited for. */
	readonly vantageSilentMs: number;
}

export const defaultPolicy: DetectorPolicy = {
	badNeeded: 3,
	window: 5,
	goodNeeded: 3,
	confirmAfterMs: 5_000,
	confirmationsMax: 4,
	holdDownMs: 600_000,
	slowRatio: 3,
	baselineSamples: 10,
	vantageSilentMs: 900_000,
};

const conditions = ['outage', 'slow', 'wrong_answers', 'credentials', 'quota'] as const;
type Condition = (typeof conditions)[number];

// A key and a wallet are shared by a provider's targets, so those two are judged per provider.
const conditionRules = {
	outage: { unit: 'target', cause: 'provider', impact: 'major', noun: 'outage' },
	slow: { unit: 'target', cause: 'provider', impact: 'minor', noun: 'slow answers' },
	wrong_answers: { unit: 'target', cause: 'provider', impact: 'minor', noun: 'wrong answers' },
	credentials: { unit: 'provider', cause: 'credentials', impact: 'none', noun: 'our key is refused' },
	quota: { unit: 'provider', cause: 'quota', impact: 'none', noun: 'our quota is used up' },
} as const satisfies Record<Condition, { unit: 'target' | 'provider'; cause: Cause; impact: Impact; noun: string }>;

/** One result as one condition sees it. */
interface Vote {
	readonly id: string;
	readonly target: string;
	readonly at: number;
	readonly bad: boolean;
	readonly outcome: Outcome;
	readonly httpStatus: number | null;
	readonly ttftMs: number | null;
}

interface Episode {
	/** Newest last; at most `window`. */
	votes: Vote[];
	/** Good results since the last bad one. */
	goodRun: number;
	confirmations: number;
}

interface Baseline {
	samples: number;
	/** Mean of ln TTFT. */
	meanLn: number;
}

interface OpenIncident {
	id: string;
	startedAt: number;
	good: number;
	bad: number;
	excluded: number;
	outcomes: Partial<Record<Outcome, number>>;
	vantages: string[];
	targets: string[];
	examples: string[];
}

/** One condition of one unit: a target, or for credentials and quota the provider, whose key the targets share. */
interface ConditionState {
	episodes: Record<string, Episode>;
	open: OpenIncident | null;
	/** The last one that was resolved, for the hold-down. */
	last: { incident: OpenIncident; resolvedAt: number } | null;
}

/** Everything the detector knows of one target; serialisable, survives a restart at any point. */
export interface TargetDetectorState {
	conditions: Partial<Record<Condition, ConditionState>>;
	baselines: Record<string, Baseline>;
	/** Ids of the newest results, so that a result delivered twice counts once. */
	seen: string[];
}

export interface DetectorState {
	readonly version: 1;
	readonly targets: Record<string, TargetDetectorState>;
	readonly providers: Record<string, Partial<Record<Condition, ConditionState>>>;
}

export const emptyDetectorState = (): DetectorState => ({ version: 1, targets: {}, providers: {} });

export interface IncidentDecision {
	readonly type: 'open' | 'reopen' | 'resolve';
	readonly incidentId: string;
	readonly condition: Condition;
	readonly scope: Scope;
	readonly cause: Cause;
	readonly impact: Impact;
	readonly title: string;
	/** Onset: start of the first bad result of the run that opened it. */
	readonly startedAt: number;
	readonly at: number;
	readonly reason: string;
	readonly evidence: IncidentEvidence;
	readonly targetIds: readonly string[];
}

export interface ReprobeDecision {
	readonly type: 'reprobe';
	readonly targetId: string;
	readonly vantage: string;
	readonly canary: string;
	readonly delayMs: number;
	readonly reason: string;
}

/** More results on an open incident: its numbers move, its verdict does not. */
export interface EvidenceDecision {
	readonly type: 'evidence';
	readonly incidentId: string;
	readonly evidence: IncidentEvidence;
	readonly targetIds: readonly string[];
}

export type Decision = IncidentDecision | ReprobeDecision | EvidenceDecision;

const seenKept = 64;

/**
 * Judges one recorded result. `state` is the caller's own copy and is moved forward in place: on a failed commit throw it away and load it again.
 * @param at when it is judged, ms since epoch
 */
export function observe(state: DetectorState, id: string, result: ProbeResult, at: number, policy: DetectorPolicy = defaultPolicy): Decision[] {
	// Manual probes prove nothing about the schedule, and a missed slot measured nothing.
	if (result.startedAt === null || result.kind === 'manual') return [];
	const target = targetId(result);
	const targetState = (state.targets[target] ??= { conditions: {}, baselines: {}, seen: [] });
	if (targetState.seen.includes(id)) return [];
	targetState.seen.push(id);
	if (targetState.seen.length > seenKept) targetState.seen.shift();

	const decisions: Decision[] = [];
	for (const condition of conditions) {
		const bad = voteOn(condition, result, targetState, policy);
		const unitConditions = conditionRules[condition].unit === 'target' ? targetState.conditions : (state.providers[result.provider] ??= {});
		const conditionState = (unitConditions[condition] ??= { episodes: {}, open: null, last: null });
		if (conditionState.open !== null) {
			tally(conditionState.open, id, result, bad);
			decisions.push({
				type: 'evidence',
				incidentId: conditionState.open.id,
				evidence: evidenceOf(conditionState.open),
				targetIds: [...conditionState.open.targets],
			});
		}
		if (bad === null) continue;
		decisions.push(...judge(condition, conditionState, { id, result, bad, at, target }, policy));
	}
	learnBaseline(targetState, result, policy);
	return withOneReprobe(decisions);
}

/** Resolves what is open for targets that are no longer configured, and forgets them. */
export function retireTargets(state: DetectorState, configured: ReadonlySet<string>, at: number): IncidentDecision[] {
	const decisions: IncidentDecision[] = [];
	const resolveAll = (unitConditions: Partial<Record<Condition, ConditionState>>) => {
		for (const condition of conditions) {
			const open = unitConditions[condition]?.open;
			if (open) decisions.push(decide('resolve', condition, open, at, 'no longer configured: the measurement ended, not the trouble'));
		}
	};
	for (const [target, { conditions: targetConditions }] of Object.entries(state.targets)) {
		if (configured.has(target)) continue;
		resolveAll(targetConditions);
		delete state.targets[target];
	}
	const providers = new Set([...configured].map((target) => parseTargetId(target)?.provider));
	for (const [provider, providerConditions] of Object.entries(state.providers)) {
		if (providers.has(provider)) continue;
		resolveAll(providerConditions);
		delete state.providers[provider];
	}
	return decisions;
}

/** true = bad, false = good, null = says nothing about this condition. */
function voteOn(condition: Condition, result: ProbeResult, state: TargetDetectorState, policy: DetectorPolicy): boolean | null {
	const { outcome, sli } = result;
	switch (condition) {
		case 'outage':
			if (sli === 'excluded') return outcome === 'canary_mismatch' ? false : null; // A wrong answer is still an answer.
			return sli === 'bad';
		case 'wrong_answers':
			return outcome === 'canary_mismatch' ? true : outcome === 'ok' ? false : null;
		case 'slow': {
			const baseline = state.baselines[baselineKey(result)];
			if (outcome !== 'ok' || result.ttftMs === null || baseline === undefined || baseline.samples < policy.baselineSamples) return null;
			return result.ttftMs > Math.exp(baseline.meanLn) * policy.slowRatio;
		}
		case 'credentials':
			return outcome === 'auth_failed' || outcome === 'forbidden' ? true : sli === 'good' ? false : null;
		case 'quota':
			return outcome === 'quota_exhausted' ? true : sli === 'good' ? false : null;
	}
}

interface Judged {
	readonly id: string;
	readonly result: ProbeResult;
	readonly bad: boolean;
	readonly at: number;
	readonly target: string;
}

function judge(condition: Condition, state: ConditionState, { id, result, bad, at, target }: Judged, policy: DetectorPolicy): Decision[] {
	const episode = (state.episodes[result.vantage] ??= { votes: [], goodRun: 0, confirmations: 0 });
	const startedAt = result.startedAt ?? result.slotAt;
	addVote(episode, { id, target, at: startedAt, bad, outcome: result.outcome, httpStatus: result.httpStatus, ttftMs: result.ttftMs }, policy);

	const episodes = Object.values(state.episodes).filter(({ votes }) => startedAt - (votes.at(-1)?.at ?? 0) <= policy.vantageSilentMs);
	if (state.open === null) {
		const failing = episodes.filter((other) => isFailing(other, policy));
		if (failing.length * 2 > episodes.length) return [openOrReopen(condition, state, target, at, policy)];
		if (episode.votes.at(-1)?.bad && episode.confirmations < policy.confirmationsMax) {
			episode.confirmations += 1;
			return [reprobe(target, result, policy, 'doubt')];
		}
		return [];
	}
	if (episodes.every((other) => other.goodRun >= policy.goodNeeded)) {
		const open = state.open;
		state.last = { incident: open, resolvedAt: at };
		state.open = null;
		// Bad votes from before the resolve must not help to open the next one; goodRun may stand.
		state.episodes = {};
		return [decide('resolve', condition, open, at, `${policy.goodNeeded} good results in a row`)];
	}
	if (!bad && condition !== 'credentials' && condition !== 'quota') return [reprobe(target, result, policy, 'recovery')];
	return [];
}

/** Keeps votes ordered by start, so a slow old result that arrives late can't undo a newer one. */
function addVote(episode: Episode, vote: Vote, policy: DetectorPolicy): void {
	const votes = episode.votes;
	let place = votes.length;
	while (place > 0 && (votes[place - 1]?.at ?? 0) > vote.at) place -= 1;
	votes.splice(place, 0, vote);
	if (votes.length > policy.window) votes.shift();
	const lastBad = votes.findLastIndex((other) => other.bad);
	// The run may be longer than the window that is kept; a late result inside it changes nothing.
	episode.goodRun = lastBad === -1 ? episode.goodRun + 1 : votes.length - 1 - lastBad;
	if (lastBad === -1) episode.confirmations = 0;
}

function isFailing({ votes }: Episode, policy: DetectorPolicy): boolean {
	return votes.at(-1)?.bad === true && votes.filter((vote) => vote.bad).length >= policy.badNeeded;
}

function openOrReopen(condition: Condition, state: ConditionState, target: string, at: number, policy: DetectorPolicy): IncidentDecision {
	const votes = Object.entries(state.episodes).flatMap(([vantage, episode]) => episode.votes.map((vote) => ({ ...vote, vantage })));
	const bad = votes.filter((vote) => vote.bad).sort((a, b) => a.at - b.at);
	const startedAt = bad[0]?.at ?? at;
	const relapse = state.last !== null && at - state.last.resolvedAt <= policy.holdDownMs ? state.last.incident : null;
	const fresh: OpenIncident = relapse ?? {
		id: incidentId(condition, conditionRules[condition].unit === 'target' ? target : (parseTargetId(target)?.provider ?? target), startedAt),
		startedAt,
		good: 0,
		bad: 0,
		excluded: 0,
		outcomes: {},
		vantages: [],
		targets: [],
		examples: [],
	};
	for (const vote of votes) if (vote.at >= startedAt) count(fresh, vote.id, vote.target, vote.outcome, vote.bad, vote.vantage);
	state.open = fresh;
	state.last = null;
	const reason =
		condition === 'slow'
			? `${bad.length} of the last ${votes.length} first tokens came later than ${policy.slowRatio} times the usual: ${bad.map(({ ttftMs }) => `${Math.round(ttftMs ?? 0)} ms`).join(', ')}`
			: `${bad.length} of the last ${votes.length} results failed: ${outcomeWords(bad)}`;
	return decide(relapse === null ? 'open' : 'reopen', condition, fresh, at, reason);
}

function decide(type: IncidentDecision['type'], condition: Condition, incident: OpenIncident, at: number, reason: string): IncidentDecision {
	const { unit, cause, impact, noun } = conditionRules[condition];
	const parts = parseTargetId(incident.targets[0] ?? '');
	const provider = parts?.provider ?? null;
	const model = unit === 'target' ? (parts?.model ?? null) : null;
	return {
		type,
		incidentId: incident.id,
		condition,
		scope: { provider, model, operation: unit === 'target' ? (parts?.operation ?? null) : null, vantage: null },
		cause,
		impact,
		title: model === null ? `${provider}: ${noun}` : `${model} on ${provider}: ${noun}`,
		startedAt: incident.startedAt,
		at,
		reason,
		evidence: evidenceOf(incident),
		targetIds: [...incident.targets],
	};
}

function evidenceOf({ good, bad, excluded, outcomes, vantages, examples }: OpenIncident): IncidentEvidence {
	return { good, bad, excluded, outcomes: { ...outcomes }, vantages: [...vantages], exampleResultIds: [...examples] };
}

/** One id per condition, target and onset: two incidents on one day never collide, and a replay gives the same id. */
function incidentId(condition: Condition, target: string, startedAt: number): string {
	return `inc-${startedAt.toString(36)}-${hash32(`${condition}\n${target}`).toString(36)}`;
}

function reprobe(target: string, result: ProbeResult, policy: DetectorPolicy, reason: string): ReprobeDecision {
	return { type: 'reprobe', targetId: target, vantage: result.vantage, canary: result.canary, delayMs: policy.confirmAfterMs, reason };
}

/** Two conditions may doubt the same result: one probe answers both. */
function withOneReprobe(decisions: readonly Decision[]): Decision[] {
	const first = decisions.find((decision) => decision.type === 'reprobe');
	return decisions.filter((decision) => decision.type !== 'reprobe' || decision === first);
}

function tally(open: OpenIncident, id: string, result: ProbeResult, bad: boolean | null): void {
	if (bad === null) open.excluded += 1;
	else count(open, id, targetId(result), result.outcome, bad, result.vantage);
}

function count(open: OpenIncident, id: string, target: string, outcome: Outcome, bad: boolean, vantage: string): void {
	if (bad) {
		open.bad += 1;
		open.examples = [id, ...open.examples].slice(0, 10);
	} else open.good += 1;
	open.outcomes[outcome] = (open.outcomes[outcome] ?? 0) + 1;
	if (!open.vantages.includes(vantage)) open.vantages.push(vantage);
	if (!open.targets.includes(target)) open.targets.push(target);
}

/** `server_error ×2 (HTTP 503), stream_truncated`. */
function outcomeWords(votes: readonly Vote[]): string {
	const counts = new Map<string, number>();
	for (const { outcome, httpStatus } of votes) {
		const words = httpStatus !== null && httpStatus >= 400 ? `${outcome} (HTTP ${httpStatus})` : outcome;
		counts.set(words, (counts.get(words) ?? 0) + 1);
	}
	return [...counts].map(([words, times]) => (times > 1 ? `${words} ×${times}` : words)).join(', ');
}

function baselineKey(result: ProbeResult): string {
	return `${result.vantage}\n${result.canary}`;
}

/** Learns from good results outside slowness only, one step clipped to a factor of e^0.5, so that an incident never becomes the norm unseen. */
function learnBaseline(state: TargetDetectorState, result: ProbeResult, policy: DetectorPolicy): void {
	if (result.outcome !== 'ok' || result.ttftMs === null || result.ttftMs <= 0) return;
	if (state.conditions.slow?.open || ruleOf(result.outcome).sli !== 'good') return;
	const ln = Math.log(result.ttftMs);
	const baseline = (state.baselines[baselineKey(result)] ??= { samples: 0, meanLn: ln });
	baseline.samples += 1;
	if (baseline.samples > policy.baselineSamples && ln - baseline.meanLn > Math.log(policy.slowRatio)) return;
	const step = Math.max(-0.5, Math.min(0.5, ln - baseline.meanLn));
	baseline.meanLn += step * Math.max(1 / baseline.samples, 1 / 60);
}
