/** What one result says on each channel, and what is learned from it on a usual day. */
import { channelRules, channels } from './channels.ts';
import type { EndpointState, LatencyBaseline, LatticeInput, LatticeOutcome, ProviderState } from './lattice-state.ts';
import { learnSeason, seasonLn, takeSeasonOff } from './season.ts';

type ResultInput = Extract<LatticeInput, { type: 'result' }>;

/** Null: our key, our limit, our wallet; never availability. */
const failureBits = {
	ok: { valid: 19, bad: 0 },
	timeout: { valid: 1, bad: 1 },
	connect: { valid: 1, bad: 1 },
	http_5xx: { valid: 1, bad: 1 },
	stream_broken: { valid: 1, bad: 1 },
	empty: { valid: 19, bad: 2 },
	wrong: { valid: 19, bad: 2 },
	refused: { valid: 16, bad: 16 },
	rate_limited: null,
	auth: null,
	quota: null,
} as const satisfies Record<LatticeOutcome, { valid: number; bad: number } | null>;

export interface Votes {
	readonly valid: number;
	readonly bad: number;
	readonly slowLn: number;
}

export const usableFrom = 20;
const stalledLn = Math.log(4.5);

/** Null when the result says nothing about the provider. */
export function castVotes(endpoint: EndpointState, provider: ProviderState, input: ResultInput): Votes | null {
	const { outcome, ttftMs, totalMs, canary = '', startedAt } = input;
	const bits = failureBits[outcome];
	if (bits === null) return null;
	const baseline = endpoint.baselines[canary];
	if (outcome !== 'ok' || totalMs === null || baseline === undefined || baseline.samples < usableFrom) return { ...bits, slowLn: 0 };
	const season = provider.seasons[endpoint.model];
	takeSeasonOff(baseline, season, startedAt);
	const usualLn = seasonLn(provider, endpoint.model, startedAt);
	const totalLn = Math.log(Math.max(1, totalMs)) - baseline.totalLn - usualLn;
	const ttftLn = ttftMs === null ? 0 : Math.log(Math.max(1, ttftMs)) - baseline.ttftLn - usualLn;
	const slow = ttftLn > slowLimitLn(baseline.ttftDeviation, 2.4) || totalLn > slowLimitLn(baseline.totalDeviation, 2.6);
	const slowLn = Math.max(totalLn, ttftLn);
	return { valid: bits.valid | 12, bad: (slow ? 8 : 0) | (slowLn > stalledLn ? 4 : 0), slowLn };
}

/** A noisy endpoint must be slower to be called slow; below 1.9 times nobody is, and beyond the cap everybody. */
function slowLimitLn(deviation: number, cap: number): number {
	return Math.min(Math.log(cap), Math.max(Math.log(1.9), 2.3 * deviation));
}

/** Moves the baseline by one good result of a usual day. */
export function learnLatency(endpoint: EndpointState, provider: ProviderState, input: ResultInput): void {
	const { startedAt, canary = '' } = input;
	const baseline = learn(endpoint.baselines, endpoint, provider, input);
	if (baseline === null || input.totalMs === null) return;
	learnSeason(provider, endpoint.model, startedAt, Math.log(Math.max(1, input.totalMs)), baseline);
	endpoint.baselines[canary] = baseline;
}

/** While an incident of slowness is open the baseline stands still; a second one follows what is measured, and takes over should it last. */
export function learnNewLevel(endpoint: EndpointState, provider: ProviderState, input: ResultInput): void {
	const { canary = '' } = input;
	const baseline = learn(endpoint.newBaselines, endpoint, provider, input);
	if (baseline === null || input.totalMs === null) return;
	endpoint.newBaselines[canary] = baseline;
	const usual = endpoint.baselines[canary];
	if (usual !== undefined) learnSeason(provider, endpoint.model, input.startedAt, Math.log(Math.max(1, input.totalMs)), usual);
}

/** Clipped at 2.5 deviations, so that an outlier is no new norm. Null: nothing to learn from. */
function learn(
	baselines: Readonly<Record<string, LatencyBaseline>>,
	{ model }: EndpointState,
	provider: ProviderState,
	input: ResultInput,
): LatencyBaseline | null {
	const { outcome, ttftMs, totalMs, canary = '', startedAt } = input;
	if (outcome !== 'ok' || totalMs === null) return null;
	const season = provider.seasons[model];
	const usualLn = seasonLn(provider, model, startedAt);
	const totalLn = Math.log(Math.max(1, totalMs)) - usualLn;
	const ttftLn = ttftMs === null ? totalLn : Math.log(Math.max(1, ttftMs)) - usualLn;
	const fresh = { samples: 0, ttftLn, ttftDeviation: 0.3, totalLn, totalDeviation: 0.3, weekLn: totalLn + usualLn, seasonal: season?.active ?? false };
	const baseline: LatencyBaseline = baselines[canary] ?? fresh;
	takeSeasonOff(baseline, season, startedAt);
	baseline.samples += 1;
	const gain = Math.max(1 / baseline.samples, 1 / 60);
	const ttftStep = clip(ttftLn - baseline.ttftLn, 2.5 * baseline.ttftDeviation);
	const totalStep = clip(totalLn - baseline.totalLn, 2.5 * baseline.totalDeviation);
	baseline.ttftLn += gain * ttftStep;
	baseline.totalLn += gain * totalStep;
	const slowGain = Math.max(1 / (baseline.samples + 4), 1 / 100);
	baseline.ttftDeviation = Math.max(0.08, Math.sqrt((1 - slowGain) * baseline.ttftDeviation ** 2 + slowGain * ttftStep ** 2));
	baseline.totalDeviation = Math.max(0.08, Math.sqrt((1 - slowGain) * baseline.totalDeviation ** 2 + slowGain * totalStep ** 2));
	return baseline;
}

const clip = (value: number, limit: number) => Math.max(-limit, Math.min(limit, value));

// Weight of the prior in results: half a day of probes at 60 s moves the rate half-way.
const priorWeight = 400;
const memory = 4_000;

/** Moves the usual shares of bad results by one result. */
export function learnRates(endpoint: EndpointState, { valid, bad }: Votes): void {
	for (const channel of channels) {
		const { bit, priorRatio, minRatio, maxRatio } = channelRules[channel];
		if ((valid & bit) === 0) continue;
		endpoint.learnedAll[channel] += 1;
		if (bad & bit) endpoint.learnedBad[channel] += 1;
		// The two logarithms are the dear part, and one good result hardly moves them.
		else if (endpoint.learnedAll[channel] % 16 !== 0) continue;
		if (endpoint.learnedAll[channel] > memory) {
			endpoint.learnedAll[channel] /= 2;
			endpoint.learnedBad[channel] /= 2;
			endpoint.learnedAll[channel] = Math.floor(endpoint.learnedAll[channel]);
		}
		const ratio = (priorWeight * priorRatio + endpoint.learnedBad[channel]) / (priorWeight + endpoint.learnedAll[channel]);
		const usual = Math.min(maxRatio, Math.max(minRatio, ratio));
		endpoint.badCost[channel] = -Math.log(usual);
		endpoint.goodCost[channel] = -Math.log1p(-usual);
	}
}
