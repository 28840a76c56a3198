/** The lattice detector in the service's words: recorded results in, the decisions of core/detector.ts out. */
import type { Decision, EvidenceDecision, IncidentDecision, ReprobeDecision } from '#core/detector.ts';
import type { Cause, Condition, Impact, IncidentEvidence } from '#core/incident.ts';
import { type Outcome, ruleOf } from '#core/outcome.ts';
import type { ProbeResult } from '#core/probe-result.ts';
import { targetId } from '#core/target.ts';
import type { Channel } from './channels.ts';
import {
	createLatticeState,
	endpointOf,
	type LatticeCause,
	type LatticeDecision,
	type LatticeIncidentDecision,
	type LatticeInput,
	type LatticeOptions,
	type LatticeOutcome,
	type LatticeScope,
	type LatticeState,
	scopeWords,
} from './lattice-state.ts';
import { observe } from './observe.ts';
import { relapseMs } from './record-incident.ts';

/** Numbers of an open incident beside the detector's own: what the public record shows. */
interface Tally {
	readonly incidentId: string;
	scope: LatticeScope;
	readonly since: number;
	/** Null while open. A relapse goes on with the same numbers. */
	closedAt: number | null;
	good: number;
	bad: number;
	excluded: number;
	outcomes: Partial<Record<Outcome, number>>;
	vantages: string[];
	targets: string[];
	examples: string[];
}

/** One recorded result before an incident opens: its evidence is counted from the onset on. */
interface Recent {
	readonly id: string;
	readonly startedAt: number;
	readonly target: string;
	readonly vantage: string;
	readonly outcome: Outcome;
	readonly vote: boolean | null;
}

/** Serialisable. In the service the model of the lattice is `model:operation`, so that two operations of a model are judged apart. */
export interface JudgeState {
	readonly version: 2;
	readonly lattice: LatticeState;
	/** By id of the first incident of a chain of relapses. */
	readonly tallies: Record<string, Tally>;
	/** Newest canary of each target: what a re-probe sends. */
	readonly canaries: Record<string, string>;
	/** Bad and excluded results of late, by target and vantage: at most 20 each. */
	readonly recent: Record<string, Recent[]>;
}

export function createJudgeState(options: LatticeOptions): JudgeState {
	return { version: 2, lattice: createLatticeState(options), tallies: {}, canaries: {}, recent: {} };
}

/** Null: nothing that the lattice judges. `canary_mismatch` is `wrong`; capacity refusals stand with the server errors, as they do in the SLI. */
const latticeOutcomeOf = {
	ok: 'ok',
	server_error: 'http_5xx',
	server_timeout: 'http_5xx',
	first_token_timeout: 'timeout',
	stream_stalled: 'timeout',
	stream_truncated: 'stream_broken',
	stream_error: 'stream_broken',
	invalid_response: 'http_5xx',
	empty_response: 'empty',
	overloaded: 'http_5xx',
	not_ready: 'http_5xx',
	throttled: 'rate_limited',
	rate_limited: 'rate_limited',
	quota_exhausted: 'quota',
	auth_failed: 'auth',
	forbidden: 'auth',
	model_not_found: null,
	bad_request: null,
	dns_failed: 'connect',
	connect_failed: 'connect',
	tls_failed: 'connect',
	edge_blocked: null,
	monitor_fault: null,
	content_blocked: null,
	canary_mismatch: 'wrong',
} as const satisfies Record<Outcome, LatticeOutcome | null>;

/** Null when the result moves nothing: it never ran, was sent by hand, or is our own fault. */
export function latticeInputOf(id: string, result: ProbeResult, at: number): Extract<LatticeInput, { type: 'result' }> | null {
	const { startedAt, kind, outcome, provider, model, operation, vantage, canary, ttftMs, totalMs } = result;
	const latticeOutcome = latticeOutcomeOf[outcome];
	if (startedAt === null || kind === 'manual' || latticeOutcome === null) return null;
	// A network failure that nobody confirmed is excluded; to the lattice it is evidence all the same, because it tells a blind vantage.
	const isNetwork = ruleOf(outcome).group === 'network';
	if (result.sli === 'excluded' && !isNetwork && !['wrong', 'auth', 'quota', 'rate_limited'].includes(latticeOutcome)) return null;
	const name = { provider, model: `${model}:${operation}`, vantage };
	return { type: 'result', id, at, startedAt, ...name, outcome: latticeOutcome, ttftMs, totalMs, canary, reprobe: kind === 'confirmation' };
}

