/** What the simulator pretends to be: providers, the models they serve, and how fast. */
import type { Operation, Price } from '#core/target.ts';

/** Lognormal: the median, and how far the tail reaches (sigma of the logarithm). */
export interface Spread {
	readonly median: number;
	readonly sigma: number;
}

export interface SimModel {
	/** Canonical id, `author/slug`. */
	readonly model: string;
	readonly upstreamModel: string;
	readonly operation: Operation;
	readonly ttftMs: Spread;
	readonly tokensPerSecond: Spread;
	readonly price: Price | null;
}

export interface SimProvider {
	/** Path prefix and provider id. */
	readonly id: string;
	readonly name: string;
	/** A dialect id of `simulator/dialects`. */
	readonly dialect: string;
	readonly models: readonly SimModel[];
}

export interface Fleet {
	readonly providers: readonly SimProvider[];
}

/** Small, fast, public-domain generator (mulberry32); the same seed plays the same day. Gives 0 ≤ x < 1. */
export function createRandom(seed: number): () => number {
	let state = seed >>> 0;
	return () => {
		state = (state + 0x6d2b79f5) >>> 0;
		let mixed = Math.imul(state ^ (state >>> 15), state | 1);
		mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
		return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
	};
}

/** One draw of a lognormal, by Box and Muller. */
export function draw({ median, sigma }: Spread, random: () => number): number {
	if (sigma === 0) return median;
	const gauss = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
	return median * Math.exp(sigma * gauss);
}
