/** What the rollups need of a raw result. */
import type { rollupOf } from '#core/rollup.ts';
import { decodeLog } from './log-code.ts';
import { figureInDetails, neverStarted, noFigure, readCode } from './stored-columns.ts';

export type RolledResult = Parameters<typeof rollupOf>[0][number];

export interface RawRow {
	readonly series_key: number;
	readonly start_delay_ms: number;
	readonly code: number;
	readonly ttft_code: number;
	readonly total_code: number;
	readonly speed_code: number;
	readonly input_tokens: number | null;
	readonly output_tokens: number | null;
	readonly cost_nano_usd: number | null;
	readonly slot_at: number;
}

const figure = (column: string) => `case p.${column} when ${noFigure} then null when ${figureInDetails} then d.${column} else p.${column} end as ${column}`;

/** Of `p` (probe_results) and `d` (rawJoin). */
export const rawColumns = `p.series_key, p.slot_at, p.start_delay_ms, p.code, p.ttft_code, p.total_code, p.speed_code, ${figure('input_tokens')}, ${figure('output_tokens')},
	${figure('cost_nano_usd')}`;

/** With a limit it is asked for the few rows that need it; without one Postgres would join with all details. */
export const rawJoin = `left join lateral (
		select input_tokens, output_tokens, cost_nano_usd from result_details own
		where ${figureInDetails} in (p.input_tokens, p.output_tokens, p.cost_nano_usd) and own.series_key = p.series_key and own.slot_at = p.slot_at
		limit 1
	) d on true`;

export function toRolledResult(row: RawRow): RolledResult {
	const { outcome, sli } = readCode(row.code);
	return {
		// Only whether it started counts here.
		startedAt: row.start_delay_ms === neverStarted ? null : row.slot_at,
		outcome,
		sli,
		ttftMs: decodeLog(row.ttft_code),
		totalMs: decodeLog(row.total_code),
		outputTokensPerSecond: decodeLog(row.speed_code),
		inputTokens: row.input_tokens,
		outputTokens: row.output_tokens,
		costMicroUsd: row.cost_nano_usd === null ? null : row.cost_nano_usd / 1_000,
	};
}
