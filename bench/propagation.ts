/**
 * How long a verdict takes from its commit to a reader: NOTIFY, the read of the snapshot, the feed made anew. Real Postgres, real API process,
 * 1,000 targets, one verdict changed each time; idle and under the load of 64 polling connections (`wrk`).
 * `node bench/propagation.ts [samples] [targets]`. Embedded Postgres, or DATABASE_URL with an empty database.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { Agent, get } from 'node:http';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { silentLog } from '#core/log.ts';
import type { Snapshot } from '#core/snapshot.ts';
import { openEmbeddedPostgres } from '#db/embedded.ts';
import { migrate } from '#db/migrate.ts';
import { publishSnapshot } from '#db/snapshots.ts';
import { openDb } from '#db/sql.ts';
import { freePort } from '#test/e2e/service.ts';
import { largeFleet } from './large-fleet.ts';

const samples = Number(process.argv[2] ?? 60);
const dir = await mkdtemp(join(tmpdir(), 'linnet-propagation-'));
const embedded = process.env.DATABASE_URL === undefined ? await openEmbeddedPostgres({ dataDir: join(dir, 'postgres'), log: silentLog }) : null;
const url = process.env.DATABASE_URL ?? embedded?.url ?? '';
const db = openDb({ url, max: 2 });
await migrate(db);

const base = largeFleet(1, Math.ceil(Number(process.argv[3] ?? 1_000) / 200));
let changes = 0;

/** The next snapshot, with one verdict changed; its reason is a mark to look for. */
async function publish(): Promise<{ mark: string; committedAt: number }> {
	changes += 1;
	const mark = `change ${changes}`;
	const now = Date.now();
	const index = changes % base.targets.length;
	await publishSnapshot(db, (number): Snapshot => {
		const targets = base.targets.map((target, at) => (at === index ? { ...target, reason: mark } : target));
		return { ...base, number, generatedAt: new Date(now).toISOString(), staleAfter: new Date(now + 60_000).toISOString(), targets, verdictRevision: mark };
	});
	return { mark, committedAt: performance.now() };
}

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

/** ms from the commit to the first answer that carries it; requests follow each other without a pause. */
async function measure(): Promise<number> {
	const { mark, committedAt } = await publish();
	while (!(await readVerdicts()).includes(mark)) if (performance.now() - committedAt > 30_000) throw new Error('Expected the verdict to be served within 30 s');
	return performance.now() - committedAt;
}

async function sample(): Promise<{ p50: number; p99: number; max: number }> {
	const found: number[] = [];
	for (let index = 0; index < samples; index++) {
		found.push(await measure());
		// The page of 1,000 targets is rendered meanwhile, in its own thread.
		await pause(2_500 + Math.random() * 200);
	}
	found.sort((a, b) => a - b);
	const at = (q: number) => Math.round(found[Math.min(found.length - 1, Math.ceil(q * found.length) - 1)] ?? 0);
	return { p50: at(0.5), p99: at(0.99), max: Math.round(found.at(-1) ?? 0) };
}

await publish();
for (;;) {
	const text = await readVerdicts().catch(() => '');
	if (text.includes('change')) break;
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
	`${base.targets.length} targets, ${samples} changes each; load average ${loadavg()
		.map((load) => load.toFixed(1))
		.join(' ')}, ${availableParallelism()} cores shared by all`,
);
console.table({ 'idle, ms': idle, 'beside 64 polling connections, ms': loaded });
