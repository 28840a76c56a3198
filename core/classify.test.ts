import { describe, expect, test } from 'vitest';
import { type Answer, emptyAnswer } from './answer.ts';
import { classify, type ProbeEvidence } from './classify.ts';
import type { ErrorRule } from './error-rules.ts';
import { failureCodes, type Outcome } from './outcome.ts';

const whole: Answer = { ...emptyAnswer, text: 'OK', complete: true, finish: 'stop', finishReason: 'stop' };

const quiet: ProbeEvidence = {
	monitorFault: null,
	credentialFault: null,
	phase: 'stream',
	transport: null,
	deadline: null,
	bound: null,
	status: 200,
	headers: {},
	body: null,
	answer: whole,
	contentSeen: true,
	eventSeen: true,
	assertion: { right: true, subcode: null },
	rules: [],
	ownLimitReached: false,
};

/** A non-2xx with a body. */
function refused(status: number, body: unknown, headers: Record<string, string> = {}): Partial<ProbeEvidence> {
	return {
		status,
		headers,
		body: typeof body === 'string' ? body : JSON.stringify(body),
		answer: null,
		contentSeen: false,
		eventSeen: false,
		assertion: null,
		phase: 'headers',
	};
}

function failed(phase: ProbeEvidence['phase'], code: string): Partial<ProbeEvidence> {
	return { phase, transport: { code, message: code }, status: null, answer: null, contentSeen: false, eventSeen: false, assertion: null };
}

/** A stream that did not get as far as a whole answer. */
function broken(change: Partial<ProbeEvidence>, answer: Partial<Answer> = {}): Partial<ProbeEvidence> {
	return { assertion: null, answer: { ...emptyAnswer, text: change.contentSeen === false ? '' : 'O', ...answer }, ...change };
}

const error = (type: string | null, code: string | null, message = '', status: number | null = null) => ({
	error: { status, type, code, message, param: null, reasons: [], retryAfterMs: null },
});

type Row = readonly [rule: string, evidence: Partial<ProbeEvidence>, outcome: Outcome, phase: string | null, subcode?: string | null];

