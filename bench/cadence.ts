/**
 * A day whose budget pays only a part of the configured cadence: how soon trouble is told when all intervals are stretched alike, and when the plan
 * (core/plan-cadence.ts) says who is probed how often. The same worlds, the same detector, the same money. No time is measured.
 * `node bench/cadence.ts [--worlds N] [--budgets 1,0.5,0.2,0.1]`
 */
import { parseArgs } from 'node:util';
import { type CadencePlan, keepsSlot, plannedIntervalMs } from '#core/cadence.ts';
import { typicalMicroUsd } from '#core/cost.ts';
import { createLatticeState } from '#core/lattice/lattice-state.ts';
import { observe } from '#core/lattice/observe.ts';
import { type CadenceTarget, planCadence } from '#core/plan-cadence.ts';
import type { Price, Target } from '#core/target.ts';
import { sampleTarget } from '#test/sample-results.ts';
import { createFleet, type Endpoint, type FleetOptions, usualFleet } from './detect/fleet.ts';
import { type Detector, type Play, playWorld } from './detect/play-world.ts';
import { createRandom } from './detect/random.ts';
import { buildScenario, scenarioClasses } from './detect/scenarios.ts';
import { scorePlay } from './detect/score-play.ts';

const { values: args } = parseArgs({
	options: { worlds: { type: 'string', default: '4' }, budgets: { type: 'string', default: '1,0.5,0.2,0.1' }, models: { type: 'string' } },
});
const worldCount = Number(args.worlds);
const minute = 60_000;
const hour = 60 * minute;
const planEveryMs = 30_000;
const baseAt = Date.UTC(2026, 10, 23);
const firstSeed = 700_000;
const options: FleetOptions = { ...usualFleet, models: args.models === undefined ? null : Number(args.models) };

/** USD per million tokens as public lists have them (LiteLLM's price file): a provider's large, middle and small model, and a smaller one. */
const families: readonly (readonly Price[])[] = [
	[15, 75, 3, 15, 1, 5, 0.25, 1.25],
	[1.25, 10, 2.5, 10, 0.25, 2, 0.05, 0.4],
	[1.25, 10, 0.3, 2.5, 0.1, 0.4, 0.075, 0.3],
	[2, 6, 0.4, 2, 0.1, 0.3, 0.04, 0.04],
	[0.59, 0.79, 0.27, 1.1, 0.11, 0.34, 0.05, 0.08],
].map((row) => [0, 1, 2, 3].map((i) => ({ inputUsdPerMTok: row[2 * i] ?? 1, outputUsdPerMTok: row[2 * i + 1] ?? 1 })));

/** Worlds with trouble of a provider; one that hits fewer than all of its models is told apart. */
const classes = Object.entries(scenarioClasses).filter(([name, { group }]) => group !== 'own' && name !== 'maintenance overrun');

interface World {
	readonly name: string;
	readonly seed: number;
	readonly share: number;
}

interface Outcome {
	readonly delays: readonly { readonly ms: number; readonly kind: 'provider' | 'model'; readonly hard: boolean }[];
	/** Of what the share pays. */
	readonly spentRatio: number;
	readonly perDayUsd: number;
	readonly falseOpens: number;
}

function targetsOf(fleet: readonly Endpoint[], seed: number): Map<string, Target> {
	const random = createRandom(seed + 1);
	const familyOf = new Map<string, readonly Price[]>();
	const targets = new Map<string, Target>();
	for (const { provider, model } of fleet) {
		const id = `${provider}:${model}:chat`;
		const family = familyOf.get(provider) ?? random.pick(families);
		familyOf.set(provider, family);
		if (!targets.has(id)) targets.set(id, sampleTarget(id, { intervalMs: options.intervalMs, price: random.pick(family) }));
	}
	return targets;
}

