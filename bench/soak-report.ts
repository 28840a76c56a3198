/** What a soak prints: a row an interval, and at the end of each series whether it stayed flat. */
import { type Process, sumByName } from './process-family.ts';

export interface Sample {
	readonly atMinute: number;
	readonly processes: readonly Process[];
	/** `results`, `rollups`, `claims`, `bullmq`, `others` → bytes, indexes included. */
	readonly tables: ReadonlyMap<string, number>;
	/** Since the sample before. */
	readonly resultCount: number;
	readonly missedCount: number;
	readonly lateP50Ms: number | null;
	readonly lateP99Ms: number | null;
	readonly incidentCount: number;
	readonly openCount: number;
	readonly killCount: number;
	/** UTC days that have a partition of results, ascending. */
	readonly days: readonly string[];
}

const names = ['supervisor', 'probe', 'judge', 'api', 'page', 'Postgres'];
const tables = ['results', 'rollups', 'claims', 'bullmq', 'others'];
const ours = (processes: readonly Process[]) => processes.filter(({ name }) => name !== 'Postgres');
const mega = (bytes: number) => (bytes / 2 ** 20).toFixed(1);
const sum = (of: ReadonlyMap<string, number>) => [...of.values()].reduce((all, one) => all + one, 0);

export function samplesTable(samples: readonly Sample[], withHead: boolean): string {
	const head = ['min', ...names.map((name) => `${name} MB`), 'all MB', 'open files', ...tables.map((name) => `${name} MB`), 'days', 'probes', 'missed'];
	const rows = samples.map((sample) => {
		const memory = sumByName(sample.processes, 'memoryBytes');
		return [
			sample.atMinute.toFixed(1),
			...names.map((name) => mega(memory.get(name) ?? 0)),
			mega(sum(memory)),
			sum(sumByName(sample.processes, 'openFiles')),
			...tables.map((name) => mega(sample.tables.get(name) ?? 0)),
			`${sample.days.length} from ${sample.days[0]}`,
			sample.resultCount,
			sample.missedCount,
			`${sample.lateP50Ms ?? '–'} / ${sample.lateP99Ms ?? '–'}`,
			`${sample.incidentCount} (${sample.openCount})`,
			sample.killCount,
		];
	});
	const lines = [...(withHead ? [[...head, 'late p50/p99 ms', 'incidents (open)', 'kills']] : []), ...rows].map((cells) => `| ${cells.join(' | ')} |`);
	if (withHead) lines.splice(1, 0, `|${'---|'.repeat(head.length + 3)}`);
	return lines.join('\n');
}

interface Series {
	readonly name: string;
	/** Null: not known at that time. */
	pick(sample: Sample): number | null;
	/** What the last third may be of the middle third, or this much more. */
	readonly factor: number;
	readonly slack: number;
}

const megabyte = 2 ** 20;
const series: readonly Series[] = [
	...names.map((name) => ({
		name: `memory of ${name}`,
		pick: ({ processes }: Sample) => sumByName(processes, 'memoryBytes').get(name) ?? null,
		...{ factor: 1.1, slack: 12 * megabyte },
	})),
	{ name: 'memory of all', pick: ({ processes }) => sum(sumByName(processes, 'memoryBytes')), factor: 1.1, slack: 0 },
	// Without those of Postgres: each connection keeps open what it has read (`max_files_per_process`), until it is closed.
	{ name: 'open files of ours', pick: ({ processes }) => sum(sumByName(ours(processes), 'openFiles')), factor: 1.1, slack: 10 },
	{ name: 'queue tables', pick: ({ tables }) => tables.get('bullmq') ?? null, factor: 1.1, slack: megabyte },
	{ name: 'other tables', pick: ({ tables }) => tables.get('others') ?? null, factor: 1.1, slack: megabyte },
	{ name: 'lateness p99', pick: ({ lateP99Ms }) => lateP99Ms, factor: 1.5, slack: 25 },
];

function median(values: readonly number[]): number {
	return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

/** The last third against the middle one; the first is warming up. Results, their sums and claims grow until the retention drops as much as comes. */
export function flatness(samples: readonly Sample[]): string {
	const third = Math.floor(samples.length / 3);
	const lines = series.map(({ name, pick, factor, slack }) => {
		const of = (part: readonly Sample[]) => median(part.flatMap((sample) => pick(sample) ?? []));
		const [middle, last] = [of(samples.slice(third, 2 * third)), of(samples.slice(2 * third))];
		const shown = (value: number) => (/memory|tables/.test(name) ? `${mega(value)} MB` : value.toFixed(0));
		return `| ${name} | ${shown(middle)} | ${shown(last)} | ${last <= Math.max(middle * factor, middle + slack) ? 'flat' : 'NOT FLAT'} |`;
	});
	return ['| | middle third | last third | |', '|---|---|---|---|', ...lines].join('\n');
}
