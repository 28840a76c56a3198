/** The demo: invented providers, invented models, and a story of outages that begins at once and loops. No name here is anybody's. */
import type { Canary, Target } from '#core/target.ts';
import type { Fault } from '#simulator/faults.ts';
import { type Fleet, type SimModel, type SimProvider } from '#simulator/fleet.ts';
import { simulatedBaseUrl } from '#simulator/start-simulator.ts';

interface Served {
	readonly model: string;
	readonly upstreamModel: string;
	readonly ttftMs: number;
	readonly tokensPerSecond: number;
	/** USD per million tokens, input and output. */
	readonly price: readonly [number, number];
}

/** Tail of the first-token time: p99 ≈ 2.5 × the median, as on a quiet public endpoint. */
const ttftSigma = 0.4;
const speedSigma = 0.15;

function provider(id: string, name: string, dialect: string, served: readonly Served[]): SimProvider {
	return {
		id,
		name,
		dialect,
		models: served.map(
			({ model, upstreamModel, ttftMs, tokensPerSecond, price }): SimModel => ({
				model,
				upstreamModel,
				operation: 'chat',
				ttftMs: { median: ttftMs, sigma: ttftSigma },
				tokensPerSecond: { median: tokensPerSecond, sigma: speedSigma },
				price: { inputUsdPerMTok: price[0], outputUsdPerMTok: price[1] },
			}),
		),
	};
}

const serve = (model: string, upstreamModel: string, ttftMs: number, tokensPerSecond: number, price: readonly [number, number]): Served => ({
	model,
	upstreamModel,
	ttftMs,
	tokensPerSecond,
	price,
});

export const demoFleet: Fleet = {
	providers: [
		provider('northwind', 'Northwind AI', 'openai-chat', [
			serve('aurora/large-2', 'aurora-large-2', 420, 78, [2.5, 10]),
			serve('aurora/mini-2', 'aurora-mini-2', 210, 145, [0.15, 0.6]),
			serve('cinder/70b-instruct', 'cinder-70b', 330, 92, [0.6, 0.8]),
		]),
		provider('quanta', 'Quanta', 'openai-chat', [
			serve('cinder/70b-instruct', 'cinder-70b-instruct', 140, 310, [0.59, 0.79]),
			serve('cinder/8b-instruct', 'cinder-8b-instruct', 90, 720, [0.05, 0.08]),
			serve('lattice/moe-32b', 'lattice-moe-32b', 160, 410, [0.29, 0.59]),
			serve('sable/coder-14b', 'sable-coder-14b', 120, 480, [0.12, 0.2]),
		]),
		provider('heliograph', 'Heliograph', 'anthropic', [
			serve('heliograph/vesper-4', 'vesper-4', 640, 62, [3, 15]),
			serve('heliograph/vesper-4-swift', 'vesper-4-swift', 380, 118, [0.8, 4]),
			serve('heliograph/vesper-3', 'vesper-3', 560, 70, [3, 15]),
		]),
		provider('tern', 'Tern Cloud', 'gemini', [
			serve('tern/arctic-pro', 'arctic-pro-2', 520, 96, [1.25, 5]),
			serve('tern/arctic-flash', 'arctic-flash-2', 260, 190, [0.1, 0.4]),
			serve('tern/arctic-flash-lite', 'arctic-flash-lite-2', 190, 240, [0.05, 0.2]),
		]),
		provider('meridian', 'Meridian', 'openai-chat', [
			serve('cinder/70b-instruct', 'meridian/cinder-70b-instruct', 410, 74, [0.88, 0.88]),
			serve('lattice/moe-32b', 'meridian/lattice-moe-32b', 350, 88, [0.5, 0.7]),
			serve('sable/coder-14b', 'meridian/sable-coder-14b', 300, 102, [0.2, 0.3]),
			serve('orrery/r1', 'meridian/orrery-r1', 900, 54, [3, 7]),
		]),
		provider('kestrel', 'Kestrel Inference', 'openai-chat', [
			serve('cinder/70b-instruct', 'accounts/kestrel/cinder-70b', 360, 110, [0.9, 0.9]),
			serve('cinder/8b-instruct', 'accounts/kestrel/cinder-8b', 180, 230, [0.2, 0.2]),
			serve('orrery/r1', 'accounts/kestrel/orrery-r1', 760, 66, [3, 8]),
		]),
		provider('palimpsest', 'Palimpsest', 'anthropic', [
			serve('heliograph/vesper-4', 'palimpsest.vesper-4-v1', 810, 55, [3, 15]),
			serve('heliograph/vesper-4-swift', 'palimpsest.vesper-4-swift-v1', 520, 98, [0.8, 4]),
		]),
		provider('oxbow', 'Oxbow Compute', 'openai-chat', [
			serve('lattice/moe-32b', 'lattice-moe-32b-fp8', 280, 130, [0.25, 0.4]),
			serve('sable/coder-14b', 'sable-coder-14b-fp8', 240, 150, [0.1, 0.15]),
			serve('cinder/8b-instruct', 'cinder-8b-fp8', 150, 260, [0.03, 0.05]),
		]),
		provider('saltmarsh', 'Saltmarsh', 'gemini', [
			serve('tern/arctic-pro', 'publishers-arctic-pro-2', 600, 84, [1.25, 5]),
			serve('tern/arctic-flash', 'publishers-arctic-flash-2', 310, 170, [0.1, 0.4]),
		]),
		provider('juniper', 'Juniper Labs', 'openai-chat', [
			serve('aurora/large-2', 'juniper-aurora-large-2', 480, 70, [2.5, 10]),
			serve('aurora/mini-2', 'juniper-aurora-mini-2', 240, 130, [0.15, 0.6]),
			serve('orrery/r1', 'juniper-orrery-r1', 700, 72, [2.2, 6]),
		]),
	],
};

