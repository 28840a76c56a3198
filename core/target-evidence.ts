/** What a target's page shows beside the snapshot: too much to travel with every snapshot, and in no verdict. */
import type { ProbeResult } from './probe-result.ts';

/** One UTC day. */
export interface LatencyDay {
	/** YYYY-MM-DD. */
	readonly date: string;
	/** Complete answers of the day; never 0. */
	readonly count: number;
	/** Time to the first token. */
	readonly p50Ms: number;
	readonly p95Ms: number;
}

export type ShownResult = Pick<
	ProbeResult,
	| 'slotAt'
	| 'startedAt'
	| 'vantage'
	| 'canary'
	| 'kind'
	| 'outcome'
	| 'sli'
	| 'phase'
	| 'httpStatus'
	| 'dnsMs'
	| 'connectMs'
	| 'tlsMs'
	| 'ttfbMs'
	| 'ttftMs'
	| 'totalMs'
	| 'requestId'
>;

export interface TargetEvidence {
	/** Of one canary, since percentiles over mixed ones mean nothing: the one with the most answers. Null without any. */
	readonly canary: string | null;
	/** Oldest first; a day without a complete answer is missing. */
	readonly latencyDays: readonly LatencyDay[];
	/** Newest first. */
	readonly results: readonly ShownResult[];
}

/** Target id → evidence; a target without any is missing. */
export type FleetEvidence = ReadonlyMap<string, TargetEvidence>;
