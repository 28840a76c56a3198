/**
 * Ninety days of many targets: what the reads of a history cost, and how many bytes a result takes on average over them.
 * `node bench/history.ts 10000`
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { quantile } from '#core/histogram.ts';
import { silentLog } from '#core/log.ts';
import { readDayRollups } from '#db/day-rollups.ts';
import { openEmbeddedPostgres } from '#db/embedded.ts';
import { migrate } from '#db/migrate.ts';
import { packDays } from '#db/packed-rollups.ts';
import { dayOf, ensureDayPartitions } from '#db/partitions.ts';
import { insertResults } from '#db/probe-results.ts';
import { createRollupReader } from '#db/rollup-reader.ts';
import { readRange, readSeries } from '#db/rollups.ts';
import { openDb } from '#db/sql.ts';
import { registerTargets } from '#db/targets.ts';
import { tightenDays } from '#db/tighten-days.ts';
import { createRandom, draw } from '#simulator/fleet.ts';
import { sampleNow, sampleResult, sampleTarget } from '#test/sample-results.ts';
import { rollUp } from '#workers/roll-up.ts';
import { serverCpuMs } from './server-cpu.ts';

const targetCount = Number(process.argv[2] ?? 10_000);
/** Targets whose results are really made, one a minute; their rows stand for those of the others. */
const modelled = 200;
const dayMs = 86_400_000;
const keptDays = 14;
const hotDays = 2;

const dataDir = await mkdtemp(join(tmpdir(), 'linnet-bench-'));
const server = await openEmbeddedPostgres({ dataDir, log: silentLog, durable: false });
const db = openDb({ url: server.url, max: 2, statementTimeoutMs: 600_000 });
await migrate(db);
const name = (i: number) => `model-${i}`;
await registerTargets(
	db,
	Array.from({ length: targetCount }, (_, i) => sampleTarget(`p${i % 20}:${name(i)}:chat`)),
	sampleNow - 90 * dayMs,
);

// Two days of results as a provider gives them: lognormal times, an id each, one failure in five hundred.
const random = createRandom(7);
const today = Math.floor(sampleNow / dayMs) * dayMs;
const madeFrom = today - 2 * dayMs;
await ensureDayPartitions(db, [dayOf(madeFrom), dayOf(madeFrom + dayMs)], ['probe_results', 'result_details', 'rollups_5m']);
const hex = () =>
	Math.floor(random() * 2 ** 32)
		.toString(16)
		.padStart(8, '0');
for (let minute = 0; minute < 2 * 1_440; minute++) {
	const results = Array.from({ length: modelled }, (_, i) => {
		const slotAt = madeFrom + minute * 60_000 + i * 2_917;
		const ttftMs = draw({ median: 250 + i * 40, sigma: 0.35 }, random);
		const speed = draw({ median: 60, sigma: 0.25 }, random);
		const failed = random() < 0.002;
		return sampleResult({
			...{ provider: `p${i % 20}`, model: name(i), slotAt, startedAt: slotAt + Math.floor(random() * 9), requestId: `req_${hex()}${hex()}${hex()}${hex()}` },
			...{ dnsMs: 1 + random() * 3, connectMs: 8 + random() * 6, tlsMs: 12 + random() * 9, ttfbMs: ttftMs * 0.7, ttftMs, lagMs: random() * 3 },
			...{ maxGapMs: 20 + random() * 30, totalMs: ttftMs + 30_000 / speed, outputTokensPerSecond: speed, inputTokens: 41, outputTokens: 30 },
			...(failed
				? { outcome: 'server_error', sli: 'bad', phase: 'headers', httpStatus: 503, evidence: { message: `upstream error ${hex()}` } }
				: { evidence: null }),
		});
	});
	await insertResults(db, results, { now: sampleNow });
}
await rollUp({ db, log: silentLog, now: () => 0 });

interface Sizes {
	readonly bytes: number;
	readonly rows: number;
}
async function sizeOf(table: string): Promise<Sizes> {
	await db.execute(`vacuum analyze ${table}`);
	const [size] = await db.execute<Sizes>(
		`select (pg_total_relation_size('${table}') + coalesce((select sum(pg_total_relation_size(relid)) from pg_partition_tree('${table}') where isleaf and relid <> '${table}'::regclass), 0))::bigint as bytes,
			(select count(*) from ${table}) as rows`,
	);
	return size ?? { bytes: 0, rows: 0 };
}
const results = 2 * 1_440 * modelled;
const perResult = async (table: string, resultsIn: number) => (await sizeOf(table)).bytes / resultsIn;
const partsOfRaw = async (what: string) => {
	const [parts] = await db.execute<{ heap: number; slots: number }>(
		`select sum(pg_relation_size(relid))::bigint as heap, sum(pg_indexes_size(relid))::bigint as slots from pg_partition_tree('probe_results') where isleaf`,
	);
	console.log(`raw, ${what}: ${Math.round((parts?.heap ?? 0) / results)} bytes heap + ${Math.round((parts?.slots ?? 0) / results)} indexes`);
};
await partsOfRaw('as written');
const hot = (await perResult('probe_results', results)) + (await perResult('result_details', results));
const tightened = await tightenDays(db, today + dayMs);
await partsOfRaw(`${tightened.length} closed days tightened`);
const raw = (await perResult('probe_results', results)) + (await perResult('result_details', results));
const fine = await perResult('rollups_5m', results);
await packDays(db, today);
const packed = await perResult('packed_5m', results);

