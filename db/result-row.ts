import type { Evidence, ProbeKind, ProbeResult } from '#core/probe-result.ts';
import { parseTargetId, targetId } from '#core/target.ts';
import { findNames } from './names.ts';
import { kindCodes, kindOfCode, outcomeOfCode, phaseOfCode, sliOfCode } from './result-codes.ts';
import type { Sql } from './sql.ts';

export interface ResultRow {
	readonly seq: number;
	readonly slot_at: number;
	readonly started_at: number | null;
	readonly cost_nano_usd: number | null;
	readonly target_key: number;
	readonly vantage_key: number;
	readonly canary_key: number;
	readonly kind: number;
	readonly outcome: number;
	readonly sli: number;
	readonly phase: number | null;
	readonly http_status: number | null;
	readonly dns_ms: number | null;
	readonly connect_ms: number | null;
	readonly tls_ms: number | null;
	readonly ttfb_ms: number | null;
	readonly ttft_ms: number | null;
	readonly max_gap_ms: number | null;
	readonly total_ms: number | null;
	readonly lag_ms: number | null;
	readonly input_tokens: number | null;
	readonly output_tokens: number | null;
	readonly output_tokens_per_second: number | null;
	readonly served_model: string | null;
	readonly request_id: string | null;
	readonly retry_after_ms: number | null;
	readonly evidence: Evidence | null;
}

/** The columns of a ResultRow, of the table or alias `p`. */
export const resultColumns = `p.seq, p.slot_at, p.started_at, p.cost_nano_usd, p.target_key, p.vantage_key, p.canary_key, p.kind, p.outcome, p.sli, p.phase,
	p.http_status, p.dns_ms, p.connect_ms, p.tls_ms, p.ttfb_ms, p.ttft_ms, p.max_gap_ms, p.total_ms, p.lag_ms, p.input_tokens, p.output_tokens,
	p.output_tokens_per_second, p.served_model, p.request_id, p.retry_after_ms, p.evidence`;

export interface StoredResult {
	/** Order of commit. */
	readonly seq: number;
	/** Public id of the slot: the same for a result and the missed marker that it replaced. */
	readonly id: string;
	readonly targetId: string;
	readonly result: ProbeResult;
}

export async function toStoredResults(sql: Sql, rows: readonly ResultRow[]): Promise<StoredResult[]> {
	if (rows.length === 0) return [];
	const targets = await findNames(
		sql,
		'target',
		rows.map((row) => row.target_key),
	);
	const vantages = await findNames(
		sql,
		'vantage',
		rows.map((row) => row.vantage_key),
	);
	const canaries = await findNames(
		sql,
		'canary',
		rows.map((row) => row.canary_key),
	);
	return rows.map((row) => {
		const id = targets.get(row.target_key);
		const vantage = vantages.get(row.vantage_key);
		const canary = canaries.get(row.canary_key);
		const parts = id === undefined ? null : parseTargetId(id);
		if (id === undefined || parts === null || vantage === undefined || canary === undefined) throw new Error(`Expected names for result ${row.seq}`);
		return {
			seq: row.seq,
			id: resultId({ targetKey: row.target_key, vantageKey: row.vantage_key, canaryKey: row.canary_key, kind: kindOfCode(row.kind), slotAt: row.slot_at }),
			targetId: targetId(parts),
			result: {
				slotAt: row.slot_at,
				startedAt: row.started_at,
				vantage,
				...parts,
				canary,
				kind: kindOfCode(row.kind),
				outcome: outcomeOfCode(row.outcome),
				sli: sliOfCode(row.sli),
				phase: row.phase === null ? null : phaseOfCode(row.phase),
				httpStatus: row.http_status,
				dnsMs: row.dns_ms,
				connectMs: row.connect_ms,
				tlsMs: row.tls_ms,
				ttfbMs: row.ttfb_ms,
				ttftMs: row.ttft_ms,
				maxGapMs: row.max_gap_ms,
				totalMs: row.total_ms,
				lagMs: row.lag_ms,
				inputTokens: row.input_tokens,
				outputTokens: row.output_tokens,
				outputTokensPerSecond: row.output_tokens_per_second,
				servedModel: row.served_model,
				requestId: row.request_id,
				retryAfterMs: row.retry_after_ms,
				costMicroUsd: row.cost_nano_usd === null ? null : row.cost_nano_usd / 1_000,
				evidence: row.evidence,
			},
		};
	});
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
