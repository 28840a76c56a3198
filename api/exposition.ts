/** The snapshot as Prometheus metrics. */
import { AggregatorRegistry, Gauge, Registry } from 'prom-client';
import type { Snapshot, TargetView } from '#core/snapshot.ts';
import { type State, states } from '#core/state.ts';

const labelNames = ['target', 'provider', 'model', 'operation'] as const;

function labelsOf({ id, provider, model, operation }: TargetView): Record<(typeof labelNames)[number], string> {
	return { target: id, provider, model, operation };
}

const deploymentStates = {
	operational: 0,
	degraded_performance: 1,
	partial_outage: 1,
	major_outage: 2,
	under_maintenance: null,
	unknown: null,
} as const satisfies Record<State, number | null>;

/** One registry a snapshot: a series of a target that is gone can't linger. No data is no series, never 0. */
export async function exposeSnapshot(snapshot: Snapshot): Promise<string> {
	const registry = new Registry();
	const gauge = (name: string, help: string, more: readonly string[] = []) =>
		new Gauge({ name, help, labelNames: [...labelNames, ...more], registers: [registry] });
	const state = gauge('linnet_target_state', '1 for the state that the target is in, 0 for the others', ['state']);
	const availability = gauge('linnet_target_availability_ratio', 'good / (good + bad) over the window', ['window']);
	const results = gauge('linnet_target_results', 'Scheduled results in the last 24 h by what they count as', ['sli']);
	const capacity = gauge('linnet_target_capacity_ratio', 'served / (served + refused), last 30 min');
	const quality = gauge('linnet_target_quality_ratio', 'right / answered, last 24 h');
	const coverage = gauge('linnet_target_coverage_ratio', 'Slots that ran of the slots that were due, last 24 h');
	// `quantile` belongs to summaries: promtool refuses it on a gauge.
	const ttft = gauge('linnet_target_ttft_seconds', 'Time to first token of complete answers, last 30 min', ['percentile']);
	const speed = gauge('linnet_target_output_tokens_per_second', 'Generation speed, last 24 h; 10 is the slow end', ['percentile']);
	const measured = gauge('linnet_target_measured_timestamp_seconds', 'Start of the newest probe that ran');
	const success = gauge('probe_success', '1 while most vantages can use the target, 0 in a confirmed outage; absent when unknown or in maintenance');
	const duration = gauge('probe_duration_seconds', 'Median time to first token, last 30 min');

	const deployment = new Gauge({
		name: 'litellm_deployment_state',
		help: '0 healthy, 1 partial outage, 2 complete outage, as LiteLLM names it; absent when unknown or in maintenance',
		labelNames: ['litellm_model_name', 'model_id', 'api_provider', 'api_base'],
		registers: [registry],
	});

	for (const target of snapshot.targets) {
		const labels = labelsOf(target);
		for (const name of states) state.set({ ...labels, state: name }, target.state === name ? 1 : 0);
		for (const [window, found] of Object.entries(target.availability)) if (found.ratio !== null) availability.set({ ...labels, window }, found.ratio);
		const day = target.availability['1d'];
		for (const sli of ['good', 'bad', 'excluded'] as const) results.set({ ...labels, sli }, day[sli]);
		if (target.capacity.ratio !== null) capacity.set(labels, target.capacity.ratio);
		if (target.quality.ratio !== null) quality.set(labels, target.quality.ratio);
		if (target.coverage.ratio !== null) coverage.set(labels, target.coverage.ratio);
		if (target.ttftMs !== null) {
			const { p50, p90, p95, p99 } = target.ttftMs;
			for (const [percentile, ms] of Object.entries({ '50': p50, '90': p90, '95': p95, '99': p99 })) ttft.set({ ...labels, percentile }, ms / 1_000);
			duration.set(labels, p50 / 1_000);
		}
		if (target.outputTokensPerSecond !== null) {
			speed.set({ ...labels, percentile: '50' }, target.outputTokensPerSecond.p50);
			speed.set({ ...labels, percentile: '10' }, target.outputTokensPerSecond.p10);
		}
		if (target.measuredAt !== null) measured.set(labels, Date.parse(target.measuredAt) / 1_000);
		if (target.state !== 'unknown' && target.state !== 'under_maintenance') success.set(labels, target.state === 'major_outage' ? 0 : 1);
		const known = deploymentStates[target.state];
		// The address of a provider may be the operator's own: it is not public.
		if (known !== null) deployment.set({ litellm_model_name: target.upstreamModel, model_id: target.id, api_provider: target.provider, api_base: '' }, known);
	}
	const incidents = new Gauge({ name: 'linnet_open_incidents', help: 'Open incidents by impact', labelNames: ['impact'], registers: [registry] });
	for (const impact of ['none', 'minor', 'major', 'critical'] as const) {
		incidents.set({ impact }, snapshot.incidents.filter((incident) => incident.resolvedAt === null && incident.impact === impact).length);
	}
	new Gauge({ name: 'linnet_simulated', help: '1 when the providers are the simulator', registers: [registry] }).set(snapshot.simulated ? 1 : 0);
	new Gauge({ name: 'linnet_snapshot_number', help: 'Number of the snapshot', registers: [registry] }).set(snapshot.number);
	new Gauge({ name: 'linnet_snapshot_timestamp_seconds', help: 'When the snapshot was made', registers: [registry] }).set(
		Date.parse(snapshot.generatedAt) / 1_000,
	);
	return registry.metrics();
}

/** Age moves by itself, so it is not in the text that is kept per snapshot. Null: nothing measured yet. */
export function exposeAge(generatedAt: string | null, now: number): string {
	const head = '# HELP linnet_snapshot_age_seconds Age of the snapshot; absent before the first\n# TYPE linnet_snapshot_age_seconds gauge\n';
	return generatedAt === null ? '' : `${head}linnet_snapshot_age_seconds ${Math.max(0, (now - Date.parse(generatedAt)) / 1_000)}\n`;
}

/** What processes count of themselves (`getMetricsAsJSON`), as one text: counts are added up, of values that several look at the largest is told. */
export async function addUpProcesses(metrics: readonly unknown[]): Promise<string> {
	return metrics.length === 0 ? '' : AggregatorRegistry.aggregate(metrics as object[]).metrics();
}

/** Several processes' texts as one: the first to name a family or a series keeps it, for a scrape with a duplicate is refused as a whole. */
export function mergeExpositions(texts: readonly string[]): string {
	const seen = new Set<string>();
	const lines = texts
		.flatMap((text) => text.split('\n'))
		.filter((line) => {
			if (line.trim() === '') return false;
			const meta = /^# (HELP|TYPE) (\S+)/.exec(line);
			// The value and time stand after the labels; a label's own text may hold spaces and braces.
			const key = meta === null ? line.replace(/ [^" }]+( \d+)?$/, '') : `${meta[1]} ${meta[2]}`;
			if (seen.has(key)) return false;
			seen.add(key);
			return true;
		});
	return `${lines.join('\n')}\n`;
}
