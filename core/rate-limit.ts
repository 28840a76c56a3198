import type { RateLimitHeaders } from './probe-result.ts';
import { parseGoDuration } from './retry-after.ts';

type Headers = Readonly<Record<string, string>>;

/** Header names by figure, the first that is present counts (wire protocols, section 4). */
const names = {
	requestsLimit: [
		'x-ratelimit-limit-requests',
		'anthropic-ratelimit-requests-limit',
		'x-ratelimit-limit-req-minute',
		'x-ratelimit-limit-requests-minute',
		'x-ratelimit-limit',
	],
	requestsRemaining: [
		'x-ratelimit-remaining-requests',
		'anthropic-ratelimit-requests-remaining',
		'x-ratelimit-remaining-req-minute',
		'x-ratelimit-remaining-requests-minute',
		'x-ratelimit-remaining',
	],
	tokensLimit: ['x-ratelimit-limit-tokens', 'anthropic-ratelimit-tokens-limit', 'x-ratelimit-limit-tokens-minute', 'x-ratelimit-limit-tokens-per-minute'],
	tokensRemaining: [
		'x-ratelimit-remaining-tokens',
		'anthropic-ratelimit-tokens-remaining',
		'x-ratelimit-remaining-tokens-minute',
		'x-ratelimit-remaining-tokens-per-minute',
	],
	reset: ['x-ratelimit-reset-requests', 'anthropic-ratelimit-requests-reset', 'x-ratelimit-reset-requests-minute', 'x-ratelimit-reset'],
} as const;

function find(headers: Headers, candidates: readonly string[]): string | null {
	for (const name of candidates) {
		const value = headers[name];
		if (value !== undefined) return value;
	}
	return null;
}

function count(text: string | null): number | null {
	return text !== null && /^\d{1,15}$/.test(text) ? Number(text) : null;
}

/**
 * The same header name carries Go durations, RFC 3339 times, epoch seconds, epoch ms and plain seconds: the shape decides.
 * A small bare number is seconds only where the provider is known to mean that; otherwise null, because a wrong unit is worse than none.
 */
export function parseReset(text: string, now: number, bareNumberIsSeconds: boolean): number | null {
	if (/^\d+(?:\.\d+)?$/.test(text)) {
		const value = Number(text);
		if (value > 1e12) return Math.max(0, value - now);
		if (value > 1e9) return Math.max(0, value * 1_000 - now);
		return bareNumberIsSeconds ? Math.round(value * 1_000) : null;
	}
	if (/^\d{4}-\d\d-\d\dT/.test(text)) {
		const at = Date.parse(text);
		return Number.isNaN(at) ? null : Math.max(0, at - now);
	}
	return parseGoDuration(text);
}

/** Null when no header speaks of limits. */
export function readRateLimit(headers: Headers, now: number, bareNumberIsSeconds = false): RateLimitHeaders | null {
	const reset = find(headers, names.reset);
	const figures: RateLimitHeaders = {
		requestsLimit: count(find(headers, names.requestsLimit)),
		requestsRemaining: count(find(headers, names.requestsRemaining)),
		tokensLimit: count(find(headers, names.tokensLimit)),
		tokensRemaining: count(find(headers, names.tokensRemaining)),
		resetMs: reset === null ? null : parseReset(reset, now, bareNumberIsSeconds),
	};
	return Object.values(figures).every((figure) => figure === null) ? null : figures;
}
