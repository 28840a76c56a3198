import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
	createLatticeState,
	type EndpointName,
	type LatticeDecision,
	type LatticeIncidentDecision,
	type LatticeInput,
	type LatticeOutcome,
	type LatticeState,
} from './lattice-state.ts';
import { observe } from './observe.ts';

const start = Date.UTC(2026, 10, 23, 12);
const minute = 60_000;
/** Trouble begins here: by then every endpoint has a baseline. */
const onset = 25 * minute;
type Answer = LatticeOutcome | { readonly outcome: LatticeOutcome; readonly factor?: number; readonly totalMs?: number };
type World = (endpoint: EndpointName, at: number) => Answer;
const well: World = () => 'ok';

interface Fleet {
	readonly providers?: number;
	readonly models?: number;
	readonly vantages?: readonly string[];
	readonly reprobes?: boolean;
	/** How much later than usual a result is delivered, by its start; default: not. */
	readonly lateMs?: (at: number) => number;
}

function fleetOf({ providers = 4, models = 3, vantages = ['fra', 'iad', 'sin'] }: Fleet): EndpointName[] {
	const names = (letter: string, count: number) => Array.from({ length: count }, (_, i) => `${letter}${i}`);
	return names('p', providers).flatMap((provider) => names('m', models).flatMap((model) => vantages.map((vantage) => ({ provider, model, vantage }))));
}

const stateOf = (fleet: Fleet): LatticeState =>
	createLatticeState({
		baseIntervalMs: minute,
		timeoutMs: 20_000,
		endpoints: fleetOf(fleet),
		reprobe: fleet.reprobes === false ? null : { minSpacingMs: 5_000, perDay: 5_000, burst: 100 },
	});

interface Played {
	readonly decisions: LatticeDecision[];
	readonly inputs: LatticeInput[];
}

/** One probe of each endpoint a minute, delivered 2 s after its end; re-probes are answered. Times are ms since `start`. */
function play(world: World, toAt: number, fleet: Fleet = {}, extra: readonly LatticeInput[] = [], state: LatticeState = stateOf(fleet)): Played {
	const endpoints = fleetOf(fleet);
	const decisions: LatticeDecision[] = [];
	const inputs: LatticeInput[] = [];
	const waiting: LatticeInput[] = [...extra];
	const asked: { at: number; endpoint: EndpointName }[] = [];
	const probe = (endpoint: EndpointName, at: number, reprobe: boolean) => {
		const answer = world(endpoint, at);
		const { outcome, factor = 1, totalMs = 900 * factor } = typeof answer === 'string' ? { outcome: answer } : answer;
		const took = outcome === 'timeout' ? 20_000 : outcome === 'ok' ? totalMs : 300;
		const id = `${endpoint.provider}${endpoint.model}${endpoint.vantage}@${at}`;
		const input = {
			type: 'result',
			id,
			at: start + at + took + 2_000 + (fleet.lateMs?.(at) ?? 0),
			startedAt: start + at,
			...endpoint,
			outcome,
			totalMs: took,
			reprobe,
		} as const;
		waiting.push({ ...input, ttftMs: outcome === 'ok' ? 300 * factor : null });
	};
	for (let at = 0; at < toAt; at += 1_000) {
		for (const [i, endpoint] of endpoints.entries()) if (at % minute === Math.floor((i * 37) % 60) * 1_000) probe(endpoint, at, false);
		for (const one of asked.filter((other) => other.at < at + 1_000)) probe(one.endpoint, one.at, true);
		asked.splice(0, asked.length, ...asked.filter((other) => other.at >= at + 1_000));
		const due = waiting.filter((input) => input.at < start + at + 1_000).sort((a, b) => a.at - b.at);
		waiting.splice(0, waiting.length, ...waiting.filter((input) => input.at >= start + at + 1_000));
		for (const input of [...due, { type: 'tick', at: start + at + 1_000 } as const]) {
			inputs.push(input);
			for (const decision of observe(state, input)) {
				decisions.push(decision);
				if (decision.type !== 'reprobe') continue;
				const { provider, model, vantage } = decision;
				asked.push({ at: input.at - start + decision.delayMs, endpoint: { provider, model, vantage } });
			}
		}
	}
	return { decisions, inputs };
}