/** Judges one recorded result. `state` moves in place: on a failed commit throw it away and load it again. */
export function judgeResult(state: JudgeState, id: string, result: ProbeResult, at: number): Decision[] {
	if (result.startedAt === null || result.kind === 'manual') return [];
	const target = targetId(result);
	const key = `${target}\n${result.vantage}`;
	const input = latticeInputOf(id, result, at);
	const seenBefore = input !== null && isSeen(state, key, id);
	if (seenBefore) return [];
	state.canaries[target] = result.canary;
	const one: Recent = { id, startedAt: result.startedAt, target, vantage: result.vantage, outcome: result.outcome, vote: voteOf(result) };
	state.recent[key] = [...(state.recent[key] ?? []), one].slice(-20);
	const grown: EvidenceDecision[] = [];
	for (const tally of Object.values(state.tallies)) {
		if (tally.closedAt !== null || one.startedAt < tally.since || !inScope(tally.scope, result.provider, `${result.model}:${result.operation}`, result.vantage))
			continue;
		count(tally, one);
		grown.push({ type: 'evidence', incidentId: tally.incidentId, evidence: evidenceOf(tally), targetIds: [...tally.targets] });
	}
	return [...grown, ...(input === null ? [] : observe(state.lattice, input).flatMap((decision) => translate(state, decision)))];
}

/** To be called about once a second, and after each batch: what waits for time, not for results, is decided here. */
export function judgeTick(state: JudgeState, at: number): Decision[] {
	for (const [id, { closedAt }] of Object.entries(state.tallies)) if (closedAt !== null && at - closedAt > relapseMs) delete state.tallies[id];
	return observe(state.lattice, { type: 'tick', at }).flatMap((decision) => translate(state, decision));
}

const isSeen = (state: JudgeState, key: string, id: string) => state.recent[key]?.some((one) => one.id === id) ?? false;

/** true bad, false good, null excluded. */
function voteOf({ sli, outcome }: ProbeResult): boolean | null {
	return outcome === 'canary_mismatch' || sli === 'bad' ? true : sli === 'good' ? false : null;
}

const inScope = (scope: LatticeScope, provider: string, model: string, vantage: string) =>
	(scope.provider === null || scope.provider === provider) &&
	(scope.model === null || scope.model === model) &&
	(scope.vantage === null || scope.vantage === vantage);

function count(tally: Tally, { id, target, vantage, outcome, vote }: Recent): void {
	if (vote === null) tally.excluded += 1;
	else if (vote) {
		tally.bad += 1;
		tally.examples = [id, ...tally.examples].slice(0, 10);
	} else tally.good += 1;
	tally.outcomes[outcome] = (tally.outcomes[outcome] ?? 0) + 1;
	if (!tally.vantages.includes(vantage)) tally.vantages.push(vantage);
	if (!tally.targets.includes(target)) tally.targets.push(target);
}

function evidenceOf({ good, bad, excluded, outcomes, vantages, examples }: Tally): IncidentEvidence {
	return { good, bad, excluded, outcomes: { ...outcomes }, vantages: [...vantages], exampleResultIds: [...examples] };
}

const causeOf = {
	provider: 'provider',
	monitor: 'monitor',
	credentials: 'credentials',
	rate_limit: 'quota',
	quota: 'quota',
	maintenance: 'maintenance',
} as const satisfies Record<LatticeCause, Cause>;

const conditionOf = { failed: 'outage', wrong: 'wrong_answers', stalled: 'slow', slow: 'slow' } as const satisfies Record<Channel, Condition>;
const nouns = {
	outage: 'outage',
	slow: 'slow answers',
	wrong_answers: 'wrong answers',
	credentials: 'our key is refused',
	quota: 'our quota is used up',
	rate_limit: 'our own rate limit',
	capacity: 'no capacity',
	blind: 'our own network',
	maintenance: 'maintenance',
} as const satisfies Record<Condition, string>;

