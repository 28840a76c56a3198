import { emptyRollup, mergeRollups, type Rollup, type RollupStep, rollupSteps } from '#core/rollup.ts';
import { type longWindows, windowMs } from '#core/snapshot.ts';
import { type AlikeRow, alikeColumns, detailsJoin, rollupOfRow } from './alike-results.ts';
import { findKeys, findNames } from './names.ts';
import { readPacked } from './packed-rollups.ts';
import { type CountsRow, type DistributionsRow, distributionColumns, rollupTables, type SeriesBucket, sumColumns, toRollup } from './rollup-row.ts';
import { findSeries } from './series.ts';
import { instant, query, type Sql } from './sql.ts';
import { outcomeBits } from './stored-columns.ts';

interface GroupRow extends CountsRow, Partial<DistributionsRow> {
	readonly target_key: number;
	readonly canary_key: number;
}

const sums = sumColumns.map((column) => `sum(${column})::bigint as ${column}`).join(', ');

/** Which distributions are added up over a window, beside the counts. Of total times nobody asks, and they are the costliest. */
export type WindowDistributions = 'all' | 'latency' | 'outcomes' | 'none';
const added: Readonly<Record<WindowDistributions, readonly string[]>> = {
	all: ['outcome_codes', 'ttft_buckets', 'speed_buckets'],
	latency: ['ttft_buckets', 'speed_buckets'],
	outcomes: ['outcome_codes'],
	none: [],
};
const allDistributions = Object.keys(added) as WindowDistributions[];

/**
 * Sums rows of several tables, each over its own stretch of the window, by target and canary. Sparse distributions add up key by key.
 * @param isPart of targets with keys in a range that is given last
 */
function windowQuery(name: string, tables: readonly RollupStep[], which: WindowDistributions, isPart = false): ReturnType<typeof query<GroupRow>> {
	const distributions = distributionColumns.filter(([keys]) => added[which].includes(keys));
	const columns = [...sumColumns, ...distributions.flat()].map((column) => `r.${column}`).join(', ');
	const stretch = (i: number) => `r.bucket_at >= $${2 * i + 1}::timestamptz and r.bucket_at < $${2 * i + 2}::timestamptz`;
	const range = `s.target_key > $${2 * tables.length + 1}::int and s.target_key <= $${2 * tables.length + 2}::int`;
	const rows = tables
		.map((step, i) =>
			isPart
				? // Series by series, as the fence has it: each part would else go through the whole stretch.
					`select s.target_key, s.canary_key, ${columns} from series s cross join lateral (
						select * from ${rollupTables[step]} r where r.series_key = s.series_key and ${stretch(i)} offset 0
					) r where ${range}`
				: `select s.target_key, s.canary_key, ${columns} from ${rollupTables[step]} r join series s using (series_key) where ${stretch(i)}`,
		)
		.join(' union all ');
	const totals = `totals as (select target_key, canary_key, ${sums} from rows group by target_key, canary_key)`;
	if (which === 'none') return query(name, `with rows as (${rows}), ${totals} select * from totals`);
	const merged = distributions.map(
		([keys, counts], i) => `d${i} as (
			select target_key, canary_key, array_agg(key order by key) as ${keys}, array_agg(n order by key) as ${counts}
			from (
				select target_key, canary_key, key, sum(n)::int as n from rows, unnest(${keys}, ${counts}) as pair(key, n) group by target_key, canary_key, key
			) summed
			group by target_key, canary_key
		)`,
	);
	const joins = distributions.map((_, i) => `left join d${i} using (target_key, canary_key)`).join(' ');
	return query(name, `with rows as materialized (${rows}), ${totals}, ${merged.join(', ')} select * from totals ${joins}`);
}

const forEach = (name: string, tables: readonly RollupStep[], isPart = false) =>
	Object.fromEntries(allDistributions.map((which) => [which, windowQuery(`${name}_${which}`, tables, which, isPart)])) as Record<
		WindowDistributions,
		ReturnType<typeof windowQuery>
	>;
const fromHours = forEach('rollups_window_hours', ['five_minutes', 'hour']);
const partFromHours = forEach('rollups_window_hours_part', ['five_minutes', 'hour'], true);
const fromDays = windowQuery('rollups_window_days', ['hour', 'day'], 'none');

