/**
 * Sparse log-bucket histogram: bucket i holds values in (γ^(i-1), γ^i], γ = 1.05, so a quantile is off by at most 2.5 %
 * of the value. Merging adds counts, so it is associative and commutative: any window comes from any rollups.
 */
export interface Histogram {
	/** Ascending bucket indices; fits a smallint. */
	readonly buckets: readonly number[];
	/** Count of each bucket, same length. */
	readonly counts: readonly number[];
}

export const gamma = 1.05;
const lnGamma = Math.log(gamma);
/** Everything at or below this (ms, tokens/s) shares the lowest bucket. */
const floor = 0.01;
export const lowestBucket = Math.ceil(Math.log(floor) / lnGamma);
/** About 6.6e18: no duration gets there, and the index stays a smallint. */
export const highestBucket = 885;

export const emptyHistogram: Histogram = { buckets: [], counts: [] };

export function bucketOf(value: number): number {
	if (!(value > floor)) return lowestBucket;
	return Math.min(Math.ceil(Math.log(value) / lnGamma), highestBucket);
}

/** The value that stands for a bucket: 2γ^i / (γ + 1) halves the relative error on both sides. */
export function valueOf(bucket: number): number {
	return (2 * gamma ** bucket) / (gamma + 1);
}

export function histogramOf(values: Iterable<number>): Histogram {
	const counts = new Map<number, number>();
	for (const value of values) {
		const bucket = bucketOf(value);
		counts.set(bucket, (counts.get(bucket) ?? 0) + 1);
	}
	const buckets = [...counts.keys()].sort((a, b) => a - b);
	return { buckets, counts: buckets.map((bucket) => counts.get(bucket) ?? 0) };
}

export function mergeHistograms(histograms: Iterable<Histogram>): Histogram {
	let merged = emptyHistogram;
	for (const histogram of histograms) merged = combine(merged, histogram, 1);
	return merged;
}

/** Counts are negative where the part was never merged into it. */
export function subtractHistogram(whole: Histogram, part: Histogram): Histogram {
	return combine(whole, part, -1);
}

/** One pass, since both ascend; a bucket whose count comes to nothing is gone. */
function combine(a: Histogram, b: Histogram, sign: 1 | -1): Histogram {
	if (b.buckets.length === 0) return a;
	if (a.buckets.length === 0 && sign === 1) return b;
	const [buckets, counts]: [number[], number[]] = [[], []];
	let [i, k] = [0, 0];
	while (i < a.buckets.length || k < b.buckets.length) {
		const [ofA = Number.POSITIVE_INFINITY, ofB = Number.POSITIVE_INFINITY] = [a.buckets[i], b.buckets[k]];
		const count = (ofA <= ofB ? (a.counts[i] ?? 0) : 0) + (ofB <= ofA ? sign * (b.counts[k] ?? 0) : 0);
		if (count !== 0) {
			buckets.push(Math.min(ofA, ofB));
			counts.push(count);
		}
		if (ofA <= ofB) i += 1;
		if (ofB <= ofA) k += 1;
	}
	return { buckets, counts };
}

export function countOf(histogram: Histogram): number {
	return histogram.counts.reduce((sum, count) => sum + count, 0);
}

/** Nearest-rank quantile, q in 0..1; null without data. */
export function quantile(histogram: Histogram, q: number): number | null {
	const total = countOf(histogram);
	if (total === 0) return null;
	const rank = Math.max(1, Math.ceil(q * total));
	let seen = 0;
	for (const [i, bucket] of histogram.buckets.entries()) {
		seen += histogram.counts[i] ?? 0;
		if (seen >= rank) return valueOf(bucket);
	}
	return null;
}
