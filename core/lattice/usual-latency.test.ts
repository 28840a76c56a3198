import { describe, expect, it } from 'vitest';
import { createLatticeState, type LatticeDecision, type LatticeState } from './lattice-state.ts';
import { observe } from './observe.ts';

/** A Monday. */
const start = Date.UTC(2026, 10, 23);
const minute = 60_000;
const hour = 60 * minute;
const week = 168 * hour;
const intervalMs = 5 * minute;
const providers = ['acme', 'groq', 'lama', 'nimbus'];

/** Times its usual latency, by provider and ms since `start`. */
type Pace = (provider: string, at: number) => number;

/** One probe of each provider every 5 minutes from one vantage; spread of about a tenth. */
function live(state: LatticeState, pace: Pace, fromAt: number, toAt: number): LatticeDecision[] {
	const decisions: LatticeDecision[] = [];
	for (let at = fromAt; at < toAt; at += intervalMs) {
		for (const [i, provider] of providers.entries()) {
			const startedAt = start + at + i * 10_000;
			const spread = 1 + 0.1 * Math.sin(startedAt / 7_919) + 0.05 * Math.sin(startedAt / 1_013);
			const totalMs = 900 * spread * pace(provider, at);
			const name = { provider, model: 'm:chat', vantage: 'fra' };
			const input = { type: 'result', id: `${provider}${at}`, at: startedAt + totalMs + 500, startedAt, ...name, outcome: 'ok' } as const;
			decisions.push(...observe(state, { ...input, ttftMs: totalMs / 3, totalMs, reprobe: false }));
		}
		decisions.push(...observe(state, { type: 'tick', at: start + at + intervalMs - 1_000 }));
	}
	return decisions;
}

const fresh = () => createLatticeState({ baseIntervalMs: intervalMs, timeoutMs: 20_000, endpoints: [], reprobe: null });
const told = (decisions: readonly LatticeDecision[]) => decisions.flatMap((one) => (one.type === 'open' || one.type === 'resolve' ? [one] : []));
const opened = (decisions: readonly LatticeDecision[]) => told(decisions).filter(({ type }) => type === 'open').length;

/** Three times slower on working days from 9 to 17 UTC, from one hour to the next. */
const busyHours: Pace = (provider, at) => {
	const [day, ofDay] = [Math.floor(at / (24 * hour)) % 7, (at % (24 * hour)) / hour];
	return provider === 'acme' && day < 5 && ofDay >= 9 && ofDay < 17 ? 3 : 1;
};

describe('what is usual', () => {
	it('depends on the hour of the week: a slow morning like every morning is no trouble once two weeks have shown it', () => {
		const state = fresh();
		expect(opened(live(state, busyHours, 0, 2 * week))).toBeGreaterThan(0);
		expect(opened(live(state, busyHours, 2 * week, 4 * week))).toBe(0);
	});

	it('and three times slower than that hour usually is, is trouble in any hour', () => {
		const state = fresh();
		live(state, busyHours, 0, 3 * week);
		const atTen = 3 * week + 34 * hour;
		const worse: Pace = (provider, at) => busyHours(provider, at) * (provider === 'acme' && at >= atTen ? 3 : 1);
		expect(told(live(state, worse, 3 * week, atTen + 3 * hour))).toMatchObject([{ type: 'open', scope: { provider: 'acme' }, severity: 'degraded' }]);
	});

	it('an hour that is quick by its season but answers like the busy one is trouble', () => {
		const state = fresh();
		live(state, busyHours, 0, 3 * week);
		const night = 3 * week + 26 * hour;
		const slowNight: Pace = (provider, at) => (provider === 'acme' && at >= night ? 3 : busyHours(provider, at));
		expect(opened(live(state, slowNight, 3 * week, night + 3 * hour))).toBe(1);
	});

	it('follows a slow drift without a word', () => {
		const state = fresh();
		const drift: Pace = (provider, at) => (provider === 'acme' ? 1 + (2 * at) / week : 1);
		expect(opened(live(state, drift, 0, week))).toBe(0);
	});
});

describe('a lasting new level', () => {
	const from = 3 * 24 * hour;
	const slower: Pace = (provider, at) => (provider === 'acme' && at >= from ? 3 : 1);

	it('is told once, ends by itself after six hours as a new level, and is the usual from then on', () => {
		const state = fresh();
		const decisions = told(live(state, slower, 0, from + 48 * hour));
		expect(decisions.map(({ type, ending }) => [type, ending])).toEqual([
			['open', null],
			['resolve', 'new_level'],
		]);
		const [open, end] = decisions;
		expect(end?.reason).toMatch(/^a new level: steady for 6 h.*, about 3\.0 times the old usual; from now on this is what is usual$/);
		expect((end?.at ?? 0) - (open?.at ?? 0)).toBeGreaterThanOrEqual(6 * hour);
	});

	it('that gets three times slower again is trouble again', () => {
		const state = fresh();
		live(state, slower, 0, from + 24 * hour);
		const twice: Pace = (provider, at) => (provider === 'acme' && at >= from + 24 * hour ? 9 : slower(provider, at));
		expect(opened(live(state, twice, from + 24 * hour, from + 27 * hour))).toBe(1);
	});

	it('an outage is never a new level, however long it lasts', () => {
		const state = fresh();
		live(state, () => 1, 0, from);
		const decisions: LatticeDecision[] = [];
		for (let at = from; at < from + 24 * hour; at += intervalMs) {
			for (const provider of providers) {
				const outcome = provider === 'acme' ? 'http_5xx' : 'ok';
				const name = { provider, model: 'm:chat', vantage: 'fra' };
				const times = { at: start + at + 2_000, startedAt: start + at, ttftMs: outcome === 'ok' ? 300 : null, totalMs: 900 };
				decisions.push(...observe(state, { type: 'result', id: `${provider}${at}`, ...name, ...times, outcome, reprobe: false }));
			}
			decisions.push(...observe(state, { type: 'tick', at: start + at + 3_000 }));
		}
		expect(told(decisions).map(({ type }) => type)).toEqual(['open']);
	});
});
