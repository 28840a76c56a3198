import type { ProbeKind, ProbeResult } from '#core/probe-result.ts';
import { parseTargetId, targetId } from '#core/target.ts';
import { decodeLog } from './log-code.ts';
import { findNames } from './names.ts';
import { unpackRequestId } from './pack-request-id.ts';
import { findRemarks, noRemark, type Remark } from './remarks.ts';
import { kindCodes, kindOfCode } from './result-codes.ts';
import { findSeries } from './series.ts';
import { query, type Sql } from './sql.ts';
import { type Details, figureInDetails, neverStarted, noDetails, noFigure, readCode, startInDetails } from './stored-columns.ts';

export interface ResultRow {
	readonly seq: number;
	readonly slot_at: number;
	readonly series_key: number;
	readonly cost_nano_usd: number;
	readonly start_delay_ms: number;
	readonly code: number;
	readonly remark_key: number;
	readonly input_tokens: number;
	readonly output_tokens: number;
	readonly dns_code: number;
	readonly connect_code: number;
	readonly tls_code: number;
	readonly ttfb_code: number;
	readonly ttft_code: number;
	readonly max_gap_code: number;
	readonly total_code: number;
	readonly lag_code: number;
	readonly speed_code: number;
	readonly request_id: Buffer;
}

/** The columns of a ResultRow, of the table or alias `p`. */
export const resultColumns = `p.seq, p.slot_at, p.series_key, p.cost_nano_usd, p.start_delay_ms, p.code, p.remark_key, p.input_tokens, p.output_tokens, p.dns_code,
	p.connect_code, p.tls_code, p.ttfb_code, p.ttft_code, p.max_gap_code, p.total_code, p.lag_code, p.speed_code, p.request_id`;

const selectDetails = query<Details & { series_key: number; slot_at: number }>(
	'result_details_find',
	`select d.series_key, d.slot_at, d.started_at as "startedAt", d.cost_nano_usd as "costNanoUsd", d.input_tokens as "inputTokens",
		d.output_tokens as "outputTokens", d.retry_after_ms as "retryAfterMs", d.http_status as "httpStatus", d.served_model as "servedModel", d.evidence
	from unnest($1::int[], $2::float8[]) as given(series_key, slot_s)
	cross join lateral (select * from result_details own where own.series_key = given.series_key and own.slot_at = to_timestamp(given.slot_s) limit 1) d`,
);

export interface StoredResult {
	/** Order of commit. */
	readonly seq: number;
	/** Public id of the slot: the same for a result and the missed marker that it replaced. */
	readonly id: string;
	readonly seriesKey: number;
	readonly targetId: string;
	readonly result: ProbeResult;
}

export async function toStoredResults(sql: Sql, rows: readonly ResultRow[]): Promise<StoredResult[]> {
	if (rows.length === 0) return [];
	const series = await findSeries(
		sql,
		rows.map((row) => row.series_key),
	);
	const keys = [...new Set(rows.map((row) => row.series_key))].map((key) => series.get(key));
	const targets = await findNames(
		sql,
		'target',
		keys.map((parts) => parts?.targetKey ?? 0),
	);
	const vantages = await findNames(
		sql,
		'vantage',
		keys.map((parts) => parts?.vantageKey ?? 0),
	);
	const canaries = await findNames(
		sql,
		'canary',
		keys.map((parts) => parts?.canaryKey ?? 0),
	);
	const remarks = await findRemarks(
		sql,
		rows.map((row) => row.remark_key),
	);
	const details = await findDetails(sql, rows);
	return rows.map((row) => {
		const parts = series.get(row.series_key);
		const names = {
			id: targets.get(parts?.targetKey ?? 0),
			vantage: vantages.get(parts?.vantageKey ?? 0),
			canary: canaries.get(parts?.canaryKey ?? 0),
		};
		const target = names.id === undefined ? null : parseTargetId(names.id);
		if (parts === undefined || target === null || names.vantage === undefined || names.canary === undefined)
			throw new Error(`Expected names for result ${row.seq}`);
		const kind = kindOfCode(parts.kind);
		const own = details.get(detailKey(row)) ?? null;
		return {
			seq: row.seq,
			id: resultId({ ...parts, kind, slotAt: row.slot_at }),
			seriesKey: row.series_key,
			targetId: targetId(target),
			result: {
				...target,
				vantage: names.vantage,
				canary: names.canary,
				kind,
				...toFigures(row, own ?? noDetails, own ?? remarks.get(row.remark_key) ?? noRemark),
			},
		};
	});
}

