/** Raw results as sums need them: those that ended alike in one row. Of 10,000 targets a window begins in the middle of up to 50,000 results. */
import { emptyHistogram, type Histogram, histogramOf } from '#core/histogram.ts';
import { emptyRollup, type Rollup, rollupOfAlike } from '#core/rollup.ts';
import { decodeLog } from './log-code.ts';
import { figureInDetails, neverStarted, noFigure, outcomeBits, readCode } from './stored-columns.ts';

export interface AlikeRow {
	/** Without the bits that no sum asks for. */
	readonly code: number;
	readonly ran: boolean;
	readonly slots: number;
	/** Null: none of them has any. */
	readonly input_tokens: number | null;
	readonly output_tokens: number | null;
	readonly cost_nano_usd: number | null;
	readonly ttft_codes?: readonly number[];
	readonly total_codes?: readonly number[];
	readonly speed_codes?: readonly number[];
}

const figure = (column: string) =>
	`sum(case p.${column} when ${noFigure} then null when ${figureInDetails} then d.${column} else p.${column} end)::bigint as ${column}`;

/** Of `p` (probe_results) and `d` (detailsJoin), to be grouped by all that is no sum. @param codes of which figures each one is asked for */
export function alikeColumns(codes: readonly ('ttft' | 'total' | 'speed')[]): string {
	return [
		`p.code & ${outcomeBits} as code`,
		`p.start_delay_ms <> ${neverStarted} as ran`,
		'count(*)::int as slots',
		...['input_tokens', 'output_tokens', 'cost_nano_usd'].map(figure),
		...codes.map((name) => `array_agg(p.${name}_code) as ${name}_codes`),
	].join(', ');
}

/** With a limit it is asked for the few rows that need it; without one Postgres would join with all details. */
export const detailsJoin = `left join lateral (
		select input_tokens, output_tokens, cost_nano_usd from result_details own
		where ${figureInDetails} in (p.input_tokens, p.output_tokens, p.cost_nano_usd) and own.series_key = p.series_key and own.slot_at = p.slot_at
		limit 1
	) d on true`;

/** The histograms of codes that were not asked for are empty. */
export function rollupOfRow(row: AlikeRow): Rollup {
	if (!row.ran) return { ...emptyRollup, count: row.slots, missed: row.slots };
	const { outcome, sli } = readCode(row.code);
	// Errors never improve latency.
	const histogram = (codes: readonly number[] | undefined) => (outcome === 'ok' && codes !== undefined ? histogramOfCodes(codes) : emptyHistogram);
	return {
		...rollupOfAlike(outcome, sli, row.slots),
		inputTokens: row.input_tokens ?? 0,
		outputTokens: row.output_tokens ?? 0,
		costMicroUsd: (row.cost_nano_usd ?? 0) / 1_000,
		ttft: histogram(row.ttft_codes),
		total: histogram(row.total_codes),
		speed: histogram(row.speed_codes),
	};
}

function histogramOfCodes(codes: readonly number[]): Histogram {
	return histogramOf(codes.map(decodeLog).filter((value) => value !== null));
}
