/** From a provider's error to a code, by tables. Rows are tried in order; the first that matches decides. */
import type { ProviderError } from './answer.ts';
import type { FailureCode } from './outcome.ts';

export interface ErrorRule {
	/** Every condition given must hold. Patterns see lower case or upper as sent: write them with the i flag. */
	readonly status?: readonly number[];
	readonly type?: RegExp;
	readonly code?: RegExp;
	/** Any of the finer words. */
	readonly reason?: RegExp;
	readonly message?: RegExp;
	/** A header that must be present, or absent. */
	readonly withHeader?: string;
	readonly withoutHeader?: string;
	readonly outcome: FailureCode;
	readonly subcode?: string;
	/** Why this row is so; shown in the docs. */
	readonly why: string;
}

export interface ErrorContext {
	/** Null for an error inside a 200. */
	readonly status: number | null;
	readonly headers: Readonly<Record<string, string>>;
	readonly error: ProviderError | null;
	/** Our own remaining requests or tokens were told to be 0. */
	readonly ownLimitReached: boolean;
}

export interface RuleVerdict {
	readonly outcome: FailureCode;
	readonly subcode: string | null;
}

export function matchRules(rules: readonly ErrorRule[], context: ErrorContext): RuleVerdict | null {
	const { error, headers } = context;
	const status = context.status ?? error?.status ?? null;
	for (const rule of rules) {
		if (rule.status !== undefined && (status === null || !rule.status.includes(status))) continue;
		if (rule.type !== undefined && !rule.type.test(error?.type ?? '')) continue;
		if (rule.code !== undefined && !rule.code.test(error?.code ?? '')) continue;
		if (rule.message !== undefined && !rule.message.test(error?.message ?? '')) continue;
		if (rule.reason !== undefined && !(error?.reasons ?? []).some((reason) => rule.reason?.test(reason))) continue;
		if (rule.withHeader !== undefined && headers[rule.withHeader] === undefined) continue;
		if (rule.withoutHeader !== undefined && headers[rule.withoutHeader] !== undefined) continue;
		return { outcome: rule.outcome, subcode: rule.subcode ?? null };
	}
	return null;
}

const quotaWords = /insufficient_quota|exceeded_current_quota|credit|billing|spend_?limit|balance|arrear|payment|prepay|quota_exhausted|usage_limit/i;
const capacityWords = /overload|capacity|high demand|\bbusy\b|queue_exceeded|queue is full|shared pool|engine_overloaded|temporarily unable/i;
const loadingWords = /loading|scaling_up|scaling up|warming|cold start|not_ready|notready|degraded function/i;
/** Text that names a limit of ours: its unit, its count, or the window it runs in. */
const ownLimitWords = /\b[rt]p[mds]\b|per[ _-]?(?:minute|second|hour)|requests? per|tokens? per|limit \d|limit: ?\d|used \d|concurren/i;
const ownLimitCodes = /rate_?limit|request_quota_exceeded|perminute|persecond|^(?:tokens|requests)$/i;

/** R5: words in code and type, in this order. Not for 429, which has its own rule. */
const genericWords: readonly (readonly [RegExp, FailureCode, string?])[] = [
	[quotaWords, 'quota_exhausted'],
	[loadingWords, 'not_ready'],
	[/overload|capacity|busy/i, 'overloaded'],
	[/rate_?limit|too_many|throttl/i, 'rate_limited'],
	[/invalid_?api_?key|api_key_invalid|authentication|unauthenticated|unauthorized|invalid_token|invalidsignature|expiredtoken/i, 'auth_failed'],
	[/permission|forbidden|unsupported_country|access_?denied/i, 'forbidden'],
	[/model_not_found|not_found|notfound|model_deprecated/i, 'model_not_found'],
	[/content_filter|content_policy|contentpolicy|safety|sensitive|moderation/i, 'content_blocked'],
	[/timeout|timed_out|deadline/i, 'server_timeout'],
	[/context_length|invalid_request|invalid_argument|unsupported_parameter|unsupported_value|validation|bad_request/i, 'bad_request'],
	[/server_error|internal|api_error|unavailable/i, 'server_error'],
];

