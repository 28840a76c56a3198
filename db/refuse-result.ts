import type { ProbeResult } from '#core/probe-result.ts';
import { dayOf } from './partitions.ts';
import { cleanText } from './quarantine.ts';
import { kindCodes, outcomeCodes, phaseCodes, sliCodes } from './result-codes.ts';

export interface InsertBounds {
	/** ms since epoch. */
	readonly now: number;
	/** How long raw results are kept: an older one is refused. */
	readonly retentionDays: number;
}

export const defaultRetentionDays = 14;

const futureMs = 600_000;
const longestEvidence = 8_192;
const longestText = 512;
const greatestInt = 0x7fffffff;
const durations = ['dnsMs', 'connectMs', 'tlsMs', 'ttfbMs', 'ttftMs', 'maxGapMs', 'totalMs', 'lagMs', 'outputTokensPerSecond'] as const;
const integers = ['inputTokens', 'outputTokens', 'retryAfterMs', 'costMicroUsd'] as const;
const texts = ['vantage', 'provider', 'model', 'operation', 'canary'] as const;

/** Why a result can't be recorded; null when it can. A line of the spool may hold anything, so nothing of its shape is taken for granted. */
export function refusalOf(result: ProbeResult, { now, retentionDays }: InsertBounds): string | null {
	if (typeof result !== 'object' || result === null) return 'not a result';
	const { slotAt, startedAt } = result;
	// 8.64e15 ms on either side of 1970 is all that a Date can say.
	if (!Number.isFinite(slotAt) || Math.abs(slotAt) > 8.64e15 || (startedAt !== null && !Number.isFinite(startedAt))) return 'invalid time';
	if (slotAt > now + futureMs || (startedAt ?? 0) > now + futureMs) return 'from the future';
	if (dayOf(slotAt) < dayOf(now - retentionDays * 86_400_000) || (startedAt ?? now) < 0) return 'older than the retention';
	if (!isCode(outcomeCodes, result.outcome) || !isCode(sliCodes, result.sli) || !isCode(kindCodes, result.kind)) return 'unknown code';
	if (result.phase !== null && !isCode(phaseCodes, result.phase)) return 'unknown code';
	for (const field of texts) if (typeof result[field] !== 'string') return `invalid ${field}`;
	for (const field of durations) {
		const value = result[field];
		if (value !== null && !(value >= 0 && value < 1e12)) return `invalid ${field}`;
	}
	for (const field of integers) {
		const value = result[field];
		if (value !== null && !(value >= 0 && value <= greatestInt)) return `invalid ${field}`;
	}
	if (result.httpStatus !== null && !(result.httpStatus >= 0 && result.httpStatus <= 999)) return 'invalid httpStatus';
	for (const field of ['servedModel', 'requestId'] as const) if (result[field] !== null && typeof result[field] !== 'string') return `invalid ${field}`;
	if ([result.vantage, result.canary, result.servedModel, result.requestId].some((value) => value !== null && value.length > longestText)) return 'oversized';
	if (result.evidence !== null && typeof result.evidence !== 'object') return 'invalid evidence';
	if (result.evidence !== null && evidenceText(result.evidence).length > longestEvidence) return 'oversized';
	return null;
}

/** Not what every object has: a word like `toString` is no code. */
function isCode(codes: Readonly<Record<string, number>>, word: unknown): boolean {
	return typeof word === 'string' && Object.hasOwn(codes, word);
}

/** As jsonb takes it. */
export function evidenceText(evidence: object): string {
	return JSON.stringify(evidence, (_key, value) => (typeof value === 'string' ? cleanText(value) : value));
}