export const detailKey = ({ series_key, slot_at }: { series_key: number; slot_at: number }) => `${series_key} ${slot_at}`;

export async function findDetails(sql: Sql, rows: readonly Pick<ResultRow, 'code' | 'series_key' | 'slot_at'>[]): Promise<ReadonlyMap<string, Details>> {
	const detailed = rows.filter(({ code }) => readCode(code).hasDetails);
	if (detailed.length === 0) return new Map();
	const found = await sql.run(selectDetails, [detailed.map((row) => row.series_key), detailed.map((row) => row.slot_at / 1_000)]);
	return new Map(found.map((row) => [detailKey(row), row]));
}

function toFigures(row: ResultRow, details: Details, { httpStatus, servedModel, evidence }: Remark) {
	const { outcome, sli, phase } = readCode(row.code);
	const figure = (value: number, detail: number | null) => (value === noFigure ? null : value === figureInDetails ? detail : value);
	const costNanoUsd = figure(row.cost_nano_usd, details.costNanoUsd);
	const delay = row.start_delay_ms;
	return {
		slotAt: row.slot_at,
		startedAt: delay === neverStarted ? null : delay === startInDetails ? details.startedAt : row.slot_at + delay,
		outcome,
		sli,
		phase,
		httpStatus,
		dnsMs: decodeLog(row.dns_code),
		connectMs: decodeLog(row.connect_code),
		tlsMs: decodeLog(row.tls_code),
		ttfbMs: decodeLog(row.ttfb_code),
		ttftMs: decodeLog(row.ttft_code),
		maxGapMs: decodeLog(row.max_gap_code),
		totalMs: decodeLog(row.total_code),
		lagMs: decodeLog(row.lag_code),
		inputTokens: figure(row.input_tokens, details.inputTokens),
		outputTokens: figure(row.output_tokens, details.outputTokens),
		outputTokensPerSecond: decodeLog(row.speed_code),
		servedModel,
		requestId: unpackRequestId(row.request_id),
		retryAfterMs: details.retryAfterMs,
		costMicroUsd: costNanoUsd === null ? null : costNanoUsd / 1_000,
		evidence,
	};
}

export interface SlotNumbers {
	readonly targetKey: number;
	readonly vantageKey: number;
	readonly canaryKey: number;
	readonly kind: ProbeKind;
	/** ms since epoch. */
	readonly slotAt: number;
}

/** Public id of a result: its slot in base 36, so it needs no column and no index of its own. */
export function resultId({ targetKey, vantageKey, canaryKey, kind, slotAt }: SlotNumbers): string {
	return [targetKey, vantageKey, canaryKey, kindCodes[kind], slotAt].map((part) => part.toString(36)).join('-');
}

/** Null when the text is no result id. */
export function parseResultId(id: string): SlotNumbers | null {
	if (!/^[0-9a-z]{1,6}-[0-9a-z]{1,4}-[0-9a-z]{1,4}-[012]-[0-9a-z]{1,11}$/.test(id)) return null;
	const [targetKey = 0, vantageKey = 0, canaryKey = 0, kind = 0, slotAt = 0] = id.split('-').map((part) => Number.parseInt(part, 36));
	// The columns' own limits; 8.64e15 is the last instant of a Date.
	if (targetKey > 0x7fffffff || vantageKey > 0x7fff || canaryKey > 0x7fff || slotAt > 8.64e15) return null;
	return { targetKey, vantageKey, canaryKey, kind: kindOfCode(kind), slotAt };
}
