import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sampleResult } from '#test/sample-results.ts';
import { outcomes, sliOf } from './outcome.ts';
import { missedSlot } from './probe-result.ts';
import { emptyRollup, mergeRollups, replaceParts, rollupOf, rollupOfAlike } from './rollup.ts';

const results = fc.array(
	fc
		.record({
			outcome: fc.constantFrom(...outcomes),
			confirmed: fc.boolean(),
			missed: fc.boolean(),
			ttftMs: fc.option(fc.integer({ min: 1, max: 50 })),
			costMicroUsd: fc.option(fc.nat({ max: 500 })),
		})
		.map(({ outcome, confirmed, missed, ...figures }) => {
			const result = sampleResult({ outcome, sli: sliOf(outcome, confirmed), ...figures });
			return missed ? missedSlot(result, 'missed_slot') : result;
		}),
	{ maxLength: 8 },
);
const parts = fc.array(results.map(rollupOf), { maxLength: 5 });

describe('a sum whose parts are replaced', () => {
	it('has the digits of one that is added up anew', () => {
		fc.assert(
			fc.property(parts, parts, parts, (left, before, after) => {
				expect(replaceParts(mergeRollups([...left, ...before]), before, after)).toEqual(mergeRollups([...left, ...after]));
			}),
		);
	});

	it('is none when what is to go was not in it', () => {
		const [ok, timeout] = [sampleResult(), sampleResult({ outcome: 'first_token_timeout', sli: 'bad' })];
		const sum = rollupOf([ok, ok]);
		expect(replaceParts(sum, [rollupOf([ok, ok, ok])], [])).toBeNull();
		expect(replaceParts(sum, [rollupOf([timeout])], [])).toBeNull();
		expect(replaceParts(sum, [rollupOf([{ ...ok, ttftMs: 9_000 }])], [])).toBeNull();
		expect(replaceParts(sum, [sum], [])).toEqual({ ...emptyRollup });
	});
});

it('results that ended alike count as they do one by one', () => {
	for (const outcome of outcomes) {
		for (const confirmed of [false, true]) {
			const sli = sliOf(outcome, confirmed);
			const one = { ...sampleResult({ outcome, sli }), ttftMs: null, totalMs: null, outputTokensPerSecond: null };
			const bare = { ...one, inputTokens: null, outputTokens: null, costMicroUsd: null };
			expect(rollupOfAlike(outcome, sli, 3), outcome).toEqual(rollupOf([bare, bare, bare]));
		}
	}
});