function translate(state: JudgeState, decision: LatticeDecision): Decision[] {
	if (decision.type === 'reprobe') return [reprobeOf(state, decision)];
	const { id, firstId, scope } = decision;
	const tally = state.tallies[firstId] ?? (decision.type === 'open' ? freshTally(state, decision) : undefined);
	if (tally === undefined) return [];
	state.tallies[firstId] = tally;
	tally.scope = scope;
	tally.targets = targetsOf(state, scope);
	tally.closedAt = decision.type === 'resolve' ? decision.at : null;
	// A moved scope is told with the next numbers: core/detector.ts has no decision of its own for it.
	if (decision.type === 'update') return [{ type: 'evidence', incidentId: tally.incidentId, evidence: evidenceOf(tally), targetIds: [...tally.targets] }];
	const type = decision.type === 'resolve' ? 'resolve' : id === firstId ? 'open' : 'reopen';
	return [incidentOf(type, decision, tally)];
}

function incidentOf(type: IncidentDecision['type'], decision: LatticeIncidentDecision, tally: Tally): IncidentDecision {
	const { firstId, scope, cause, channel, severity, onsetAt, at, reason } = decision;
	const condition: Condition =
		channel !== null ? conditionOf[channel] : cause === 'credentials' ? 'credentials' : cause === 'rate_limit' || cause === 'quota' ? 'quota' : 'outage';
	const colon = scope.model?.lastIndexOf(':') ?? -1;
	const model = scope.model === null ? null : scope.model.slice(0, colon);
	const impact: Impact =
		cause !== 'provider' ? 'none' : severity === 'down' ? (scope.model === null && scope.vantage === null ? 'critical' : 'major') : 'minor';
	const noun =
		cause === 'monitor' ? 'our own network' : cause === 'maintenance' ? 'maintenance' : cause === 'rate_limit' ? 'our own rate limit' : nouns[condition];
	return {
		...{ type, incidentId: firstId, condition, cause: causeOf[cause], impact, startedAt: onsetAt, at, reason },
		scope: { provider: scope.provider, model, operation: scope.model === null ? null : scope.model.slice(colon + 1), vantage: scope.vantage },
		title: `${scopeWords({ ...scope, model })}: ${noun}`,
		evidence: evidenceOf(tally),
		targetIds: [...tally.targets],
	};
}

function freshTally(state: JudgeState, { firstId, scope, onsetAt }: LatticeIncidentDecision): Tally {
	const tally: Tally = {
		incidentId: firstId,
		scope,
		since: onsetAt,
		closedAt: null,
		good: 0,
		bad: 0,
		excluded: 0,
		outcomes: {},
		vantages: [],
		targets: [],
		examples: [],
	};
	const since = Object.values(state.recent)
		.flat()
		.filter((one) => one.startedAt >= onsetAt)
		.sort((a, b) => a.startedAt - b.startedAt);
	for (const one of since) {
		const first = one.target.indexOf(':');
		if (inScope(scope, one.target.slice(0, first), one.target.slice(first + 1), one.vantage)) count(tally, one);
	}
	return tally;
}

/** Ids of every target in a scope. */
function targetsOf({ lattice }: JudgeState, scope: LatticeScope): string[] {
	const ids = lattice.endpoints
		.filter(({ provider, model, vantage }) => inScope(scope, provider, model, vantage))
		.map(({ provider, model }) => `${provider}:${model}`);
	return [...new Set(ids)];
}

function reprobeOf(state: JudgeState, decision: Extract<LatticeDecision, { type: 'reprobe' }>): ReprobeDecision {
	const { provider, model, vantage, delayMs, reason } = decision;
	const target = `${provider}:${model}`;
	// A target that was never heard has no canary yet; it is asked for the built-in one.
	return { type: 'reprobe', targetId: target, vantage, canary: state.canaries[target] ?? 'echo', delayMs, reason };
}

/** Makes a configured target known before its first result, so that a scope is never named without it. */
export function expectTarget(state: JudgeState, target: { provider: string; model: string; operation: string }, vantage: string): void {
	endpointOf(state.lattice, target.provider, `${target.model}:${target.operation}`, vantage);
}
