/** The lattice's decisions in the record's words. */
import type { Cause, Condition, Impact, IncidentStatus } from '#core/incident.ts';
import { type Channel, channelRules } from '#core/lattice/channels.ts';
import { covers, type LatticeCause, type LatticeDecision, type LatticeIncidentDecision, type LatticeReprobe, scopeWords } from '#core/lattice/lattice-state.ts';
import { isOutcome } from '#core/outcome.ts';
import type { Decision, IncidentDecision, ReprobeDecision } from './decision.ts';
import type { JudgeState, Tally } from './judge-state.ts';
import { latticeOutcomeOf } from './lattice-input.ts';
import { evidenceOf, openTally, targetsOf } from './tally.ts';

const causeOf = {
	provider: 'provider',
	monitor: 'monitor',
	credentials: 'credentials',
	rate_limit: 'rate_limit',
	quota: 'quota',
	maintenance: 'maintenance',
} as const satisfies Record<LatticeCause, Cause>;

const conditionOfChannel = {
	failed: 'outage',
	wrong: 'wrong_answers',
	stalled: 'slow',
	slow: 'slow',
	refused: 'capacity',
} as const satisfies Record<Channel, Condition>;

const conditionOfCause = {
	monitor: 'blind',
	credentials: 'credentials',
	rate_limit: 'rate_limit',
	quota: 'quota',
	maintenance: 'maintenance',
} as const satisfies Record<Exclude<LatticeCause, 'provider'>, Condition>;

const nouns = {
	outage: 'outage',
	slow: 'slow answers',
	wrong_answers: 'wrong answers',
	capacity: 'no capacity',
	credentials: 'our key is refused',
	quota: 'our quota is used up',
	rate_limit: 'our own rate limit',
	blind: 'our own network',
	maintenance: 'maintenance',
} as const satisfies Record<Condition, string>;

const statusOf = {
	open: 'identified',
	update: 'identified',
	failing_again: 'identified',
	reopen: 'identified',
	recovering: 'monitoring',
	resolve: 'resolved',
} as const satisfies Record<IncidentDecision['type'], IncidentStatus>;

export function translate(state: JudgeState, decision: LatticeDecision): Decision[] {
	if (decision.type === 'reprobe') return reprobeOf(state, decision);
	// Announced maintenance is a record of its own, not an incident.
	if (decision.cause === 'maintenance') return [];
	const { id, firstId, scope } = decision;
	const tally = state.tallies[firstId] ?? (decision.type === 'open' ? openTally(state, decision) : undefined);
	if (tally === undefined) return [];
	state.tallies[firstId] = tally;
	tally.scope = scope;
	tally.closedAt = decision.type === 'resolve' ? decision.at : null;
	const type = decision.type === 'open' && id !== firstId ? 'reopen' : decision.type;
	return [incidentOf(state, type, decision, tally)];
}

export function conditionOf(cause: LatticeCause, channel: Channel | null): Condition {
	return cause === 'provider' ? conditionOfChannel[channel ?? 'failed'] : conditionOfCause[cause];
}

function incidentOf(state: JudgeState, type: IncidentDecision['type'], decision: LatticeIncidentDecision, tally: Tally): IncidentDecision {
	const { firstId, scope, cause, channel, severity, onsetAt, at, ending } = decision;
	const condition = conditionOf(cause, channel);
	const colon = scope.model?.lastIndexOf(':') ?? -1;
	const model = scope.model === null ? null : scope.model.slice(0, colon);
	return {
		...{ type, incidentId: firstId, condition, cause: causeOf[cause], severity, startedAt: onsetAt, at, reason: reasonOf(type, decision, tally) },
		...{ status: statusOf[type], newLevel: ending === 'new_level' },
		impact: impactOf(state, decision),
		scope: { provider: scope.provider, model, operation: scope.model === null ? null : scope.model.slice(colon + 1), vantage: scope.vantage },
		title: `${scopeWords({ ...scope, model })}: ${nouns[condition]}`,
		evidence: evidenceOf(state.lattice, tally),
		targetIds: targetsOf(state, scope),
	};
}

/** In the record's own codes: "12 of 12 results failed: server_error ×12; 9 of 9 results of other providers were well meanwhile". */
function reasonOf(type: IncidentDecision['type'], decision: LatticeIncidentDecision, { outcomes }: Tally): string {
	const { cause, channel, badCount, judgedCount, control, reason } = decision;
	if (cause !== 'provider' || channel === null || (type !== 'open' && type !== 'reopen' && type !== 'update')) return reason;
	const codes = Object.entries(outcomes)
		.filter(([code]) => isOutcome(code) && code !== 'ok' && latticeOutcomeOf[code] !== null)
		.sort(([, a], [, b]) => (b ?? 0) - (a ?? 0))
		.map(([code, count]) => `${code} ×${count}`);
	const isSlow = channel === 'slow' || channel === 'stalled';
	return `${badCount} of ${judgedCount} results ${channelRules[channel].noun}${isSlow || codes.length === 0 ? '' : `: ${codes.join(', ')}`}${control === '' ? '' : `; ${control}`}`;
}

/** A provider that nobody can use is critical, one of its models major. What a minority of the vantages sees is a regional issue: minor. */
function impactOf(state: JudgeState, { cause, severity, scope, id }: LatticeIncidentDecision): Impact {
	if (cause !== 'provider') return 'none';
	if (severity !== 'down') return 'minor';
	if (scope.vantage !== null && !isMajority(state, scope, id)) return 'minor';
	return scope.model === null ? 'critical' : 'major';
}

/** Do the vantages of this and of other open incidents make a strict majority of those that see its targets? */
function isMajority({ lattice }: JudgeState, scope: LatticeIncidentDecision['scope'], ownId: string): boolean {
	const trusted = new Set<string>();
	const down = new Set([scope.vantage]);
	for (const endpoint of lattice.endpoints) {
		if (endpoint.retired || lattice.vantages[endpoint.vantage]?.blindIncident || !covers({ ...scope, vantage: null }, endpoint)) continue;
		trusted.add(endpoint.vantage);
		const isDown = lattice.incidents.some(
			(other) => other.id !== ownId && other.cause === 'provider' && other.severity === 'down' && covers(other.scope, endpoint),
		);
		if (isDown) down.add(endpoint.vantage);
	}
	return down.size * 2 > trusted.size;
}

/** Empty: the target is no longer configured. */
function reprobeOf(state: JudgeState, { provider, model, vantage, delayMs, reason }: LatticeReprobe): ReprobeDecision[] {
	const targetId = `${provider}:${model}`;
	const target = state.targets[targetId];
	return target === undefined ? [] : [{ type: 'reprobe', targetId, vantage, canary: target.canary, delayMs, reason }];
}
