/** How often a message is tried, and when it is given up: pure decisions. */

/** Delays before attempt 2, 3, …: Standard Webhooks 1.0.0, about 76 h in all; then the delivery is dead-lettered. */
export const retryDelaysMs = [5_000, 300_000, 1_800_000, 7_200_000, 18_000_000, 36_000_000, 50_400_000, 72_000_000, 86_400_000] as const;
const scheduleMs = retryDelaysMs.reduce((sum, delay) => sum + delay, 0);

export type DeliveryOutcome =
	| { readonly kind: 'delivered' }
	/** Null status: no answer at all. `final`: the service says itself that trying again is no use. */
	| { readonly kind: 'failed'; readonly status: number | null; readonly retryAfterMs: number | null; readonly message: string; readonly final?: boolean };

export type DeliveryDecision =
	| { readonly kind: 'delivered' }
	| { readonly kind: 'retry'; readonly afterMs: number; readonly reason: string }
	/** `disable`: the receiver wants no more until its configuration changes. */
	| { readonly kind: 'dead'; readonly reason: string; readonly disable: boolean };

export interface DeliveryTry {
	/** Number of the attempt that just ended, from 1. */
	readonly attempt: number;
	/** Since the delivery was made, ms. */
	readonly ageMs: number;
	/** 0..1, spreads retries over up to a tenth of the delay. */
	readonly jitter: number;
	/** Of a service that is told again and again anyway: tried this often instead, over the same time. Null: the schedule. */
	readonly retryEveryMs: number | null;
}

export function decideDelivery(outcome: DeliveryOutcome, { attempt, ageMs, jitter, retryEveryMs }: DeliveryTry): DeliveryDecision {
	if (outcome.kind === 'delivered') return { kind: 'delivered' };
	const { status, retryAfterMs, message, final = false } = outcome;
	if (status === 410) return { kind: 'dead', reason: 'HTTP 410: the receiver wants no more until the channel is configured anew', disable: true };
	if (final || (status !== null && !isRetryable(status))) return { kind: 'dead', reason: `final: ${message}`, disable: false };
	const delay =
		retryEveryMs === null ? retryDelaysMs[attempt - 1] : ageMs < scheduleMs ? Math.min(retryDelaysMs[attempt - 1] ?? retryEveryMs, retryEveryMs) : undefined;
	if (delay === undefined) return { kind: 'dead', reason: `${attempt} attempts failed, last: ${message}`, disable: false };
	return { kind: 'retry', afterMs: Math.max(Math.round(delay * (1 + jitter / 10)), retryAfterMs ?? 0), reason: message };
}

/** 3xx is not followed and may be mended by the receiver; of the 4xx only time-outs, locks and limits pass by themselves. */
function isRetryable(status: number): boolean {
	return status >= 500 || status === 408 || status === 409 || status === 423 || status === 425 || status === 429 || (status >= 300 && status < 400);
}

/** A message that still waits after this long goes to the fallback of its channel as well: the first two tries and the five minutes after them. */
export const fallbackAfterMs = 300_000;
