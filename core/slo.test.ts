import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { burnRate, burnRules, burnWindowsMs, errorBudget, exhaustedInMs, judgeBurn, judgeBurns, type Slo, sloPeriodMs } from './slo.ts';

const slo: Slo = { objectiveRatio: 0.99, periodMs: sloPeriodMs };
const counts = fc.record({ good: fc.nat(100_000), bad: fc.nat(100_000) });
const [fast] = burnRules;
if (fast === undefined) throw new Error('Expected a first rule');

describe('the error budget', () => {
	// By hand: 43,200 results in 30 days, one a minute; 99 % allows 432 bad ones; 108 are a quarter of them; 1 % of 720 h is 7.2 h.
	it('is worked by hand: 108 bad of 43,200 at 99 % spend a quarter', () => {
		const budget = errorBudget(slo, { good: 43_092, bad: 108 });
		expect(budget.allowedBad).toBeCloseTo(432, 6);
		expect(budget.spentRatio).toBeCloseTo(0.25, 9);
		expect(budget.remainingRatio).toBeCloseTo(0.75, 9);
		expect(budget.allowedDowntimeMs).toBeCloseTo(7.2 * 3_600_000, 3);
	});

	it('without data is neither spent nor left', () => {
		expect(errorBudget(slo, { good: 0, bad: 0 })).toMatchObject({ spentRatio: null, remainingRatio: null });
		expect(burnRate(slo, { good: 0, bad: 0 })).toBeNull();
	});

	it('is spent exactly when the objective is missed exactly', () => {
		fc.assert(
			fc.property(counts, fc.integer({ min: 1, max: 999 }), (of, mille) => {
				fc.pre(of.good + of.bad > 0);
				const objectiveRatio = mille / 1_000;
				const { spentRatio } = errorBudget({ ...slo, objectiveRatio }, of);
				const missed = of.good / (of.good + of.bad) < objectiveRatio - 1e-12;
				if (missed) expect(spentRatio ?? 0).toBeGreaterThan(1);
				else expect(spentRatio ?? 0).toBeLessThanOrEqual(1 + 1e-9);
			}),
		);
	});

	it('at burn rate 1 lasts exactly the period, at 14.4 a little over two days', () => {
		const full = { remainingRatio: 1 };
		expect(exhaustedInMs(slo, full, 1)).toBe(sloPeriodMs);
		expect(exhaustedInMs(slo, full, 14.4)).toBeCloseTo(50 * 3_600_000, 3);
		expect(exhaustedInMs(slo, full, 0)).toBeNull();
		expect(exhaustedInMs(slo, { remainingRatio: -0.1 }, 0)).toBe(0);
	});

	it.each([0, 1, -1, 2, Number.NaN])('refuses the objective %s', (objectiveRatio) => {
		expect(() => errorBudget({ ...slo, objectiveRatio }, { good: 1, bad: 0 })).toThrow(RangeError);
	});
});

describe('the rules', () => {
	it('spend 2 %, 5 % and 10 % of a 30-day budget before they fire', () => {
		expect(burnRules.map(({ burnRate: rate, longMs }) => (rate * longMs) / sloPeriodMs)).toEqual([0.02, 0.05, 0.1].map((share) => expect.closeTo(share, 9)));
		expect(burnRules.map(({ longMs, shortMs }) => longMs / shortMs)).toEqual([12, 12, 12]);
		expect(burnWindowsMs()).toEqual([300_000, 1_800_000, 3_600_000, 21_600_000, 259_200_000]);
	});
});

describe('a burn', () => {
	it.each([
		// One result a minute. 14.4 × 1 % = 14.4 % of 60 results = 8.64; surely so (Wilson) from 15 on.
		['no data', { good: 0, bad: 0 }, { good: 0, bad: 0 }, 'no_data'],
		['nothing in the short window', { good: 30, bad: 30 }, { good: 0, bad: 0 }, 'no_data'],
		['one failure of five at the start', { good: 4, bad: 1 }, { good: 4, bad: 1 }, 'too_few_results'],
		['8 of 60', { good: 52, bad: 8 }, { good: 0, bad: 5 }, 'within_budget'],
		['9 of 60', { good: 51, bad: 9 }, { good: 0, bad: 5 }, 'too_few_results'],
		['15 of 60', { good: 45, bad: 15 }, { good: 1, bad: 4 }, 'burning'],
		['15 of 60, none of the last five', { good: 45, bad: 15 }, { good: 5, bad: 0 }, 'recovered'],
		['everything', { good: 0, bad: 60 }, { good: 0, bad: 5 }, 'burning'],
	] as const)('%s', (_name, long, short, reason) => {
		const decision = judgeBurn(slo, fast, long, short);
		expect(decision.reason).toBe(reason);
		expect(decision.firing).toBe(reason === 'burning');
	});

	it('that fires goes on while the ratios say so, without dithering at the edge of the interval', () => {
		expect(judgeBurn(slo, fast, { good: 50, bad: 10 }, { good: 4, bad: 1 }, true)).toMatchObject({ firing: true, reason: 'still_burning' });
		expect(judgeBurn(slo, fast, { good: 52, bad: 8 }, { good: 4, bad: 1 }, true).firing).toBe(false);
	});

	it('never fires without a bad result in both windows, and never stops firing because of one more', () => {
		fc.assert(
			fc.property(counts, counts, fc.boolean(), (long, short, wasFiring) => {
				const decision = judgeBurn(slo, fast, long, short, wasFiring);
				if (decision.firing) {
					expect(long.bad).toBeGreaterThan(0);
					expect(short.bad).toBeGreaterThan(0);
					const worse = (of: typeof long) => ({ ...of, bad: of.bad + 1 });
					expect(judgeBurn(slo, fast, worse(long), worse(short), true).firing).toBe(true);
				}
			}),
		);
	});

	it('is judged by every rule, each with its own windows and memory', () => {
		const windows = new Map([
			[300_000, { good: 5, bad: 0 }],
			[1_800_000, { good: 20, bad: 10 }],
			[3_600_000, { good: 40, bad: 20 }],
			[21_600_000, { good: 300, bad: 60 }],
		]);
		const decisions = judgeBurns(slo, windows, new Set(['fast']));
		expect(decisions.map(({ rule, reason }) => [rule.name, reason])).toEqual([
			['fast', 'recovered'],
			['steady', 'burning'],
			['slow', 'no_data'],
		]);
	});
});