// The part of the first bucket that lies in the window, from the raw results. Without the fence Postgres may read a whole day instead.
const edgeQuery = (name: string, codes: Parameters<typeof alikeColumns>[0]) =>
	query<AlikeRow & { target_key: number; canary_key: number }>(
		name,
		`select s.target_key, s.canary_key, ${alikeColumns(codes)}
		from series s
		cross join lateral (select * from probe_results r where r.series_key = s.series_key and r.slot_at >= $1::timestamptz and r.slot_at < $2::timestamptz offset 0) p
		${detailsJoin}
		where s.kind = 0 and s.target_key > $3::int and s.target_key <= $4::int
		group by target_key, canary_key, code & ${outcomeBits}, ran`,
	);
const edgeOfCounts = edgeQuery('rollups_window_edge_counts', []);
const edges: Readonly<Record<WindowDistributions, ReturnType<typeof edgeQuery>>> = {
	all: edgeQuery('rollups_window_edge', ['ttft', 'speed']),
	latency: edgeQuery('rollups_window_edge_latency', ['ttft', 'speed']),
	outcomes: edgeOfCounts,
	none: edgeOfCounts,
};

const selectOneDay = query<SeriesBucket & CountsRow & DistributionsRow>(
	'rollups_one_day',
	`select series_key, bucket_at, ${[...sumColumns, ...distributionColumns.flat()].join(', ')} from rollups_day where bucket_at = $1::timestamptz
	order by series_key`,
);

const sliQuery = query<{ target_key: number; good: number; bad: number }>(
	'rollups_sli',
	`select s.target_key, sum(r.good_count)::bigint as good, sum(r.bad_count)::bigint as bad
	from (
		select series_key, good_count, bad_count from rollups_5m where bucket_at >= $1::timestamptz and bucket_at < $2::timestamptz
		union all
		select series_key, good_count, bad_count from rollups_hour where bucket_at >= $2::timestamptz and bucket_at < $3::timestamptz
	) r join series s using (series_key)
	group by s.target_key`,
);

const seriesOfTarget = query<{ series_key: number }>(
	'rollups_series_keys',
	`select series_key from series
	where target_key = $1::int and kind = 0 and ($2::text is null or canary_key = (select canary_key from canaries where name = $2::text))
		and ($3::text is null or vantage_key = (select vantage_key from vantages where name = $3::text))`,
);

const seriesQueries = Object.fromEntries(
	Object.entries(rollupTables).map(([step, table]) => [
		step,
		query<SeriesBucket & CountsRow & DistributionsRow>(
			`rollups_series_${step}`,
			`select r.*
			from unnest($1::int[]) as given(series_key)
			cross join lateral (
				select series_key, bucket_at, ${[...sumColumns, ...distributionColumns.flat()].join(', ')} from ${table} own
				where own.series_key = given.series_key and own.bucket_at >= $2::timestamptz and own.bucket_at < $3::timestamptz
			) r
			order by r.bucket_at`,
		),
	]),
) as Record<RollupStep, ReturnType<typeof query<SeriesBucket & CountsRow & DistributionsRow>>>;

export interface WindowRollup {
	/** All canaries and vantages. */
	readonly all: Rollup;
	/** By canary, vantages merged: percentiles over mixed canaries mean nothing. */
	readonly byCanary: Readonly<Record<string, Rollup>>;
}

/** Those that are added up from rollups; for the shorter ones see db/brief-windows.ts. */
export type RolledWindow = '1d' | (typeof longWindows)[number];

export interface WindowOptions {
	readonly now: number;
	readonly windows: readonly RolledWindow[];
	/** What of the outcomes and histograms of 1d is asked for; left out: all. What is not is empty. */
	readonly distributions?: WindowDistributions;
	/** Of 1d: only targets with a key above the first and up to the second; null or left out: all. */
	readonly targetKeys?: readonly [after: number, through: number] | null;
}

