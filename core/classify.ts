/** One probe's evidence → one code. Pure; rules R1–R13 of the wire-protocol notes, in that order, the first that holds decides. */
import type { Answer, ProviderError } from './answer.ts';
import { isRecord, parseJson, readErrorBody } from './error-body.ts';
import {
	type ErrorContext,
	type ErrorRule,
	isEdgeBlock,
	judge429,
	judgeSentence,
	judgeStatus,
	matchRules,
	matchWords,
	type RuleVerdict,
} from './error-rules.ts';
import { type FailureCode, type Outcome, ruleOf } from './outcome.ts';
import type { Phase } from './probe-result.ts';

export type Deadline = 'connect' | 'first_token' | 'stall' | 'total';

export interface ProbeEvidence {
	/** Our own trouble, named: `event_loop_lag`, `aborted`, `network_lost`; null when the monitor was well. */
	readonly monitorFault: string | null;
	/** Name of the missing variable's problem; null when the key was there or none is needed. */
	readonly credentialFault: string | null;
	/** How far the probe came. */
	readonly phase: Phase;
	/** Error of the socket or the HTTP parser, by its Node or undici code; null when there was none. */
	readonly transport: { readonly code: string; readonly message: string } | null;
	/** Which of our own deadlines ended it. */
	readonly deadline: Deadline | null;
	/** Which of our own bounds on size ended it: `body`, `event`, `events`, `headers`. */
	readonly bound: string | null;
	readonly status: number | null;
	/** Lower-case names. */
	readonly headers: Readonly<Record<string, string>>;
	/** Body that was read whole, at most 64 KB: of a non-2xx, or of a 2xx that is not the expected stream. Null for streams. */
	readonly body: string | null;
	/** What the stream said; null when no stream was read. */
	readonly answer: Answer | null;
	/** Visible content had started. */
	readonly contentSeen: boolean;
	/** At least one event that was no comment. */
	readonly eventSeen: boolean;
	/** Null when there was no answer to judge. */
	readonly assertion: { readonly right: boolean; readonly subcode: string | null } | null;
	/** The provider's rows, then the dialect's. */
	readonly rules: readonly ErrorRule[];
	/** The headers say that our own allowance is 0. */
	readonly ownLimitReached: boolean;
}

export interface Classification {
	readonly outcome: Outcome;
	/** Null when ok. */
	readonly phase: Phase | null;
	readonly subcode: string | null;
	/** Reported inside a 2xx. */
	readonly inBand: boolean;
	/** The provider's own words; null when it said none. */
	readonly error: ProviderError | null;
}

function verdict(outcome: FailureCode, phase: Phase, subcode: string | null = null, error: ProviderError | null = null, inBand = false): Classification {
	return { outcome, phase, subcode, error, inBand };
}

export function classify(evidence: ProbeEvidence): Classification {
	const { monitorFault, credentialFault, status, phase } = evidence;
	if (monitorFault !== null) return verdict('monitor_fault', phase, monitorFault);
	if (credentialFault !== null) return verdict('auth_failed', 'credential', credentialFault);
	if (status === null) return classifyNoHeaders(evidence);
	if (status < 200 || status > 299 || status === 202) return classifyErrorStatus(evidence, status);
	if (evidence.body !== null) return classifyWholeBody(evidence);
	return classifyStream(evidence);
}

/** Codes of the HTTP parser and of our decompressor: what came was not the protocol. */
function isProtocolFault(code: string): boolean {
	return /^HPE_|^HTTPParserError|^ERR_HTTP2_ERROR|^ERR_CONTENT_ENCODING|^UND_ERR_INVALID_CONTENT|^UND_ERR_RES_CONTENT_LENGTH/.test(code);
}

function transportSubcode(evidence: ProbeEvidence): string | null {
	return evidence.transport === null ? (evidence.deadline === null ? null : 'timeout') : evidence.transport.code.toLowerCase();
}

