/**
 * A whole fleet on one machine, everything embedded, against a simulator in its own process: how late slots start, what is missed, CPU by process,
 * memory, how old the pages are; then kill -9 of everything and a start: how long until every target was probed again. The aim of CPU was set in ms on
 * another machine: how fast that is beside these cores is told by two yardsticks, measured before and after.
 * `node bench/fleet.ts [targets=10000] [every=60] [seconds=300] [aged]`, the seconds in multiples of the five minutes in which a large fleet's sums are
 * written; aged: with a record of months, as far as the sums are concerned. Figures are of the whole machine: run it alone.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { statSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { silentLog } from '#core/log.ts';
import { openEmbeddedPostgres } from '#db/embedded.ts';
import { type Db, openDb } from '#db/sql.ts';
import { neverStarted } from '#db/stored-columns.ts';
import { startService, stopServices, until } from '#test/e2e/service.ts';
import { ageRecord } from './age-record.ts';
import { bareAtOnce, openBeside } from './beside.ts';
import { sumByName } from './process-family.ts';
import { measureYardsticks, yardsticks } from './yardstick.ts';

const [targets = 10_000, everySeconds = 60, seconds = 300] = process.argv.slice(2, 5).map(Number);
const isAged = process.argv[5] === 'aged';
const providers = 20;

const simulator: ChildProcess = fork(new URL('./bench-simulator.ts', import.meta.url), [JSON.stringify({ ttftMs: 300, tokensPerSecond: 60 })]);
const baseUrl = await new Promise<string>((resolve) => simulator.once('message', (url) => resolve(String(url))));
const asked = () =>
	new Promise<number>((resolve) => {
		simulator.once('message', (count) => resolve(Number(count)));
		simulator.send('count');
	});

const models = (provider: number) =>
	Array.from({ length: targets / providers }, (_, i) => `      - { model: bench/p${provider}-m${i}, upstreamModel: bench-model }`);
const config = [
	`interval: ${everySeconds}s`,
	'timeouts: { connect: 5s, firstToken: 10s, stall: 10s, total: 20s }',
	'budget: { usdPerDay: 1000000 }',
	'providers:',
	...Array.from({ length: providers }, (_, provider) => [
		`  - { id: bench-${provider}, dialect: openai-chat, baseUrl: "${baseUrl}", apiKeyEnv: null, maxConcurrency: 1000, headers: { authorization: Bearer bench }, models: [`,
		...models(provider).map((line) => `${line.replace('- ', '')},`),
		'    ] }',
	]).flat(),
].join('\n');

const yardsticksBefore = await measureYardsticks(15);
let service = await startService({ config });
const readMetrics = async () => (await fetch(`${service.url}/metrics`)).text();
/** Bucket's upper edge in ms → count, of the lateness of slots; and how many ran or did not. */
async function readSlots() {
	const text = await readMetrics();
	const buckets = new Map<number, number>();
	for (const [, le, count] of text.matchAll(/^linnet_slot_lateness_seconds_bucket\{.*?le="([^"]+)".*?\} (\d+)$/gm))
		buckets.set(le === '+Inf' ? Number.POSITIVE_INFINITY : Number(le) * 1_000, Number(count));
	const results = Object.fromEntries(
		[...text.matchAll(/^linnet_slots_total\{.*?result="([^"]+)".*?\} (\d+)$/gm)].map(([, result, count]) => [result, Number(count)]),
	);
	return { buckets, results: results as Record<string, number> };
}

/** Upper edge of the bucket that holds the quantile. */
function quantile(before: Map<number, number>, after: Map<number, number>, q: number): number {
	const counts = [...after].map(([edge, count]) => [edge, count - (before.get(edge) ?? 0)] as const).sort(([a], [b]) => a - b);
	const total = counts.at(-1)?.[1] ?? 0;
	return counts.find(([, count]) => count >= q * total)?.[0] ?? Number.NaN;
}

const beside = openBeside(baseUrl);

async function withRecord<T>(work: (db: Db) => Promise<T>): Promise<T> {
	const postgres = await openEmbeddedPostgres({ dataDir: join(service.dir, 'data', 'postgres'), log: silentLog });
	const db = openDb({ url: postgres.url, max: 1, statementTimeoutMs: 600_000 });
	try {
		return await work(db);
	} finally {
		await db.close();
	}
}

// Every target has had its turn three times and has its verdict: until then each step of the judge is news that is published. And the code is warm.
await pause((3 * everySeconds + 20) * 1_000);
if (isAged) {
	await withRecord(ageRecord);
	// Until each window has been read anew, and what the ageing took is over.
	await pause(3 * everySeconds * 1_000);
}
await beside.bare();
const [slots, processes, count] = [await readSlots(), await beside.family(service.pid, service.dir), await asked()];
const startedAt = performance.now();
/** Bytes by name, every 10 s: heaps and connections grow for a while and are given back, and one look sees either. */
const memories: Map<string, number>[] = [];
/** Of a few requests by undici alone: how dear a stream is on this machine in this run. */
const bareMs: number[] = [];
for (let left = seconds; left > 0; left -= 10) {
	await pause(Math.min(left, 10) * 1_000);
	memories.push(sumByName(await beside.family(service.pid, service.dir), 'memoryBytes'));
	bareMs.push(await beside.bare());
}
const pagesDir = join(service.dir, 'data', 'site', 'target');
const drawnAt = (await readdir(pagesDir)).filter((name) => name.endsWith('.html')).map((name) => statSync(join(pagesDir, name)).mtimeMs);
const pageAges = drawnAt.map((at) => (Date.now() - at) / 1_000).sort((a, b) => a - b);
const [slotsAfter, processesAfter, countAfter] = [await readSlots(), await beside.family(service.pid, service.dir), await asked()];
const took = (performance.now() - startedAt) / 1_000;
const bareCount = bareMs.length * bareAtOnce;
const probes = countAfter - count - bareCount;
beside.close();

const killedAt = Date.now();
await service.kill('SIGKILL');
for (const { pid } of processesAfter) {
	try {
		process.kill(pid, 'SIGKILL');
	} catch {
		// It left with its parent.
	}
}
service = await startService({ config, dir: service.dir });
const upAt = Date.now();
const oldest = await until(
	'every target probed again',
	async () => {
		// Seldom: 3 MB each, from the machine that is measured.
		await pause(900);
		const health = (await (await fetch(`${service.url}/v1/health`)).json()) as { targets: { measuredAt: string | null }[] };
		const first = Math.min(...health.targets.map(({ measuredAt }) => (measuredAt === null ? 0 : Date.parse(measuredAt))));
		return first > killedAt && Date.now();
	},
	600_000,
);
/** When the last target had its first probe since, by the record. */
async function lastProbedAt(): Promise<number> {
	const [row] = await withRecord((db) =>
		db.execute<{ at: number }>(
			`select (extract(epoch from max(first)) * 1000)::float8 as at from (
				select min(coalesce(d.started_at, p.slot_at + p.start_delay_ms * interval '1 ms')) as first
				from probe_results p left join result_details d using (series_key, slot_at)
				where p.slot_at > to_timestamp($1) and p.start_delay_ms <> ${neverStarted} group by p.series_key
			) s`,
			[killedAt / 1_000],
		),
	);
	return row?.at ?? Number.NaN;
}
const probedAt = await lastProbedAt();
await stopServices();
simulator.disconnect();
const yardsticksAfter = await measureYardsticks(15);

const load = loadavg()
	.map((one) => one.toFixed(1))
	.join(' ');
console.log(
	`${targets} targets every ${everySeconds} s${isAged ? ', a record of months' : ''}, ${took.toFixed(0)} s measured: ${(probes / took).toFixed(1)} probes a second of ${(targets / everySeconds).toFixed(1)}; load average ${load}\n`,
);
const ms = (q: number) => `≤ ${quantile(slots.buckets, slotsAfter.buckets, q)} ms`;
console.log(`slot lateness p50 ${ms(0.5)}, p99 ${ms(0.99)}, p99.9 ${ms(0.999)}`);
const changed = Object.entries(slotsAfter.results).map(([result, all]) => `${result} ${all - (slots.results[result] ?? 0)}`);
console.log(
	`pages of targets: ${pageAges.length}, drawn up to ${pageAges.at(-1)?.toFixed(0)} s ago, half of them up to ${pageAges[Math.floor(pageAges.length / 2)]?.toFixed(0)} s`,
);
console.log(`slots: ${changed.join(', ')}`);
console.log(
	`started again after kill -9: ready after ${((upAt - killedAt) / 1_000).toFixed(0)} s, every target probed after ${((probedAt - killedAt) / 1_000).toFixed(0)} s (aim ${everySeconds + 5} s) and shown after ${((oldest - killedAt) / 1_000).toFixed(0)} s\n`,
);
console.log('| | CPU ms a probe | memory MB, mean |');
console.log('|---|---|---|');
const cpu = sumByName(processesAfter, 'cpuMs');
const cpuBefore = sumByName(processes, 'cpuMs');
let [cpuSum, memorySum] = [0, 0];
for (const [name, cpuMs] of cpu) {
	const each = (cpuMs - (cpuBefore.get(name) ?? 0)) / probes;
	const bytes = memories.reduce((sum, one) => sum + (one.get(name) ?? 0), 0) / memories.length;
	cpuSum += each;
	memorySum += bytes;
	console.log(`| ${name} | ${each.toFixed(2)} | ${(bytes / 2 ** 20).toFixed(0)} |`);
}
console.log(`| **all** | **${cpuSum.toFixed(2)}** | **${(memorySum / 2 ** 20).toFixed(0)}** |`);
const most = Math.max(...memories.map((one) => [...one.values()].reduce((sum, bytes) => sum + bytes, 0)));
const bareEachMs = bareMs.reduce((sum, ms) => sum + ms, 0) / bareMs.length;
console.log('\nthe aim of 10,000 targets every 60 s is 1,024 MB and 3.7 ms on the machine where it was set:');
for (const [i, { streamsPerSecond, gapMs, thereMs }] of yardsticks.entries()) {
	const [before = Number.NaN, after = Number.NaN] = [yardsticksBefore[i], yardsticksAfter[i]];
	const slower = (before + after) / 2 / thereMs;
	console.log(
		`- undici alone, ${streamsPerSecond} streams a second in steps of ${gapMs} ms, took ${before.toFixed(2)} before and ${after.toFixed(2)} ms after, ${thereMs} there: ${cpuSum.toFixed(2)} ms are ${(cpuSum / slower).toFixed(2)} of those`,
	);
}
console.log(
	`CPU of all is ${(cpuSum / bareEachMs).toFixed(1)} times that of the same request by undici alone (${bareEachMs.toFixed(2)} ms, ${bareCount} of them beside)`,
);
console.log(`memory at most ${(most / 2 ** 20).toFixed(0)} MB`);
