/** How a result becomes a narrow row, and what does not fit it. The columns and their sentinels: db/migrations/0004. */
import { type Evidence, type ProbeResult, phases } from '#core/probe-result.ts';
import { decodeLog, encodeLog } from './log-code.ts';
import { packRequestId } from './pack-request-id.ts';
import { cleanText } from './quarantine.ts';
import { evidenceText } from './refuse-result.ts';
import type { Remark } from './remarks.ts';
import { outcomeCodes, outcomeOfCode, phaseCodes, phaseOfCode, sliCodes, sliOfCode } from './result-codes.ts';

export const noFigure = -1;
export const figureInDetails = -2;
export const neverStarted = -32_768;
export const startInDetails = 32_767;
export const detailsBit = 4_096;
export const replacedBit = 8_192;

/** What few results have. Null: the narrow row says it, or there is none. */
export interface Details {
	readonly startedAt: number | null;
	readonly costNanoUsd: number | null;
	readonly inputTokens: number | null;
	readonly outputTokens: number | null;
	readonly retryAfterMs: number | null;
	readonly httpStatus: number | null;
	readonly servedModel: string | null;
	readonly evidence: Evidence | null;
}

const greatestDelayMs = 32_766;
const greatestTokens = 32_767;
const greatestNanoUsd = 0x7fffffff;
const longestRemark = 200;
/** Below this share of a limit its headers say something new. */
const scarceRatio = 0.1;

/** Of a code: the outcome and whether it counts as good, bad or neither. */
export const outcomeBits = 255;

export function codeOf({ outcome, sli, phase }: ProbeResult): number {
	return outcomeCodes[outcome] + sliCodes[sli] * 64 + (phase === null ? 0 : phaseCodes[phase] + 1) * 256;
}

export function readCode(code: number) {
	const phase = (code >> 8) & 15;
	return {
		outcome: outcomeOfCode(code & 63),
		sli: sliOfCode((code >> 6) & 3),
		phase: phase === 0 ? null : phaseOfCode(phase - 1),
		hasDetails: (code & detailsBit) !== 0,
		replaced: (code & replacedBit) !== 0,
	};
}
// The bits must hold every code.
if (phases.length > 15 || Math.max(...Object.values(outcomeCodes)) > 63) throw new Error('Expected outcomes and phases to fit the bits of probe_results.code');

/** What is recorded of the evidence: headers that tell of ample headroom say nothing new with a result that is ok; the newest are in the table headroom. */
export function keptEvidence({ outcome, evidence }: Pick<ProbeResult, 'outcome' | 'evidence'>): Evidence | null {
	if (evidence === null) return null;
	const cleaned = JSON.parse(evidenceText(evidence)) as Evidence;
	const { rateLimit, ...rest } = cleaned;
	if (rateLimit === undefined) return cleaned;
	const scarce = (left: number | null, limit: number | null) => left !== null && limit !== null && left <= limit * scarceRatio;
	if (outcome !== 'ok' || scarce(rateLimit.requestsRemaining, rateLimit.requestsLimit) || scarce(rateLimit.tokensRemaining, rateLimit.tokensLimit))
		return cleaned;
	return Object.keys(rest).length === 0 ? null : rest;
}

const text = (value: string | null) => (value === null ? null : cleanText(value));
const whole = (value: number | null) => (value === null ? null : Math.round(value));

export function remarkOf(result: ProbeResult): Remark {
	return { httpStatus: whole(result.httpStatus), servedModel: text(result.servedModel), evidence: keptEvidence(result) };
}

export const noDetails: Details = {
	startedAt: null,
	costNanoUsd: null,
	inputTokens: null,
	outputTokens: null,
	retryAfterMs: null,
	httpStatus: null,
	servedModel: null,
	evidence: null,
};

const kept = (value: number | null) => decodeLog(encodeLog(value));

/** The result as it will be read again: figures as their codes keep them, text cleaned, evidence that says nothing new left out. */
export function storedForm(result: ProbeResult): ProbeResult {
	return {
		...result,
		...remarkOf(result),
		slotAt: Math.round(result.slotAt),
		startedAt: whole(result.startedAt),
		dnsMs: kept(result.dnsMs),
		connectMs: kept(result.connectMs),
		tlsMs: kept(result.tlsMs),
		ttfbMs: kept(result.ttfbMs),
		ttftMs: kept(result.ttftMs),
		maxGapMs: kept(result.maxGapMs),
		totalMs: kept(result.totalMs),
		lagMs: kept(result.lagMs),
		inputTokens: whole(result.inputTokens),
		outputTokens: whole(result.outputTokens),
		outputTokensPerSecond: kept(result.outputTokensPerSecond),
		requestId: text(result.requestId),
		retryAfterMs: whole(result.retryAfterMs),
		costMicroUsd: result.costMicroUsd === null ? null : Math.round(result.costMicroUsd * 1_000) / 1_000,
	};
}

