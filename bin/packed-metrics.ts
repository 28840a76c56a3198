/**
 * Metrics on their way from a process to the API, histograms packed: each series once with its counts side by side, instead of an object with all
 * labels for each bucket. Of 400 models 3 MB become 0.13; as jsonb the former left 45 MB with each connection of Postgres that had parsed it.
 */

/** A metric of `Registry.getMetricsAsJSON()`, as far as it is read here. */
interface Metric {
	readonly name: string;
	readonly type: string;
	readonly values: readonly Value[];
}

interface Value {
	readonly metricName?: string;
	readonly labels: Readonly<Record<string, string | number>>;
	readonly value: number;
}

interface Packed extends Metric {
	/** Upper edges of the buckets. */
	readonly edges?: readonly (string | number)[];
	readonly series?: readonly Series[];
}

interface Series {
	readonly labels: Value['labels'];
	/** As the edges, then sum and count. */
	readonly figures: readonly number[];
}

/** @param metrics as `Registry.getMetricsAsJSON()` gives them */
export function packMetrics(metrics: unknown): unknown {
	return (metrics as readonly Metric[]).map((metric): Packed => {
		if (metric.type !== 'histogram') return metric;
		const edges: (string | number)[] = [];
		const series: { labels: Value['labels']; figures: number[] }[] = [];
		let figures: number[] = [];
		for (const { metricName, labels, value } of metric.values) {
			figures.push(value);
			const { le, ...own } = labels;
			if (le !== undefined && series.length === 0) edges.push(le);
			if (metricName !== `${metric.name}_count`) continue;
			series.push({ labels: own, figures });
			figures = [];
		}
		// A version before this one reads values alone.
		return { ...metric, values: [], edges, series };
	});
}

/** The way back; metrics that were not packed are given as they are. */
export function unpackMetrics(metrics: unknown): unknown {
	return (metrics as readonly Packed[]).map(({ edges, series, ...metric }): Metric => {
		if (edges === undefined || series === undefined) return metric;
		const ends = [`${metric.name}_sum`, `${metric.name}_count`];
		const values = series.flatMap(({ labels, figures }) =>
			figures.map((value, at): Value => {
				const le = edges[at];
				return le === undefined
					? { metricName: ends[at - edges.length] ?? '', labels, value }
					: { metricName: `${metric.name}_bucket`, labels: { le, ...labels }, value };
			}),
		);
		return { ...metric, values };
	});
}
