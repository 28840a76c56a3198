/** What goes wrong: one class of trouble a world, with the truth that the detector is held against. */
import type { LatticeOutcome, LatticeScope } from '#core/lattice/lattice-state.ts';
import type { Endpoint } from './fleet.ts';
import type { Random } from './random.ts';

export interface Fault {
	readonly scope: LatticeScope;
	readonly fromAt: number;
	readonly toAt: number;
	/** Share of probes that it hits, at its start and at its end. */
	readonly shareRatio: number;
	readonly endShareRatio?: number;
	/** A failure, or so many times slower. */
	readonly effect: LatticeOutcome | number;
}

export interface Truth {
	readonly scope: LatticeScope;
	readonly fromAt: number;
	readonly toAt: number;
}

export interface Scenario {
	readonly faults: readonly Fault[];
	/** Outages of providers. Empty: nothing that happens may be blamed on one. */
	readonly truths: readonly Truth[];
	readonly maintenance: readonly (Truth & { readonly announcedAt: number })[];
	/** No probes run. */
	readonly gap: { readonly fromAt: number; readonly toAt: number } | null;
	readonly endAt: number;
}

type Build = (tools: Tools) => Partial<Scenario>;
interface Tools {
	readonly random: Random;
	/** When trouble begins. */
	readonly at: number;
	readonly some: (kind: Kind) => LatticeScope;
	readonly fleet: readonly Endpoint[];
}
type Kind = 'endpoint' | 'model' | 'vantage' | 'provider' | 'any';

const minute = 60_000;
const hardEffects: readonly LatticeOutcome[] = ['timeout', 'timeout', 'http_5xx', 'http_5xx', 'connect', 'stream_broken'];

function outage(scope: LatticeScope, fromAt: number, lastMs: number, effect: Fault['effect'], shareRatio = 1, endShareRatio = shareRatio): Partial<Scenario> {
	const toAt = fromAt + lastMs;
	return { faults: [{ scope, fromAt, toAt, shareRatio, endShareRatio, effect }], truths: [{ scope, fromAt, toAt }] };
}

const join = (...parts: readonly Partial<Scenario>[]): Partial<Scenario> => ({
	faults: parts.flatMap(({ faults = [] }) => faults),
	truths: parts.flatMap(({ truths = [] }) => truths),
});

const hard =
	(kind: Kind): Build =>
	({ random, at, some }) =>
		outage(some(kind), at, random.between(8, 30) * minute, random.pick(hardEffects));
const partial =
	(share: number): Build =>
	({ random, at, some }) =>
		outage(some('any'), at, random.between(40, 60) * minute, random.pick(hardEffects), share);
const slower =
	(factor: number): Build =>
	({ random, at, some }) =>
		outage(some('any'), at, random.between(25, 40) * minute, factor);
const wrongly =
	(share: number): Build =>
	({ random, at, some }) =>
		outage(some('any'), at, random.between(40, 60) * minute, random.pick(['wrong', 'wrong', 'empty'] as const), share);
const networkEffects: readonly LatticeOutcome[] = ['timeout', 'connect', 'connect'];
const everywhere: LatticeScope = { provider: null, model: null, vantage: null };
const ours = (scope: LatticeScope, fromAt: number, lastMs: number, effect: Fault['effect'], shareRatio = 1): Partial<Scenario> => ({
	faults: [{ scope, fromAt, toAt: fromAt + lastMs, effect, shareRatio }],
});
const vantageOf = ({ vantage }: LatticeScope): LatticeScope => ({ provider: null, model: null, vantage });