/** True when the words are such as many results may share. */
export function isShared({ evidence }: Remark): boolean {
	return evidence === null || (evidence.message === undefined && evidence.rateLimit === undefined && JSON.stringify(evidence).length <= longestRemark);
}

/** Null when the narrow row holds all of the result but its remark. */
export function overflowOf(result: ProbeResult): Details | null {
	const delayMs = result.startedAt === null ? 0 : Math.round(result.startedAt) - Math.round(result.slotAt);
	const costNanoUsd = result.costMicroUsd === null ? 0 : Math.round(result.costMicroUsd * 1_000);
	const overflow: Details = {
		startedAt: Math.abs(delayMs) > greatestDelayMs ? result.startedAt : null,
		costNanoUsd: costNanoUsd > greatestNanoUsd ? costNanoUsd : null,
		inputTokens: (result.inputTokens ?? 0) > greatestTokens ? whole(result.inputTokens) : null,
		outputTokens: (result.outputTokens ?? 0) > greatestTokens ? whole(result.outputTokens) : null,
		retryAfterMs: whole(result.retryAfterMs),
		httpStatus: null,
		servedModel: null,
		evidence: null,
	};
	return Object.values(overflow).every((value) => value === null) ? null : overflow;
}

export interface NarrowRow {
	readonly seriesKey: number;
	/** 0: none, or in the details. */
	readonly remarkKey: number;
	readonly details: Details | null;
	readonly result: ProbeResult;
}

interface Column {
	readonly type: string;
	readonly of: (row: NarrowRow) => unknown;
}

const tokens = (count: number | null) => (count === null ? noFigure : count > greatestTokens ? figureInDetails : Math.round(count));

/** Column of probe_results, type of its parameter, value. */
export const narrowColumns: Readonly<Record<string, Column>> = {
	// As double seconds an instant keeps its ms until the year 285,616, and is shorter than a timestamp's text.
	slot_at: { type: 'float8', of: ({ result }) => Math.round(result.slotAt) / 1_000 },
	series_key: { type: 'int4', of: (row) => row.seriesKey },
	cost_nano_usd: {
		type: 'int4',
		of: ({ result, details }) =>
			result.costMicroUsd === null ? noFigure : details?.costNanoUsd != null ? figureInDetails : Math.round(result.costMicroUsd * 1_000),
	},
	start_delay_ms: {
		type: 'int2',
		of: ({ result, details }) =>
			result.startedAt === null ? neverStarted : details?.startedAt != null ? startInDetails : Math.round(result.startedAt) - Math.round(result.slotAt),
	},
	code: { type: 'int2', of: ({ result, details }) => codeOf(result) + (details === null ? 0 : detailsBit) },
	remark_key: { type: 'int2', of: (row) => row.remarkKey },
	input_tokens: { type: 'int2', of: ({ result }) => tokens(result.inputTokens) },
	output_tokens: { type: 'int2', of: ({ result }) => tokens(result.outputTokens) },
	dns_code: { type: 'int2', of: ({ result }) => encodeLog(result.dnsMs) },
	connect_code: { type: 'int2', of: ({ result }) => encodeLog(result.connectMs) },
	tls_code: { type: 'int2', of: ({ result }) => encodeLog(result.tlsMs) },
	ttfb_code: { type: 'int2', of: ({ result }) => encodeLog(result.ttfbMs) },
	ttft_code: { type: 'int2', of: ({ result }) => encodeLog(result.ttftMs) },
	max_gap_code: { type: 'int2', of: ({ result }) => encodeLog(result.maxGapMs) },
	total_code: { type: 'int2', of: ({ result }) => encodeLog(result.totalMs) },
	lag_code: { type: 'int2', of: ({ result }) => encodeLog(result.lagMs) },
	speed_code: { type: 'int2', of: ({ result }) => encodeLog(result.outputTokensPerSecond) },
	request_id: { type: 'bytea', of: ({ result }) => packRequestId(text(result.requestId)) },
};

/** Column of result_details, type of its parameter, value. */
export const detailColumns: Readonly<Record<string, { readonly type: string; readonly of: (row: NarrowRow, details: Details) => unknown }>> = {
	slot_at: { type: 'float8', of: ({ result }) => Math.round(result.slotAt) / 1_000 },
	started_at: { type: 'float8', of: (_, { startedAt }) => (startedAt === null ? null : Math.round(startedAt) / 1_000) },
	cost_nano_usd: { type: 'int8', of: (_, details) => details.costNanoUsd },
	series_key: { type: 'int4', of: (row) => row.seriesKey },
	input_tokens: { type: 'int4', of: (_, details) => details.inputTokens },
	output_tokens: { type: 'int4', of: (_, details) => details.outputTokens },
	retry_after_ms: { type: 'int4', of: (_, details) => details.retryAfterMs },
	http_status: { type: 'int2', of: (_, details) => details.httpStatus },
	served_model: { type: 'text', of: (_, details) => details.servedModel },
	evidence: { type: 'jsonb', of: (_, details) => (details.evidence === null ? null : JSON.stringify(details.evidence)) },
};
