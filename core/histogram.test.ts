import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bucketOf, countOf, emptyHistogram, highestBucket, histogramOf, lowestBucket, mergeHistograms, quantile, valueOf } from './histogram.ts';

const durations = fc.array(fc.double({ min: 0.02, max: 1e7, noNaN: true }), { maxLength: 60 });

describe('histogram', () => {
	it('a value comes back within 2.5 %', () => {
		fc.assert(
			fc.property(fc.double({ min: 0.02, max: 1e7, noNaN: true }), (value) => {
				expect(Math.abs(valueOf(bucketOf(value)) - value) / value).toBeLessThanOrEqual(0.025);
			}),
		);
	});

	it('merging is associative, commutative and the same as taking all at once', () => {
		fc.assert(
			fc.property(durations, durations, durations, (a, b, c) => {
				const [x, y, z] = [histogramOf(a), histogramOf(b), histogramOf(c)];
				const all = histogramOf([...a, ...b, ...c]);
				expect(mergeHistograms([mergeHistograms([x, y]), z])).toEqual(all);
				expect(mergeHistograms([z, mergeHistograms([y, x])])).toEqual(all);
				expect(mergeHistograms([all, emptyHistogram])).toEqual(all);
			}),
		);
	});

	it('a quantile is within 2.5 % of the nearest-rank value of the raw numbers', () => {
		fc.assert(
			fc.property(durations, fc.double({ min: 0, max: 1, noNaN: true }), (values, q) => {
				fc.pre(values.length > 0);
				const exact = values.toSorted((a, b) => a - b)[Math.max(1, Math.ceil(q * values.length)) - 1] ?? 0;
				expect(Math.abs((quantile(histogramOf(values), q) ?? 0) - exact) / exact).toBeLessThanOrEqual(0.025);
			}),
		);
	});

	it('no data has no quantile', () => {
		expect(quantile(emptyHistogram, 0.5)).toBeNull();
		expect(countOf(emptyHistogram)).toBe(0);
	});

	it.each([0, -3, Number.NaN])('%s falls into the lowest bucket', (value) => {
		expect(bucketOf(value)).toBe(lowestBucket);
	});

	it('every index fits a smallint', () => {
		expect(bucketOf(Number.MAX_VALUE)).toBe(highestBucket);
		expect(highestBucket).toBeLessThan(32_768);
	});
});
