/** A recorded result in the detector's words. */
import type { LatticeInput, LatticeOutcome } from '#core/lattice/lattice-state.ts';
import { type Outcome, ruleOf } from '#core/outcome.ts';
import type { ProbeResult } from '#core/probe-result.ts';

/** Null: nothing that the lattice judges. */
export const latticeOutcomeOf = {
	ok: 'ok',
	server_error: 'http_5xx',
	server_timeout: 'http_5xx',
	first_token_timeout: 'timeout',
	stream_stalled: 'timeout',
	stream_truncated: 'stream_broken',
	stream_error: 'stream_broken',
	invalid_response: 'http_5xx',
	empty_response: 'empty',
	overloaded: 'refused',
	not_ready: 'refused',
	// A 429 that does not say whose limit it is is taken for ours: nobody is blamed on a guess.
	throttled: 'rate_limited',
	rate_limited: 'rate_limited',
	quota_exhausted: 'quota',
	auth_failed: 'auth',
	forbidden: 'auth',
	model_not_found: null,
	bad_request: null,
	dns_failed: 'connect',
	connect_failed: 'connect',
	tls_failed: 'connect',
	edge_blocked: null,
	monitor_fault: null,
	content_blocked: null,
	canary_mismatch: 'wrong',
} as const satisfies Record<Outcome, LatticeOutcome | null>;

const ours = new Set<LatticeOutcome>(['wrong', 'auth', 'quota', 'rate_limited']);

/** Null when the result moves nothing: it never ran, was sent by hand, or is our own fault. */
export function latticeInputOf(id: string, result: ProbeResult, at: number): LatticeInput | null {
	const { startedAt, kind, outcome, provider, model, operation, vantage, canary, ttftMs, totalMs } = result;
	const name = { provider, model: `${model}:${operation}`, vantage };
	if (startedAt === null) return kind === 'confirmation' ? { type: 'reprobe_denied', at, ...name } : null;
	const latticeOutcome: LatticeOutcome | null = latticeOutcomeOf[outcome];
	if (kind === 'manual' || latticeOutcome === null || result.evidence?.untested === true) return null;
	// A network failure that nobody confirmed is excluded; to the lattice it is evidence all the same, because it tells a blind vantage.
	if (result.sli === 'excluded' && ruleOf(outcome).group !== 'network' && !ours.has(latticeOutcome)) return null;
	return { type: 'result', id, at, startedAt, ...name, outcome: latticeOutcome, ttftMs, totalMs, canary, reprobe: kind === 'confirmation' };
}
