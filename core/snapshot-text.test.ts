import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { sampleSnapshot } from '#test/sample-snapshot.ts';
import { packDays, readSnapshot, unpackDays, writeSnapshot } from './snapshot-text.ts';
import { states } from './state.ts';

test('what is written is read as it was, and written the same again', () => {
	const snapshot = sampleSnapshot({ providers: 6, modelsPerProvider: 8 });
	const text = writeSnapshot(snapshot);
	const read = readSnapshot(text);
	expect(read).toEqual(JSON.parse(JSON.stringify(snapshot)));
	expect(read.targets.map((target) => ({ ...target }))).toEqual(JSON.parse(JSON.stringify(snapshot.targets)));
	expect(read.targets[0]?.days).toBe(read.targets[0]?.days);
	expect(writeSnapshot(read)).toBe(text);
});

test('a snapshot of a version that did not pack is read too', () => {
	const snapshot = sampleSnapshot({ providers: 2, modelsPerProvider: 2 });
	const text = JSON.stringify(snapshot);
	expect(readSnapshot(text)).toEqual(JSON.parse(text));
});

test('what is no snapshot is refused', () => {
	expect(() => readSnapshot('{"targets":[{}]}')).toThrow('Expected a snapshot');
	expect(() => readSnapshot('{')).toThrow(SyntaxError);
});

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
				expect(unpackDays(packDays(days))).toEqual(days);
			}),
		);
	});

	test('a day without data costs one character, a good one a few', () => {
		const none = { state: 'unknown', downMinutes: 0, degradedMinutes: 0, good: 0, bad: 0, excluded: 0 } as const;
		expect(
			packDays([
				{ ...none, date: '2026-12-31' },
				{ ...none, date: '2027-01-01', state: 'operational', good: 1_440 },
			]),
		).toBe('2026-12-31 5 0,1440');
	});

	test('a gap, and what was never packed, are refused', () => {
		const none = { state: 'unknown', downMinutes: 0, degradedMinutes: 0, good: 0, bad: 0, excluded: 0 } as const;
		expect(() =>
			packDays([
				{ ...none, date: '2026-01-01' },
				{ ...none, date: '2026-01-03' },
			]),
		).toThrow('Expected days that follow each other from 2026-01-01, got 2026-01-03 at 1');
		expect(() => unpackDays('2026-01-01 9')).toThrow('Expected the index of a state, got 9');
	});
});