/** @param planned false: all intervals are stretched alike, to what the budget pays */
function play({ name, seed, share }: World, planned: boolean): Outcome {
	const random = createRandom(seed);
	const fixedMs = options.intervalMs / share;
	const drawn = createFleet(options, random);
	const fleet = planned ? drawn : drawn.map((endpoint) => ({ ...endpoint, offsetMs: endpoint.offsetMs / share }));
	const startAt = baseAt + 8 * hour + random.int(8 * hour);
	// Trouble lasts as long as it lasts, however rarely one looks.
	const scenario = buildScenario(name, drawn, startAt, options.intervalMs, random);
	const fromAt = startAt - Math.max(2 * hour, 30 * fixedMs);
	const targets = targetsOf(fleet, seed);
	const idOf = ({ provider, model }: { provider: string; model: string }) => `${provider}:${model}:chat`;
	const probeCost = (id: string) => {
		const target = targets.get(id);
		return target?.canaries[0] === undefined ? 0 : typicalMicroUsd(target, target.canaries[0]);
	};
	const vantages = [...new Set(fleet.map(({ vantage }) => vantage))].sort();
	const fullPerMs = [...targets.keys()].reduce((sum, id) => sum + (probeCost(id) * vantages.length) / options.intervalMs, 0);
	const state = createLatticeState({ ...latticeOptions(fleet, planned ? options.intervalMs : fixedMs) });
	const votes = new Map<string, boolean[]>();
	let spent = 0;
	let plan: CadencePlan | null = null;
	let plannedAt = Number.NEGATIVE_INFINITY;
	const dayEndsAt = baseAt + 24 * hour;

	const replan = (at: number) => {
		plannedAt = at;
		const rows = [...targets.values()].map(({ id, provider, intervalMs }): CadenceTarget => {
			const own = fleet.filter((endpoint) => idOf(endpoint) === id);
			const inScope = (scope: { provider: string | null; model: string | null }) =>
				scope.provider === provider && (scope.model === null || scope.model === own[0]?.model);
			const pressed =
				state.incidents.some(({ cause, scope }) => cause === 'provider' && inScope(scope)) ||
				(state.providers[provider]?.doubts ?? []).some(({ scope }) => inScope(scope));
			const near = own.some(({ place }) => votes.get(String(place))?.some((bad) => bad));
			return {
				...{ id, provider, intervalMs, probesPerSlot: vantages.length, probeMicroUsd: probeCost(id), unstable: false },
				urgency: pressed ? 'incident' : near ? 'near' : null,
			};
		});
		const leftMicroUsd = fullPerMs * share * (dayEndsAt - fromAt) - spent;
		plan = planCadence({ now: at, dayEndsAt, leftMicroUsd, vantages, targets: rows, previous: plan });
		for (const provider of Object.values(state.providers)) {
			const own = [...targets.values()].filter((target) => target.provider === provider.name);
			provider.intervalMs = Math.max(...own.map((target) => plannedIntervalMs(target, plan, at)));
		}
	};
	const detector: Detector = (input) => {
		if (input.type === 'result' && !input.reprobe) {
			const place = String(fleet.find((one) => one.provider === input.provider && one.model === input.model && one.vantage === input.vantage)?.place);
			votes.set(place, [input.outcome !== 'ok', ...(votes.get(place) ?? [])].slice(0, 3));
		}
		if (planned && input.at - plannedAt >= planEveryMs) replan(input.at);
		return observe(state, input);
	};
	const keeps = (endpoint: Endpoint, slotAt: number) => {
		const target = targets.get(idOf(endpoint));
		return target === undefined || keepsSlot(plan, { target, canary: 'echo', vantage: endpoint.vantage }, slotAt);
	};
	const onProbe = (endpoint: Endpoint) => {
		spent += probeCost(idOf(endpoint));
	};
	if (planned) replan(fromAt);
	const world = { fleet, scenario, fromAt, random, options: planned ? options : { ...options, intervalMs: fixedMs }, onProbe };
	const played: Play = playWorld(planned ? { ...world, keeps } : world, () => detector);
	const score = scorePlay(played, scenario, fleet);
	return {
		delays: score.truths.map(({ detectFromOnsetMs }, i) => {
			const scope = scenario.truths[i]?.scope;
			return {
				ms: detectFromOnsetMs ?? Number.POSITIVE_INFINITY,
				kind: scope?.model === null ? 'provider' : 'model',
				hard: scenarioClasses[name]?.group === 'hard',
			};
		}),
		spentRatio: spent / (fullPerMs * share * (scenario.endAt - fromAt)),
		perDayUsd: ((spent / (scenario.endAt - fromAt)) * 24 * hour) / 1e6,
		falseOpens: score.falseOpens.length,
	};
}

