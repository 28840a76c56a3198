/** What the roll-up and the reads of a snapshot cost with many targets: wall time and server CPU of each. `node bench/roll-up.ts 1000` */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog } from '#core/log.ts';
import { longWindows } from '#core/snapshot.ts';
import { createBriefReader } from '#db/brief-windows.ts';
import { readDayRollups } from '#db/day-rollups.ts';
import { openEmbeddedPostgres } from '#db/embedded.ts';
import { migrate } from '#db/migrate.ts';
import { dayOf, ensurePartitions } from '#db/partitions.ts';
import { insertResults } from '#db/probe-results.ts';
import { readRecentResults } from '#db/recent-results.ts';
import { createRollupReader } from '#db/rollup-reader.ts';
import { readWindowRollups } from '#db/rollups.ts';
import { openDb } from '#db/sql.ts';
import { registerTargets } from '#db/targets.ts';
import { sampleNow, sampleResult, sampleTarget } from '#test/sample-results.ts';
import { rollUp } from '#workers/roll-up.ts';
import { ageRecord } from './age-record.ts';
import { serverCpuMs } from './server-cpu.ts';

const targetCount = Number(process.argv[2] ?? 1_000);
const dataDir = await mkdtemp(join(tmpdir(), 'linnet-bench-'));
const server = await openEmbeddedPostgres({ dataDir, log: silentLog });
const db = openDb({ url: server.url, max: 1, statementTimeoutMs: 600_000 });
await migrate(db);
await ensurePartitions(db, sampleNow);
await registerTargets(
	db,
	Array.from({ length: targetCount }, (_, i) => sampleTarget(`p${i % 20}:model-${i}:chat`)),
	sampleNow,
);

function resultsAt(slotAt: number, count = targetCount) {
	return Array.from({ length: count }, (_, i) => {
		const at = slotAt + i;
		const spread = (i * 7_919 + slotAt / 1_000) % 997;
		return sampleResult({
			provider: `p${i % 20}`,
			model: `model-${i}`,
			slotAt: at,
			startedAt: at,
			ttftMs: 200 + spread,
			totalMs: 900 + spread,
			outputTokensPerSecond: 30 + spread / 20,
		});
	});
}
const insert = (results: ReturnType<typeof resultsAt>) => insertResults(db, results, { now: sampleNow + 600_000 });
const tools = { db, log: silentLog, now: () => 0 };

const rows: Record<string, object> = {};
async function measure<T>(name: string, work: () => Promise<T>): Promise<T> {
	const [server0, node0, wall0] = [await serverCpuMs(db), process.cpuUsage(), performance.now()];
	const result = await work();
	const { user, system } = process.cpuUsage(node0);
	rows[name] = {
		'wall ms': Math.round(performance.now() - wall0),
		'server CPU ms': (await serverCpuMs(db)) - server0,
		'node CPU ms': Math.round((user + system) / 1_000),
	};
	return result;
}

// An hour of results makes rows of the real shape, which then stand for the past.
for (let minute = 60; minute > 0; minute--) await insert(resultsAt(sampleNow - minute * 60_000));
await measure('roll-up of an hour of results', () => rollUp(tools));
await ageRecord(db);

await insert(resultsAt(sampleNow));
await measure('roll-up of a minute that begins an hour', () => rollUp(tools));
await insert(resultsAt(sampleNow + 60_000));
await measure('roll-up of the minute after it', () => rollUp(tools));
await insert(resultsAt(sampleNow + 70_000, Math.ceil(targetCount / 6)));
await measure('roll-up of ten seconds', () => rollUp(tools));
const now = sampleNow + 100_000;
for (const window of ['1d', ...longWindows] as const) {
	for (let i = 0; i < 6; i++) await readWindowRollups(db, { now, windows: [window] });
	await measure(`window ${window}`, () => readWindowRollups(db, { now, windows: [window] }));
}
await measure('window 1d, its outcomes alone', () => readWindowRollups(db, { now, windows: ['1d'], distributions: 'outcomes' }));
await measure('window 1d, latency of its distributions, in parts', async () => {
	for (let after = 0; after < targetCount; after += 1_000)
		await readWindowRollups(db, { now, windows: ['1d'], distributions: 'latency', targetKeys: [after, after + 1_000] });
});
await measure('90 days', () => readDayRollups(db, dayOf(sampleNow - 90 * 86_400_000), dayOf(sampleNow)));
await measure('recent results', () => readRecentResults(db, sampleNow - 86_400_000));
const brief = createBriefReader(db);
await measure('windows up to an hour, the first time', () => brief.read(now));
await insert(resultsAt(sampleNow + 120_000, Math.ceil(targetCount / 4)));
await measure('windows up to an hour, news of a quarter', () => brief.read(now + 15_000));
const reader = createRollupReader(db);
for (let i = 0; i < 2; i++) {
	await measure(`publication ${i + 1}`, async () => {
		await reader.windows(now + i * 10_000);
		await reader.days(now + i * 10_000);
	});
}
console.log(`${targetCount} targets`);
console.table(rows);
await db.close();
await server.stop();
await rm(dataDir, { recursive: true, force: true });
