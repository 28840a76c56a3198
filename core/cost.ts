import { askOf, mostInputTokens, typicalInputTokens } from './canary.ts';
import { keepFor } from './keep-for.ts';
import type { Canary, Price, Target } from './target.ts';

/** Assumed when nobody told a price, so that an unpriced target can't spend unseen: dearer than most listed chat models. */
export const fallbackPrice: Price = { inputUsdPerMTok: 5, outputUsdPerMTok: 25 };

type Costed = Pick<Target, 'price' | 'flags' | 'operation' | 'canaries'>;

/** As long as the probe's own random one. */
const anyNonce = '000000000000';

/** OpenAI's Responses take no cap below this, so a smaller one is sent as this. */
export const leastOutputCap = 16;

/** USD per million tokens is micro-USD per token. Rounded up: never book less than was spent. */
export function costMicroUsd(price: Price, inputTokens: number, outputTokens: number): number {
	return Math.ceil(inputTokens * price.inputUsdPerMTok + outputTokens * price.outputUsdPerMTok);
}

/** The most output that one probe can be billed for: the cap that is sent; a vector has none. */
export function mostOutputTokens({ operation, flags }: Pick<Target, 'operation' | 'flags'>): number {
	return operation === 'embeddings' ? 0 : Math.max(leastOutputCap, flags.maxOutputTokens);
}

/**
 * The most that one probe of this target can cost: what is reserved before it is sent.
 * @param canaryName null, or a name that the target does not have: the dearest of its canaries
 */
export function reservationMicroUsd(target: Costed, canaryName: string | null = null): number {
	const named = target.canaries.filter(({ name }) => name === canaryName);
	const candidates = named.length > 0 ? named : target.canaries;
	return Math.max(0, ...candidates.map((canary) => ceilingMicroUsd(target, canary)));
}

/** Each reservation asks. */
const ceilingTokens = keepFor((canary: Canary) => mostInputTokens(askOf(canary, anyNonce)));

function ceilingMicroUsd(target: Costed, canary: Canary): number {
	return costMicroUsd(target.price ?? fallbackPrice, ceilingTokens(canary), mostOutputTokens(target));
}

/** A short answer to a short prompt: what a probe usually costs, for forecasts. */
export function typicalMicroUsd(target: Costed, canary: Canary): number {
	return costMicroUsd(target.price ?? fallbackPrice, typicalInputTokens(askOf(canary, anyNonce)), Math.min(30, mostOutputTokens(target)));
}

/**
 * Forecast of a day in micro-USD at the configured cadence, for one vantage. Kept as long as the configuration: each publication and each look at
 * the operator's figures asks.
 */
export const forecastPerDayMicroUsd = keepFor((targets: readonly Target[]) => {
	let [typical, highest, probes] = [0, 0, 0];
	for (const target of targets) {
		const perDay = 86_400_000 / target.intervalMs;
		for (const canary of target.canaries) {
			probes += perDay;
			typical += perDay * typicalMicroUsd(target, canary);
			highest += perDay * ceilingMicroUsd(target, canary);
		}
	}
	return { typical, highest, probes };
});
