import { describe, expect, test } from 'vitest';
import type { DayView } from '#core/snapshot.ts';
import type { State } from '#core/state.ts';
import { dayBars, dayWords } from './day-bars.ts';
import { renderHtml } from './html.ts';
import { dayMark } from './state-mark.ts';

const start = Date.parse('2026-08-26T00:00:00Z');
const good: DayView = { date: '', state: 'operational', downMinutes: 0, degradedMinutes: 0, good: 1_440, bad: 0, excluded: 0 };

function daysWith(changes: Readonly<Record<number, Partial<DayView>>>): DayView[] {
	return Array.from({ length: 90 }, (_, index) => ({ ...good, ...changes[index], date: new Date(start + index * 86_400_000).toISOString().slice(0, 10) }));
}

describe('a day is judged by its confirmed minutes of outage', () => {
	test.each<[State, number, number, string]>([
		['operational', 0, 0, 'up'],
		['major_outage', 0, 0, 'slow'],
		['partial_outage', 0.4, 0, 'slow'],
		['major_outage', 5, 0, 'slow'],
		['major_outage', 5.1, 0, 'part'],
		['major_outage', 30, 0, 'part'],
		['major_outage', 30.1, 0, 'down'],
		['degraded_performance', 0, 400, 'slow'],
		['under_maintenance', 0, 0, 'care'],
		['under_maintenance', 31, 0, 'down'],
		['unknown', 0, 0, 'none'],
	])('%s, %d min down, %d min degraded → %s', (state, downMinutes, degradedMinutes, mark) => {
		expect(dayMark({ state, downMinutes, degradedMinutes })).toBe(mark);
	});
});

test('a day without data is never drawn as good: an outline covers its bar', () => {
	const bars = renderHtml(dayBars(daysWith({ 3: { state: 'unknown' }, 4: { state: 'unknown' } })));
	expect(bars).toContain('class=h d=M2.75,.02h1.5v.96h-1.5z ');
});

test('every exception has a bar of its own kind at its own day', () => {
	const bars = renderHtml(dayBars(daysWith({ 0: { downMinutes: 3 }, 10: { downMinutes: 10 }, 89: { downMinutes: 60 } })));
	expect(bars).toContain('class=s d=M0,0v1 ');
	expect(bars).toContain('class=t d=M10,0v1 ');
	expect(bars).toContain('class=d d=M89,0v1 ');
	const pair = renderHtml(dayBars(daysWith({ 10: { downMinutes: 10 }, 13: { downMinutes: 10 } })));
	expect(pair).toContain('class=t d=M10,0v1m3-1v1 ');
	expect(bars).toContain('aria-label="90 days, 3 bad"');
});

test('the words name every day that is not plainly good, newest first', () => {
	const words = dayWords(
		daysWith({
			0: { state: 'unknown' },
			1: { state: 'unknown' },
			5: { downMinutes: 12.4 },
			7: { downMinutes: 0.3 },
			20: { state: 'degraded_performance', degradedMinutes: 9 },
			30: { state: 'under_maintenance' },
			40: { state: 'unknown' },
		}),
	);
	expect(words).toBe('Down 2 Sep <1 min, 31 Aug 12 min. Degraded 15 Sep 9 min. Maintenance 25 Sep. No data 5 Oct, 26 Aug to 27 Aug.');
	expect(dayWords(daysWith({}))).toBe('No problem in 90 days.');
});