/** Without re-probes, and without changes of status, which tell nobody. */
const incidents = ({ decisions }: Played) =>
	decisions.filter(
		(decision): decision is LatticeIncidentDecision => decision.type !== 'reprobe' && decision.type !== 'recovering' && decision.type !== 'failing_again',
	);
const story = (played: Played) =>
	incidents(played).map(
		({ type, cause, scope, severity }) => `${type} ${cause} ${severity} ${scope.provider ?? '*'}/${scope.model ?? '*'}/${scope.vantage ?? '*'}`,
	);
const failing =
	(hits: (endpoint: EndpointName) => boolean, outcome: Answer = 'http_5xx', fromAt = onset, toAt = fromAt + 10 * minute): World =>
	(endpoint, at) =>
		at >= fromAt && at < toAt && hits(endpoint) ? outcome : 'ok';

describe('the lattice detector names the scope', () => {
	const cases: [string, (endpoint: EndpointName) => boolean, string][] = [
		['one endpoint', ({ provider, model, vantage }) => provider === 'p1' && model === 'm1' && vantage === 'iad', 'p1/m1/iad'],
		['one bad model is not a bad provider', ({ provider, model }) => provider === 'p1' && model === 'm1', 'p1/m1/*'],
		['a provider from one vantage', ({ provider, vantage }) => provider === 'p1' && vantage === 'iad', 'p1/*/iad'],
		['an outage of all models is one incident of the provider', ({ provider }) => provider === 'p1', 'p1/*/*'],
	];
	it.each(cases)('%s', (_, hits, scope) => {
		expect(story(play(failing(hits), onset + 20 * minute))).toEqual([`open provider down ${scope}`, `resolve provider down ${scope}`]);
	});

	it('two dead models of three are two incidents, not one of the provider', () => {
		const opened = story(
			play(
				failing(({ provider, model }) => provider === 'p1' && model !== 'm0'),
				onset + 8 * minute,
			),
		);
		expect(opened.sort()).toEqual(['open provider down p1/m1/*', 'open provider down p1/m2/*']);
	});

	it('two providers that share a fault are two incidents, and the monitor is not blamed', () => {
		const opened = story(
			play(
				failing(({ provider }) => provider < 'p2'),
				onset + 8 * minute,
			),
		);
		expect(opened.sort()).toEqual(['open provider down p0/*/*', 'open provider down p1/*/*']);
	});

	// Providers stand on others: one cloud's bad minute takes several along.
	it.each([2, 3])(
		'%i of seven providers that answer with errors from the same moment on are each told within a minute, though there is one vantage',
		(count) => {
			const fleet = { providers: 7, vantages: ['fra'] };
			const fails = ({ provider }: EndpointName) => Number(provider.slice(1)) < count;
			const opened = incidents(play(failing(fails), onset + minute, fleet));
			expect(opened.map(({ type, cause, scope }) => `${type} ${cause} ${scope.provider}/${scope.model}`).sort()).toEqual(
				Array.from({ length: count }, (_, i) => `open provider p${i}/null`),
			);
		},
	);

	it('a long standing incident of one endpoint does not hide an outage of its provider', () => {
		const both: World = ({ provider, model, vantage }, at) =>
			provider === 'p1' && ((at >= onset && model === 'm1' && vantage === 'iad') || at >= onset + 40 * minute) ? 'http_5xx' : 'ok';
		const told = story(play(both, onset + 45 * minute));
		expect(told).toEqual(['open provider down p1/m1/iad', 'resolve provider down p1/m1/iad', 'open provider down p1/*/*']);
	});

	it('of a hundred models some always fail: half of the answers of one provider that time out are told within two minutes', () => {
		const chance = ({ provider, model }: EndpointName, at: number) => {
			let hash = 0x811c9dc5;
			for (const letter of `${provider}${model}${at}`) hash = Math.imul(hash ^ letter.charCodeAt(0), 0x01000193);
			return (Math.imul(hash ^ (hash >>> 15), 0x85ebca6b) >>> 8) % 100;
		};
		const world: World = (endpoint, at) => {
			if (endpoint.provider === 'p1' && at >= onset && chance(endpoint, at) < 50) return 'timeout';
			return chance(endpoint, at) === 99 ? 'http_5xx' : 'ok';
		};
		expect(story(play(world, onset + 2 * minute, { models: 100, vantages: ['fra'] }))).toEqual(['open provider degraded p1/*/*']);
	});

	it('wrong answers degrade, and are no outage', () => {
		expect(
			story(
				play(
					failing(({ provider }) => provider === 'p2', 'wrong'),
					onset + 8 * minute,
				),
			),
		).toEqual(['open provider degraded p2/*/*']);
	});

	it('answers three times slower than usual degrade, and recover', () => {
		const slow = failing(({ provider, model }) => provider === 'p2' && model === 'm2', { outcome: 'ok', factor: 3 });
		expect(story(play(slow, onset + 20 * minute))).toEqual(['open provider degraded p2/m2/*', 'resolve provider degraded p2/m2/*']);
	});

	it('the reason gives the numbers and the onset is the first bad result', () => {
		const [opened] = incidents(
			play(
				failing(({ provider }) => provider === 'p1'),
				onset + 3 * minute,
			),
		);
		expect(opened?.reason).toMatch(
			/^\d+ of \d+ results failed: http_5xx ×\d+ \(\d+\.\d nats against a usual day\); \d+ of \d+ results of other providers were well meanwhile$/,
		);
		expect((opened?.onsetAt ?? 0) - start).toBeGreaterThanOrEqual(onset);
		expect((opened?.onsetAt ?? 0) - start).toBeLessThan(onset + 15_000);
	});
});

