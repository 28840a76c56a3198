import fc from 'fast-check';
import { expect, test } from 'vitest';
import { paceStarts } from './pace-starts.ts';

test('a start that meets no other is not held up', () => {
	const pace = paceStarts(2);
	expect([0, 2, 100].map((now) => pace.admit(now))).toEqual([0, 2, 100]);
});

test('starts of the same moment follow each other in their order', () => {
	const pace = paceStarts(2);
	expect([10, 10, 10, 11].map((now) => pace.admit(now))).toEqual([10, 12, 14, 16]);
});

test('no start is early, none waits beyond the bound, and what fits is spread', () => {
	fc.assert(
		fc.property(fc.array(fc.nat({ max: 20 }), { maxLength: 300 }), (gaps) => {
			const pace = paceStarts(2);
			let now = 0;
			let last = Number.NEGATIVE_INFINITY;
			for (const gap of gaps) {
				now += gap;
				const at = pace.admit(now);
				expect(at).toBeGreaterThanOrEqual(now);
				expect(at - now).toBeLessThanOrEqual(2_000);
				expect(at).toBeGreaterThanOrEqual(last + 2);
				last = at;
			}
		}),
	);
});

test('a backlog that cannot be spread in time is not held back for ever', () => {
	const pace = paceStarts(2);
	for (let i = 0; i < 5_000; i++) expect(pace.admit(0)).toBeLessThanOrEqual(2_000);
});