export function matchWords(error: ProviderError | null): RuleVerdict | null {
	const text = [error?.code, error?.type, ...(error?.reasons ?? [])].filter((word) => typeof word === 'string').join(' ');
	if (text === '') return null;
	for (const [words, outcome] of genericWords) {
		if (words.test(text)) return { outcome, subcode: null };
	}
	return null;
}

/** What only the sentence tells: no capacity, or not yet ready. */
export function judgeSentence(message: string): RuleVerdict | null {
	if (/loading model|model is loading|scaling up|not ready/i.test(message)) return { outcome: 'not_ready', subcode: null };
	if (/overloaded|at capacity|no capacity|high demand/i.test(message)) return { outcome: 'overloaded', subcode: null };
	return null;
}

/** R7: a 429 says "too much", not whose fault it is. Quota is never guessed from a bare one, and neither is capacity. */
export function judge429({ headers, error, ownLimitReached }: ErrorContext): RuleVerdict {
	const codes = [error?.code, error?.type, ...(error?.reasons ?? [])].filter((word) => typeof word === 'string').join(' ');
	const message = error?.message ?? '';
	if (quotaWords.test(codes) || /per_?day/i.test(codes) || /billing|credit balance|insufficient (?:balance|funds|quota)|prepa(?:id|y)/i.test(message)) {
		return { outcome: 'quota_exhausted', subcode: null };
	}
	if (loadingWords.test(codes) || loadingWords.test(message)) return { outcome: 'not_ready', subcode: null };
	if (capacityWords.test(codes) || capacityWords.test(message)) return { outcome: 'overloaded', subcode: null };
	const namesLimit = codes.split(' ').some((code) => ownLimitCodes.test(code)) || ownLimitWords.test(message);
	if (namesLimit || ownLimitReached) return { outcome: 'rate_limited', subcode: null };
	return { outcome: 'throttled', subcode: headers['retry-after'] === undefined ? null : 'with_retry_after' };
}

/** R6: what a status means when nothing else speaks. */
const statusTable: Readonly<Record<number, FailureCode>> = {
	202: 'not_ready',
	400: 'bad_request',
	401: 'auth_failed',
	402: 'quota_exhausted',
	403: 'forbidden',
	404: 'model_not_found',
	405: 'bad_request',
	406: 'bad_request',
	408: 'server_timeout',
	409: 'bad_request',
	410: 'model_not_found',
	411: 'bad_request',
	412: 'bad_request',
	413: 'bad_request',
	414: 'bad_request',
	415: 'bad_request',
	422: 'bad_request',
	424: 'server_error',
	425: 'not_ready',
	431: 'bad_request',
	451: 'forbidden',
	// Nginx's "client closed request": nobody but us can have closed it.
	499: 'monitor_fault',
	504: 'server_timeout',
	522: 'server_timeout',
	524: 'server_timeout',
	529: 'overloaded',
};

export function judgeStatus({ status, headers, error }: ErrorContext): RuleVerdict {
	if (status === null) return { outcome: 'server_error', subcode: null };
	if (status >= 300 && status < 400) return { outcome: 'invalid_response', subcode: 'redirect' };
	if (status === 503) {
		const text = `${error?.code ?? ''} ${error?.type ?? ''} ${error?.message ?? ''}`;
		if (loadingWords.test(text)) return { outcome: 'not_ready', subcode: null };
		if (capacityWords.test(text) || headers['retry-after'] !== undefined) return { outcome: 'overloaded', subcode: null };
		return { outcome: 'server_error', subcode: null };
	}
	const outcome = statusTable[status];
	if (outcome !== undefined) return { outcome, subcode: null };
	if (status >= 500) return { outcome: 'server_error', subcode: null };
	if (status >= 400) return { outcome: 'bad_request', subcode: null };
	return { outcome: 'invalid_response', subcode: 'status' };
}

/** Signs that a firewall, a challenge or a geo block answered in the provider's place. */
export function isEdgeBlock(status: number | null, headers: Readonly<Record<string, string>>, body: string): boolean {
	if (headers['cf-mitigated'] !== undefined) return true;
	if (status !== null && status >= 500 && status !== 503) return false;
	return /just a moment\.\.\.|attention required|cf-challenge|cf-browser-verification|error code: 10(?:05|06|07|08|09|10|15|20)|access denied[^]{0,200}(?:reference #|edgesuite)|request blocked|captcha|incapsula incident/i.test(
		body.slice(0, 16_384),
	);
}
