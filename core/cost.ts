import type { Price, Target } from './target.ts';

/** Assumed when nobody told a price, so that an unpriced target can't spend unseen: dearer than most listed chat models. */
export const fallbackPrice: Price = { inputUsdPerMTok: 5, outputUsdPerMTok: 25 };

/** A canary's prompt with its frame, in tokens; a tool or schema canary stays below it too. */
export const promptTokensMax = 250;

/** USD per million tokens is micro-USD per token. Rounded up: never book less than was spent. */
export function costMicroUsd(price: Price, inputTokens: number, outputTokens: number): number {
	return Math.ceil(inputTokens * price.inputUsdPerMTok + outputTokens * price.outputUsdPerMTok);
}

/** The most that one probe of this target can cost: what is reserved before it is sent. */
export function reservationMicroUsd(target: Pick<Target, 'price' | 'flags'>): number {
	return costMicroUsd(target.price ?? fallbackPrice, promptTokensMax, target.flags.maxOutputTokens);
}

/** A short answer to a short prompt: what a probe usually costs, for forecasts. */
export function typicalMicroUsd(target: Pick<Target, 'price'>): number {
	return costMicroUsd(target.price ?? fallbackPrice, 40, 20);
}

/** Forecast of a day in micro-USD at the configured cadence, for one vantage. */
export function forecastPerDayMicroUsd(targets: readonly Target[]): { typical: number; highest: number; probes: number } {
	let [typical, highest, probes] = [0, 0, 0];
	for (const target of targets) {
		const perDay = (86_400_000 / target.intervalMs) * target.canaries.length;
		probes += perDay;
		typical += perDay * typicalMicroUsd(target);
		highest += perDay * reservationMicroUsd(target);
	}
	return { typical, highest, probes };
}
