/** Waits that providers ask for, whatever they write them in (wire protocols, section 4). All results are ms; null = not told or unreadable. */

const goDuration = /^(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m(?!s))?(?:(\d+(?:\.\d+)?)s)?(?:(\d+(?:\.\d+)?)ms)?$/;
const hourMs = 3_600_000;
/** A month: Anthropic's spend limits reset that late. Anything beyond is a misread unit. */
const longestWaitMs = 31 * 24 * hourMs;

function sane(ms: number): number | null {
	return Number.isFinite(ms) && ms >= 0 && ms <= longestWaitMs ? Math.round(ms) : null;
}

/** `6m0s`, `8.64s`, `2ms`, `1h2m3s` → ms. */
export function parseGoDuration(text: string): number | null {
	const match = goDuration.exec(text);
	if (match === null || text === '') return null;
	const [, h = '0', m = '0', s = '0', ms = '0'] = match;
	return sane(Number(h) * hourMs + Number(m) * 60_000 + Number(s) * 1_000 + Number(ms));
}

/** Finds the wait in a JSON error body: RetryInfo.retryDelay, `retry_after` in seconds, or prose ("try again in 6ms"). */
export function parseBodyWait(body: unknown, message: string | null, depth = 0): number | null {
	const structured = findWait(body, depth);
	if (structured !== null) return structured;
	const prose = /(?:try again|retry) (?:in|after) (\d+(?:\.\d+)?) ?(ms|s|m|seconds?|minutes?)\b/i.exec(message ?? '');
	if (prose === null) return null;
	const unit = prose[2]?.toLowerCase() ?? '';
	return sane(Number(prose[1]) * (unit === 'ms' ? 1 : unit.startsWith('s') ? 1_000 : 60_000));
}

function findWait(value: unknown, depth: number): number | null {
	if (typeof value !== 'object' || value === null || depth > 6) return null;
	for (const [key, inner] of Object.entries(value).slice(0, 32)) {
		if (key === 'retryDelay' && typeof inner === 'string' && /^\d+(?:\.\d+)?s$/.test(inner)) return sane(Number(inner.slice(0, -1)) * 1_000);
		if (key === 'retry_after' && typeof inner === 'number') return sane(inner * 1_000);
		const found = findWait(inner, depth + 1);
		if (found !== null) return found;
	}
	return null;
}

/** `retry-after-ms`, then `retry-after` (seconds or an HTTP date), then what the body said. */
export function parseRetryAfter(headers: Readonly<Record<string, string>>, bodyWaitMs: number | null, now: number): number | null {
	const inMs = headers['retry-after-ms'];
	if (inMs !== undefined && /^\d+(?:\.\d+)?$/.test(inMs)) return sane(Number(inMs));
	const after = headers['retry-after'];
	if (after !== undefined && /^\d+(?:\.\d+)?$/.test(after)) return sane(Number(after) * 1_000);
	if (after !== undefined && /[a-z]/i.test(after)) {
		const at = Date.parse(after);
		if (!Number.isNaN(at)) return sane(Math.max(0, at - now));
	}
	return bodyWaitMs;
}