/**
 * Target id → window → sums. A target without slots in a window lacks it. A window ends now. 1d is exact: its first bucket is cut at
 * its start, from the raw results. The longer ones begin with the full hour that holds their start (`windowStart`), so they are up to an hour
 * longer than their name, never shorter. Outcomes and the histograms of first tokens and speed are filled in 1d, total times in none;
 * the longer windows carry counts, tokens and cost only.
 */
export async function readWindowRollups(
	sql: Sql,
	{ now, windows, distributions = 'all', targetKeys = null }: WindowOptions,
): Promise<Map<string, Partial<Record<RolledWindow, WindowRollup>>>> {
	const byTarget = new Map<string, Partial<Record<RolledWindow, WindowRollup>>>();
	for (const window of windows) {
		const sumsOf = await readWindow(sql, window, { now, distributions, targetKeys });
		const targets = await findNames(
			sql,
			'target',
			sumsOf.map(({ targetKey }) => targetKey),
		);
		const canaries = await findNames(
			sql,
			'canary',
			sumsOf.map(({ canaryKey }) => canaryKey),
		);
		const grouped = new Map<string, Record<string, Rollup>>();
		for (const { targetKey, canaryKey, rollup } of sumsOf) {
			const [id, canary] = [targets.get(targetKey) ?? '', canaries.get(canaryKey) ?? ''];
			const own = grouped.get(id) ?? {};
			grouped.set(id, own);
			own[canary] = own[canary] === undefined ? rollup : mergeRollups([own[canary], rollup]);
		}
		for (const [id, byCanary] of grouped) {
			const [first, ...others] = Object.values(byCanary);
			if (first === undefined) continue;
			byTarget.set(id, { ...byTarget.get(id), [window]: { all: others.length === 0 ? first : mergeRollups([first, ...others]), byCanary } });
		}
	}
	return byTarget;
}

/** Where a window that ends now begins: 1d exactly, the longer ones with the full hour. */
export function windowStart(window: RolledWindow, now: number): number {
	const startAt = now - windowMs[window];
	return window === '1d' ? startAt : Math.floor(startAt / rollupSteps.hour) * rollupSteps.hour;
}

interface GroupSums {
	readonly targetKey: number;
	readonly canaryKey: number;
	readonly rollup: Rollup;
}

const allKeys = [0, 0x7fffffff] as const;

async function readWindow(sql: Sql, window: RolledWindow, { now, distributions, targetKeys }: Required<Omit<WindowOptions, 'windows'>>): Promise<GroupSums[]> {
	const startAt = windowStart(window, now);
	const end = instant(now + rollupSteps.day);
	// Few coarse rows for the whole, fine ones for the edge.
	const [fine, coarse] = window === '1d' ? ([rollupSteps.five_minutes, rollupSteps.hour] as const) : ([rollupSteps.hour, rollupSteps.day] as const);
	const from = instant(Math.ceil(startAt / fine) * fine);
	const edge = instant(Math.ceil(startAt / coarse) * coarse);
	if (window !== '1d') return (await sql.run(fromDays, [from, edge, edge, end])).map(toGroupSums);
	const whole =
		targetKeys === null
			? await sql.run(fromHours[distributions], [from, edge, edge, end])
			: await sql.run(partFromHours[distributions], [from, edge, edge, end, ...targetKeys]);
	const cut = await sql.run(edges[distributions], [instant(startAt), from, ...(targetKeys ?? allKeys)]);
	const hasOutcomes = added[distributions].includes('outcome_codes');
	const cutSums = cut.map((row) => {
		const rollup = rollupOfRow(row);
		return { targetKey: row.target_key, canaryKey: row.canary_key, rollup: hasOutcomes ? rollup : { ...rollup, outcomes: emptyRollup.outcomes } };
	});
	return [...whole.map(toGroupSums), ...cutSums];
}

function toGroupSums(row: GroupRow): GroupSums {
	return { targetKey: row.target_key, canaryKey: row.canary_key, rollup: toRollup(row) };
}

/**
 * Target id → window in ms → good and bad scheduled results, for burn rates (core/slo.ts). A window ends now and begins with the 5 minutes that
 * hold its start; one longer than a day, with the hour.
 */
