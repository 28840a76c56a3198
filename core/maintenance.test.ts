import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { coversScope, type Maintenance, windowsOf } from './maintenance.ts';
import { instantOf, parseTimeOfDay, wallTimeAt } from './wall-clock.ts';

const hour = 3_600_000;
const day = 24 * hour;
const at = (text: string) => Date.parse(text);
const everything = { provider: null, model: null, vantage: null };
const once: Maintenance = {
	id: 'm',
	title: 't',
	scope: everything,
	fromAt: at('2026-03-01T02:00:00Z'),
	durationMs: 2 * hour,
	recurrence: null,
	untilAt: null,
	cancelledAt: null,
};
const starts = (maintenance: Maintenance, from: string, to: string) =>
	windowsOf(maintenance, { fromAt: at(from), toAt: at(to) }).map((window) => new Date(window.fromAt).toISOString().slice(0, 16));

describe('windows of maintenance', () => {
	it('once: it is there for every stretch that it touches, its end not included', () => {
		expect(starts(once, '2026-03-01T03:59:59Z', '2026-03-01T05:00:00Z')).toEqual(['2026-03-01T02:00']);
		expect(starts(once, '2026-03-01T04:00:00Z', '2026-03-01T05:00:00Z')).toEqual([]);
		expect(starts(once, '2026-03-01T00:00:00Z', '2026-03-01T02:00:00Z')).toEqual([]);
	});

	it.each([
		['every day', { every: 'day' as const, timeZone: 'UTC' }, ['2026-03-01T02:00', '2026-03-02T02:00', '2026-03-03T02:00', '2026-03-04T02:00']],
		['on two weekdays', { every: 'week' as const, days: ['mon', 'wed'] as const, timeZone: 'UTC' }, ['2026-03-02T02:00', '2026-03-04T02:00']],
		['on a day of the month', { every: 'month' as const, day: 3, timeZone: 'UTC' }, ['2026-03-03T02:00']],
	])('recurring %s', (_, recurrence, expected) => {
		expect(starts({ ...once, recurrence }, '2026-02-01T00:00:00Z', '2026-03-05T00:00:00Z')).toEqual(expected);
	});

	it('the 31st comes only in months that have one', () => {
		const last: Maintenance = { ...once, fromAt: at('2026-01-31T02:00:00Z'), recurrence: { every: 'month', day: 31, timeZone: 'UTC' } };
		expect(starts(last, '2026-01-01T00:00:00Z', '2026-06-01T00:00:00Z')).toEqual(['2026-01-31T02:00', '2026-03-31T02:00', '2026-05-31T02:00']);
	});

	it('keeps its local time of day over a change of clocks', () => {
		const berlin: Maintenance = { ...once, fromAt: at('2026-03-27T01:00:00Z'), recurrence: { every: 'day', timeZone: 'Europe/Berlin' } };
		// 02:00 in Berlin; on the 29th clocks go from 02:00 to 03:00, afterwards 02:00 is an hour earlier in UTC.
		expect(starts(berlin, '2026-03-27T00:00:00Z', '2026-03-31T00:00:00Z')).toEqual([
			'2026-03-27T01:00',
			'2026-03-28T01:00',
			'2026-03-29T01:00',
			'2026-03-30T00:00',
		]);
	});

	it('ends when it is cancelled, a window under way too, and none follows its end', () => {
		const daily: Maintenance = { ...once, recurrence: { every: 'day', timeZone: 'UTC' } };
		const stretch = { fromAt: at('2026-03-01T00:00:00Z'), toAt: at('2026-03-09T00:00:00Z') };
		const cancelled = windowsOf({ ...daily, cancelledAt: at('2026-03-02T03:00:00Z') }, stretch);
		expect(cancelled.map(({ toAt }) => new Date(toAt).toISOString().slice(0, 16))).toEqual(['2026-03-01T04:00', '2026-03-02T03:00']);
		expect(windowsOf({ ...daily, untilAt: at('2026-03-03T02:00:00Z') }, stretch)).toHaveLength(2);
	});

	it('any stretch cut in two has the same windows as the whole', () => {
		const recurrence = fc.oneof(
			fc.constant({ every: 'day' as const, timeZone: 'America/New_York' }),
			fc.constant({ every: 'week' as const, days: ['sun', 'thu'] as const, timeZone: 'Australia/Lord_Howe' }),
			fc.constant(null),
		);
		const offset = fc.integer({ min: 0, max: 60 * 24 });
		fc.assert(
			fc.property(recurrence, offset, offset, fc.integer({ min: 1, max: 36 }), (each, a, b, hours) => {
				const maintenance: Maintenance = { ...once, recurrence: each, durationMs: hours * hour };
				const [fromAt, toAt] = [once.fromAt - day, once.fromAt + 61 * day];
				const cut = once.fromAt + Math.min(a, b) * hour;
				const keys = (stretch: { fromAt: number; toAt: number }) => windowsOf(maintenance, stretch).map((window) => window.fromAt);
				expect([...new Set([...keys({ fromAt, toAt: cut }), ...keys({ fromAt: cut, toAt })])]).toEqual(keys({ fromAt, toAt }));
			}),
			{ numRuns: 30 },
		);
	});
});

describe('a local clock', () => {
	it('reads back what it was set to, in every zone and hour but those that a change of clocks skips', () => {
		const zones = ['UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kolkata', 'Australia/Lord_Howe'];
		fc.assert(
			fc.property(fc.constantFrom(...zones), fc.integer({ min: 0, max: 3_650 }), fc.integer({ min: 240, max: 1_439 }), (zone, days, minute) => {
				const date = new Date(Date.UTC(2020, 0, 1) + days * day);
				const read = wallTimeAt(instantOf(date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate(), minute, zone), zone);
				expect([read.year, read.month, read.day, read.minute]).toEqual([date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate(), minute]);
			}),
		);
	});

	it.each([
		['a time that is skipped is as long after midnight as it would be', 2026, 3, 29, 150, '2026-03-29T01:30:00.000Z'],
		['of a doubled time the first counts', 2026, 10, 25, 150, '2026-10-25T00:30:00.000Z'],
	])('%s', (_, year, month, date, minute, expected) => {
		expect(new Date(instantOf(year, month, date, minute, 'Europe/Berlin')).toISOString()).toBe(expected);
	});

	it.each([
		['22:30', 1_350],
		['00:00', 0],
		['24:00', null],
		['7:00', null],
	])('%s is minute %s', (text, minute) => expect(parseTimeOfDay(text)).toBe(minute));
});

it.each([
	[everything, true],
	[{ ...everything, provider: 'groq' }, true],
	[{ ...everything, provider: 'groq', model: 'other' }, false],
	[{ ...everything, vantage: 'fra' }, false],
])('maintenance of %o covers m on groq: %s', (scope, covers) => {
	expect(coversScope(scope, { provider: 'groq', model: 'm', vantage: null })).toBe(covers);
});