/** `hard`: part of the hard* figure. `own`: nothing in it is a provider's fault, beyond its truths. */
export const scenarioClasses: Readonly<Record<string, { readonly group: 'hard' | 'soft' | 'own'; readonly build: Build }>> = {
	'hard endpoint': { group: 'hard', build: hard('endpoint') },
	'hard model': { group: 'hard', build: hard('model') },
	'hard provider × vantage': { group: 'hard', build: hard('vantage') },
	'hard provider': { group: 'hard', build: hard('provider') },
	'short provider': { group: 'hard', build: ({ random, at, some }) => outage(some('provider'), at, random.between(2.5, 4) * minute, random.pick(hardEffects)) },
	'two models of one': {
		group: 'hard',
		build: ({ random, at, some, fleet }) => {
			const first = some('model');
			const siblings = [...new Set(fleet.filter(({ provider, model }) => provider === first.provider && model !== first.model).map(({ model }) => model))];
			const second = siblings.length < 2 ? null : { ...first, model: random.pick(siblings) };
			const lastMs = random.between(10, 20) * minute;
			const one = outage(first, at, lastMs, random.pick(hardEffects));
			return second === null ? one : join(one, outage(second, at + random.between(0, 4) * minute, lastMs, random.pick(hardEffects)));
		},
	},
	'two providers': {
		group: 'hard',
		build: ({ random, at, some }) => {
			const first = some('provider');
			let second = some('any');
			for (let i = 0; second.provider === first.provider && i < 20; i += 1) second = some('any');
			const one = outage(first, at, 15 * minute, random.pick(hardEffects));
			return second.provider === first.provider ? one : join(one, outage(second, at + random.between(0, 5) * minute, 15 * minute, random.pick(hardEffects)));
		},
	},
	'shared by several providers': {
		group: 'hard',
		build: ({ random, at, fleet }) => {
			const providers = [...new Set(fleet.map(({ provider }) => provider))];
			const hit = providers.sort(() => random.next() - 0.5).slice(0, Math.max(1, Math.min(2 + random.int(2), providers.length - 2)));
			const effect = random.pick(hardEffects);
			return join(...hit.map((provider) => outage({ provider, model: null, vantage: null }, at, 15 * minute, effect)));
		},
	},
	'maintenance overrun': {
		group: 'hard',
		build: ({ random, at, some }) => {
			const scope = some('provider');
			const fromAt = at - 15 * minute;
			return {
				faults: [{ scope, fromAt, toAt: at + 15 * minute, effect: random.pick(hardEffects), shareRatio: 1 }],
				truths: [{ scope, fromAt: at, toAt: at + 15 * minute }],
				maintenance: [{ scope, fromAt, toAt: at, announcedAt: fromAt - 10 * minute }],
			};
		},
	},
	relapse: {
		group: 'hard',
		build: ({ random, at, some }) => {
			const scope = some('any');
			const effect = random.pick(hardEffects);
			return join(outage(scope, at, 8 * minute, effect), outage(scope, at + 14 * minute, 8 * minute, effect));
		},
	},
	flapping: {
		group: 'soft',
		build: ({ random, at, some }) => {
			const scope = some('provider');
			const faults = Array.from({ length: 8 }, (_, i) => {
				const fromAt = at + i * 4 * minute;
				return { scope, fromAt, toAt: fromAt + 2 * minute, shareRatio: 1, effect: 'http_5xx' as const };
			});
			void random;
			return { faults, truths: [{ scope, fromAt: at, toAt: at + 30 * minute }] };
		},
	},
	'60 % errors': { group: 'soft', build: partial(0.6) },
	'40 % errors': { group: 'soft', build: partial(0.4) },
	'20 % errors': { group: 'soft', build: partial(0.2) },
	'slow burn 2 → 60 %': { group: 'soft', build: ({ random, at, some }) => outage(some('any'), at, 50 * minute, random.pick(hardEffects), 0.02, 0.6) },
	'10 × slow': { group: 'soft', build: slower(10) },
	'3 × slow': { group: 'soft', build: slower(3) },
	'half stall': { group: 'soft', build: ({ random, at, some }) => outage(some('any'), at, random.between(20, 40) * minute, 'timeout', 0.5) },
	'wrong answers': { group: 'soft', build: wrongly(1) },
	'one wrong in six': { group: 'soft', build: wrongly(1 / 6) },
	'blind vantage': {
		group: 'own',
		build: ({ random, at, some }) => ours(vantageOf(some('vantage')), at, random.between(3, 20) * minute, random.pick(networkEffects)),
	},
	'blind everywhere': { group: 'own', build: ({ random, at }) => ours(everywhere, at, random.between(3, 20) * minute, random.pick(networkEffects)) },
	'half-blind vantage': {
		group: 'own',
		build: ({ random, at, some }) =>
			ours(vantageOf(some('vantage')), at, random.between(5, 25) * minute, random.pick(networkEffects), random.between(0.3, 0.7)),
	},
	'slow monitor': {
		group: 'own',
		build: ({ random, at, some }) => ours(vantageOf(some('vantage')), at, random.between(8, 25) * minute, random.logBetween(2.5, 8)),
	},
	'blind and a real outage': {
		group: 'own',
		build: ({ random, at, some }) => {
			const scope = some('provider');
			const blind = ours(vantageOf(some('vantage')), at, 15 * minute, random.pick(networkEffects));
			return join(blind, outage(scope, at + random.between(-4, 4) * minute, 15 * minute, random.pick(hardEffects)));
		},
	},
	'key refused': { group: 'own', build: ({ random, at, some }) => ours(some('provider'), at, random.between(5, 30) * minute, 'auth') },
	'rate-limited': {
		group: 'own',
		build: ({ random, at, some }) => ours(some('provider'), at, random.between(5, 20) * minute, 'rate_limited', random.between(0.4, 0.9)),
	},
	blips: {
		group: 'own',
		build: ({ random, at, some }) =>
			join(
				...Array.from({ length: 6 }, () =>
					ours(some('any'), at + random.between(0, 40) * minute, random.between(2, 19) * 1_000, random.pick(['http_5xx', 'connect', 'stream_broken'] as const)),
				),
			),
	},
	maintenance: {
		group: 'own',
		build: ({ random, at, some }) => {
			const scope = some('any');
			const toAt = at + random.between(10, 30) * minute;
			const announced = { scope, fromAt: at, toAt, announcedAt: at - 5 * minute };
			return { faults: [{ scope, fromAt: at + 1_000, toAt: toAt - 30_000, shareRatio: 1, effect: random.pick(hardEffects) }], maintenance: [announced] };
		},
	},
	'monitor gap': { group: 'own', build: ({ random, at }) => ({ gap: { fromAt: at, toAt: at + random.between(3, 40) * minute } }) },
};