export async function readSliCounts(
	sql: Sql,
	{ now, windowsMs }: { readonly now: number; readonly windowsMs: readonly number[] },
): Promise<Map<string, Map<number, { good: number; bad: number }>>> {
	const byTarget = new Map<string, Map<number, { good: number; bad: number }>>();
	for (const lengthMs of windowsMs) {
		const fine = lengthMs > rollupSteps.day ? rollupSteps.hour : rollupSteps.five_minutes;
		const from = Math.floor((now - lengthMs) / fine) * fine;
		const edge = Math.min(Math.ceil(from / rollupSteps.hour) * rollupSteps.hour, now + rollupSteps.day);
		const rows = await sql.run(sliQuery, [instant(from), instant(edge), instant(now + rollupSteps.day)]);
		const targets = await findNames(
			sql,
			'target',
			rows.map((row) => row.target_key),
		);
		for (const { target_key, good, bad } of rows) {
			const id = targets.get(target_key) ?? '';
			byTarget.set(id, (byTarget.get(id) ?? new Map()).set(lengthMs, { good, bad }));
		}
	}
	return byTarget;
}

/** Everything of one UTC day (YYYY-MM-DD), by target and canary, vantages merged. */
export async function readRollupsOfDay(sql: Sql, day: string): Promise<{ targetId: string; canary: string; rollup: Rollup }[]> {
	const rows = await sql.run(selectOneDay, [`${day}T00:00:00Z`]);
	const series = await findSeries(
		sql,
		rows.map((row) => row.series_key),
	);
	const parts = [...series.values()];
	const targets = await findNames(
		sql,
		'target',
		parts.map(({ targetKey }) => targetKey),
	);
	const canaries = await findNames(
		sql,
		'canary',
		parts.map(({ canaryKey }) => canaryKey),
	);
	const groups = Map.groupBy(rows, ({ series_key }) => `${series.get(series_key)?.targetKey} ${series.get(series_key)?.canaryKey}`);
	return [...groups.values()].map((group) => {
		const own = series.get(group[0]?.series_key ?? 0);
		return {
			targetId: targets.get(own?.targetKey ?? 0) ?? '',
			canary: canaries.get(own?.canaryKey ?? 0) ?? '',
			rollup: mergeRollups(group.map(toRollup)),
		};
	});
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
	const keys = (await sql.run(seriesOfTarget, [key, canary ?? null, vantage ?? null])).map((row) => row.series_key);
	const rows = await sql.run(seriesQueries[step], [keys, instant(fromAt), instant(toAt)]);
	const packed = step === 'five_minutes' ? await readPacked(sql, keys, fromAt, toAt) : [];
	const parts = [...packed, ...rows.map((row) => ({ at: row.bucket_at, rollup: toRollup(row) }))];
	const buckets = Map.groupBy(parts, ({ at }) => at);
	return [...buckets]
		.map(([at, own]) => ({ at, rollup: own.length === 1 && own[0] !== undefined ? own[0].rollup : mergeRollups(own.map(({ rollup }) => rollup)) }))
		.sort((a, b) => a.at - b.at);
}

/**
 * Everything of one target from the full hour that holds `fromAt` to `toAt`, merged: any quantile of any long stretch, 90 days in milliseconds.
 * Days inside, hours at the edges.
 */
export async function readRange(sql: Sql, targetId: string, { fromAt, toAt, canary, vantage }: Omit<SeriesOptions, 'step'>): Promise<Rollup> {
	const more = { ...(canary === undefined ? {} : { canary }), ...(vantage === undefined ? {} : { vantage }) };
	const [hourMs, dayMs] = [rollupSteps.hour, rollupSteps.day];
	const from = Math.floor(fromAt / hourMs) * hourMs;
	const firstDay = Math.min(Math.ceil(from / dayMs) * dayMs, toAt);
	const lastDay = Math.max(firstDay, Math.floor(toAt / dayMs) * dayMs);
	const read = (step: RollupStep, fromMs: number, toMs: number) =>
		toMs > fromMs ? readSeries(sql, targetId, { fromAt: fromMs, toAt: toMs, step, ...more }) : Promise.resolve([]);
	const parts = [await read('hour', from, firstDay), await read('day', firstDay, lastDay), await read('hour', lastDay, toAt)].flat();
	return mergeRollups(parts.map(({ rollup }) => rollup));
}
