import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { availability, formatPercent, wilson } from './sli.ts';

describe('availability', () => {
	it('without data is null, never 100 %', () => {
		expect(availability(0, 0, 7)).toEqual({ good: 0, bad: 0, excluded: 7, ratio: null, low: null, high: null });
	});

	it('leaves excluded results out of the ratio', () => {
		expect(availability(9, 1, 90).ratio).toBe(0.9);
	});

	// Worked by hand: 9 of 10, z = 1.959964: centre (0.9 + 0.192073) / 1.384146, spread 0.209750 / 1.384146.
	it('carries the 95 % Wilson interval', () => {
		const { low, high } = availability(9, 1, 0);
		expect(low).toBeCloseTo(0.59585, 4);
		expect(high).toBeCloseTo(0.98212, 4);
	});

	it('the interval holds the ratio, stays in 0..1 and narrows with more of the same', () => {
		fc.assert(
			fc.property(fc.nat(5_000), fc.nat(5_000), (good, bad) => {
				fc.pre(good + bad > 0);
				const { ratio, low, high } = availability(good, bad, 0) as { ratio: number; low: number; high: number };
				expect(low).toBeGreaterThanOrEqual(0);
				expect(high).toBeLessThanOrEqual(1);
				expect(low).toBeLessThanOrEqual(ratio + 1e-12);
				expect(high).toBeGreaterThanOrEqual(ratio - 1e-12);
				const wider = high - low;
				const more = wilson(good * 10, (good + bad) * 10);
				expect((more?.high ?? 0) - (more?.low ?? 0)).toBeLessThan(wider);
			}),
		);
	});
});

describe('a percentage', () => {
	it.each([
		[1, '100 %'],
		[0.99999999, '99.999 %'],
		[0.999, '99.900 %'],
		[0.9993, '99.930 %'],
		[0, '0.000 %'],
		[null, 'no data'],
	])('%s reads %s', (value, text) => {
		expect(formatPercent(value)).toBe(text);
	});

	it('is never rounded up: only 1 reads 100', () => {
		fc.assert(
			fc.property(fc.integer({ min: 1, max: 1_000_000_000 }), (bad) => {
				expect(formatPercent(1 - bad / 1e10)).not.toMatch(/^100/);
			}),
		);
	});
});