describe('the lattice detector never bills our faults to a provider', () => {
	const monitors = (played: Played) => incidents(played).filter(({ cause }) => cause === 'monitor');
	const blamed = (played: Played) => incidents(played).filter(({ cause }) => cause === 'provider');

	it.each(['timeout', 'connect'] as const)('one blind vantage blames nobody (%s)', (outcome) => {
		const played = play(
			failing(({ vantage }) => vantage === 'fra', outcome),
			onset + 20 * minute,
		);
		expect(blamed(played)).toEqual([]);
		expect(monitors(played).map(({ type, scope }) => [type, scope.provider, scope.vantage])).toEqual([
			['open', null, 'fra'],
			['resolve', null, 'fra'],
		]);
	});

	it.each(['timeout', 'connect'] as const)('nothing answers from anywhere: it is us (%s)', (outcome) => {
		const played = play(
			failing(() => true, outcome),
			onset + 20 * minute,
		);
		expect(blamed(played)).toEqual([]);
		expect(monitors(played)[0]?.scope).toEqual({ provider: null, model: null, vantage: null });
		expect(monitors(played).at(-1)?.type).toBe('resolve');
	});

	it.each(['timeout', 'connect', 'stream_broken'] as const)(
		'what a half-blind vantage may be is not said of several providers within its first minute (%s)',
		(outcome) => {
			const fleet = { providers: 7, vantages: ['fra'] };
			const fails = ({ provider }: EndpointName) => Number(provider.slice(1)) < 3;
			expect(blamed(play(failing(fails, outcome), onset + minute, fleet))).toEqual([]);
		},
	);

	it('a slow monitor blames nobody', () => {
		const slow = failing(({ vantage }) => vantage === 'fra', { outcome: 'ok', factor: 6 });
		expect(blamed(play(slow, onset + 15 * minute))).toEqual([]);
	});

	it('a blind vantage hides no outage that the others see', () => {
		const both = failing(({ provider, vantage }) => vantage === 'fra' || provider === 'p1', 'connect', onset, onset + 30 * minute);
		expect(blamed(play(both, onset + 10 * minute)).map(({ scope }) => scope.provider)).toContain('p1');
	});

	it('a refused key is an operator incident, closed by good results', () => {
		expect(
			story(
				play(
					failing(({ provider }) => provider === 'p1', 'auth'),
					onset + 15 * minute,
				),
			),
		).toEqual(['open credentials info p1/*/*', 'resolve credentials info p1/*/*']);
	});

	it('our own rate limit is ours', () => {
		expect(
			story(
				play(
					failing(({ provider }) => provider === 'p1', 'rate_limited'),
					onset + 20 * minute,
				),
			),
		).toEqual(['open rate_limit info p1/*/*', 'resolve rate_limit info p1/*/*']);
	});

	it('a gap in our own measuring is no outage', () => {
		const state = stateOf({});
		play(well, onset, {}, [], state);
		const later = play(well, onset + 90 * minute, {}, [], stateOf({})).inputs.filter(({ at }) => at > start + onset + 60 * minute);
		expect(later.flatMap((input) => observe(state, input)).filter(({ type }) => type !== 'reprobe')).toEqual([]);
	});

	const scope = { provider: 'p1', model: null, vantage: null };
	const maintenance = { type: 'maintenance', id: 'm', at: start + onset - minute, scope, fromAt: start + onset, toAt: start + onset + 10 * minute } as const;
	it('an announced maintenance is no outage', () => {
		const during = failing(({ provider }) => provider === 'p1', 'connect', onset, onset + 10 * minute);
		expect(story(play(during, onset + 20 * minute, {}, [maintenance]))).toEqual(['open maintenance info p1/*/*', 'resolve maintenance info p1/*/*']);
	});

	it('a maintenance that overruns is an outage from its announced end', () => {
		const overrun = failing(({ provider }) => provider === 'p1', 'connect', onset, onset + 20 * minute);
		const [opened] = blamed(play(overrun, onset + 15 * minute, {}, [maintenance]));
		expect(opened?.onsetAt).toBeGreaterThanOrEqual(maintenance.toAt);
	});

	it('with one vantage and one provider it waits two minutes and says what it can not rule out', () => {
		const lonely = { providers: 1, models: 2, vantages: ['local'] };
		const [opened] = blamed(
			play(
				failing(() => true),
				onset + 6 * minute,
				lonely,
			),
		);
		expect((opened?.at ?? 0) - (opened?.onsetAt ?? 0)).toBeGreaterThan(120_000);
		expect(opened?.reason).toContain('our own network can not be ruled out');
	});
});

