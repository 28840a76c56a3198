/** Who is told what, and when a delivery is tried again: pure decisions. */
import type { Cause, Impact, IncidentStatus, Scope } from './incident.ts';

export const transitions = ['opened', 'updated', 'reopened', 'resolved'] as const;
export type Transition = (typeof transitions)[number];

/** What a channel renders; stored with the delivery, so that every attempt says the same. Times are ISO 8601 UTC. */
export interface AlertEvent {
	readonly type: `incident.${Transition}`;
	/** When the transition was decided, not when it is sent. */
	readonly at: string;
	readonly simulated: boolean;
	readonly incident: {
		readonly id: string;
		readonly title: string;
		readonly scope: Scope;
		readonly cause: Cause;
		readonly impact: Impact;
		readonly status: IncidentStatus;
		readonly startedAt: string;
		readonly detectedAt: string;
		readonly resolvedAt: string | null;
		readonly reason: string;
		readonly targetIds: readonly string[];
		readonly evidence: {
			readonly good: number;
			readonly bad: number;
			readonly excluded: number;
			readonly outcomes: Readonly<Record<string, number>>;
			readonly vantages: readonly string[];
		};
	};
	/** Other providers of the same model that are operational now; empty when there are none. */
	readonly useInstead: readonly string[];
	/** The incident's public page; null when no `status.url` is configured. */
	readonly link: string | null;
}

export interface RouteMatch {
	readonly provider: readonly string[] | null;
	readonly model: readonly string[] | null;
	readonly impact: readonly Impact[] | null;
	readonly cause: readonly Cause[] | null;
}

export interface AlertRoute {
	readonly match: RouteMatch;
	readonly channels: readonly string[];
}

/** Channels that hear of an incident: every matching route adds its own, each once, in the file's order. A null field matches all. */
export function channelsFor(routes: readonly AlertRoute[], incident: { scope: Scope; impact: Impact; cause: Cause }): string[] {
	const matches = <T>(allowed: readonly T[] | null, value: T | null) => allowed === null || (value !== null && allowed.includes(value));
	const matching = routes.filter(
		({ match }) =>
			matches(match.provider, incident.scope.provider) &&
			matches(match.model, incident.scope.model) &&
			matches(match.impact, incident.impact) &&
			matches(match.cause, incident.cause),
	);
	return [...new Set(matching.flatMap((route) => route.channels))];
}

/** Delays before attempt 2, 3, …: Standard Webhooks 1.0.0, about 76 h in all; then the delivery is dead-lettered. */
export const retryDelaysMs = [5_000, 300_000, 1_800_000, 7_200_000, 18_000_000, 36_000_000, 50_400_000, 72_000_000, 86_400_000] as const;

export type DeliveryOutcome =
	| { readonly kind: 'delivered' }
	/** Null status: no answer at all. */
	| { readonly kind: 'failed'; readonly status: number | null; readonly retryAfterMs: number | null; readonly message: string };

export type DeliveryDecision =
	| { readonly kind: 'delivered' }
	| { readonly kind: 'retry'; readonly afterMs: number; readonly reason: string }
	| { readonly kind: 'dead'; readonly reason: string };

/**
 * @param attempt number of the attempt that just ended, from 1
 * @param jitter 0..1, spreads retries over up to a tenth of the delay
 */
export function decideDelivery(outcome: DeliveryOutcome, attempt: number, jitter: number): DeliveryDecision {
	if (outcome.kind === 'delivered') return { kind: 'delivered' };
	const { status, retryAfterMs, message } = outcome;
	if (status !== null && !isRetryable(status)) return { kind: 'dead', reason: `HTTP ${status} is final: ${message}` };
	const delay = retryDelaysMs[attempt - 1];
	if (delay === undefined) return { kind: 'dead', reason: `${attempt} attempts failed, last: ${message}` };
	return { kind: 'retry', afterMs: Math.max(Math.round(delay * (1 + jitter / 10)), retryAfterMs ?? 0), reason: message };
}

/** 3xx is not followed and may be mended by the receiver; of the 4xx only time-outs, locks and limits pass by themselves. 410 says "stop". */
function isRetryable(status: number): boolean {
	return status >= 500 || status === 408 || status === 409 || status === 423 || status === 425 || status === 429 || (status >= 300 && status < 400);
}
