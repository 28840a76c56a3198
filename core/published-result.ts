/** One result as it is handed out in files: flat, a row of CSV and a line of NDJSON that say the same. */

import { countOf, quantile } from './histogram.ts';
import type { ProbeResult } from './probe-result.ts';
import type { Rollup } from './rollup.ts';
import { availability } from './sli.ts';
import { parseTargetId } from './target.ts';

export const publishedColumns = [
	'id',
	'target',
	'vantage',
	'canary',
	'kind',
	'slotAt',
	'startedAt',
	'outcome',
	'sli',
	'phase',
	'httpStatus',
	'dnsMs',
	'connectMs',
	'tlsMs',
	'ttfbMs',
	'ttftMs',
	'maxGapMs',
	'totalMs',
	'lagMs',
	'inputTokens',
	'outputTokens',
	'outputTokensPerSecond',
	'costMicroUsd',
	'retryAfterMs',
	'servedModel',
	'requestId',
	'evidence',
] as const;
export type PublishedColumn = (typeof publishedColumns)[number];

/** Times are ISO 8601 in UTC; null: as in ProbeResult. */
export type PublishedResult = Readonly<Record<PublishedColumn, unknown>>;

const iso = (at: number | null) => (at === null ? null : new Date(at).toISOString());

/** @param id public id of the slot */
export function toPublished(id: string, target: string, result: ProbeResult): PublishedResult {
	return Object.fromEntries(
		publishedColumns.map((column) => {
			if (column === 'id') return [column, id];
			if (column === 'target') return [column, target];
			if (column === 'slotAt' || column === 'startedAt') return [column, iso(result[column])];
			return [column, result[column]];
		}),
	) as PublishedResult;
}

/** What a rollup needs of it. @throws Error when the row is none of ours: names the column */
export function fromPublished(row: PublishedResult): ProbeResult {
	const target = typeof row.target === 'string' ? parseTargetId(row.target) : null;
	if (target === null) throw new Error(`target: expected a target id, got ${JSON.stringify(row.target)}`);
	const time = (column: 'slotAt' | 'startedAt') => {
		const at = Date.parse(String(row[column]));
		if (Number.isNaN(at)) throw new Error(`${column}: expected a time, got ${JSON.stringify(row[column])}`);
		return at;
	};
	return { ...(row as unknown as ProbeResult), ...target, slotAt: time('slotAt'), startedAt: row.startedAt === null ? null : time('startedAt') };
}

/** One line without its end: keys in the order of the columns. */
export function toJsonLine(row: PublishedResult): string {
	return JSON.stringify(Object.fromEntries(publishedColumns.map((column) => [column, row[column]])));
}

/** One record of RFC 4180 without its end; it has no line breaks, since the record's texts have none. Null is empty, evidence is JSON. */
export function toCsvLine(row: PublishedResult): string {
	return publishedColumns.map((column) => csvCell(row[column])).join(',');
}

function csvCell(value: unknown): string {
	if (value === null || value === undefined) return '';
	const text = typeof value === 'object' ? JSON.stringify(value) : String(value);
	return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** What is published of one day (or any stretch) of one target and canary. */
export interface Figures {
	readonly slots: number;
	readonly missed: number;
	readonly good: number;
	readonly bad: number;
	readonly excluded: number;
	readonly availability: number | null;
	/** 95 % Wilson interval; null without data. */
	readonly low: number | null;
	readonly high: number | null;
	readonly served: number;
	readonly refused: number;
	readonly right: number;
	readonly answered: number;
	readonly inputTokens: number;
	readonly outputTokens: number;
	readonly costMicroUsd: number;
	/** Of results that are ok; null without one. */
	readonly ttftMs: Quantiles | null;
	readonly totalMs: Quantiles | null;
	readonly outputTokensPerSecond: Quantiles | null;
	/** Results of each outcome code. */
	readonly outcomes: Readonly<Record<string, number>>;
}

interface Quantiles {
	readonly count: number;
	readonly p10: number;
	readonly p50: number;
	readonly p90: number;
	readonly p95: number;
	readonly p99: number;
}

export function figuresOf(rollup: Rollup): Figures {
	const { ratio, low, high } = availability(rollup.good, rollup.bad, rollup.excluded);
	return {
		slots: rollup.count,
		missed: rollup.missed,
		good: rollup.good,
		bad: rollup.bad,
		excluded: rollup.excluded,
		availability: ratio,
		low,
		high,
		served: rollup.served,
		refused: rollup.refused,
		right: rollup.right,
		answered: rollup.answered,
		inputTokens: rollup.inputTokens,
		outputTokens: rollup.outputTokens,
		// The record keeps 1e-9 USD; the last digits of a sum of fractions are noise.
		costMicroUsd: Math.round(rollup.costMicroUsd * 1_000) / 1_000,
		ttftMs: quantiles(rollup.ttft),
		totalMs: quantiles(rollup.total),
		outputTokensPerSecond: quantiles(rollup.speed),
		outcomes: Object.fromEntries(Object.entries(rollup.outcomes).sort(([a], [b]) => (a < b ? -1 : 1))),
	};
}

function quantiles(histogram: Rollup['ttft']): Quantiles | null {
	const count = countOf(histogram);
	if (count === 0) return null;
	const at = (q: number) => Number((quantile(histogram, q) ?? 0).toPrecision(4));
	return { count, p10: at(0.1), p50: at(0.5), p90: at(0.9), p95: at(0.95), p99: at(0.99) };
}
