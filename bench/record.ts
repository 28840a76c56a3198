/**
 * Rows per second and server CPU per row of insertResults beside COPY of the same rows into the same table (which can skip no duplicate),
 * interleaved in one run, so that the ratios hold on a noisy machine.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { from as copyFrom } from 'pg-copy-streams';
import { hash32 } from '#core/hash.ts';
import { silentLog } from '#core/log.ts';
import type { ProbeResult } from '#core/probe-result.ts';
import { openEmbeddedPostgres } from '#db/embedded.ts';
import { migrate } from '#db/migrate.ts';
import { ensurePartitions } from '#db/partitions.ts';
import { insertResults } from '#db/probe-results.ts';
import { type Db, openDb, transaction } from '#db/sql.ts';
import { narrowColumns } from '#db/stored-columns.ts';
import { registerTargets } from '#db/targets.ts';
import { sampleNow, sampleResult, sampleTarget } from '#test/sample-results.ts';
import { serverCpuMs } from './server-cpu.ts';

const rowsPerRound = 20_000;
const rounds = 4;
const targetCount = 200;

const dataDir = await mkdtemp(join(tmpdir(), 'linnet-bench-'));
const server = await openEmbeddedPostgres({ dataDir, log: silentLog });
const db = openDb({ url: server.url, max: 1 });
await migrate(db);
for (const age of [3, 1]) await ensurePartitions(db, sampleNow - age * 86_400_000);
await registerTargets(
	db,
	Array.from({ length: targetCount }, (_, i) => sampleTarget(`p${i % 20}:model-${i}:chat`)),
	sampleNow,
);

let made = 0;
function makeResults(): ProbeResult[] {
	return Array.from({ length: rowsPerRound }, () => {
		const n = made++;
		const i = n % targetCount;
		// In order, as slots are: the other way round the index would be half empty.
		const slotAt = sampleNow - 3 * 86_400_000 + Math.floor(n / targetCount) * 60_000 + i * 7;
		const jitter = (n * 7_919) % 1_000;
		const times = { dnsMs: jitter / 100, connectMs: 10 + jitter / 50, ttfbMs: 80.125 + jitter / 10, ttftMs: 210 + jitter, totalMs: 900 + jitter * 2 };
		return sampleResult({
			provider: `p${i % 20}`,
			model: `model-${i}`,
			slotAt,
			startedAt: slotAt + 2,
			...times,
			requestId: `req_${hash32(`a${n}`).toString(16).padStart(8, '0').repeat(2)}${hash32(`b${n}`).toString(16).padStart(8, '0').repeat(2)}`,
		});
	});
}

const seriesKeys = new Map<string, number>();
/** The same rows as insertResults writes, without its checks. */
function toCopyLines(results: readonly ProbeResult[]): string {
	return results
		.map((result) => {
			const row = { seriesKey: seriesKeys.get(result.model) ?? 0, remarkKey: 1, details: null, result };
			const values = Object.entries(narrowColumns).map(([name, { of }]) => {
				const value = of(row);
				if (name.endsWith('_at')) return new Date(Number(value) * 1_000).toISOString();
				return Buffer.isBuffer(value) ? `\\\\x${value.toString('hex')}` : String(value);
			});
			return `${values.join('\t')}\n`;
		})
		.join('');
}

async function copyResults(to: Db, results: readonly ProbeResult[]): Promise<void> {
	const lines = toCopyLines(results);
	await transaction(to, async ({ client }) => {
		await pipeline(Readable.from([lines]), client.query(copyFrom(`copy probe_results (${Object.keys(narrowColumns).join(', ')}) from stdin`)));
	});
}

async function inBatches(results: readonly ProbeResult[], size: number, work: (batch: readonly ProbeResult[]) => Promise<unknown>): Promise<void> {
	for (let start = 0; start < results.length; start += size) await work(results.slice(start, start + size));
}

const insert = (batch: readonly ProbeResult[]) => insertResults(db, batch, { now: sampleNow + 60_000, retentionDays: 14 });
await insert(Array.from({ length: targetCount }, (_, i) => sampleResult({ provider: `p${i % 20}`, model: `model-${i}`, slotAt: sampleNow + 1 })));
for (const { key, model } of await db.execute<{ key: number; model: string }>('select series_key as key, model from series join targets using (target_key)'))
	seriesKeys.set(model, key);
let last: ProbeResult[] = [];
const arms: Record<string, () => Promise<void>> = {
	'COPY, 500 a batch': () => inBatches(makeResults(), 500, (batch) => copyResults(db, batch)),
	'insertResults, 200 a batch': () => inBatches(makeResults(), 200, insert),
	'insertResults, 500 a batch': async () => {
		last = makeResults();
		await inBatches(last, 500, insert);
	},
	'insertResults, 1000 a batch': () => inBatches(makeResults(), 1_000, insert),
	'insertResults, 500, all duplicates': () => inBatches(last, 500, insert),
};

const totals = new Map<string, { wallMs: number; serverMs: number; nodeMs: number }>();
for (let round = 0; round <= rounds; round++) {
	for (const [name, work] of Object.entries(arms)) {
		const [server0, node0, wall0] = [await serverCpuMs(db), process.cpuUsage(), performance.now()];
		await work();
		const { user, system } = process.cpuUsage(node0);
		const spent = { wallMs: performance.now() - wall0, serverMs: (await serverCpuMs(db)) - server0, nodeMs: (user + system) / 1_000 };
		// The first round warms up.
		if (round === 0) continue;
		const sum = totals.get(name) ?? { wallMs: 0, serverMs: 0, nodeMs: 0 };
		totals.set(name, { wallMs: sum.wallMs + spent.wallMs, serverMs: sum.serverMs + spent.serverMs, nodeMs: sum.nodeMs + spent.nodeMs });
	}
}

const rowCount = rowsPerRound * rounds;
const copy = totals.get('COPY, 500 a batch');
console.table(
	Object.fromEntries(
		[...totals].map(([name, { wallMs, serverMs, nodeMs }]) => [
			name,
			{
				'rows/s': Math.round((rowCount / wallMs) * 1_000),
				'rows/s ÷ COPY': Math.round(((copy?.wallMs ?? 1) / wallMs) * 100) / 100,
				'server CPU µs/row': Math.round((serverMs / rowCount) * 10_000) / 10,
				'COPY ÷ server CPU': Math.round(((copy?.serverMs ?? 1) / serverMs) * 100) / 100,
				'node CPU µs/row': Math.round((nodeMs / rowCount) * 10_000) / 10,
			},
		]),
	),
);
const [size] = await db.execute<{ rows: number; heap: number; indexes: number }>(
	`select (select count(*) from probe_results) as rows, sum(pg_relation_size(relid))::bigint as heap, sum(pg_indexes_size(relid))::bigint as indexes
	from pg_partition_tree('probe_results') where isleaf`,
);
if (size !== undefined)
	console.log(`bytes per result, a 32-digit request id among them: ${Math.round(size.heap / size.rows)} heap + ${Math.round(size.indexes / size.rows)} index`);
await db.close();
await server.stop();
await rm(dataDir, { recursive: true, force: true });
