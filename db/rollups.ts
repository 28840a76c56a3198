import { mergeRollups, type Rollup, type RollupStep, rollupSteps } from '#core/rollup.ts';
import { type longWindows, shortWindows, type WindowName, windowMs } from '#core/snapshot.ts';
import { findKeys, findNames } from './names.ts';
import { type CountsRow, type DistributionsRow, distributionColumns, rollupTables, type SeriesBucket, sumColumns, toRollup } from './rollup-row.ts';
import { instant, query, type Sql } from './sql.ts';

interface GroupRow extends CountsRow, Partial<DistributionsRow> {
	readonly target_key: number;
	readonly canary_key: number;
}

const sums = sumColumns.map((column) => `sum(${column})::bigint as ${column}`).join(', ');

// Of total times nobody asks over a window, and they are the costliest to add up.
const windowDistributions = distributionColumns.filter(([keys]) => keys !== 'total_buckets');

/** Sums rows of several tables, each over its own stretch of the window, by target and canary. Sparse distributions add up key by key. */
function windowQuery(name: string, tables: readonly RollupStep[], withDistributions: boolean): ReturnType<typeof query<GroupRow>> {
	const columns = ['target_key', 'canary_key', ...sumColumns, ...(withDistributions ? windowDistributions.flat() : [])].join(', ');
	const rows = tables
		.map((step, i) => `select ${columns} from ${rollupTables[step]} where bucket_at >= $${2 * i + 1}::timestamptz and bucket_at < $${2 * i + 2}::timestamptz`)
		.join(' union all ');
	const totals = `totals as (select target_key, canary_key, ${sums} from rows group by target_key, canary_key)`;
	if (!withDistributions) return query(name, `with rows as (${rows}), ${totals} select * from totals`);
	const merged = windowDistributions.map(
		([keys, counts], i) => `d${i} as (
			select target_key, canary_key, array_agg(key order by key) as ${keys}, array_agg(n order by key) as ${counts}
			from (
				select target_key, canary_key, key, sum(n)::int as n from rows, unnest(${keys}, ${counts}) as pair(key, n) group by target_key, canary_key, key
			) added
			group by target_key, canary_key
		)`,
	);
	const joins = windowDistributions.map((_, i) => `left join d${i} using (target_key, canary_key)`).join(' ');
	return query(name, `with rows as materialized (${rows}), ${totals}, ${merged.join(', ')} select * from totals ${joins}`);
}

const fromFiveMinutes = windowQuery('rollups_window_5m', ['five_minutes'], true);
const fromHours = windowQuery('rollups_window_hours', ['five_minutes', 'hour'], true);
const fromDays = windowQuery('rollups_window_days', ['hour', 'day'], false);

const selectDays = query<CountsRow & { target_key: number; bucket_at: number }>(
	'rollups_days',
	`select target_key, bucket_at, ${sums} from rollups_day where bucket_at >= $1::timestamptz group by target_key, bucket_at`,
);

const seriesQueries = Object.fromEntries(
	Object.entries(rollupTables).map(([step, table]) => [
		step,
		query<SeriesBucket & CountsRow & DistributionsRow>(
			`rollups_series_${step}`,
			`select target_key, vantage_key, canary_key, bucket_at, ${[...sumColumns, ...distributionColumns.flat()].join(', ')} from ${table}
			where target_key = $1::int and bucket_at >= $2::timestamptz and bucket_at < $3::timestamptz
				and ($4::text is null or canary_key = (select canary_key from canaries where name = $4::text))
				and ($5::text is null or vantage_key = (select vantage_key from vantages where name = $5::text))
			order by bucket_at`,
		),
	]),
) as Record<RollupStep, ReturnType<typeof query<SeriesBucket & CountsRow & DistributionsRow>>>;

export interface WindowRollup {
	/** All canaries and vantages. */
	readonly all: Rollup;
	/** By canary, vantages merged: percentiles over mixed canaries mean nothing. */
	readonly byCanary: Readonly<Record<string, Rollup>>;
}