describe('the lattice detector asks, waits and closes', () => {
	it('one bad result asks for one more probe and opens nothing', () => {
		const once = failing(({ provider, model, vantage }) => provider === 'p1' && model === 'm1' && vantage === 'iad', 'http_5xx', onset, onset + minute);
		const { decisions } = play(
			(endpoint, at) => (at % minute === 0 || once(endpoint, at) === 'ok' || at % 1_000 !== 0 ? 'ok' : once(endpoint, at)),
			onset + 5 * minute,
		);
		expect(decisions).toEqual([expect.objectContaining({ type: 'reprobe', provider: 'p1', model: 'm1', vantage: 'iad' })]);
	});

	it('a blip of 15 seconds is forgiven, though every probe in it fails', () => {
		expect(
			story(
				play(
					failing(({ provider }) => provider === 'p1', 'http_5xx', onset, onset + 15_000),
					onset + 10 * minute,
				),
			),
		).toEqual([]);
	});

	it('without re-probes it still finds the outage, later', () => {
		const hits = failing(({ provider, model }) => provider === 'p1' && model === 'm1');
		const [opened] = incidents(play(hits, onset + 8 * minute, { reprobes: false }));
		expect(opened?.scope).toEqual({ provider: 'p1', model: 'm1', vantage: null });
	});

	it('a quiet fleet is asked nothing and told nothing', () => {
		expect(play(well, 40 * minute).decisions).toEqual([]);
	});

	it('the early good results of a partial time-out do not resolve it', () => {
		let count = 0;
		const half: World = ({ provider }, at) => (at >= onset && provider === 'p1' && (count += 1) % 2 === 0 ? 'timeout' : 'ok');
		expect(story(play(half, onset + 30 * minute)).filter((line) => line.startsWith('resolve'))).toEqual([]);
	});

	it('a relapse continues the incident before it', () => {
		const twice: World = ({ provider }, at) =>
			provider === 'p1' && ((at >= onset && at < onset + 5 * minute) || at >= onset + 10 * minute) ? 'http_5xx' : 'ok';
		const opened = incidents(play(twice, onset + 15 * minute)).filter(({ type }) => type === 'open');
		expect(opened).toHaveLength(2);
		expect(opened[1]?.firstId).toBe(opened[0]?.id);
	});

	it('what an incident was opened on does not open the next one', () => {
		const told = story(
			play(
				failing(({ provider }) => provider === 'p1', 'timeout', onset, onset + 4 * minute),
				onset + 40 * minute,
			),
		);
		expect(told).toEqual(['open provider down p1/*/*', 'resolve provider down p1/*/*']);
	});

	it('a refused re-probe is not asked for again at once', () => {
		const state = stateOf({});
		const { inputs } = play(well, onset, {}, [], state);
		const bad = {
			...inputs.find((input) => input.type === 'result'),
			id: 'bad',
			at: start + onset,
			startedAt: start + onset - 500,
			outcome: 'http_5xx',
		} as LatticeInput;
		const asked = observe(state, bad).find(({ type }) => type === 'reprobe');
		expect(asked).toBeDefined();
		const { provider, model, vantage } = asked as unknown as EndpointName;
		observe(state, { type: 'reprobe_denied', at: start + onset, provider, model, vantage });
		const again = observe(state, { ...bad, id: 'bad2', at: start + onset + 1_000, startedAt: start + onset + 500 } as LatticeInput);
		expect(
			again.filter((decision) => decision.type === 'reprobe' && decision.model === model && decision.vantage === vantage && decision.provider === provider),
		).toEqual([]);
	});
});

