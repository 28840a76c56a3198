/** Who should get the next request for a model: candidates in order, each with its reason. Pure. */
import { type Criterion, rankTargets } from '#core/rank-targets.ts';
import type { Snapshot, TargetView } from '#core/snapshot.ts';

/** OpenRouter's words, with its units: prices in USD per million tokens, latency in seconds. */
export interface RouteWishes {
	readonly model: string;
	readonly operation: string;
	/** Providers to try first, in this order. */
	readonly order: readonly string[];
	/** Only these; empty for all. */
	readonly only: readonly string[];
	readonly ignore: readonly string[];
	readonly sort: 'price' | 'throughput' | 'latency' | null;
	readonly maxPromptUsd: number | null;
	readonly maxCompletionUsd: number | null;
	/** Of the median time to first token. */
	readonly preferredMaxLatencyS: number | null;
	readonly preferredMinThroughput: number | null;
}

const ttftOf = (target: TargetView) => (target.ttftMs ?? target.ttftMs1d)?.p50 ?? Number.POSITIVE_INFINITY;
const speedOf = (target: TargetView) => target.outputTokensPerSecond?.p50 ?? 0;
const priceOf = (target: TargetView) => (target.price === null ? Number.POSITIVE_INFINITY : target.price.inputUsdPerMTok + target.price.outputUsdPerMTok);

const sorts = {
	price: ['cheaper', priceOf],
	throughput: ['faster', (target) => -speedOf(target)],
	latency: ['quicker first token', ttftOf],
} as const satisfies Record<string, Criterion>;

/** Preferences put a target back, they never remove it. */
function criteriaOf(wishes: RouteWishes): Criterion[] {
	const { order, sort, preferredMaxLatencyS: latency, preferredMinThroughput: throughput } = wishes;
	const place = (target: TargetView) => (order.includes(target.provider) ? order.indexOf(target.provider) : order.length);
	return [
		...(order.length === 0 ? [] : [['the order asked for', place] as const]),
		...(latency === null ? [] : [['the preferred latency', (target: TargetView) => Number(ttftOf(target) > latency * 1_000)] as const]),
		...(throughput === null ? [] : [['the preferred throughput', (target: TargetView) => Number(speedOf(target) < throughput)] as const]),
		...(sort === null ? [] : [sorts[sort]]),
	];
}

/** Null when this model is not measured under these wishes. */
export function routeView(snapshot: Snapshot, wishes: RouteWishes) {
	const { only, ignore, maxPromptUsd, maxCompletionUsd } = wishes;
	// A price that nobody knows is no proof of being too high.
	const affordable = (price: TargetView['price']) =>
		price === null ||
		((maxPromptUsd === null || price.inputUsdPerMTok <= maxPromptUsd) && (maxCompletionUsd === null || price.outputUsdPerMTok <= maxCompletionUsd));
	const fitting = snapshot.targets.filter(
		(target) =>
			target.model === wishes.model &&
			target.operation === wishes.operation &&
			(only.length === 0 || only.includes(target.provider)) &&
			!ignore.includes(target.provider) &&
			affordable(target.price),
	);
	if (fitting.length === 0) return null;
	const ranked = rankTargets(fitting, criteriaOf(wishes));
	const isAllDown = ranked.every(({ target }) => target.state === 'major_outage');
	return {
		schema: 'linnet.route/1' as const,
		snapshot: snapshot.number,
		generatedAt: snapshot.generatedAt,
		staleAfter: snapshot.staleAfter,
		simulated: snapshot.simulated,
		model: wishes.model,
		/** True when even the first is no recommendation: all are down, or nothing is known. */
		failOpen: isAllDown || ranked.every(({ target }) => target.state === 'unknown'),
		candidates: ranked
			// Those in an outage are named only when there is no other.
			.filter(({ target }) => isAllDown || target.state !== 'major_outage')
			.map(({ target, why }) => ({
				id: target.id,
				provider: target.provider,
				upstreamModel: target.upstreamModel,
				state: target.state,
				reason: target.reason,
				why,
				ttftP50Ms: (target.ttftMs ?? target.ttftMs1d)?.p50 ?? null,
				outputTokensPerSecond: target.outputTokensPerSecond?.p50 ?? null,
				retryAfterMs: target.capacity.retryAfterMs,
				price: target.price,
			})),
		/** What was not named, and why. */
		left: isAllDown
			? []
			: ranked
					.filter(({ target }) => target.state === 'major_outage')
					.map(({ target }) => ({ id: target.id, provider: target.provider, state: target.state, reason: target.reason })),
	};
}
