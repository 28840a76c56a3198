/**
 * The evaluator: recorded results in, decisions out. Deterministic: the same inputs in the same order give the same decisions and the same
 * state, so a restart can replay them. It reads no clock; `at` comes with each input.
 */
import { hash32 } from '#core/hash.ts';
import { endpointOf } from '#core/lattice/lattice-state.ts';
import { observe } from '#core/lattice/observe.ts';
import { relapseMs } from '#core/lattice/record-incident.ts';
import { targetId } from '#core/target.ts';
import { adopt, forget } from './adopt.ts';
import type { Decision } from './decision.ts';
import type { JudgeInput, JudgeState, MaintenanceWindow } from './judge-state.ts';
import { latticeInputOf } from './lattice-input.ts';
import { countResult, evidenceOf, remember, rememberedOf, targetsOf } from './tally.ts';
import { translate } from './translate.ts';

/** Moves `state` forward in place by one input: on a failed commit throw it away and load it again. */
export function judge(state: JudgeState, input: JudgeInput): Decision[] {
	switch (input.type) {
		case 'result':
			return judgeResult(state, input);
		case 'tick':
			for (const [id, { closedAt }] of Object.entries(state.tallies)) if (closedAt !== null && input.at - closedAt > relapseMs) delete state.tallies[id];
			return observe(state.lattice, input).flatMap((decision) => translate(state, decision));
		case 'configure':
			return configure(state, input);
		case 'maintenance':
			return hearMaintenance(state, input);
		case 'reports':
			return hearReports(state, input);
		case 'adopt':
			adopt(state, input.incidents, input.at);
			return [];
		case 'forget':
			forget(state, input.ids);
			return [];
	}
}

function judgeResult(state: JudgeState, { id, result, at }: Extract<JudgeInput, { type: 'result' }>): Decision[] {
	// A result of a target that has left the configuration speaks of nothing that is judged.
	if (result.kind === 'manual' || state.targets[targetId(result)] === undefined) return [];
	joinVantage(state, result.vantage);
	const decisions: Decision[] = [];
	if (result.startedAt !== null) {
		const one = rememberedOf(id, result);
		if (one !== null) remember(state, result, one);
		for (const tally of countResult(state, result, one)) {
			const { incidentId, scope } = tally;
			decisions.push({ type: 'evidence', incidentId, evidence: evidenceOf(state.lattice, tally), targetIds: targetsOf(state, scope) });
		}
	}
	const input = latticeInputOf(id, result, at);
	if (input !== null) for (const decision of observe(state.lattice, input)) decisions.push(...translate(state, decision));
	return decisions;
}

/** A new vantage is expected to measure every target: without them a scope would be named too narrow. */
function joinVantage({ lattice, targets }: JudgeState, vantage: string): void {
	if (lattice.vantages[vantage] !== undefined) return;
	for (const { provider, model } of Object.values(targets)) endpointOf(lattice, provider, model, vantage);
}

function configure(state: JudgeState, input: Extract<JudgeInput, { type: 'configure' }>): Decision[] {
	const { at, options, targets } = input;
	const { lattice } = state;
	state.heard.configuration = configurationKey(input);
	lattice.options = { ...options, endpoints: [] };
	state.targets = Object.fromEntries(targets.map((target) => [`${target.provider}:${target.model}`, target]));
	const decisions: Decision[] = [];
	for (const { provider, model, vantage, retired } of [...lattice.endpoints]) {
		const id = `${provider}:${model}`;
		if (retired || state.targets[id] !== undefined) continue;
		delete state.remembered[`${id}\n${vantage}`];
		decisions.push(...observe(lattice, { type: 'retire', at, provider, model, vantage }).flatMap((decision) => translate(state, decision)));
	}
	const slowest = new Map<string, number>();
	for (const { provider, model, intervalMs } of targets) {
		slowest.set(provider, Math.max(intervalMs, slowest.get(provider) ?? 0));
		for (const vantage of Object.keys(lattice.vantages)) endpointOf(lattice, provider, model, vantage);
	}
	for (const [name, intervalMs] of slowest) {
		const provider = lattice.providers[name];
		if (provider !== undefined) provider.intervalMs = intervalMs;
	}
	return decisions;
}

/** Tells whether a configuration says anything new. */
export const configurationKey = ({ options, targets }: Pick<Extract<JudgeInput, { type: 'configure' }>, 'options' | 'targets'>): string => {
	const text = JSON.stringify([options, targets]);
	return `${text.length} ${hash32(text)}`;
};

export const maintenanceKey = (windows: readonly MaintenanceWindow[]): string => JSON.stringify(windows);

function hearMaintenance(state: JudgeState, { windows, at }: Extract<JudgeInput, { type: 'maintenance' }>): Decision[] {
	const { lattice } = state;
	state.heard.maintenance = maintenanceKey(windows);
	const wanted = windows.flatMap((window) => inLatticeWords(state, window));
	const ids = new Set(wanted.map(({ id }) => id));
	// A window that was called off holds no longer; one that is over keeps what it voided.
	lattice.maintenances = lattice.maintenances.filter(({ id, toAt }) => ids.has(id) || toAt <= at);
	return wanted.flatMap((window) => observe(lattice, { type: 'maintenance', at, ...window }).flatMap((decision) => translate(state, decision)));
}

export const reportsKey = (natsOf: Readonly<Record<string, number>>): string => JSON.stringify(natsOf);

function hearReports(state: JudgeState, { natsOf, at }: Extract<JudgeInput, { type: 'reports' }>): Decision[] {
	const before = JSON.parse(state.heard.reports) as Record<string, number>;
	state.heard.reports = reportsKey(natsOf);
	return [...new Set([...Object.keys(before), ...Object.keys(natsOf)])].sort().flatMap((id) => {
		const target = state.targets[id];
		if (target === undefined || before[id] === natsOf[id]) return [];
		const { provider, model } = target;
		return observe(state.lattice, { type: 'reported', at, provider, model, nats: natsOf[id] ?? 0 }).flatMap((decision) => translate(state, decision));
	});
}

/** The lattice names models with their operation, a window does not: it holds for each. */
function inLatticeWords({ targets }: JudgeState, { id, provider, model, vantage, fromAt, toAt }: MaintenanceWindow) {
	const named = Object.values(targets).filter((one) => one.model.slice(0, one.model.lastIndexOf(':')) === model);
	const models = model === null ? [null] : [...new Set(named.map((one) => one.model))];
	return models.map((one) => ({ id: `${id}\n${one}\n${fromAt}\n${toAt}`, scope: { provider, model: one, vantage }, fromAt, toAt }));
}
