/**
 * How long a verdict takes from its commit to a reader: the publication, NOTIFY, the read of the snapshot, the feed made anew. Real Postgres, the
 * worker's publisher (which publishes the whole every 10 s as in the service), a real API process, 1,000 targets with 90 days each, one incident
 * opened each time; idle and under the load of 64 polling connections (`wrk`).
 * `node bench/propagation.ts [samples] [targets]`. Embedded Postgres, or DATABASE_URL with an empty database.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { Agent, get } from 'node:http';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { DayCounts } from '#core/day-counts.ts';
import { silentLog } from '#core/log.ts';
import { openEmbeddedPostgres } from '#db/embedded.ts';
import { openIncident, resolveIncident } from '#db/incidents.ts';
import { migrate } from '#db/migrate.ts';
import { ensurePartitions } from '#db/partitions.ts';
import { insertResults } from '#db/probe-results.ts';
import { createRollupReader } from '#db/rollup-reader.ts';
import { openDb, transaction } from '#db/sql.ts';
import { registerTargets } from '#db/targets.ts';
import { freePort } from '#test/e2e/service.ts';
import { sampleIncident } from '#test/sample-incident.ts';
import { sampleResult, sampleTarget } from '#test/sample-results.ts';
import { createPublisher } from '#workers/publish-snapshot.ts';
import { rollUp } from '#workers/roll-up.ts';

const samples = Number(process.argv[2] ?? 150);
const targetCount = Number(process.argv[3] ?? 1_000);
const dayMs = 86_400_000;
const dir = await mkdtemp(join(tmpdir(), 'linnet-propagation-'));
const embedded = process.env.DATABASE_URL === undefined ? await openEmbeddedPostgres({ dataDir: join(dir, 'postgres'), log: silentLog }) : null;
const url = process.env.DATABASE_URL ?? embedded?.url ?? '';
const db = openDb({ url, max: 4 });
await migrate(db);
await ensurePartitions(db, Date.now());
const targets = Array.from({ length: targetCount }, (_, i) => sampleTarget(`p${i % 20}:m${Math.floor(i / 20)}:chat`));
await registerTargets(db, targets, Date.now() - dayMs);

async function record(): Promise<void> {
	const at = Date.now();
	await insertResults(
		db,
		targets.map(({ provider, model }, i) => sampleResult({ provider, model, slotAt: at - 1_000 - i, startedAt: at - 1_000 - i })),
	);
	await rollUp({ db, log: silentLog, now: Date.now });
}

// The ninety days are read every quarter of an hour; here they are made up, so that the documents have their size.
const past = new Map(
	targets.map(({ id }) => {
		const counts = Array.from({ length: 90 }, (_, i) => [1_430 + (i % 10), (1_430 + (i % 10)) % 3, 0]);
		return [id, new DayCounts(Math.floor(Date.now() / dayMs) - 89, Int32Array.from(counts.flat()))] as const;
	}),
);
const publisher = createPublisher({
	...{ db, rollups: { ...createRollupReader(db), days: async () => past }, now: Date.now, targets: () => targets, simulated: false, drill: null },
	...{ status: () => ({ title: 'Propagation', url: null }), intervalMs: () => 60_000, maintenances: async () => [] },
});
const wholeMs: number[] = [];
async function publishWhole(): Promise<void> {
	await record();
	const startedAt = performance.now();
	await publisher.publish();
	wholeMs.push(performance.now() - startedAt);
}
await publishWhole();

const port = await freePort();
const api = spawn(process.execPath, [join(import.meta.dirname, '..', 'bin', 'linnet.mjs'), 'api'], {
	stdio: 'ignore',
	env: { ...process.env, DATABASE_URL: url, LINNET_DATA: dir, PORT: String(port), LOG_LEVEL: 'error' },
});
const agent = new Agent({ keepAlive: true, maxSockets: 1 });

let etag = '';

/** As a router polls: empty while nothing changed. */
function readVerdicts(): Promise<string> {
	return new Promise((resolve, reject) => {
		get(`http://127.0.0.1:${port}/v1/verdicts`, { agent, headers: { 'If-None-Match': etag, 'Accept-Encoding': 'identity' } }, (res) => {
			etag = String(res.headers.etag ?? etag);
			let text = '';
			res.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
			res.on('end', () => resolve(text));
		}).on('error', reject);
	});
}

let opened = 0;
/** ms from the commit to the first answer that carries it; requests follow each other without a pause. */
async function measure(): Promise<{ storedMs: number; servedMs: number }> {
	const target = targets[opened % targets.length];
	if (target === undefined) throw new Error('Expected a target');
	opened += 1;
	const id = `bench-${opened}`;
	const { provider, model, operation } = target;
	const incident = sampleIncident({ id, reason: `change ${opened}.`, scope: { provider, model, operation, vantage: null }, targetIds: [target.id] });
	await transaction(db, (tx) => openIncident(tx, incident));
	const committedAt = performance.now();
	let storedMs = 0;
	const published = publisher.publishVerdicts().then(() => {
		storedMs = performance.now() - committedAt;
	});
	while (!(await readVerdicts()).includes(incident.reason)) {
		if (performance.now() - committedAt > 30_000) throw new Error('Expected the verdict to be served within 30 s');
	}
	const servedMs = performance.now() - committedAt;
	await published;
	await transaction(db, (tx) => resolveIncident(tx, id, { update: { at: Date.now(), status: 'resolved', body: 'Well.' } }));
	return { storedMs, servedMs };
}

interface Sampled {
	readonly 'stored p50': number;
	readonly 'served p50': number;
	readonly 'served p99': number;
	readonly 'served max': number;
}

async function sample(): Promise<Sampled> {
	const stored: number[] = [];
	const served: number[] = [];
	let wholeAt = performance.now() + 10_000;
	let whole: Promise<void> | null = null;
	for (let index = 0; index < samples; index++) {
		if (performance.now() >= wholeAt) {
			wholeAt += 10_000;
			whole = publishWhole();
		}
		const { storedMs, servedMs } = await measure();
		stored.push(storedMs);
		served.push(servedMs);
		// The page of 1,000 targets is rendered meanwhile, in its own process.
		await pause(500 + Math.random() * 1_000);
	}
	await whole;
	const at = (found: number[], q: number) => Math.round(found.sort((a, b) => a - b)[Math.min(found.length - 1, Math.ceil(q * found.length) - 1)] ?? 0);
	return { 'stored p50': at(stored, 0.5), 'served p50': at(served, 0.5), 'served p99': at(served, 0.99), 'served max': at(served, 1) };
}

for (;;) {
	const text = await readVerdicts().catch(() => '');
	if (text.includes('operational')) break;
	await pause(100);
}
const idle = await sample();
const wrk = spawn('wrk', ['-t1', '-c64', '-d600s', '-H', 'If-None-Match: *', `http://127.0.0.1:${port}/v1/verdicts`], { stdio: 'ignore' });
const loaded = await sample();
wrk.kill('SIGINT');
agent.destroy();
const exited = once(api, 'exit');
api.kill('SIGTERM');
await exited;
await db.close();
await embedded?.stop();
await rm(dir, { recursive: true, force: true });
console.log(
	`${targets.length} targets, ${samples} verdicts each; load average ${loadavg()
		.map((load) => load.toFixed(1))
		.join(' ')}, ${availableParallelism()} cores shared by all; whole publications ${wholeMs.map(Math.round).join(', ')} ms`,
);
console.table({ 'idle, ms': idle, 'beside 64 polling connections, ms': loaded });
