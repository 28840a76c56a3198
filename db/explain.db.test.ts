/** Plans of the hot queries on tables of some size: none reads a big table from end to end. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '#test/postgres.ts';
import { sampleNow, sampleResult, sampleTarget } from '#test/sample-results.ts';
import './brief-windows.ts';
import './day-rollups.ts';
import './packed-rollups.ts';
import { dayOf, ensureDayPartitions } from './partitions.ts';
import { insertResults } from './probe-results.ts';
import './read-results.ts';
import './recent-results.ts';
import './rollups.ts';
import { queries } from './sql.ts';
import { registerTargets } from './targets.ts';
import './target-evidence.ts';
import './write-rollups.ts';

const dayMs = 86_400_000;
const seriesCount = 200;
let database: TestDatabase;

beforeAll(async () => {
	database = await createTestDatabase();
	const { db } = database;
	const ids = Array.from({ length: seriesCount }, (_, i) => `p${i % 10}:m${i}:chat`);
	await registerTargets(
		db,
		ids.map((id) => sampleTarget(id)),
		sampleNow - 100 * dayMs,
	);
	// One result of each makes the series; a template of it fills two days, a result a minute and series.
	await insertResults(
		db,
		ids.map((_, i) => sampleResult({ provider: `p${i % 10}`, model: `m${i}` })),
		{ now: sampleNow },
	);
	const today = Math.floor(sampleNow / dayMs) * dayMs;
	await ensureDayPartitions(db, [dayOf(today), dayOf(today - dayMs)], ['probe_results', 'result_details', 'rollups_5m']);
	await db.execute(
		`insert into probe_results (slot_at, series_key, cost_nano_usd, start_delay_ms, code, remark_key, input_tokens, output_tokens, dns_code, connect_code, tls_code,
			ttfb_code, ttft_code, max_gap_code, total_code, lag_code, speed_code, request_id)
		select to_timestamp($1) + n * interval '4 minutes', s.series_key, 1, 1, case when n % 97 = 0 then 4096 else 0 end, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, ''
		from generate_series(0, 500) n, series s order by n`,
		[(today - dayMs) / 1_000],
	);
	await db.execute(
		`insert into result_details (slot_at, series_key) select slot_at, series_key from probe_results where code & 4096 <> 0 union all
		select slot_at + interval '1 ms', series_key from probe_results where code & 3 = 0 and series_key % 2 = 0`,
	);
	const spread = (length: number) => `'{${Array.from({ length }, (_, i) => 60 + i).join()}}'`;
	const columns = `cost_nano_usd, input_tokens, output_tokens, slot_count, missed_count, good_count, bad_count, excluded_count, served_count, refused_count,
		right_count, answered_count, outcome_codes, outcome_counts, ttft_buckets, ttft_counts, total_buckets, total_counts, speed_buckets, speed_counts`;
	const values = (length: number) => `1, 1, 1, 5, 0, 5, 0, 0, 5, 0, 5, 5, '{0}', '{5}', ${Array(6).fill(spread(length)).join()}`;
	for (const [table, step, count, length] of [
		['rollups_5m', '5 minutes', 300, 3],
		['rollups_hour', '1 hour', 24 * 12, 3],
		// Wide as in life, or reading all of it would be as cheap as an index.
		['rollups_day', '1 day', 90, 60],
	] as const)
		await db.execute(
			`insert into ${table} (series_key, bucket_at, ${columns}) select s.series_key, to_timestamp($1) - n * interval '${step}', ${values(length)}
			from generate_series(0, ${count}) n, series s order by n desc`,
			[step === '1 day' ? today / 1_000 : sampleNow / 1_000],
		);
	await db.execute("create table packed_5m_202611 partition of packed_5m for values from ('2026-11-01') to ('2026-12-01')");
	await db.execute(
		`insert into packed_5m (series_key, day, packed)
		select s.series_key, date '2026-11-01' + n, decode(repeat(md5(s.series_key::text || n), 40), 'hex') from generate_series(0, 21) n, series s`,
	);
	await db.execute('vacuum analyze');
}, 120_000);
afterAll(() => database.drop());

const at = (back: number) => `'${new Date(sampleNow - back).toISOString()}'::timestamptz`;
const seconds = (back: number) => String((sampleNow - back) / 1_000);
const keys = 'array[3,4,5]';
const today = at(sampleNow % dayMs);

/** Name → parameters as SQL. */
const hot: readonly (readonly [string, readonly string[]])[] = [
	['probe_results_after', ['99000', '99800', '500']],
	['probe_results_page', ['3', today, '1', '1', '0', 'null', 'null', '50']],
	['probe_results_slots', [keys, `array[${[1, 2, 3].map((n) => seconds(n * 240_000)).join()}]::float8[]`]],
	['probe_results_latest', [at(3_600_000)]],
	['probe_results_recent', [at(3_600_000)]],
	['probe_results_news', [at(3_600_000), '99800']],
	['result_details_find', [keys, `array[${[1, 2, 3].map((n) => seconds(n * 240_000)).join()}]::float8[]`]],
	['roll_up_touched', ['99000', '99800', '500']],
	['roll_up_raw', [keys, `array[${[1, 2, 3].map((n) => seconds(n * 300_000)).join()}]::float8[]`]],
	['roll_up_finer_five_minutes', [keys, `array[${[1, 2, 3].map((n) => seconds(n * 3_600_000)).join()}]::float8[]`]],
	['roll_up_finer_hour', [keys, `array[${[1, 2, 3].map((n) => seconds(n * dayMs)).join()}]::float8[]`]],
	['rollups_series_five_minutes', [keys, at(dayMs), at(0)]],
	['rollups_series_hour', [keys, at(7 * dayMs), at(0)]],
	['rollups_series_day', [keys, at(90 * dayMs), at(0)]],
	['packed_range', [keys, `'${dayOf(sampleNow - 2 * dayMs)}'::date`, `'${dayOf(sampleNow)}'::date`]],
	['roll_up_known_five_minutes', [keys, `array[${[1, 2, 3].map((n) => seconds(n * 300_000)).join()}]::float8[]`]],
	['roll_up_known_hour', [keys, `array[${[1, 2, 3].map((n) => seconds(n * 3_600_000)).join()}]::float8[]`]],
	['roll_up_known_day', [keys, `array[${[1, 2, 3].map((n) => seconds(n * dayMs)).join()}]::float8[]`]],
	['rollups_window_edge', [at(3_600_000), at(3_500_000), '0', '1000']],
	['rollups_window_edge_counts', [at(3_600_000), at(3_500_000), '0', '1000']],
	['brief_windows_hour', [at(3_600_000), '0', '1000']],
	['brief_windows_news', [at(3_600_000), '99800']],
	['rollups_window_hours_part_latency', [at(dayMs), at(dayMs - 1_800_000), at(dayMs - 1_800_000), at(0), '0', '1000']],
	['rollups_sli', [at(3_600_000), at(0), at(0)]],
	['rollups_one_day', [today]],
	['probe_results_newest', [`array[${Array.from({ length: 500 }, (_, i) => i + 1).join()}]`, at(dayMs), '20']],
	['latency_of_day', [today, 'null']],
];

const big = /Seq Scan on (probe_results_2|result_details_2|rollups_5m_2|rollups_hour|rollups_day|packed_5m_2)\w*/;

describe('the plan of', () => {
	test.each(hot)('%s', async (name, parameters) => {
		const found = queries.get(name);
		if (found === undefined) throw new Error(`Expected a query "${name}"`);
		const text = found.text.replace(/\$(\d+)/g, (_, number) => `(${parameters[Number(number) - 1]})`);
		const rows = await database.db.execute<{ 'QUERY PLAN': string }>(`explain ${text}`);
		const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
		expect(plan).toMatch(/Index|Bitmap/);
		expect(plan).not.toMatch(big);
	});

	test('ninety days of every target is one of an index alone', async () => {
		const parameters = [`date_trunc('day', ${at(90 * dayMs)})`, today, '0', '1000'];
		const text = (queries.get('rollups_days')?.text ?? '').replace(/\$(\d)/g, (_, number) => `(${parameters[Number(number) - 1]})`);
		const rows = await database.db.execute<{ 'QUERY PLAN': string }>(`explain ${text}`);
		expect(rows.map((row) => row['QUERY PLAN']).join('\n')).toMatch(/Index Only Scan using rollups_day_counts/);
	});
});
