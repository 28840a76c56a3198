/** A seeded generator (mulberry32, Tommy Ettinger, public domain): the same seed, the same world. */
export interface Random {
	/** 0 ≤ x < 1. */
	next(): number;
	between(low: number, high: number): number;
	/** Low ≤ x < high, evenly in the logarithm. */
	logBetween(low: number, high: number): number;
	int(below: number): number;
	pick<T>(from: readonly T[]): T;
	normal(): number;
}

export function createRandom(seed: number): Random {
	let a = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) >>> 0;
	const next = () => {
		a = (a + 0x6d2b79f5) | 0;
		let t = Math.imul(a ^ (a >>> 15), 1 | a);
		t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
		return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
	};
	const between = (low: number, high: number) => low + (high - low) * next();
	let spare: number | null = null;
	return {
		next,
		between,
		logBetween: (low, high) => Math.exp(between(Math.log(low), Math.log(high))),
		int: (below) => Math.floor(next() * below),
		pick: <T>(from: readonly T[]) => from[Math.floor(next() * from.length)] as T,
		normal() {
			if (spare !== null) {
				const value = spare;
				spare = null;
				return value;
			}
			const radius = Math.sqrt(-2 * Math.log(1 - next()));
			const angle = 2 * Math.PI * next();
			spare = radius * Math.sin(angle);
			return radius * Math.cos(angle);
		},
	};
}
