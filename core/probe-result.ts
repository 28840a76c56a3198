import type { Outcome, Sli } from './outcome.ts';
import type { Operation } from './target.ts';

export const phases = ['schedule', 'credential', 'dns', 'connect', 'tls', 'request', 'headers', 'first_event', 'stream', 'end', 'assert'] as const;
/** Where a failed probe stood. `schedule`: it never started. */
export type Phase = (typeof phases)[number];

export const probeKinds = ['scheduled', 'confirmation', 'manual'] as const;
/** Only `scheduled` results enter published numbers: confirmations are sent because something looked wrong, and would weigh bad minutes more. */
export type ProbeKind = (typeof probeKinds)[number];

/** Rate-limit headroom as the provider's headers told it; null = not told. */
export interface RateLimitHeaders {
	readonly requestsLimit: number | null;
	readonly requestsRemaining: number | null;
	readonly tokensLimit: number | null;
	readonly tokensRemaining: number | null;
	readonly resetMs: number | null;
}

/** What was seen beside the code. Text is cut, cleaned of control characters and redacted before it gets here. */
export interface Evidence {
	/** Finer name of the cause, e.g. `missed_slot`, `http200_error`, `event_loop_lag`. */
	readonly subcode?: string;
	/** The provider reported the failure inside a 200. */
	readonly inBand?: boolean;
	readonly providerType?: string;
	readonly providerCode?: string;
	readonly message?: string;
	/** The field of our request that the provider complained of. */
	readonly param?: string;
	/** The headers announced the model's end, ms since epoch (RFC 8594). */
	readonly sunsetAt?: number;
	/** The headers called the model deprecated (RFC 9745). */
	readonly deprecated?: true;
	/** The target had never accepted this canary's request, so the request may be what failed: kept out of the numbers. */
	readonly untested?: true;
	/** Asked over HTTP/2; left out: over HTTP/1.1. */
	readonly protocol?: 'h2';
	readonly heartbeats?: number;
	readonly finishReason?: string;
	/** For network codes: did a second connection fail too, and did a control answer. */
	readonly networkConfirmed?: boolean;
	readonly rateLimit?: RateLimitHeaders;
}

/** One canary sent once, and what came of it. Times at: ms since epoch. Durations: ms on the monotonic clock; null = the phase did not happen. */
export interface ProbeResult {
	readonly slotAt: number;
	/** Null when the probe never started (a missed slot). */
	readonly startedAt: number | null;
	readonly vantage: string;
	readonly provider: string;
	readonly model: string;
	readonly operation: Operation;
	readonly canary: string;
	readonly kind: ProbeKind;
	readonly outcome: Outcome;
	readonly sli: Sli;
	/** Null when the outcome is ok. */
	readonly phase: Phase | null;
	readonly httpStatus: number | null;
	readonly dnsMs: number | null;
	readonly connectMs: number | null;
	readonly tlsMs: number | null;
	/** Request sent → response headers. */
	readonly ttfbMs: number | null;
	/** Request sent → first chunk with visible content. */
	readonly ttftMs: number | null;
	/** Longest silence between content chunks. */
	readonly maxGapMs: number | null;
	/** Start of the probe (before DNS) → end. */
	readonly totalMs: number | null;
	/** Worst event-loop delay of the probe's own process while it ran: how far its marks could be bent. */
	readonly lagMs: number | null;
	readonly inputTokens: number | null;
	readonly outputTokens: number | null;
	/** Over the generation after the first token; null below 20 tokens, where chunking makes a rate meaningless. */
	readonly outputTokensPerSecond: number | null;
	readonly servedModel: string | null;
	readonly requestId: string | null;
	readonly retryAfterMs: number | null;
	/** Null when no price is known. */
	readonly costMicroUsd: number | null;
	readonly evidence: Evidence | null;
}

/** A slot's identity: a job that runs twice records once. */
export interface SlotKey {
	readonly provider: string;
	readonly model: string;
	readonly operation: Operation;
	readonly canary: string;
	readonly vantage: string;
	readonly kind: ProbeKind;
	readonly slotAt: number;
}

/** The record of a slot that could not run. It is replaced when the real result arrives late (a spooled one, say). */
export function missedSlot(slot: SlotKey, why: 'missed_slot' | 'budget' | 'budget_stretched' | 'backed_off' | 'no_key'): ProbeResult {
	return {
		slotAt: slot.slotAt,
		startedAt: null,
		vantage: slot.vantage,
		provider: slot.provider,
		model: slot.model,
		operation: slot.operation,
		canary: slot.canary,
		kind: slot.kind,
		outcome: 'monitor_fault',
		sli: 'excluded',
		phase: 'schedule',
		httpStatus: null,
		dnsMs: null,
		connectMs: null,
		tlsMs: null,
		ttfbMs: null,
		ttftMs: null,
		maxGapMs: null,
		totalMs: null,
		lagMs: null,
		inputTokens: null,
		outputTokens: null,
		outputTokensPerSecond: null,
		servedModel: null,
		requestId: null,
		retryAfterMs: null,
		costMicroUsd: null,
		evidence: { subcode: why },
	};
}
