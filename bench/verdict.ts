/**
 * How long a recorded result waits for its verdict, and what the evaluator costs: `node bench/verdict.ts [--rate N] [--seconds N] [--targets N]`.
 * Results are committed at a steady rate as workers do it; the evaluator polls as it does in the service. Also: `linnet detect` on a pipe.
 */
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { silentLog } from '#core/log.ts';
import { openEmbeddedPostgres } from '#db/embedded.ts';
import { readEvaluatorHead } from '#db/evaluator-state.ts';
import { acquireLease } from '#db/leases.ts';
import { migrate } from '#db/migrate.ts';
import { ensurePartitions } from '#db/partitions.ts';
import { insertResults } from '#db/probe-results.ts';
import { openDb } from '#db/sql.ts';
import { registerTargets } from '#db/targets.ts';
import { sampleResult, sampleTarget } from '#test/sample-results.ts';
import { evaluatorName, openEvaluator } from '#workers/evaluator.ts';

const { values: args } = parseArgs({
	options: { rate: { type: 'string', default: '170' }, seconds: { type: 'string', default: '60' }, targets: { type: 'string', default: '1000' } },
});
const [rate, seconds, targetCount] = [Number(args.rate), Number(args.seconds), Number(args.targets)];
const providerCount = 20;
/** As bin/start-worker.ts polls. */
const [busyPollMs, idlePollMs] = [25, 150];
const batchEveryMs = 50;

const dir = await mkdtemp(join(tmpdir(), 'linnet-bench-'));
const postgres = await openEmbeddedPostgres({ dataDir: dir, log: silentLog });
const db = openDb({ url: postgres.url, max: 4 });
await migrate(db);
const targets = Array.from({ length: targetCount }, (_, i) => sampleTarget(`p${i % providerCount}:m${Math.floor(i / providerCount)}:chat`));
await registerTargets(db, targets, Date.now() - 60_000);
await ensurePartitions(db, Date.now());
const lease = await acquireLease(db, evaluatorName, 'bench', 600_000);
if (lease === null) throw new Error('Expected the lease to be free');
const evaluator = await openEvaluator({
	...{ db, log: silentLog, lease, now: Date.now, targets: () => targets, maintenances: () => [], blipMs: () => 20_000, routes: () => [] },
	...{ simulated: false, publicUrl: () => null, backOff: { firstMs: 3_600_000, longestMs: 86_400_000 } },
});

let stopped = false;
let stepMs = 0;
const judgedAt: { seq: number; at: number }[] = [];
const judging = (async () => {
	while (!stopped) {
		const startedMs = performance.now();
		const { resultCount, more } = await evaluator.step();
		if (resultCount > 0) {
			stepMs += performance.now() - startedMs;
			judgedAt.push({ seq: (await readEvaluatorHead(db, evaluatorName)).readThroughSeq, at: performance.now() });
		}
		if (!more) await sleep(resultCount > 0 ? busyPollMs : idlePollMs);
	}
})();

const committed: { seq: number; at: number; count: number }[] = [];
const cpuBefore = process.cpuUsage();
let [sent, due] = [0, 0];
const beganMs = performance.now();
while (performance.now() - beganMs < seconds * 1_000) {
	due += (rate * batchEveryMs) / 1_000;
	const results = [];
	for (; sent < due; sent += 1) {
		const target = targets[sent % targets.length];
		if (target === undefined) continue;
		const slotAt = Date.now() - 900;
		// One provider in trouble, so that the dear path is measured too.
		const bad = target.provider === 'p3' && sent % 3 !== 0;
		const { provider, model } = target;
		results.push(
			sampleResult({ provider, model, slotAt, startedAt: slotAt, ...(bad ? { outcome: 'server_error', sli: 'bad', phase: 'headers', httpStatus: 503 } : {}) }),
		);
	}
	await insertResults(db, results);
	const { rows } = await db.pool.query<{ seq: string }>('select max(seq) as seq from linnet.probe_results');
	committed.push({ seq: Number(rows[0]?.seq ?? 0), at: performance.now(), count: results.length });
	await sleep(Math.max(0, beganMs + committed.length * batchEveryMs - performance.now()));
}
await sleep(1_000);
stopped = true;
await judging;
const cpu = process.cpuUsage(cpuBefore);
const delays = committed.flatMap(({ seq, at, count }) => {
	const judged = judgedAt.find((one) => one.seq >= seq);
	return judged === undefined ? [] : Array.from({ length: count }, () => Math.max(0, judged.at - at));
});
delays.sort((a, b) => a - b);
const p = (q: number) => (delays[Math.min(delays.length - 1, Math.floor(q * delays.length))] ?? Number.NaN).toFixed(0);
await db.close();
await postgres.shutDown();
await rm(dir, { recursive: true, force: true });

console.table({
	'results/s': { value: (sent / seconds).toFixed(0), aim: String(rate) },
	'commit → verdict p50 ms': { value: p(0.5), aim: '' },
	'commit → verdict p99 ms': { value: p(0.99), aim: '≤ 250' },
	'commit → verdict max ms': { value: p(1), aim: '' },
	'results judged': { value: `${delays.length} of ${sent}`, aim: 'all' },
	'evaluator busy, share of the time': { value: (stepMs / (seconds * 1_000)).toFixed(3), aim: '' },
	'CPU of writer and evaluator, ms a result': { value: ((cpu.user + cpu.system) / 1_000 / sent).toFixed(2), aim: '' },
});

/** The replay protocol: 200,000 results of 300 endpoints through a pipe, a tick a second. */
const lines: string[] = [];
const endpoints = Array.from({ length: 300 }, (_, i) => ({
	provider: `p${i % 10}`,
	model: `m${Math.floor(i / 30)}`,
	region: ['fra', 'iad', 'sin'][Math.floor(i / 10) % 3],
}));
lines.push(JSON.stringify({ type: 'hello', protocol: 1, t: 0, baseIntervalMs: 60_000, timeoutMs: 20_000, tickMs: 1_000, endpoints, reprobe: null }));
const replayCount = 200_000;
for (let i = 0; i < replayCount; i += 1) {
	const t = i * 200;
	const endpoint = endpoints[i % endpoints.length];
	const outcome = i % 211 === 0 ? 'http_5xx' : 'ok';
	lines.push(
		JSON.stringify({
			type: 'probe',
			id: i,
			t: t + 3_000,
			startedAt: t,
			...endpoint,
			outcome,
			ttftMs: outcome === 'ok' ? 300 + (i % 97) : null,
			totalMs: 900 + (i % 89),
			reprobe: false,
		}),
	);
	if (i % 5 === 4) lines.push(JSON.stringify({ type: 'tick', t: t + 3_000 }));
}
lines.push(JSON.stringify({ type: 'end', t: replayCount * 200 }));
const text = `${lines.join('\n')}\n`;
const child = spawn(process.execPath, [fileURLToPath(new URL('../bin/main.ts', import.meta.url)), 'detect'], { stdio: ['pipe', 'pipe', 'inherit'] });
child.stdout.resume();
const replayMs = performance.now();
child.stdin.end(text);
await new Promise((resolve) => child.on('exit', resolve));
const took = (performance.now() - replayMs) / 1_000;
console.log(`linnet detect: ${Math.round(replayCount / took).toLocaleString('en')} results/s through a pipe, its start included (aim 20,000).`);
