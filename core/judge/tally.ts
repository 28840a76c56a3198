/** The numbers of an open incident: counted from its onset, and on with each result in its scope. */
import type { IncidentEvidence } from '#core/incident.ts';
import { covers, endpointAt, type LatticeIncidentDecision, type LatticeScope, type LatticeState } from '#core/lattice/lattice-state.ts';
import type { ProbeResult } from '#core/probe-result.ts';
import { targetId } from '#core/target.ts';
import { checkedWell } from './checked-well.ts';
import type { JudgeState, Remembered, Tally } from './judge-state.ts';

const rememberedMax = 20;
const rememberedMs = 3_600_000;
const examplesMax = 10;

/** Null: a good result, of which the lattice keeps what is needed. */
export function rememberedOf(id: string, { startedAt, outcome, sli }: ProbeResult): Remembered | null {
	if (startedAt === null || sli === 'good') return null;
	return { id, startedAt, outcome, bad: sli === 'bad' || outcome === 'canary_mismatch' };
}

export function remember(state: JudgeState, result: ProbeResult, one: Remembered): void {
	const key = `${targetId(result)}\n${result.vantage}`;
	const kept = (state.remembered[key] ?? []).filter(({ startedAt }) => one.startedAt - startedAt <= rememberedMs);
	state.remembered[key] = [...kept, one].slice(-rememberedMax);
}

/** What a new incident stands on: every result in its scope since its onset. */
export function openTally(state: JudgeState, { firstId, scope, onsetAt }: LatticeIncidentDecision): Tally {
	const tally: Tally = { incidentId: firstId, scope, since: onsetAt, closedAt: null, good: 0, bad: 0, excluded: 0, outcomes: {}, vantages: [], examples: [] };
	const bad = Object.entries(state.remembered)
		.filter(([key]) => inScope(scope, nameOf(key)))
		.flatMap(([key, list]) => list.filter(({ startedAt }) => startedAt >= onsetAt).map((one) => ({ ...one, vantage: nameOf(key).vantage })))
		.sort((a, b) => a.startedAt - b.startedAt);
	for (const one of bad) addBad(tally, one, one.vantage);
	const { lattice } = state;
	for (const provider of Object.values(lattice.providers)) {
		if (scope.provider !== null && scope.provider !== provider.name) continue;
		for (const { startedAt, endpoint, outcome } of provider.samples)
			if (startedAt >= onsetAt && outcome === 'ok' && covers(scope, endpointAt(lattice, endpoint))) addGood(tally, endpointAt(lattice, endpoint).vantage);
	}
	return tally;
}

/** Ids of the incidents whose numbers it moved. */
export function countResult(state: JudgeState, result: ProbeResult, one: Remembered | null): Tally[] {
	const { provider, vantage, startedAt } = result;
	const name = { provider, model: `${result.model}:${result.operation}`, vantage };
	const moved: Tally[] = [];
	for (const tally of Object.values(state.tallies)) {
		if (tally.closedAt !== null || startedAt === null || startedAt < tally.since || !inScope(tally.scope, name)) continue;
		if (one === null) addGood(tally, vantage);
		else addBad(tally, one, vantage);
		moved.push(tally);
	}
	return moved;
}

export function evidenceOf(lattice: LatticeState, tally: Tally): IncidentEvidence {
	const { good, bad, excluded, outcomes, vantages, examples, scope, since } = tally;
	const nats = lattice.incidents.find(({ firstId }) => firstId === tally.incidentId)?.nats ?? 0;
	return {
		...{ good, bad, excluded, outcomes: { ...outcomes }, vantages: [...vantages], exampleResultIds: [...examples] },
		...{ nats: nats === 0 ? null : Math.round(nats * 10) / 10, checked: scope.provider === null ? null : checkedWell(lattice, scope, since) },
	};
}

/** Ids of every target in a scope. */
export function targetsOf({ lattice }: JudgeState, scope: LatticeScope): string[] {
	const ids = lattice.endpoints.filter((endpoint) => !endpoint.retired && covers(scope, endpoint)).map(({ provider, model }) => `${provider}:${model}`);
	return [...new Set(ids)];
}

const inScope = covers;

/** Of a key of `remembered`. A provider's name has no colon. */
function nameOf(key: string): { provider: string; model: string; vantage: string } {
	const [target = '', vantage = ''] = key.split('\n');
	const colon = target.indexOf(':');
	return { provider: target.slice(0, colon), model: target.slice(colon + 1), vantage };
}

function addGood(tally: Tally, vantage: string): void {
	tally.good += 1;
	tally.outcomes.ok = (tally.outcomes.ok ?? 0) + 1;
	if (!tally.vantages.includes(vantage)) tally.vantages.push(vantage);
}

function addBad(tally: Tally, { id, outcome, bad }: Remembered, vantage: string): void {
	if (bad) {
		tally.bad += 1;
		tally.examples = [id, ...tally.examples].slice(0, examplesMax);
	} else tally.excluded += 1;
	tally.outcomes[outcome] = (tally.outcomes[outcome] ?? 0) + 1;
	if (!tally.vantages.includes(vantage)) tally.vantages.push(vantage);
}
