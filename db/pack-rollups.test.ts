import fc from 'fast-check';
import { expect, it } from 'vitest';
import { histogramOf } from '#core/histogram.ts';
import { type Outcome, outcomes } from '#core/outcome.ts';
import { emptyRollup, type Rollup } from '#core/rollup.ts';
import { packRollups, unpackRollups } from './pack-rollups.ts';

const count = fc.oneof(fc.nat(300), fc.nat(2 ** 31 - 1));
const histogram = fc.array(fc.double({ min: 0, max: 1e9, noNaN: true }), { maxLength: 20 }).map(histogramOf);
const rollup: fc.Arbitrary<Rollup> = fc
	.record({
		...{ count, missed: count, good: count, bad: count, excluded: count, served: count, refused: count, right: count, answered: count },
		inputTokens: fc.maxSafeNat(),
		outputTokens: count,
		costMicroUsd: fc.nat(2 ** 40).map((nano) => nano / 1_000),
		outcomes: fc.dictionary(fc.constantFrom(...outcomes), count, { maxKeys: 5, noNullPrototype: true }),
		ttft: histogram,
		total: histogram,
		speed: histogram,
	})
	.map((made) => made as Rollup);
const day = fc
	.uniqueArray(fc.nat(287), { maxLength: 12 })
	.chain((places) =>
		fc
			.array(rollup, { minLength: places.length, maxLength: places.length })
			.map((rollups) => places.sort((a, b) => a - b).map((place, i) => ({ place, rollup: rollups[i] ?? emptyRollup }))),
	);

it('gives back every digit of a day', () => {
	fc.assert(
		fc.property(day, (rollups) => {
			expect(unpackRollups(packRollups(rollups))).toEqual(rollups);
		}),
	);
});

it('is the same bytes whatever the order in which outcomes were counted', () => {
	const of = (counts: Partial<Record<Outcome, number>>) => packRollups([{ place: 7, rollup: { ...emptyRollup, outcomes: counts } }]);
	expect(of({ ok: 3, server_error: 1 })).toEqual(of({ server_error: 1, ok: 3 }));
});

it('refuses a damaged or unknown value instead of making numbers up', () => {
	const packed = packRollups([{ place: 0, rollup: emptyRollup }]);
	expect(() => unpackRollups(Buffer.of(9))).toThrow('version');
	expect(() => unpackRollups(packed.subarray(0, 5))).toThrow();
});