/**
 * Target id → window → sums. A target without slots in a window lacks it.
 * A window ends now and begins at the bucket that holds its start: of 5 minutes up to one day, of an hour above; so it is up to one bucket
 * longer than its name, never shorter. Outcomes and the histograms of first tokens and speed are filled up to 1d, total times in none;
 * the longer windows carry counts, tokens and cost only.
 */
export async function readWindowRollups(
	sql: Sql,
	{ now, windows }: { readonly now: number; readonly windows: readonly WindowName[] },
): Promise<Map<string, Partial<Record<WindowName, WindowRollup>>>> {
	const byTarget = new Map<string, Partial<Record<WindowName, WindowRollup>>>();
	for (const window of windows) {
		const rows = await readWindow(sql, window, now);
		const targets = await findNames(
			sql,
			'target',
			rows.map((row) => row.target_key),
		);
		const canaries = await findNames(
			sql,
			'canary',
			rows.map((row) => row.canary_key),
		);
		const grouped = new Map<string, Record<string, Rollup>>();
		for (const row of rows) {
			const id = targets.get(row.target_key) ?? '';
			grouped.set(id, { ...grouped.get(id), [canaries.get(row.canary_key) ?? '']: toRollup(row) });
		}
		for (const [id, byCanary] of grouped) {
			const [first, ...others] = Object.values(byCanary);
			if (first === undefined) continue;
			byTarget.set(id, { ...byTarget.get(id), [window]: { all: others.length === 0 ? first : mergeRollups([first, ...others]), byCanary } });
		}
	}
	return byTarget;
}

const isLong = (window: WindowName): window is (typeof longWindows)[number] => !(shortWindows as readonly string[]).includes(window);

function readWindow(sql: Sql, window: WindowName, now: number): Promise<GroupRow[]> {
	const startAt = now - windowMs[window];
	const [fine, coarse] = isLong(window) ? ([rollupSteps.hour, rollupSteps.day] as const) : ([rollupSteps.five_minutes, rollupSteps.hour] as const);
	const from = Math.floor(startAt / fine) * fine;
	const end = instant(now + rollupSteps.day);
	if (!isLong(window) && window !== '1d') return sql.run(fromFiveMinutes, [instant(from), end]);
	// Few coarse rows for the whole, fine ones for the edge.
	const edge = instant(Math.ceil(startAt / coarse) * coarse);
	return sql.run(isLong(window) ? fromDays : fromHours, [instant(from), edge, edge, end]);
}

/** Target id → UTC day (YYYY-MM-DD) → counts, tokens and cost of that day, from `fromDay` on; outcomes and histograms are empty. */
export async function readDayRollups(sql: Sql, fromDay: string): Promise<Map<string, Map<string, Rollup>>> {
	const byTarget = new Map<string, Map<string, Rollup>>();
	const rows = await sql.run(selectDays, [`${fromDay}T00:00:00Z`]);
	const targets = await findNames(
		sql,
		'target',
		rows.map((row) => row.target_key),
	);
	for (const row of rows) {
		const id = targets.get(row.target_key) ?? '';
		const days = byTarget.get(id) ?? new Map<string, Rollup>();
		days.set(new Date(row.bucket_at).toISOString().slice(0, 10), toRollup(row));
		byTarget.set(id, days);
	}
	return byTarget;
}

export interface SeriesOptions {
	/** ms since epoch; buckets that begin in from ≤ at < to. */
	readonly fromAt: number;
	readonly toAt: number;
	readonly step: RollupStep;
	/** Absent: all, merged. */
	readonly canary?: string;
	readonly vantage?: string;
}

/** Full rollups of one target, oldest first; buckets without a slot are missing. An unknown target has none. */
export async function readSeries(
	sql: Sql,
	targetId: string,
	{ fromAt, toAt, step, canary, vantage }: SeriesOptions,
): Promise<{ at: number; rollup: Rollup }[]> {
	const key = (await findKeys(sql, 'target', [targetId])).get(targetId);
	if (key === undefined) return [];
	const rows = await sql.run(seriesQueries[step], [key, instant(fromAt), instant(toAt), canary ?? null, vantage ?? null]);
	const buckets = Map.groupBy(rows, (row) => row.bucket_at);
	return [...buckets].map(([at, parts]) => ({ at, rollup: mergeRollups(parts.map(toRollup)) }));
}