export function buildScenario(name: string, fleet: readonly Endpoint[], startAt: number, intervalMs: number, random: Random): Scenario {
	const entry = scenarioClasses[name];
	if (entry === undefined) throw new RangeError(`Expected a class of scenarios, got "${name}"`);
	const some = (kind: Kind): LatticeScope => {
		const { provider, model, vantage } = random.pick(fleet);
		const here = kind === 'any' ? random.pick(['endpoint', 'model', 'vantage', 'provider'] as const) : kind;
		if (here === 'endpoint') return { provider, model, vantage };
		if (here === 'model') return { provider, model, vantage: null };
		return { provider, model: null, vantage: here === 'vantage' ? vantage : null };
	};
	// A scarcer schedule needs longer trouble to say the same.
	const stretch = Math.max(1, intervalMs / minute / 2);
	const built = entry.build({ random, at: 0, some, fleet });
	const move = <T extends { fromAt: number; toAt: number }>(one: T): T => ({
		...one,
		fromAt: startAt + one.fromAt * stretch,
		toAt: startAt + one.toAt * stretch,
	});
	const parts = { faults: (built.faults ?? []).map(name === 'blips' ? shift(startAt) : move), truths: (built.truths ?? []).map(move) };
	const maintenance = (built.maintenance ?? []).map((one) => ({ ...move(one), announcedAt: startAt + one.announcedAt * stretch }));
	const gap = built.gap ? move(built.gap) : null;
	const last = Math.max(startAt + 40 * minute, ...[...parts.faults, ...maintenance, ...(gap === null ? [] : [gap])].map(({ toAt }) => toAt));
	return { ...parts, maintenance, gap, endAt: last + 15 * minute * stretch };
}

const shift =
	(byMs: number) =>
	<T extends { fromAt: number; toAt: number }>(one: T): T => ({ ...one, fromAt: one.fromAt + byMs, toAt: one.toAt + byMs });