// The modelled days, for every target and each of ninety days.
await db.execute(
	`insert into series (target_key, vantage_key, canary_key, kind)
	select t.target_key, s.vantage_key, s.canary_key, 0 from targets t, (select * from series where kind = 0 limit 1) s on conflict do nothing`,
);
async function spread(table: string, step: string, back: number): Promise<void> {
	const [columns] = await db.execute<{ names: string }>(
		`select string_agg('m.' || attname, ', ' order by attnum) as names from pg_attribute where attrelid = '${table}'::regclass and attnum > 0
			and attname not in ('bucket_at', 'series_key') and not attisdropped`,
	);
	const names = columns?.names ?? '';
	await db.execute(
		`insert into ${table} (bucket_at, series_key, ${names.replaceAll('m.', '')})
		select m.bucket_at - n * interval '${step}', s.series_key, ${names}
		from generate_series(0, ${back}) n, (select *, row_number() over (order by series_key) as place from series where kind = 0) s
		join (select r.*, dense_rank() over (order by series_key) - 1 as place from ${table} r where bucket_at >= to_timestamp($1) and bucket_at < to_timestamp($1) + interval '1 day') m
			on m.place = s.place % ${modelled}
		on conflict do nothing`,
		[(madeFrom + dayMs) / 1_000],
	);
}
await spread('rollups_day', '1 day', 89);
await spread('rollups_hour', '1 day', 1);

// Of the whole table: of forty rows most would be its first pages.
const perRow = async (table: string, resultsOfRow: number) => {
	const { bytes, rows: count } = await sizeOf(table);
	return bytes / (count * resultsOfRow);
};
const [hour, day] = [await perRow('rollups_hour', 60), await perRow('rollups_day', 1_440)];
// Raw for the retention, 5 minutes open for two days and packed for the rest, hours and days for all of it.
const average = (hotDays * hot + (keptDays - hotDays) * raw + hotDays * fine + (90 - hotDays) * packed) / 90 + hour + day;
const round = (value: number) => Math.round(value * 10) / 10;
console.log('Bytes a result, with indexes, one result a minute:');
console.table({
	'bytes a result': {
		raw: round(hot),
		'raw, closed days': round(raw),
		'5 minutes': round(fine),
		'5 minutes, packed': round(packed),
		hour: round(hour),
		day: round(day),
	},
});
console.log(
	`average over 90 days: ${round(average)} bytes a result, of which the raw rows kept ${keptDays} days are ${round((hotDays * hot + (keptDays - hotDays) * raw) / 90)}`,
);

const rows: Record<string, object> = {};
async function measure<T>(what: string, times: number, work: (i: number) => Promise<T>): Promise<void> {
	const walls: number[] = [];
	const [server0, node0] = [await serverCpuMs(db), process.cpuUsage()];
	for (let i = 0; i < times; i++) {
		const start = performance.now();
		await work(i);
		walls.push(performance.now() - start);
	}
	const { user, system } = process.cpuUsage(node0);
	walls.sort((a, b) => a - b);
	rows[what] = {
		'median ms': round(walls[times >> 1] ?? 0),
		'worst ms': round(walls.at(-1) ?? 0),
		'server CPU ms': round(((await serverCpuMs(db)) - server0) / times),
		'node CPU ms': round((user + system) / 1_000 / times),
	};
}
const range = { fromAt: sampleNow - 90 * dayMs, toAt: sampleNow };
const idOf = (i: number) => `p${i % 20}:${name(i)}:chat`;
for (let i = 0; i < 6; i++) await readRange(db, idOf(i), range);
await measure('p95 of 90 days, one target', 200, async (i) => {
	const value = quantile((await readRange(db, idOf((i * 37) % targetCount), range)).ttft, 0.95);
	if (value === null) throw new Error('Expected a p95');
});
await measure('90 days of one target, a point a day', 100, (i) => readSeries(db, idOf((i * 41) % targetCount), { ...range, step: 'day' }));
await measure(`90-day bars of ${targetCount} targets`, 5, async () => {
	const days = await readDayRollups(db, dayOf(sampleNow - 90 * dayMs), dayOf(sampleNow));
	if (days.size !== targetCount) throw new Error(`Expected ${targetCount} targets, got ${days.size}`);
});
const reader = createRollupReader(db);
await measure('a first publication: every window and the bars', 1, async () => {
	await reader.windows(sampleNow);
	await reader.days(sampleNow);
});
await measure('the next ones', 3, async (i) => {
	await reader.windows(sampleNow + (i + 1) * 10_000);
	await reader.days(sampleNow + (i + 1) * 10_000);
});
console.log(`${targetCount} targets × 90 days:`);
console.table(rows);
await db.close();
await server.stop();
await rm(dataDir, { recursive: true, force: true });
