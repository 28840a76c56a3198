import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PackedDays } from './packed-days.ts';
import { states } from './state.ts';

describe('days', () => {
	const minutes = fc.integer({ min: 0, max: 14_400 }).map((tenths) => tenths / 10);
	const day = fc.record({
		state: fc.constantFrom(...states),
		downMinutes: minutes,
		degradedMinutes: minutes,
		good: fc.nat(),
		bad: fc.nat(),
		excluded: fc.nat(),
	});

	test('any that follow each other come back as they were', () => {
		fc.assert(
			fc.property(fc.array(day, { maxLength: 120 }), fc.integer({ min: 0, max: 40_000 }), (found, firstDay) => {
				const days = found.map((one, index) => ({ date: new Date((firstDay + index) * 86_400_000).toISOString().slice(0, 10), ...one }));
				expect(new PackedDays(PackedDays.of(days).text).unpack()).toEqual(days);
			}),
		);
	});

	test('a day without data costs one character, a good one a few', () => {
		const none = { state: 'unknown', downMinutes: 0, degradedMinutes: 0, good: 0, bad: 0, excluded: 0 } as const;
		expect(
			PackedDays.of([
				{ ...none, date: '2026-12-31' },
				{ ...none, date: '2027-01-01', state: 'operational', good: 1_440 },
			]).text,
		).toBe('2026-12-31 5 0,1440');
	});

	test('a gap, and what was never packed, are refused', () => {
		const none = { state: 'unknown', downMinutes: 0, degradedMinutes: 0, good: 0, bad: 0, excluded: 0 } as const;
		expect(() =>
			PackedDays.of([
				{ ...none, date: '2026-01-01' },
				{ ...none, date: '2026-01-03' },
			]),
		).toThrow('Expected days that follow each other from 2026-01-01, got 2026-01-03 at 1');
		expect(() => new PackedDays('2026-01-01 9').unpack()).toThrow('Expected the index of a state, got 9');
	});
});
