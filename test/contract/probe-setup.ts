import type { ProbeResult } from '#core/probe-result.ts';
import type { Canary, Target, Timeouts } from '#core/target.ts';
import { dialects } from '#providers/index.ts';
import type { SimModel, SimProvider } from '#simulator/fleet.ts';
import { noLag } from '#workers/probe/loop-lag.ts';
import { type Probe, type ProbeTools, runProbe } from '#workers/probe/run-probe.ts';

export const echo: Canary = { name: 'echo', type: 'echo' };
export const embedding: Canary = { name: 'embedding', type: 'embedding', dimensions: null };
/** Unlike any key's shape, so that only knowing it can hide it. */
export const testKey = 'sesame.open.now';

/** Long enough that a busy machine never trips them; a test of a deadline sets its own. */
export const patient: Timeouts = { connectMs: 10_000, firstTokenMs: 20_000, stallMs: 20_000, totalMs: 30_000 };

export const simModel: SimModel = {
	model: 'aurora/mini-2',
	upstreamModel: 'aurora-mini-2',
	operation: 'chat',
	ttftMs: { median: 2, sigma: 0 },
	tokensPerSecond: { median: 5_000, sigma: 0 },
	price: { inputUsdPerMTok: 1, outputUsdPerMTok: 2 },
};

export function simProvider(id: string, dialect: string): SimProvider {
	return { id, name: id, dialect, models: [{ ...simModel, operation: dialects[dialect]?.operation ?? 'chat' }] };
}

export function targetOf(dialectId: string, baseUrl: string, change: Partial<Target> = {}): Target {
	const dialect = dialects[dialectId];
	if (dialect === undefined) throw new Error(`Expected a dialect, got \`${dialectId}\``);
	const provider = change.provider ?? 'sim';
	return {
		id: `${provider}:${simModel.model}:${dialect.operation}`,
		provider,
		providerName: provider,
		model: simModel.model,
		operation: dialect.operation,
		upstreamModel: simModel.upstreamModel,
		dialect: dialectId,
		baseUrl,
		apiKeyEnv: 'TEST_KEY',
		headers: {},
		intervalMs: 60_000,
		timeouts: patient,
		flags: dialect.defaultFlags,
		canaries: [dialect.operation === 'embeddings' ? embedding : echo],
		price: simModel.price,
		maxConcurrency: 8,
		statusPageUrl: null,
		...change,
	};
}

export function probeOnce(target: Target, tools: Partial<ProbeTools> = {}, probe: Partial<Probe> = {}): Promise<ProbeResult> {
	return runProbe(
		{ now: Date.now, readSecret: () => testKey, lag: noLag, controls: () => [], ...tools },
		{ target, canary: target.canaries[0] ?? echo, vantage: 'local', kind: 'manual', slotAt: 0, ...probe },
	);
}