const rows: readonly Row[] = [
	['a whole and right answer is ok', {}, 'ok', null],
	['a quirk beside a right answer is kept', { answer: { ...whole, note: 'no_done' } }, 'ok', null, 'no_done'],
	['our own lag outranks everything', { ...refused(503, ''), monitorFault: 'event_loop_lag' }, 'monitor_fault', 'headers', 'event_loop_lag'],
	['a missing key sends nothing', { credentialFault: 'key_not_set', status: null, phase: 'credential' }, 'auth_failed', 'credential', 'key_not_set'],
	['a probe that never began is ours', { status: null, phase: 'schedule' }, 'monitor_fault', 'schedule'],

	['no such host', failed('dns', 'ENOTFOUND'), 'dns_failed', 'dns', 'enotfound'],
	['DNS too late', { ...failed('dns', ''), transport: null, deadline: 'connect' }, 'dns_failed', 'dns', 'timeout'],
	['refused', failed('connect', 'ECONNREFUSED'), 'connect_failed', 'connect', 'econnrefused'],
	['connect too late', { ...failed('connect', ''), transport: null, deadline: 'connect' }, 'connect_failed', 'connect', 'timeout'],
	['certificate', failed('tls', 'CERT_HAS_EXPIRED'), 'tls_failed', 'tls', 'cert_has_expired'],
	['TLS never answered', { ...failed('tls', ''), transport: null, deadline: 'connect' }, 'tls_failed', 'tls', 'timeout'],
	['reset before headers', failed('headers', 'ECONNRESET'), 'server_error', 'headers', 'econnreset'],
	['no headers in time', { ...failed('headers', ''), transport: null, deadline: 'first_token' }, 'first_token_timeout', 'headers'],
	['no headers in the total time', { ...failed('headers', ''), transport: null, deadline: 'total' }, 'first_token_timeout', 'headers'],
	['not HTTP', failed('headers', 'HPE_INVALID_CONSTANT'), 'invalid_response', 'headers', 'not_http'],
	['a flood of headers', failed('headers', 'UND_ERR_HEADERS_OVERFLOW'), 'invalid_response', 'headers', 'headers_bound'],

	['500 without a word', refused(500, ''), 'server_error', 'headers'],
	['500 whose words blame us is still theirs', refused(500, { error: { type: 'invalid_request_error', message: 'm' } }), 'server_error', 'headers'],
	['502 as HTML', refused(502, '<html>nginx</html>', { 'content-type': 'text/html' }), 'server_error', 'headers'],
	['503 bare', refused(503, { error: { message: 'down' } }), 'server_error', 'headers'],
	['503 with retry-after', refused(503, '', { 'retry-after': '5' }), 'overloaded', 'headers'],
	['503 that speaks of capacity', refused(503, { error: { message: 'no capacity left' } }), 'overloaded', 'headers'],
	['503 loading', refused(503, { error: { code: 503, message: 'Loading model', type: 'unavailable_error' } }), 'not_ready', 'headers'],
	['202 queued', refused(202, {}), 'not_ready', 'headers'],
	['425', refused(425, ''), 'not_ready', 'headers'],
	['504', refused(504, ''), 'server_timeout', 'headers'],
	['524 by the edge', refused(524, '<html>', { 'content-type': 'text/html' }), 'server_timeout', 'headers'],
	['520 by the edge', refused(520, '<html>', { 'content-type': 'text/html' }), 'server_error', 'headers'],
	['529', refused(529, ''), 'overloaded', 'headers'],
	['401', refused(401, ''), 'auth_failed', 'headers'],
	['402', refused(402, ''), 'quota_exhausted', 'headers'],
	['403', refused(403, { error: { message: 'm' } }), 'forbidden', 'headers'],
	['404', refused(404, ''), 'model_not_found', 'headers'],
	['410', refused(410, ''), 'model_not_found', 'headers'],
	['400', refused(400, { error: { message: 'm', type: 'invalid_request_error' } }), 'bad_request', 'headers'],
	['413', refused(413, ''), 'bad_request', 'headers'],
	['451', refused(451, ''), 'forbidden', 'headers'],
	['499', refused(499, ''), 'monitor_fault', 'headers'],
	['an unknown 4xx is ours', refused(418, ''), 'bad_request', 'headers'],
	['a redirect is not followed', refused(302, ''), 'invalid_response', 'headers', 'redirect'],
	['words nobody knows keep their trace', refused(500, { error: { message: 'm', type: 'weird', code: 'e_42' } }), 'server_error', 'headers', 'unclassified'],
	['a filter refused the prompt', refused(400, { error: { code: 'content_policy_violation' } }), 'content_blocked', 'headers'],
	['a challenge page', refused(403, '<!doctype html><title>Just a moment...</title>', { 'cf-mitigated': 'challenge' }), 'edge_blocked', 'headers'],
	['a block page', refused(403, '<html>Attention Required! | Cloudflare error code: 1020</html>', { 'content-type': 'text/html' }), 'edge_blocked', 'headers'],
	['an HTML 403 without such signs', refused(403, '<html>no</html>', { 'content-type': 'text/html' }), 'forbidden', 'headers'],
	['an HTML 400 is not the protocol', refused(400, '<html>no</html>', { 'content-type': 'text/html' }), 'invalid_response', 'headers', 'html'],

	['429 bare is nobody’s', refused(429, ''), 'throttled', 'headers'],
	['429 with retry-after alone is nobody’s', refused(429, '', { 'retry-after': '3' }), 'throttled', 'headers', 'with_retry_after'],
	['429 of the wallet', refused(429, { error: { code: 'insufficient_quota' } }), 'quota_exhausted', 'headers'],
	['429 of the day', refused(429, { error: { code: 429, details: [{ quotaId: 'RequestsPerDay' }] } }), 'quota_exhausted', 'headers'],
	['429 that names our limit', refused(429, { error: { message: 'Limit 60 requests per minute, Used 60' } }), 'rate_limited', 'headers'],
	['429 with nothing remaining', { ...refused(429, { error: { message: 'slow down' } }), ownLimitReached: true }, 'rate_limited', 'headers'],
	['429 of theirs', refused(429, { error: { message: 'We are experiencing high demand' } }), 'overloaded', 'headers'],
	['429 not ready', refused(429, { message: 'Model is not ready', type: 'ModelNotReadyException' }), 'not_ready', 'headers'],

	[
		'200 with an error as JSON',
		{ body: '{"code":"x","error":"The service failed"}', answer: null, headers: { 'content-type': 'application/json' } },
		'server_error',
		'headers',
		'unclassified',
	],
	[
		'200 with our empty wallet as JSON',
		{ body: '{"error":{"code":"insufficient_balance","message":"m"}}', answer: null },
		'quota_exhausted',
		'headers',
		'http200_error',
	],
	['200 whole instead of streamed', { body: '{"choices":[]}', answer: null }, 'invalid_response', 'headers', 'not_streamed'],
	['200 HTML', { body: '<html>hello</html>', answer: null, headers: { 'content-type': 'text/html' } }, 'invalid_response', 'headers', 'html'],
	['200 HTML challenge', { body: '<html>captcha</html>', answer: null, headers: { 'content-type': 'text/html' } }, 'edge_blocked', 'headers'],
	['200 that is anything', { body: 'hello', answer: null }, 'invalid_response', 'headers', 'not_protocol'],

	['error inside, before content', broken({ contentSeen: false }, error('server_error', null, 'm')), 'server_error', 'first_event'],
	['error inside, after content', broken({}, error('server_error', null, 'm')), 'stream_error', 'stream'],
	['no capacity, after content', broken({}, error('overloaded_error', null)), 'overloaded', 'stream'],
	['our wallet, inside the stream', broken({ contentSeen: false }, error('insufficient_quota', 'insufficient_quota')), 'quota_exhausted', 'first_event'],
	['a bare 429 inside the stream', broken({ contentSeen: false }, error(null, null, 'too many', 429)), 'throttled', 'first_event'],
	['an error of no known words', broken({ contentSeen: false }, error('weird', 'e_42')), 'server_error', 'first_event', 'unclassified'],
	['an error outranks the cut after it', broken({ transport: { code: 'ECONNRESET', message: '' } }, error('overloaded_error', null)), 'overloaded', 'stream'],

	['an event that is not JSON', broken({}, { malformed: 'bad_json_event' }), 'invalid_response', 'stream', 'bad_json_event'],
	['too much', broken({ bound: 'body' }), 'invalid_response', 'stream', 'body_bound'],
	['a wrong chunk in the body', broken({ transport: { code: 'HPE_INVALID_CHUNK_SIZE', message: '' } }), 'invalid_response', 'stream'],
	['silence before content', broken({ deadline: 'first_token', contentSeen: false }), 'first_token_timeout', 'first_event'],
	['heartbeats do not rescue', broken({ deadline: 'total', contentSeen: false }), 'first_token_timeout', 'first_event'],
	['silence after content', broken({ deadline: 'stall' }), 'stream_stalled', 'stream'],
	['silence amid reasoning', broken({ deadline: 'stall', contentSeen: false }, { reasoningSeen: true }), 'stream_stalled', 'first_event', 'reasoning'],
	['an answer that never ends', broken({ deadline: 'total' }), 'stream_stalled', 'stream', 'total_deadline'],
	['cut in the body', broken({ transport: { code: 'UND_ERR_SOCKET', message: '' } }), 'stream_truncated', 'stream', 'und_err_socket'],
	[
		'cut before the first event',
		broken({ transport: { code: 'ECONNRESET', message: '' }, contentSeen: false, eventSeen: false }),
		'stream_truncated',
		'first_event',
	],
	['a clean end without terminator', broken({}), 'stream_truncated', 'end', 'no_terminator'],
	['an empty body', broken({ contentSeen: false, eventSeen: false }), 'stream_truncated', 'first_event', 'empty_body'],
	['[DONE] without a finish reason', broken({}, { note: 'done_without_finish' }), 'stream_truncated', 'end', 'done_without_finish'],
	['a reset after the terminator does not undo the answer', { transport: { code: 'ECONNRESET', message: '' } }, 'ok', null],
	['a hang after the terminator does not undo the answer', { deadline: 'stall' }, 'ok', null],

	['nothing said', { answer: { ...whole, text: '' }, contentSeen: false }, 'empty_response', 'end'],
	[
		'all spent on thinking',
		{ answer: { ...whole, text: '', finish: 'length', reasoningSeen: true }, contentSeen: false },
		'canary_mismatch',
		'assert',
		'budget',
	],
	['a filter at the end', { answer: { ...whole, finish: 'content' } }, 'content_blocked', 'end'],
	['finish reason: error', { answer: { ...whole, finish: 'error' } }, 'stream_error', 'end'],
	['finish reason: error, nothing said', { answer: { ...whole, text: '', finish: 'error' }, contentSeen: false }, 'server_error', 'end'],
	['finish reason: no capacity', { answer: { ...whole, finish: 'overloaded' } }, 'overloaded', 'end'],
	['finish reason: timeout', { answer: { ...whole, finish: 'timeout' } }, 'server_timeout', 'end'],
	['finish reason: malformed call', { answer: { ...whole, finish: 'mismatch' } }, 'canary_mismatch', 'assert'],
	['a wrong answer', { assertion: { right: false, subcode: 'wrong_answer' } }, 'canary_mismatch', 'assert', 'wrong_answer'],
];

