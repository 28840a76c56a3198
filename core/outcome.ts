/**
 * The closed list of outcomes, and what each one does to the published numbers.
 * One table, one reason a row: a code that nobody decided on does not compile.
 */

/** Whose trouble a failure is. */
export type FaultGroup = 'provider' | 'capacity' | 'caller' | 'network' | 'monitor' | 'content';

/** What a result does to availability (SRE: good and valid events). */
export type Sli = 'good' | 'bad' | 'excluded';

export const failureCodes = [
	'server_error',
	'server_timeout',
	'first_token_timeout',
	'stream_stalled',
	'stream_truncated',
	'stream_error',
	'invalid_response',
	'empty_response',
	'overloaded',
	'not_ready',
	'throttled',
	'rate_limited',
	'quota_exhausted',
	'auth_failed',
	'forbidden',
	'model_not_found',
	'bad_request',
	'dns_failed',
	'connect_failed',
	'tls_failed',
	'edge_blocked',
	'monitor_fault',
	'content_blocked',
	'canary_mismatch',
] as const;

export type FailureCode = (typeof failureCodes)[number];
export type Outcome = 'ok' | FailureCode;
export const outcomes: readonly Outcome[] = ['ok', ...failureCodes];

export interface OutcomeRule {
	readonly group: FaultGroup | 'none';
	/** `bad_if_confirmed`: a network failure counts only when a second connection and a control agree that the far end is at fault. */
	readonly sli: Sli | 'bad_if_confirmed';
	/** Place in the capacity ratio served / (served + refused); `none` stays out of it. */
	readonly capacity: 'served' | 'refused' | 'none';
	/** Place in the quality ratio right / answered; `none` gave no answer to judge. */
	readonly quality: 'right' | 'wrong' | 'none';
	/** What a router should make of it. */
	readonly hint: 'route' | 'avoid' | 'avoid_briefly' | 'lower_weight' | 'ignore' | 'stop';
	/** The operator must act: nobody else can mend it. */
	readonly alertsOperator: boolean;
	readonly meaning: string;
}

const provider = { group: 'provider', sli: 'bad', capacity: 'none', quality: 'none', hint: 'avoid', alertsOperator: false } as const;
const caller = { group: 'caller', sli: 'excluded', capacity: 'none', quality: 'none', hint: 'ignore', alertsOperator: true } as const;
const network = { group: 'network', sli: 'bad_if_confirmed', capacity: 'none', quality: 'none', hint: 'avoid', alertsOperator: false } as const;

export const outcomeRules = {
	ok: { group: 'none', sli: 'good', capacity: 'served', quality: 'right', hint: 'route', alertsOperator: false, meaning: 'complete answer, as expected' },
	server_error: { ...provider, meaning: 'the provider answered with an error of its own, or closed before headers' },
	server_timeout: { ...provider, meaning: 'the provider says that it timed out' },
	first_token_timeout: { ...provider, meaning: 'accepted or silent, no content before our deadline; heartbeats do not rescue' },
	stream_stalled: { ...provider, meaning: 'content started, then silence beyond the stall limit' },
	stream_truncated: { ...provider, meaning: 'the stream ended without its terminator' },
	stream_error: { ...provider, meaning: 'the provider reported an error after content had started' },
	invalid_response: { ...provider, meaning: 'a success status with a body that is not the protocol' },
	empty_response: { ...provider, meaning: 'a complete stream without any content' },
	overloaded: {
		group: 'capacity',
		sli: 'bad',
		capacity: 'refused',
		quality: 'none',
		hint: 'avoid_briefly',
		alertsOperator: false,
		meaning: 'the provider states that it lacks capacity',
	},
	not_ready: {
		group: 'capacity',
		sli: 'bad',
		capacity: 'refused',
		quality: 'none',
		hint: 'avoid_briefly',
		alertsOperator: false,
		meaning: 'the model is loading, scaling up or degraded',
	},
	throttled: {
		group: 'capacity',
		sli: 'excluded',
		capacity: 'refused',
		quality: 'none',
		hint: 'lower_weight',
		alertsOperator: false,
		meaning: '429 without evidence whether the limit is ours or theirs',
	},
	rate_limited: { ...caller, alertsOperator: false, meaning: 'our own request, token or concurrency limit' },
	quota_exhausted: { ...caller, meaning: 'our money, plan or daily quota is used up' },
	auth_failed: { ...caller, meaning: 'our key is missing, invalid, expired or badly signed' },
	forbidden: { ...caller, meaning: 'our account lacks permission, region or model access' },
	model_not_found: { ...caller, hint: 'stop', meaning: 'the model id is wrong, retired or not deployed' },
	bad_request: { ...caller, meaning: 'our own parameter or body was refused' },
	dns_failed: { ...network, meaning: 'the host name did not resolve' },
	connect_failed: { ...network, meaning: 'no TCP connection: refused, unreachable or timed out' },
	tls_failed: { ...network, meaning: 'the certificate or the handshake failed' },
	edge_blocked: {
		group: 'monitor',
		sli: 'excluded',
		capacity: 'none',
		quality: 'none',
		hint: 'ignore',
		alertsOperator: true,
		meaning: 'a firewall, challenge or geo block stopped the monitor',
	},
	monitor_fault: {
		group: 'monitor',
		sli: 'excluded',
		capacity: 'none',
		quality: 'none',
		hint: 'ignore',
		alertsOperator: false,
		meaning: 'our own trouble: a missed slot, event-loop lag, no network, an aborted run',
	},
	content_blocked: {
		group: 'content',
		sli: 'excluded',
		capacity: 'served',
		quality: 'none',
		hint: 'ignore',
		alertsOperator: true,
		meaning: 'a content filter or a refusal stopped the canary',
	},
	canary_mismatch: {
		group: 'content',
		sli: 'excluded',
		capacity: 'served',
		quality: 'wrong',
		hint: 'lower_weight',
		alertsOperator: false,
		meaning: 'answered, but not as expected',
	},
} as const satisfies Record<Outcome, OutcomeRule>;

/** Widened view of the table for callers that index it with a variable code. */
export function ruleOf(outcome: Outcome): OutcomeRule {
	return outcomeRules[outcome];
}

/**
 * @param networkConfirmed for network codes: true when a second connection failed too and a control endpoint answered
 *   (or the far end itself refused); false or null otherwise. Ignored for every other code.
 */
export function sliOf(outcome: Outcome, networkConfirmed: boolean | null): Sli {
	const { sli } = ruleOf(outcome);
	if (sli !== 'bad_if_confirmed') return sli;
	return networkConfirmed === true ? 'bad' : 'excluded';
}

export function isOutcome(text: string): text is Outcome {
	return Object.hasOwn(outcomeRules, text);
}
