import { describe, expect, test } from 'vitest';
import { parseReset, readRateLimit } from './rate-limit.ts';

const now = Date.parse('2026-11-23T12:00:00Z');

describe('a reset', () => {
	test.each([
		['a Go duration', '2m59.56s', false, 179_560],
		['RFC 3339', '2026-11-23T12:01:00Z', false, 60_000],
		['epoch seconds', String(now / 1_000 + 5), false, 5_000],
		['epoch ms', String(now + 5_000), false, 5_000],
		['seconds where the provider means that', '11726.28', true, 11_726_280],
		['a bare number of unknown unit is nothing', '60', false, null],
		['a past time is now', '2026-11-23T11:00:00Z', false, 0],
		['garbage', 'tomorrow', true, null],
	])('%s', (_rule, text, seconds, ms) => {
		expect(parseReset(text, now, seconds)).toBe(ms);
	});
});

describe('the headers of limits', () => {
	test.each([
		[
			'OpenAI',
			{ 'x-ratelimit-limit-requests': '5000', 'x-ratelimit-remaining-requests': '4999', 'x-ratelimit-reset-requests': '12ms' },
			[5_000, 4_999, null, null, 12],
		],
		[
			'Anthropic',
			{ 'anthropic-ratelimit-requests-limit': '50', 'anthropic-ratelimit-tokens-remaining': '0', 'anthropic-ratelimit-requests-reset': '2026-11-23T12:00:10Z' },
			[50, null, null, 0, 10_000],
		],
		['Mistral', { 'x-ratelimit-limit-req-minute': '60', 'x-ratelimit-remaining-tokens-minute': '12' }, [60, null, null, 12, null]],
	])('%s', (_who, headers, [requestsLimit, requestsRemaining, tokensLimit, tokensRemaining, resetMs]) => {
		expect(readRateLimit(headers as Record<string, string>, now)).toEqual({ requestsLimit, requestsRemaining, tokensLimit, tokensRemaining, resetMs });
	});

	test('are nothing when none is there', () => {
		expect(readRateLimit({ 'content-type': 'text/plain' }, now)).toBeNull();
	});
});