/** One act of the story. Seconds from the start of a loop; model null = every model of the provider. */
export interface Act {
	readonly title: string;
	readonly fromS: number;
	readonly toS: number;
	readonly provider: string;
	readonly model: string | null;
	readonly fault: Fault;
}

/** Longer than the half hour in which trouble that comes back is called a relapse. */
export const demoLoopMs = 40 * 60_000;

export const demoActs: readonly Act[] = [
	{ title: 'Meridian is down', fromS: 30, toS: 220, provider: 'meridian', model: null, fault: { mode: 'http_error', error: 'unavailable' } },
	{ title: 'our key at Juniper is revoked', fromS: 150, toS: 400, provider: 'juniper', model: null, fault: { mode: 'http_error', error: 'auth_failed' } },
	{ title: 'one model at Kestrel cuts its streams', fromS: 390, toS: 700, provider: 'kestrel', model: 'orrery/r1', fault: { mode: 'cut_fin', tokens: 6 } },
	{ title: 'Heliograph browns out', fromS: 640, toS: 1_000, provider: 'heliograph', model: null, fault: { mode: 'slow', factor: 6 } },
	{ title: 'Quanta sheds load', fromS: 960, toS: 1_260, provider: 'quanta', model: null, fault: { mode: 'http_error', error: 'overloaded', retryAfter: '20' } },
	{
		title: 'Arctic Flash at Tern is flaky',
		fromS: 1_220,
		toS: 1_580,
		provider: 'tern',
		model: 'tern/arctic-flash',
		fault: { mode: 'flapping', ratio: 0.5, fault: { mode: 'http_error', error: 'server_error' } },
	},
	{ title: 'Oxbow serves garbage for one model', fromS: 1_540, toS: 1_860, provider: 'oxbow', model: 'sable/coder-14b', fault: { mode: 'wrong_answer' } },
	{
		title: 'Vesper 4 at Palimpsest hangs in mid-answer',
		fromS: 1_820,
		toS: 2_250,
		provider: 'palimpsest',
		model: 'heliograph/vesper-4',
		fault: { mode: 'stall_after', tokens: 5 },
	},
];

/** @param elapsedMs since the story began; before it nothing happens */
export function demoFaultAt(elapsedMs: number, providerId: string, model: string): Fault | null {
	if (elapsedMs < 0) return null;
	const second = (elapsedMs % demoLoopMs) / 1_000;
	const act = demoActs.find(
		({ fromS, toS, provider, model: one }) => provider === providerId && (one === null || one === model) && fromS <= second && second < toS,
	);
	return act?.fault ?? null;
}

/** The variable that the demo's targets name, so that the probes carry a key as real ones do. */
export const demoKeyEnv = 'LINNET_DEMO_KEY';

const echo: Canary = { name: 'echo', type: 'echo' };

/** Targets for any fleet, with timeouts short enough that a hang shows within a demo. */
export function fleetTargets(fleet: Fleet, simulatorUrl: string, { intervalMs }: { intervalMs: number }): Target[] {
	return fleet.providers.flatMap((provider) =>
		provider.models.map(
			({ model, upstreamModel, operation, price }): Target => ({
				id: `${provider.id}:${model}:${operation}`,
				provider: provider.id,
				providerName: provider.name,
				model,
				operation,
				upstreamModel,
				dialect: provider.dialect,
				baseUrl: simulatedBaseUrl(simulatorUrl, provider),
				apiKeyEnv: demoKeyEnv,
				headers: {},
				intervalMs,
				timeouts: { connectMs: 3_000, firstTokenMs: 15_000, stallMs: 5_000, totalMs: 30_000 },
				flags: { maxTokensField: 'max_tokens', sendTemperature: false, includeUsage: true, maxOutputTokens: 256, bodyPatch: {} },
				canaries: [echo],
				price,
				maxConcurrency: 16,
				statusPageUrl: null,
			}),
		),
	);
}
