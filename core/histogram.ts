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
	return fromCounts(counts);
}

export function mergeHistograms(histograms: Iterable<Histogram>): Histogram {
	const counts = new Map<number, number>();
	for (const histogram of histograms) {
		histogram.buckets.forEach((bucket, i) => {
			counts.set(bucket, (counts.get(bucket) ?? 0) + (histogram.counts[i] ?? 0));
		});
	}
	return fromCounts(counts);
}

function fromCounts(counts: ReadonlyMap<number, number>): Histogram {
	const buckets = [...counts.keys()].sort((a, b) => a - b);
	return { buckets, counts: buckets.map((bucket) => counts.get(bucket) ?? 0) };
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