function classifyNoHeaders(evidence: ProbeEvidence): Classification {
	const { phase, transport, deadline, bound } = evidence;
	const subcode = transportSubcode(evidence);
	switch (phase) {
		case 'dns':
			return verdict('dns_failed', phase, subcode);
		case 'connect':
			return verdict('connect_failed', phase, subcode);
		case 'tls':
			return verdict('tls_failed', phase, subcode);
		case 'schedule':
		case 'credential':
			return verdict('monitor_fault', phase, subcode ?? 'not_started');
	}
	if (deadline !== null) return verdict('first_token_timeout', 'headers', 'no_headers');
	if (bound !== null || transport?.code === 'UND_ERR_HEADERS_OVERFLOW') return verdict('invalid_response', 'headers', 'headers_bound');
	if (transport !== null && isProtocolFault(transport.code)) return verdict('invalid_response', 'headers', 'not_http');
	return verdict('server_error', 'headers', subcode);
}

function isMarkup(headers: Readonly<Record<string, string>>, body: string): boolean {
	return /text\/html|application\/xhtml/i.test(headers['content-type'] ?? '') || /^\s*<(?:!doctype|html|\?xml)/i.test(body);
}

function classifyErrorStatus(evidence: ProbeEvidence, status: number): Classification {
	const { headers } = evidence;
	const body = evidence.body ?? '';
	const json = parseJson(body);
	const error = readErrorBody(json, headers);
	if (isEdgeBlock(status, headers, body) && (json === undefined || error === null)) return verdict('edge_blocked', 'headers', null, error);
	const context: ErrorContext = { status, headers, error, ownLimitReached: evidence.ownLimitReached };
	const { outcome, subcode } = judgeError(context, evidence.rules, json !== undefined || body === '' || !isMarkup(headers, body));
	return verdict(outcome, 'headers', subcode, error);
}

/** R5–R7, then what the status means. `worded` false: the body is markup, so only the status speaks. */
function judgeError(context: ErrorContext, rules: readonly ErrorRule[], worded: boolean): RuleVerdict {
	const specific = matchRules(rules, context);
	if (specific !== null) return specific;
	const { status } = context;
	if (status === 429) return judge429(context);
	if (worded) {
		const byWord = matchWords(context.error);
		// A 5xx is the provider's own, whatever its words: "invalid_request" with a 500 is still a server that failed.
		if (byWord !== null && !(status !== null && status >= 500 && ruleOf(byWord.outcome).group === 'caller')) return refine(byWord, context);
	} else if (status !== null && status >= 400 && status < 500 && ![401, 402, 403, 404, 408, 410].includes(status)) {
		return { outcome: 'invalid_response', subcode: 'html' };
	}
	const byStatus = judgeStatus(context);
	const unclassified = context.error !== null && (context.error.code !== null || context.error.type !== null);
	return byStatus.subcode === null && unclassified ? { outcome: byStatus.outcome, subcode: 'unclassified' } : byStatus;
}

/** "unavailable" is the weakest word: a 503 or a Retry-After beside it says more. */
function refine(byWord: RuleVerdict, context: ErrorContext): RuleVerdict {
	if (byWord.outcome !== 'server_error') return byWord;
	if (context.status === null || context.status < 500) return byWord;
	return judgeStatus(context);
}

/** R10: a 2xx that is not the stream we asked for. */
function classifyWholeBody(evidence: ProbeEvidence): Classification {
	const { headers, deadline, transport } = evidence;
	const body = evidence.body ?? '';
	if (isMarkup(headers, body)) {
		return isEdgeBlock(evidence.status, headers, body) ? verdict('edge_blocked', 'headers') : verdict('invalid_response', 'headers', 'html');
	}
	const json = parseJson(body);
	const error = readErrorBody(json, headers);
	if (error !== null) {
		const context: ErrorContext = { status: null, headers, error, ownLimitReached: evidence.ownLimitReached };
		const judged = judgeInBand(context, evidence.rules);
		return verdict(judged.outcome, 'headers', judged.subcode ?? 'http200_error', error, true);
	}
	if (transport !== null && isProtocolFault(transport.code)) return verdict('invalid_response', 'first_event', transport.code.toLowerCase());
	if (deadline !== null) return verdict('first_token_timeout', 'first_event', 'not_streamed');
	if (transport !== null) return verdict('stream_truncated', 'first_event', transport.code.toLowerCase());
	return verdict('invalid_response', 'headers', isRecord(json) ? 'not_streamed' : 'not_protocol');
}

