/** Opening, changing and closing an incident: the only places where the list of incidents changes. */
import { hash32 } from '#core/hash.ts';
import {
	type Ending,
	type LatticeDecision,
	type LatticeIncident,
	type LatticeIncidentDecision,
	type LatticeScope,
	type LatticeState,
	type Severity,
	sameScope,
	scopeWords,
} from './lattice-state.ts';

/** A resolved incident is remembered this long; a relapse within it waits longer before it resolves. */
export const relapseMs = 30 * 60_000;

type Opening = Pick<LatticeIncident, 'scope' | 'severity' | 'cause' | 'channel' | 'onsetAt' | 'reason'> & Partial<LatticeIncident>;

export function openIncident(state: LatticeState, opening: Opening, decisions: LatticeDecision[]): LatticeIncident {
	const last = state.resolved.findLast(
		({ scope, channel, resolvedAt, firstId }) =>
			sameScope(scope, opening.scope) &&
			channel === opening.channel &&
			state.nowAt - resolvedAt <= relapseMs &&
			!state.incidents.some((open) => open.firstId === firstId),
	);
	state.incidentCount += 1;
	// The same replay gives the same id; two that begin together differ by what they say.
	const said = `${scopeWords(opening.scope)}\n${opening.cause}\n${opening.channel}\n${state.incidentCount}`;
	const id = `inc-${opening.onsetAt.toString(36)}-${hash32(said).toString(36)}`;
	const incident: LatticeIncident = {
		...{ id, firstId: last?.firstId ?? id, openedAt: state.nowAt, lastBadAt: opening.onsetAt, badCount: 0, judgedCount: 0, goodSinceBad: 0 },
		...{ sawTimeout: false, recoveryFromAt: opening.onsetAt, relapses: last === undefined ? 0 : last.relapses + 1, recoveryAsks: 0 },
		...{ recovering: false, nats: 0, control: '' },
		...opening,
	};
	state.incidents.push(incident);
	decisions.push(decisionOf('open', incident, state.nowAt));
	return incident;
}

export function updateIncident(
	state: LatticeState,
	incident: LatticeIncident,
	change: { scope?: LatticeScope; severity?: Severity; nats?: number; control?: string; reason: string },
	decisions: LatticeDecision[],
): void {
	Object.assign(incident, change);
	decisions.push(decisionOf('update', incident, state.nowAt));
}

/** Its end is in sight, or no longer. */
export function markRecovering(state: LatticeState, incident: LatticeIncident, recovering: boolean, reason: string, decisions: LatticeDecision[]): void {
	incident.recovering = recovering;
	decisions.push({ ...decisionOf(recovering ? 'recovering' : 'failing_again', incident, state.nowAt), reason });
}

export function resolveIncident(state: LatticeState, incident: LatticeIncident, ending: Ending, reason: string, decisions: LatticeDecision[]): void {
	state.incidents = state.incidents.filter((other) => other !== incident);
	const { scope, id, firstId, channel, relapses } = incident;
	state.resolved = state.resolved.filter(({ resolvedAt }) => state.nowAt - resolvedAt <= relapseMs);
	state.resolved.push({ scope, id, firstId, channel, resolvedAt: state.nowAt, relapses });
	decisions.push({ ...decisionOf('resolve', { ...incident, reason }, state.nowAt), ending });
}

function decisionOf(type: LatticeIncidentDecision['type'], incident: LatticeIncident, at: number): LatticeIncidentDecision {
	const { id, firstId, scope, severity, cause, channel, onsetAt, nats, badCount, judgedCount, control, reason } = incident;
	return { type, id, firstId, at, scope: { ...scope }, severity, cause, channel, onsetAt, nats, badCount, judgedCount, control, ending: null, reason };
}
