import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type DayCount, DayCounts } from './day-counts.ts';

const dayMs = 86_400_000;
const none: DayCount = { good: 0, bad: 0, excluded: 0 };
const count = fc.record({ good: fc.nat(3), bad: fc.nat(3), excluded: fc.nat(3) });
const spans = fc.record({ firstDay: fc.integer({ min: 20_000, max: 20_010 }), counts: fc.array(count, { maxLength: 8 }) });

const made = ({ firstDay, counts }: { firstDay: number; counts: readonly DayCount[] }) => {
	const days = DayCounts.zeros(firstDay, counts.length);
	for (const [i, one] of counts.entries()) days.add(firstDay + i, one);
	return days;
};
/** Every day that any of the spans can hold, and one on each side. */
const all = Array.from({ length: 20 }, (_, i) => 19_999 + i);
const told = (days: DayCounts) => all.map((day) => days.of(day * dayMs));

it('tells what was added, and zeros of every other day', () => {
	fc.assert(
		fc.property(spans, (span) => {
			expect(told(made(span))).toEqual(all.map((day) => span.counts[day - span.firstDay] ?? none));
			expect(told(made(span).trimmed())).toEqual(told(made(span)));
		}),
	);
});

it('several series of a target add up', () => {
	const days = DayCounts.zeros(20_000, 2);
	days.add(20_001, { good: 2, bad: 1, excluded: 0 });
	days.add(20_001, { good: 3, bad: 0, excluded: 4 });
	expect(days.of(20_001 * dayMs)).toEqual({ good: 5, bad: 1, excluded: 4 });
});

it('newer days take the place of its own, wherever they lie; without a difference it is the very same', () => {
	fc.assert(
		fc.property(spans, spans, (own, newer) => {
			const [before, later] = [made(own).trimmed(), made(newer)];
			const merged = before.replacedBy(later);
			const isIn = (day: number) => day >= newer.firstDay && day < newer.firstDay + newer.counts.length;
			expect(told(merged)).toEqual(all.map((day) => (isIn(day) ? later : before).of(day * dayMs)));
			const isSame = JSON.stringify(told(merged)) === JSON.stringify(told(before));
			expect(merged === before).toBe(isSame);
			expect(merged.replacedBy(later)).toBe(merged);
		}),
	);
});

it.each([19_999, 20_002, Number.NaN])('a day without a place, %d, is refused', (day) => {
	expect(() => DayCounts.zeros(20_000, 2).add(day, none)).toThrow(/Expected one of 2 days from 20000 on, got/);
});