describe('the lattice detector is a pure function of its inputs', () => {
	const outcome = fc.constantFrom<LatticeOutcome>('ok', 'ok', 'ok', 'ok', 'ok', 'timeout', 'connect', 'http_5xx', 'wrong', 'auth', 'rate_limited');
	const fleet = { providers: 3, models: 2, vantages: ['fra', 'iad'] };
	/** Troubles by place and time; the rest is well. */
	const worlds = fc
		.array(fc.record({ provider: fc.nat(3), vantage: fc.nat(2), model: fc.nat(2), fromAt: fc.nat(10), lastMs: fc.nat(8), outcome }), { maxLength: 4 })
		.map(
			(troubles): World =>
				({ provider, model, vantage }, at) =>
					troubles.find(
						(one) =>
							(one.provider === 3 || provider === `p${one.provider}`) &&
							(one.model === 2 || model === `m${one.model}`) &&
							(one.vantage === 2 || vantage === fleet.vantages[one.vantage]) &&
							at >= one.fromAt * minute &&
							at < (one.fromAt + one.lastMs) * minute,
					)?.outcome ?? 'ok',
		);
	const replayed = (inputs: readonly LatticeInput[], between: (state: LatticeState, i: number) => LatticeState = (state) => state) => {
		let state = stateOf(fleet);
		const decisions = inputs.flatMap((input, i) => {
			state = between(state, i);
			return observe(state, input);
		});
		return { decisions, state };
	};

	it('stored and read again at any point, it decides the same', () => {
		fc.assert(
			fc.property(worlds, fc.array(fc.nat(1_500), { maxLength: 5 }), (world, cuts) => {
				const { inputs, decisions } = play(world, 14 * minute, fleet);
				const again = replayed(inputs, (state, i) => (cuts.includes(i) ? JSON.parse(JSON.stringify(state)) : state));
				expect(again.decisions).toEqual(decisions);
				expect(JSON.parse(JSON.stringify(again.state))).toEqual(JSON.parse(JSON.stringify(replayed(inputs).state)));
			}),
			{ numRuns: 25 },
		);
	});

	it('results that come late and out of order lead to the same scope, once, and to no other', () => {
		const places = fc.record({ provider: fc.nat(3), model: fc.option(fc.nat(2), { nil: null }), vantage: fc.constantFrom(null, 'fra', 'iad', 'sin') });
		fc.assert(
			fc.property(places, fc.integer(), ({ provider, model, vantage }, seed) => {
				const hits = (one: EndpointName) =>
					one.provider === `p${provider}` && (model === null || one.model === `m${model}`) && (vantage === null || one.vantage === vantage);
				// Up to 40 s late, each by its own draw.
				const lateMs = (at: number) => (Math.imul(at / 1_000 + seed, 0x9e3779b1) >>> 0) % 40_000;
				const told = story(play(failing(hits), onset + 20 * minute, { lateMs }));
				const scope = `p${provider}/${model === null ? '*' : `m${model}`}/${vantage ?? '*'}`;
				expect(told.filter((one) => one.startsWith('open'))).toHaveLength(1);
				expect(told.at(-1)).toBe(`resolve provider down ${scope}`);
			}),
			{ numRuns: 25 },
		);
	});

	it('a result delivered twice counts once', () => {
		fc.assert(
			fc.property(worlds, fc.nat(5), (world, every) => {
				const { inputs, decisions } = play(world, 14 * minute, fleet);
				const doubled = inputs.flatMap((input, i) => (input.type === 'result' && i % (every + 1) === 0 ? [input, input] : [input]));
				expect(replayed(doubled).decisions).toEqual(decisions);
			}),
			{ numRuns: 20 },
		);
	});

	it('on any history an incident is opened once, then changed, then resolved, and no two open ones of a provider share a scope', () => {
		fc.assert(
			fc.property(worlds, (world) => {
				const open = new Map<string, string>();
				const known = new Set<string>();
				for (const decision of play(world, 16 * minute, fleet).decisions) {
					if (decision.type === 'reprobe') continue;
					expect(known.has(decision.id)).toBe(decision.type !== 'open');
					expect(open.has(decision.id)).toBe(decision.type !== 'open');
					known.add(decision.id);
					if (decision.type === 'resolve') open.delete(decision.id);
					else open.set(decision.id, `${decision.cause} ${JSON.stringify(decision.scope)}`);
					expect(new Set(open.values()).size).toBe(open.size);
				}
			}),
			{ numRuns: 25 },
		);
	});

	it('a history of refusals of ours never opens a provider incident', () => {
		const refusals = fc.constantFrom<LatticeOutcome>('ok', 'auth', 'rate_limited', 'quota');
		fc.assert(
			fc.property(fc.array(refusals, { minLength: 50, maxLength: 200 }), (outcomes) => {
				let i = 0;
				const played = play(() => outcomes[(i += 1) % outcomes.length] as LatticeOutcome, 12 * minute, fleet);
				expect(incidents(played).filter(({ cause }) => cause === 'provider')).toEqual([]);
			}),
			{ numRuns: 20 },
		);
	});
});
