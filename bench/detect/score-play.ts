/** Holds the decisions of a play against its truths. */
import { covers, type LatticeIncidentDecision, type LatticeScope } from '#core/lattice/lattice-state.ts';
import type { Endpoint } from './fleet.ts';
import type { Play } from './play-world.ts';
import type { Scenario, Truth } from './scenarios.ts';

export interface TruthScore {
	/** ms from the first probe that it hit, and from its onset; null: missed. */
	readonly detectMs: number | null;
	readonly detectFromOnsetMs: number | null;
	readonly exactAtOpen: boolean;
	readonly exact: boolean;
	readonly opens: number;
	readonly resolves: number;
	readonly prematureResolves: number;
	/** ms from its end; null: not resolved while the world lasted. */
	readonly resolveMs: number | null;
}

export interface Score {
	readonly truths: readonly TruthScore[];
	/** Provider incidents that match no truth. */
	readonly falseOpens: readonly LatticeIncidentDecision[];
	readonly monitorOpens: number;
	readonly operatorOpens: number;
}

interface Life {
	readonly open: LatticeIncidentDecision;
	scope: LatticeScope;
	resolvedAt: number | null;
	absorbed: boolean;
}

/** A result may be on its way this long after the trouble has ended. */
const graceMs = 90_000;

export function scorePlay(play: Play, scenario: Scenario, fleet: readonly Endpoint[]): Score {
	const lives = new Map<string, Life>();
	for (const decision of play.decisions) {
		if (decision.type === 'reprobe' || decision.type === 'recovering' || decision.type === 'failing_again') continue;
		if (decision.type === 'open') lives.set(decision.id, { open: decision, scope: decision.scope, resolvedAt: null, absorbed: false });
		const life = lives.get(decision.id);
		if (life === undefined) throw new Error(`Expected an opened incident, got ${decision.id}`);
		if (decision.type === 'update') life.scope = decision.scope;
		if (decision.type === 'resolve') {
			life.resolvedAt = decision.at;
			life.absorbed = decision.ending === 'absorbed';
		}
	}
	const provider = [...lives.values()].filter(({ open }) => open.cause === 'provider');
	const setOf = (scope: LatticeScope) => new Set(fleet.filter((endpoint) => covers(scope, endpoint)).map(({ place }) => place));
	const same = (a: LatticeScope, b: LatticeScope) => setOf(a).symmetricDifference(setOf(b)).size === 0;
	const fits = (life: Life, truth: Truth) =>
		life.open.at >= truth.fromAt && life.open.at <= truth.toAt + graceMs && !setOf(life.scope).isDisjointFrom(setOf(truth.scope));

	const truths = scenario.truths.map((truth, i): TruthScore => {
		const mine = provider.filter((life) => fits(life, truth));
		const seenAt = play.seenAt[i] ?? truth.fromAt;
		// One that is still open from a truth before says it already.
		const standing = provider.find(
			({ open, scope, resolvedAt }) => open.at < truth.fromAt && (resolvedAt ?? Number.POSITIVE_INFINITY) > truth.fromAt && same(scope, truth.scope),
		);
		const first = mine[0] ?? standing;
		const detectedAt = mine[0]?.open.at ?? (standing === undefined ? null : truth.fromAt);
		// Flapping trouble may be called over between two bursts.
		const isOn = (at: number) =>
			scenario.faults.some(({ scope, fromAt, toAt }) => at > fromAt + 60_000 && at < toAt && at < truth.toAt && at > truth.fromAt && same(scope, truth.scope));
		const real = mine.filter(({ absorbed }) => !absorbed);
		const early = real.filter(({ resolvedAt }) => resolvedAt !== null && isOn(resolvedAt));
		const lastResolved = real.at(-1)?.resolvedAt ?? null;
		return {
			detectMs: detectedAt === null ? null : Math.max(0, detectedAt - seenAt),
			detectFromOnsetMs: detectedAt === null ? null : detectedAt - truth.fromAt,
			exactAtOpen: first !== undefined && same(first.open.scope, truth.scope),
			exact: real.some(({ scope }) => same(scope, truth.scope)) || (real.length === 0 && standing !== undefined),
			...{ opens: mine.length, resolves: real.filter(({ resolvedAt }) => resolvedAt !== null).length, prematureResolves: early.length },
			resolveMs: lastResolved === null || lastResolved < truth.toAt ? null : lastResolved - truth.toAt,
		};
	});
	const causeCount = (...causes: string[]) => [...lives.values()].filter(({ open }) => causes.includes(open.cause)).length;
	return {
		truths,
		falseOpens: provider.filter((life) => !scenario.truths.some((truth) => fits(life, truth))).map(({ open }) => open),
		monitorOpens: causeCount('monitor'),
		operatorOpens: causeCount('credentials', 'rate_limit', 'quota'),
	};
}
