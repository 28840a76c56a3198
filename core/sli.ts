/** Arithmetic of published ratios. No data is null, never 1. */

export interface Availability {
	readonly good: number;
	readonly bad: number;
	readonly excluded: number;
	/** good / (good + bad), 0..1; null without data. */
	readonly ratio: number | null;
	/** 95 % Wilson score interval, 0..1; null without data. */
	readonly low: number | null;
	readonly high: number | null;
}

// Two-sided 95 % quantile of the normal distribution.
const z = 1.959963984540054;

/** Wilson score interval of `hits` in `total`; null without data. Holds for few samples and near 0 and 1, where hits ± z·σ leaves 0..1 (Wilson 1927). */
export function wilson(hits: number, total: number): { low: number; high: number } | null {
	if (total <= 0) return null;
	const ratio = hits / total;
	const z2 = z * z;
	const centre = ratio + z2 / (2 * total);
	const spread = z * Math.sqrt((ratio * (1 - ratio) + z2 / (4 * total)) / total);
	const scale = 1 + z2 / total;
	// At the ends the formula is exactly 0 and 1; rounding error must not say otherwise.
	return {
		low: hits === 0 ? 0 : Math.max(0, (centre - spread) / scale),
		high: hits === total ? 1 : Math.min(1, (centre + spread) / scale),
	};
}

export function availability(good: number, bad: number, excluded: number): Availability {
	const valid = good + bad;
	const interval = wilson(good, valid);
	if (interval === null) return { good, bad, excluded, ratio: null, low: null, high: null };
	return { good, bad, excluded, ratio: good / valid, ...interval };
}

/** hits / total; null without data. */
export function ratio(hits: number, total: number): number | null {
	return total > 0 ? hits / total : null;
}

/** A percentage for people, cut and never rounded up: 0.99999 is "99.999 %", and only 1 is "100 %". Null is "no data". */
export function formatPercent(value: number | null, decimals = 3): string {
	if (value === null) return 'no data';
	if (value === 1) return '100 %';
	const scale = 10 ** decimals;
	// The epsilon heals 0.9993 * 100_000 = 99929.99…; it is far below one step, so it can't lift a value to 100.
	const cut = Math.min(Math.floor(value * 100 * scale + 1e-6), 100 * scale - 1) / scale;
	return `${cut.toFixed(decimals)} %`;
}