describe('classify', () => {
	for (const [rule, change, outcome, phase, subcode] of rows) {
		test(rule, () => {
			const found = classify({ ...quiet, ...change });
			expect(found).toMatchObject({ outcome, phase });
			if (subcode !== undefined) expect(found.subcode).toBe(subcode);
		});
	}

	test('every code of the closed list is reached', () => {
		const reached = new Set(rows.map(([, change]) => classify({ ...quiet, ...change }).outcome));
		expect([...failureCodes].filter((code) => !reached.has(code))).toEqual([]);
	});

	test("a provider's own row goes before the general words", () => {
		const rule: ErrorRule = { code: /^insufficient_quota$/, outcome: 'rate_limited', why: 'there it means throttling' };
		const body = { error: { code: 'insufficient_quota', message: 'm' } };
		expect(classify({ ...quiet, ...refused(429, body), rules: [rule] }).outcome).toBe('rate_limited');
		expect(classify({ ...quiet, ...refused(429, body) }).outcome).toBe('quota_exhausted');
	});

	test("the provider's own words are handed on", () => {
		expect(classify({ ...quiet, ...refused(500, { error: { message: 'm', type: 'weird', code: 'e_42' } }) }).error).toMatchObject({
			type: 'weird',
			code: 'e_42',
		});
	});
});
