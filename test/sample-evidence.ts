import type { Evidence, RecordedResult, SeriesPoint } from '#api/evidence.ts';
import type { Outcome } from '#core/outcome.ts';
import { rollupSteps } from '#core/rollup.ts';
import type { Snapshot } from '#core/snapshot.ts';
import { parseTargetId } from '#core/target.ts';
import type { FleetEvidence } from '#core/target-evidence.ts';
import { sampleNow } from './sample-snapshot.ts';

const minuteMs = 60_000;
const total = 60;

function sampleResult(targetId: string, index: number, now: number): RecordedResult {
	const parts = parseTargetId(targetId) ?? { provider: 'nobody', model: 'nothing', operation: 'chat' as const };
	const slotAt = now - index * minuteMs - 14_000;
	const isMissed = index % 17 === 9;
	const outcome: Outcome = isMissed ? 'monitor_fault' : index % 5 === 3 ? 'server_error' : index % 11 === 4 ? 'canary_mismatch' : 'ok';
	const isOk = outcome === 'ok' || outcome === 'canary_mismatch';
	const wave = 240 + 90 * Math.sin(index / 3);
	return {
		id: `r-${1_000 - index}`,
		slotAt,
		startedAt: isMissed ? null : slotAt + 3,
		vantage: index % 2 === 0 ? 'fra' : 'iad',
		...parts,
		canary: 'echo',
		kind: 'scheduled',
		outcome,
		sli: outcome === 'ok' ? 'good' : outcome === 'server_error' ? 'bad' : 'excluded',
		phase: isMissed ? 'schedule' : outcome === 'server_error' ? 'headers' : outcome === 'canary_mismatch' ? 'assert' : null,
		httpStatus: isMissed ? null : outcome === 'server_error' ? 503 : 200,
		dnsMs: isMissed ? null : 3.1,
		connectMs: isMissed ? null : 11.4,
		tlsMs: isMissed ? null : 24.9,
		ttfbMs: isMissed ? null : wave * 0.7,
		ttftMs: isOk ? wave : null,
		maxGapMs: isOk ? 42 : null,
		totalMs: isMissed ? null : wave + (isOk ? 310 : 45),
		lagMs: isMissed ? null : 1.2,
		inputTokens: isOk ? 24 : null,
		outputTokens: isOk ? 31 : null,
		outputTokensPerSecond: isOk ? 96.5 : null,
		servedModel: isOk ? parts.model : null,
		requestId: isMissed ? null : `req-<b>${index}</b>`,
		retryAfterMs: null,
		costMicroUsd: isOk ? 12 : null,
		evidence: outcome === 'server_error' ? { message: '<img src=x onerror=alert(1)> overloaded', providerType: 'server_error' } : null,
	};
}

/** What the pages show of the same results: twenty, and thirty days of latency with a gap. A blank target has none. */
export function sampleTargetEvidence({ targets, generatedAt }: Pick<Snapshot, 'targets' | 'generatedAt'>): FleetEvidence {
	const now = Date.parse(generatedAt);
	const latencyDays = Array.from({ length: 30 }, (_, index) => {
		const p50Ms = 300 + 80 * Math.sin(index / 4);
		return {
			date: new Date(now - (29 - index) * 86_400_000).toISOString().slice(0, 10),
			count: 1_440 - index,
			p50Ms,
			p95Ms: p50Ms * (1.5 + 0.4 * Math.sin(index)),
		};
	}).filter((_, index) => index < 11 || index > 13);
	const shown = targets.filter(({ measuredAt }) => measuredAt !== null);
	return new Map(shown.map(({ id }) => [id, { canary: 'echo', latencyDays, results: Array.from({ length: 20 }, (_, index) => sampleResult(id, index, now)) }]));
}

/** Sixty results of any target, one a minute, paged by plain numbers; a series with a gap; no older incident. */
export function sampleEvidence(now = sampleNow): Evidence {
	return {
		async results(targetId, { cursor, limit, outcome }) {
			const from = cursor === null ? 0 : Number(cursor);
			if (!Number.isInteger(from) || from < 0) return null;
			const all = Array.from({ length: total }, (_, index) => sampleResult(targetId, index, now)).filter(
				(result) => outcome === null || result.outcome === outcome,
			);
			const results = all.slice(from, from + limit);
			return { results, next: from + limit < all.length ? String(from + limit) : null };
		},
		async marks(_targetId, { fromAt, toAt }) {
			return [{ at: Math.round((fromAt + toAt) / 2), aspect: 'canary <b>echo</b>', before: '11', after: '22' }];
		},
		async series(_targetId, { fromAt, toAt, step }) {
			const stepMs = rollupSteps[step];
			const points: SeriesPoint[] = [];
			for (let at = Math.ceil(fromAt / stepMs) * stepMs; at < toAt; at += stepMs) {
				const place = (at - fromAt) / (toAt - fromAt);
				if (place > 0.4 && place < 0.45) {
					points.push({ at, count: 5, missed: 5, good: 0, bad: 0, excluded: 0, ttftMs: null, totalMs: null, outputTokensPerSecond: null });
					continue;
				}
				const bad = place > 0.8 && place < 0.84 ? 4 : 0;
				const p50 = 300 + 80 * Math.sin(place * 12) + 40 * Math.sin(at / 700_000);
				points.push({
					at,
					count: 5,
					missed: 0,
					good: 5 - bad,
					bad,
					excluded: 0,
					ttftMs: { p50, p90: p50 * 1.4, p95: p50 * (1.6 + 0.2 * Math.sin(at / 300_000)), p99: p50 * 2.1 },
					totalMs: { p50: p50 + 300, p95: p50 + 800 },
					outputTokensPerSecond: { p50: 96, p10: 71 },
				});
			}
			return points;
		},
		async incident() {
			return null;
		},
	};
}
