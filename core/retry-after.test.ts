import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseBodyWait, parseGoDuration, parseRetryAfter } from './retry-after.ts';

const now = Date.parse('2026-11-23T12:00:00Z');

describe('a Go duration', () => {
	test.each([
		['6m0s', 360_000],
		['8.64s', 8_640],
		['2ms', 2],
		['0s', 0],
		['2m59.56s', 179_560],
		['370ms', 370],
		['1h2m3s', 3_723_000],
		['', null],
		['5', null],
		['s', null],
		['-1s', null],
		['9999999h', null],
	])('%j is %j ms', (text, ms) => {
		expect(parseGoDuration(text)).toBe(ms);
	});

	test('is read back from its parts', () => {
		fc.assert(
			fc.property(fc.nat(100), fc.nat(59), fc.nat(59), fc.nat(999), (h, m, s, ms) => {
				expect(parseGoDuration(`${h}h${m}m${s}s${ms}ms`)).toBe(((h * 60 + m) * 60 + s) * 1_000 + ms);
			}),
		);
	});
});

describe('a wait in headers', () => {
	test.each([
		['ms before seconds', { 'retry-after-ms': '1500', 'retry-after': '9' }, 1_500],
		['seconds', { 'retry-after': '7' }, 7_000],
		['fraction of seconds', { 'retry-after': '0.5' }, 500],
		['a date', { 'retry-after': 'Mon, 23 Nov 2026 12:00:30 GMT' }, 30_000],
		['a date in the past is no wait', { 'retry-after': 'Mon, 23 Nov 2026 11:00:00 GMT' }, 0],
		['garbage', { 'retry-after': 'soon' }, null],
		['a year is a misread unit', { 'retry-after': '31536000' }, null],
		['nothing', {}, null],
	])('%s', (_rule, headers, ms) => {
		expect(parseRetryAfter(headers as Record<string, string>, null, now)).toBe(ms);
	});

	test('falls back to what the body said', () => {
		expect(parseRetryAfter({}, 34_000, now)).toBe(34_000);
		expect(parseRetryAfter({ 'retry-after': '2' }, 34_000, now)).toBe(2_000);
	});
});

describe('a wait in the body', () => {
	test.each([
		['RetryInfo', { error: { details: [{ '@type': 'RetryInfo', retryDelay: '600.5s' }] } }, null, 600_500],
		['availability', { error: { availability: { retry_after: 12 } } }, null, 12_000],
		['prose in ms', {}, 'Please try again in 6ms.', 6],
		['prose in s', {}, 'Please try again in 1.2s', 1_200],
		['prose in words', {}, 'Please retry after 30 seconds.', 30_000],
		['no wait', { error: {} }, 'Overloaded', null],
	])('%s', (_rule, body, message, ms) => {
		expect(parseBodyWait(body, message)).toBe(ms);
	});
});
