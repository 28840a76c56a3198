/** What the API asks of the record: the only reads that wait for the database. Each may reject; the API then answers 503. */
import type { Incident } from '#core/incident.ts';
import type { ProbeResult } from '#core/probe-result.ts';
import type { RollupStep } from '#core/rollup.ts';
import type { SeriesMark } from '#core/target-setup.ts';

export interface RecordedResult extends ProbeResult {
	/** Public id. */
	readonly id: string;
}

export interface ResultsQuery {
	/** As an earlier page gave it; null for the newest. */
	readonly cursor: string | null;
	/** 1..500. */
	readonly limit: number;
	/** Only results of this outcome code; null for all. */
	readonly outcome: string | null;
}

export interface ResultsPage {
	/** Newest first. */
	readonly results: readonly RecordedResult[];
	/** Null on the last page. */
	readonly next: string | null;
}

export interface SeriesQuery {
	/** ms since epoch, fromAt ≤ at < toAt. */
	readonly fromAt: number;
	readonly toAt: number;
	readonly step: RollupStep;
}

export interface SeriesPoint {
	/** Start of the step, ms since epoch. */
	readonly at: number;
	/** Slots in the step, missed ones included. */
	readonly count: number;
	readonly missed: number;
	readonly good: number;
	readonly bad: number;
	readonly excluded: number;
	/** Of complete answers; null without one. */
	readonly ttftMs: { readonly p50: number; readonly p90: number; readonly p95: number; readonly p99: number } | null;
	readonly totalMs: { readonly p50: number; readonly p95: number } | null;
	readonly outputTokensPerSecond: { readonly p50: number; readonly p10: number } | null;
}

export interface Evidence {
	/** Null when the cursor is not one that this record gave. */
	results(targetId: string, query: ResultsQuery): Promise<ResultsPage | null>;
	/** Oldest first; steps without any slot may be left out. */
	series(targetId: string, query: SeriesQuery): Promise<readonly SeriesPoint[]>;
	/** Oldest first: from when on the target was probed in another way. */
	marks(targetId: string, range: Pick<SeriesQuery, 'fromAt' | 'toAt'>): Promise<readonly SeriesMark[]>;
	/** Null when there is none of this id. Asked only for what the snapshot no longer holds. */
	incident(id: string): Promise<Incident | null>;
}
