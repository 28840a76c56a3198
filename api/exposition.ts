/**
 * The snapshot as Prometheus metrics. Written by hand: with a Gauge of prom-client for each family the text of 10,000 targets took 1.2 s and more in
 * one go, in which no poll was answered; like this it takes 0.1, in pieces of less than a tenth of a millisecond.
 * Format: https://prometheus.io/docs/instrumenting/exposition_formats/
 */
import { AggregatorRegistry } from 'prom-client';
import type { Snapshot, TargetView } from '#core/snapshot.ts';
import { type State, states } from '#core/state.ts';

/** Labels besides the target's own, as text, and the value. No data is no series, never 0. */
type Series = readonly [more: string, value: number];

interface Family {
	readonly name: string;
	readonly help: string;
	/** Left out: those of every family. */
	labels?(target: TargetView): string;
	series(target: TargetView): readonly Series[];
}

const one = (value: number | null | undefined): readonly Series[] => (value === null || value === undefined ? [] : [['', value]]);

const deploymentStates = {
	operational: 0,
	degraded_performance: 1,
	partial_outage: 1,
	major_outage: 2,
	under_maintenance: null,
	unknown: null,
} as const satisfies Record<State, number | null>;

const families: readonly Family[] = [
	{
		name: 'linnet_target_state',
		help: '1 for the state that the target is in, 0 for the others',
		series: (target) => states.map((state) => [`,state="${state}"`, target.state === state ? 1 : 0]),
	},
	{
		name: 'linnet_target_availability_ratio',
		help: 'good / (good + bad) over the window',
		series: ({ availability }) =>
			Object.entries(availability).flatMap(([window, { ratio }]): Series[] => (ratio === null ? [] : [[`,window="${window}"`, ratio]])),
	},
	{
		name: 'linnet_target_results',
		help: 'Scheduled results in the last 24 h by what they count as',
		series: ({ availability: { '1d': day } }) => (['good', 'bad', 'excluded'] as const).map((sli) => [`,sli="${sli}"`, day[sli]]),
	},
	{ name: 'linnet_target_capacity_ratio', help: 'served / (served + refused), last 30 min', series: ({ capacity }) => one(capacity.ratio) },
	{ name: 'linnet_target_quality_ratio', help: 'right / answered, last 24 h', series: ({ quality }) => one(quality.ratio) },
	{ name: 'linnet_target_coverage_ratio', help: 'Slots that ran of the slots that were due, last 24 h', series: ({ coverage }) => one(coverage.ratio) },
	{
		// `quantile` belongs to summaries: promtool refuses it on a gauge.
		name: 'linnet_target_ttft_seconds',
		help: 'Time to first token of complete answers, last 30 min',
		series: ({ ttftMs }) =>
			ttftMs === null ? [] : (['p50', 'p90', 'p95', 'p99'] as const).map((name) => [`,percentile="${name.slice(1)}"`, ttftMs[name] / 1_000]),
	},
	{
		name: 'linnet_target_output_tokens_per_second',
		help: 'Generation speed, last 24 h; 10 is the slow end',
		series: ({ outputTokensPerSecond: speed }) =>
			speed === null
				? []
				: [
						[',percentile="50"', speed.p50],
						[',percentile="10"', speed.p10],
					],
	},
	{
		name: 'linnet_target_measured_timestamp_seconds',
		help: 'Start of the newest probe that ran',
		series: ({ measuredAt }) => one(measuredAt === null ? null : Date.parse(measuredAt) / 1_000),
	},
	{
		name: 'probe_success',
		help: '1 while most vantages can use the target, 0 in a confirmed outage; absent when unknown or in maintenance',
		series: ({ state }) => one(state === 'unknown' || state === 'under_maintenance' ? null : state === 'major_outage' ? 0 : 1),
	},
	{ name: 'probe_duration_seconds', help: 'Median time to first token, last 30 min', series: ({ ttftMs }) => one(ttftMs && ttftMs.p50 / 1_000) },
	{
		name: 'litellm_deployment_state',
		help: '0 healthy, 1 partial outage, 2 complete outage, as LiteLLM names it; absent when unknown or in maintenance',
		// The address of a provider may be the operator's own: it is not public.
		labels: ({ id, provider, upstreamModel }) =>
			`litellm_model_name="${escapeLabel(upstreamModel)}",model_id="${escapeLabel(id)}",api_provider="${escapeLabel(provider)}",api_base=""`,
		series: ({ state }) => one(deploymentStates[state]),
	},
];

const targetFamilies: ReadonlySet<string> = new Set(families.map(({ name }) => name));
const pieceLength = 32_768;

/** What stands between the quotes of a label's value. */
function escapeLabel(value: string): string {
	return /[\\"\n]/.test(value) ? value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n') : value;
}

const headOf = (name: string, help: string) => `# HELP ${name} ${help}\n# TYPE ${name} gauge\n`;

/** The targets' families one after the other, in pieces of some 32 KB. */
export function* exposeTargets(targets: readonly TargetView[]): Generator<string> {
	const own = targets.map(
		({ id, provider, model, operation }) =>
			`target="${escapeLabel(id)}",provider="${escapeLabel(provider)}",model="${escapeLabel(model)}",operation="${escapeLabel(operation)}"`,
	);
	let text = '';
	for (const { name, help, labels, series } of families) {
		text += headOf(name, help);
		for (const [i, target] of targets.entries()) {
			for (const [more, value] of series(target)) text += `${name}{${labels?.(target) ?? own[i]}${more}} ${value}\n`;
			if (text.length < pieceLength) continue;
			yield text;
			text = '';
		}
	}
	yield text;
}

/** What is told of the snapshot as a whole. */
export function exposeSnapshot({ incidents, simulated, number, generatedAt }: Snapshot): string {
	const open = (['none', 'minor', 'major', 'critical'] as const).map(
		(impact) =>
			`linnet_open_incidents{impact="${impact}"} ${incidents.filter((incident) => incident.resolvedAt === null && incident.impact === impact).length}\n`,
	);
	return [
		`${headOf('linnet_open_incidents', 'Open incidents by impact')}${open.join('')}`,
		`${headOf('linnet_simulated', '1 when the providers are the simulator')}linnet_simulated ${simulated ? 1 : 0}\n`,
		`${headOf('linnet_snapshot_number', 'Number of the snapshot')}linnet_snapshot_number ${number}\n`,
		`${headOf('linnet_snapshot_timestamp_seconds', 'When the snapshot was made')}linnet_snapshot_timestamp_seconds ${Date.parse(generatedAt) / 1_000}\n`,
	].join('');
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

/**
 * Several processes' texts as one: the first to name a family or a series keeps it, for a scrape with a duplicate is refused as a whole.
 * The families of `exposeTargets` are left out: they have been named.
 */
export function mergeExpositions(texts: readonly string[]): string {
	const seen = new Set<string>();
	const lines = texts
		.flatMap((text) => text.split('\n'))
		.filter((line) => {
			if (line.trim() === '') return false;
			const meta = /^# (HELP|TYPE) (\S+)/.exec(line);
			// The value and time stand after the labels; a label's own text may hold spaces and braces.
			const key = meta === null ? line.replace(/ [^" }]+( \d+)?$/, '') : `${meta[1]} ${meta[2]}`;
			if (seen.has(key) || targetFamilies.has(meta?.[2] ?? /^[^{ ]*/.exec(line)?.[0] ?? '')) return false;
			seen.add(key);
			return true;
		});
	return `${lines.join('\n')}\n`;
}
