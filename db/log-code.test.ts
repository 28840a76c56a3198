import fc from 'fast-check';
import { expect, it } from 'vitest';
import { decodeLog, encodeLog, noValueCode } from './log-code.ts';

const values = fc.double({ min: 0, max: 7_000_000, noNaN: true });

it('keeps a value within 0.032 %, a step, or 4 ns near zero', () => {
	fc.assert(
		fc.property(fc.oneof(values, fc.double({ min: 0, max: 1, noNaN: true })), (value) => {
			const back = decodeLog(encodeLog(value)) ?? Number.NaN;
			expect(Math.abs(back - value)).toBeLessThanOrEqual(value * 0.000313 + 0.000004);
		}),
	);
});

it('is in order, so that a quantile of codes is the code of the quantile', () => {
	fc.assert(
		fc.property(values, values, (a, b) => {
			const [low, high] = a < b ? [a, b] : [b, a];
			expect(encodeLog(low)).toBeLessThanOrEqual(encodeLog(high));
		}),
	);
});

it('codes what it has decoded as before, for every code', () => {
	for (let code = -32_767; code <= 32_767; code++) expect(encodeLog(decodeLog(code))).toBe(code);
});

it('gives back three digits as they were', () => {
	fc.assert(
		fc.property(fc.integer({ min: 0, max: 999 }), fc.integer({ min: 0, max: 3 }), (digits, exponent) => {
			const value = Number(`${digits}e${exponent - 1}`);
			expect(decodeLog(encodeLog(value))).toBe(value);
		}),
	);
});

it('has a code for nothing, which no value has', () => {
	expect(encodeLog(null)).toBe(noValueCode);
	expect(decodeLog(noValueCode)).toBeNull();
	expect(encodeLog(0)).toBe(-32_767);
	expect(decodeLog(-32_767)).toBe(0);
	expect(encodeLog(1e300)).toBe(32_767);
});