function latticeOptions(fleet: readonly Endpoint[], baseIntervalMs: number) {
	const endpoints = fleet.map(({ provider, model, vantage }) => ({ provider, model, vantage }));
	return { baseIntervalMs, timeoutMs: 20_000, endpoints, reprobe: { minSpacingMs: 5_000, perDay: Math.max(2_000, fleet.length * 60), burst: 120 } };
}

const quantile = (values: readonly number[], q: number) => {
	const sorted = [...values].sort((a, b) => a - b);
	return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN;
};
const shown = (ms: number) => (Number.isFinite(ms) ? Math.round(ms / 1_000) : 'missed');
const ratioOf = (fixed: number, plan: number) => (Number.isFinite(fixed) && Number.isFinite(plan) ? Number((fixed / plan).toFixed(2)) : '–');

for (const share of args.budgets.split(',').map(Number)) {
	const [fixed, plan]: [Outcome[], Outcome[]] = [[], []];
	for (const [c, [name]] of classes.entries()) {
		for (let i = 0; i < worldCount; i += 1) {
			const world = { name, seed: firstSeed + c * 1_000 + i, share };
			const planned = play(world, true);
			plan.push(planned);
			// As much as the plan took in this very world, extra probes included.
			fixed.push(play({ ...world, share: Math.min(1, share * planned.spentRatio) }, false));
		}
		process.stderr.write(`\r${Math.round(share * 100)} %: ${c + 1} of ${classes.length} classes `);
	}
	process.stderr.write('\r');
	const mean = (outcomes: readonly Outcome[]) => outcomes.reduce((sum, one) => sum + one.perDayUsd, 0) / outcomes.length;
	const falseOpens = (outcomes: readonly Outcome[]) => outcomes.reduce((sum, one) => sum + one.falseOpens, 0);
	console.log(
		`Budget: ${share * 100} % of the configured cadence. Spent at the pace of, a day: alike $${mean(fixed).toFixed(2)}, planned $${mean(plan).toFixed(2)}. ` +
			`False incidents: ${falseOpens(fixed)}, ${falseOpens(plan)}.`,
	);
	const rows = { all: () => true, hard: (one: Outcome['delays'][number]) => one.hard, soft: (one: Outcome['delays'][number]) => !one.hard } as const;
	const groups: Record<string, (one: Outcome['delays'][number]) => boolean> = {
		...rows,
		'hard, a provider': ({ hard, kind }) => hard && kind === 'provider',
		'hard, one model': ({ hard, kind }) => hard && kind === 'model',
	};
	console.table(
		Object.fromEntries(
			Object.entries(groups).map(([group, pick]) => {
				const delays = (outcomes: readonly Outcome[]) => outcomes.flatMap((one) => one.delays.filter(pick).map(({ ms }) => ms));
				const [a, b] = [delays(fixed), delays(plan)];
				const missed = (all: readonly number[]) => all.filter((ms) => !Number.isFinite(ms)).length;
				return [
					group,
					{
						outages: a.length,
						...{ 'alike p50 s': shown(quantile(a, 0.5)), 'planned p50 s': shown(quantile(b, 0.5)), 'p50 ratio': ratioOf(quantile(a, 0.5), quantile(b, 0.5)) },
						...{
							'alike p95 s': shown(quantile(a, 0.95)),
							'planned p95 s': shown(quantile(b, 0.95)),
							'p95 ratio': ratioOf(quantile(a, 0.95), quantile(b, 0.95)),
						},
						...{ 'alike missed': missed(a), 'planned missed': missed(b) },
					},
				];
			}),
		),
	);
}
console.log(
	`Delays from the onset. ${classes.length * worldCount} worlds a budget, seeds from ${firstSeed}; one that is never told counts as an endless delay.`,
);
