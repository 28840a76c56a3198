import type { ProbeResult } from '#core/probe-result.ts';
import { parseTargetId, type Target } from '#core/target.ts';

/** 2026-11-23 12:00 UTC. */
export const sampleNow = Date.UTC(2026, 10, 23, 12);

/** A target as the configuration would give it. */
export function sampleTarget(id: string, overrides: Partial<Target> = {}): Target {
	const parts = parseTargetId(id);
	if (parts === null) throw new Error(`Expected a target id, got "${id}"`);
	return {
		id,
		...parts,
		providerName: parts.provider,
		upstreamModel: parts.model,
		dialect: 'openai-chat',
		baseUrl: 'http://127.0.0.1:9/v1',
		apiKeyEnv: null,
		headers: {},
		intervalMs: 60_000,
		timeouts: { connectMs: 10_000, firstTokenMs: 30_000, stallMs: 20_000, totalMs: 60_000 },
		flags: { maxTokensField: 'max_tokens', sendTemperature: true, includeUsage: true, maxOutputTokens: 32, bodyPatch: {} },
		canaries: [{ name: 'echo', type: 'echo' }],
		price: null,
		maxConcurrency: 8,
		statusPageUrl: null,
		...overrides,
	};
}

/** A good result of `acme:small:chat`. */
export function sampleResult(overrides: Partial<ProbeResult> = {}): ProbeResult {
	return {
		slotAt: sampleNow,
		startedAt: sampleNow + 3,
		vantage: 'local',
		provider: 'acme',
		model: 'small',
		operation: 'chat',
		canary: 'echo',
		kind: 'scheduled',
		outcome: 'ok',
		sli: 'good',
		phase: null,
		httpStatus: 200,
		dnsMs: 1.5,
		connectMs: 12.25,
		tlsMs: null,
		ttfbMs: 80.1,
		ttftMs: 210.5,
		maxGapMs: 33,
		totalMs: 900,
		lagMs: 0.25,
		inputTokens: 20,
		outputTokens: 40,
		outputTokensPerSecond: 55.5,
		servedModel: 'small-2',
		requestId: 'req-1',
		retryAfterMs: null,
		costMicroUsd: 12.5,
		evidence: { finishReason: 'stop' },
		...overrides,
	};
}