/** An error inside a 200 has no status but the one it names; a bare rate limit is judged as a 429 is. */
function judgeInBand(context: ErrorContext, rules: readonly ErrorRule[]): RuleVerdict {
	const named = context.error?.status ?? null;
	const specific = matchRules(rules, context);
	if (specific !== null) return specific;
	if (named === 429) return judge429(context);
	const byWord = matchWords(context.error);
	if (byWord !== null && byWord.outcome !== 'server_error') return byWord;
	// "server_error" and "unavailable" are the weakest words: the sentence or the status beside them may say more.
	const bySentence = judgeSentence(context.error?.message ?? '');
	if (bySentence !== null) return bySentence;
	if (named !== null) return judgeStatus({ ...context, status: named });
	return byWord ?? { outcome: 'server_error', subcode: 'unclassified' };
}

function classifyStream(evidence: ProbeEvidence): Classification {
	const { answer, transport, deadline, bound, contentSeen, eventSeen } = evidence;
	const standing: Phase = contentSeen ? 'stream' : 'first_event';
	if (answer?.error) return classifyInBand(evidence, answer.error, standing);
	if (bound !== null) return verdict('invalid_response', standing, `${bound}_bound`);
	if (answer?.malformed) return verdict('invalid_response', standing, answer.malformed);
	if (answer?.complete) return classifyAnswer(evidence, answer);
	if (transport !== null && isProtocolFault(transport.code)) return verdict('invalid_response', standing, transport.code.toLowerCase());
	if (deadline !== null) {
		if (contentSeen) return verdict('stream_stalled', 'stream', deadline === 'total' ? 'total_deadline' : null);
		if (deadline === 'stall') return verdict('stream_stalled', 'first_event', 'reasoning');
		return verdict('first_token_timeout', 'first_event', null);
	}
	if (transport !== null) return verdict('stream_truncated', standing, transport.code.toLowerCase());
	return verdict('stream_truncated', eventSeen ? 'end' : 'first_event', answer?.note ?? (eventSeen ? 'no_terminator' : 'empty_body'));
}

/** R11: after the first token a provider's trouble is a broken stream; a caller's fault and missing capacity stay what they are. */
function classifyInBand(evidence: ProbeEvidence, error: ProviderError, standing: Phase): Classification {
	const context: ErrorContext = { status: null, headers: {}, error, ownLimitReached: false };
	const judged = judgeInBand(context, evidence.rules);
	const { group } = ruleOf(judged.outcome);
	if (group === 'provider' && evidence.contentSeen) return verdict('stream_error', standing, judged.subcode, error, true);
	return verdict(judged.outcome, standing, judged.subcode, error, true);
}

/** R12 and R13: a complete answer. */
function classifyAnswer(evidence: ProbeEvidence, answer: Answer): Classification {
	switch (answer.finish) {
		case 'content':
			return verdict('content_blocked', 'end', null, null, true);
		case 'error':
			return verdict(evidence.contentSeen ? 'stream_error' : 'server_error', 'end', 'finish_reason', null, true);
		case 'timeout':
			return verdict('server_timeout', 'end', 'finish_reason', null, true);
		case 'overloaded':
			return verdict('overloaded', 'end', 'finish_reason', null, true);
		case 'mismatch':
			return verdict('canary_mismatch', 'assert', 'malformed_output');
	}
	// A call without arguments is an answer, and a wrong one.
	const called = answer.toolName !== null;
	if (!evidence.contentSeen && !called) {
		const budgetSpent = answer.finish === 'length' && (answer.reasoningSeen || (answer.reasoningTokens ?? 0) > 0);
		return budgetSpent ? verdict('canary_mismatch', 'assert', 'budget') : verdict('empty_response', 'end');
	}
	const { assertion } = evidence;
	if (assertion !== null && !assertion.right) return verdict('canary_mismatch', 'assert', assertion.subcode);
	return { outcome: 'ok', phase: null, subcode: answer.note, inBand: false, error: null };
}
