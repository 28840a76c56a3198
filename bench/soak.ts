/**
 * The whole service for as long as there is time, on a simulator with scheduled outages, while its processes are killed with -9 at random moments; then
 * whether memory, open files, tables and lateness stayed flat, and whether the books balance.
 * `node bench/soak.ts [--minutes 2] [--targets 40] [--every 5] [--report 15] [--seed N] [--no-kills] [--days 0]`
 * With `--days N` it begins N days ago by its own clock and jumps a day ahead N times: partitions are made and dropped as in as many days.
 */
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { ProbeResult } from '#core/probe-result.ts';
import { listIncidents } from '#db/incidents.ts';
import { listDays } from '#db/partitions.ts';
import { readResultsAfter } from '#db/read-results.ts';
import { type Db, openDb } from '#db/sql.ts';
import { createRandom } from '#simulator/fleet.ts';
import { startSimulator } from '#simulator/start-simulator.ts';
import { startCollector } from '#test/collector.ts';
import { readLedger } from '#test/e2e/ledger.ts';
import { type Service, startService, stopServices } from '#test/e2e/service.ts';
import { watchStalls } from '#test/e2e/stalls.ts';
import { family } from './process-family.ts';
import { flatness, type Sample, samplesTable } from './soak-report.ts';

const { values: options } = parseArgs({
	options: {
		minutes: { type: 'string', default: '2' },
		targets: { type: 'string', default: '40' },
		every: { type: 'string', default: '5' },
		report: { type: 'string', default: '15' },
		seed: { type: 'string', default: String(Date.now() % 100_000) },
		kills: { type: 'boolean', default: true },
		days: { type: 'string', default: '0' },
	},
	allowNegative: true,
});
const [minutes, targets, every, reportSeconds, seed, days] = [options.minutes, options.targets, options.every, options.report, options.seed, options.days].map(
	Number,
) as [number, number, number, number, number, number];
const dayMs = 86_400_000;
const random = createRandom(seed);
const ids = ['alder', 'birch', 'cedar', 'dogwood', 'elm'];
const models = Array.from({ length: Math.ceil(targets / ids.length) }, (_, i) => `maker/m${i}`);

let shiftMs = -days * dayMs;
/** As the service sees it. */
const serviceNow = () => Date.now() + shiftMs;

const simulator = await startSimulator({
	now: serviceNow,
	longestLog: 5_000_000,
	fleet: {
		providers: ids.map((id) => ({
			...{ id, name: id, dialect: 'openai-chat' },
			models: models.map((model) => ({
				...{ model, upstreamModel: model, operation: 'chat' as const, price: null },
				...{ ttftMs: { median: 100, sigma: 0.2 }, tokensPerSecond: { median: 300, sigma: 0 } },
			})),
		})),
	},
});
const collector = await startCollector();
const faultsPath = join(await mkdtemp(join(tmpdir(), 'linnet-soak-')), 'faults.json');
const moveClock = () => writeFile(faultsPath, JSON.stringify({ shiftMs }));
await moveClock();
const file = ids.map((id) => ({
	...{ id, dialect: 'openai-chat', baseUrl: simulator.baseUrl(id), apiKeyEnv: 'FLEET_KEY', models: models.map((model) => ({ model })) },
}));
const config = `interval: ${every}s
timeouts: { connect: 1s, firstToken: 2s, stall: 2s, total: 4s }
budget: { usdPerDay: 1000000 }
record: { keepResults: 2d }
verdict: { blip: 3s }
providers: ${JSON.stringify(file)}
alerts: { channels: { hook: { type: webhook, url: ${collector.url}, secretEnv: SIGNING } }, routes: [{ channels: [hook], groupBy: incident, groupWait: 0s, groupInterval: 0s }] }
`;
const env = {
	...{ FLEET_KEY: 'test-key', SIGNING: Buffer.from('n'.repeat(24)).toString('base64'), LINNET_TEST_FAULTS: faultsPath },
	...(days > 0 ? { NODE_OPTIONS: `--import ${join(import.meta.dirname, '..', 'test', 'e2e', 'fault-preload.mjs')}` } : {}),
};
let service: Service = await startService({ config, env });
const db: Db = openDb({ url: `postgres://linnet@${encodeURIComponent(join(service.dir, 'data', 'postgres', 'run'))}:5432/linnet`, max: 2 });
const startedMs = performance.now();
const endsAtMs = startedMs + minutes * 60_000;
console.log(`seed ${seed}: ${models.length * ids.length} targets every ${every} s, ${minutes} min, kills ${options.kills ? 'on' : 'off'}, ${days} days\n`);

// A provider, or one model of it, is ill for a while, and another one after a while.
const illnesses: { provider: string; fromAt: number; toAt: number }[] = [];
const illTimer = setInterval(() => {
	const provider = ids[Math.floor(random() * ids.length)] ?? 'alder';
	const model = random() < 0.5 ? null : (models[0] ?? null);
	const illness = { provider, fromAt: serviceNow() - 5_000, toAt: Number.POSITIVE_INFINITY };
	illnesses.push(illness);
	simulator.setFault(provider, model, random() < 0.5 ? { mode: 'http_error', error: 'unavailable' } : { mode: 'silent_stream' });
	setTimeout(() => {
		simulator.setFault(provider, model, undefined);
		illness.toAt = serviceNow() + 5_000;
	}, 25_000);
}, 60_000);

const stalls = watchStalls(serviceNow);

/** When probes may have been cut off, ms since epoch. */
const cuts: number[] = [];
/** When no slot could be run for a while, ms since epoch: without Postgres none is claimed. */
const downs: number[] = [];
/** After it all was up again, on a machine with other work too. */
const upAgainMs = 20_000;
const killed = new Map<string, number>();
/** The processes by name, killed one at a time; the supervisor takes all with it and is started again by hand. */
async function killOne(): Promise<void> {
	const members = await family(service.pid, service.dir);
	const names = ['judge', 'probe', 'api', 'page', 'Postgres', 'supervisor'].filter((name) => members.some((one) => one.name === name));
	const name = names[Math.floor(random() * names.length)] ?? 'judge';
	const own = members.filter((one) => one.name === name);
	// All servers of Postgres but the first are its children.
	const victim = own.find(({ ppid }) => !own.some(({ pid }) => pid === ppid));
	if (victim === undefined) return;
	if (name === 'probe' || name === 'supervisor') cuts.push(serviceNow());
	if (['probe', 'supervisor', 'Postgres'].includes(name)) downs.push(serviceNow());
	try {
		process.kill(victim.pid, 'SIGKILL');
	} catch {
		// It was going with a parent that was killed before.
		return;
	}
	killed.set(name, (killed.get(name) ?? 0) + 1);
	if (name !== 'supervisor') return;
	await service.exited;
	await pause(1_000);
	// On a machine with other work it has its turn late.
	service = await startService({ config, env, dir: service.dir, readyWithinMs: 300_000 });
}

const results = new Map<string, ProbeResult>();
let readThroughSeq = 0;
async function readNew(): Promise<ProbeResult[]> {
	const fresh = await readResultsAfter(db, readThroughSeq, 1_000_000);
	readThroughSeq = fresh.at(-1)?.seq ?? readThroughSeq;
	// A late result has the id of the marker that it replaces.
	for (const { id, result } of fresh) results.set(id, result);
	return fresh.map(({ result }) => result);
}

async function takeSample(): Promise<Sample> {
	const fresh = await readNew();
	// What comes due while nothing runs is probed after the start, late on purpose.
	const wasUp = (slotAt: number) => !downs.some((downAt) => slotAt > downAt - 5_000 && slotAt < downAt + upAgainMs);
	const late = fresh
		.filter(({ slotAt }) => wasUp(slotAt))
		.flatMap(({ kind, startedAt, slotAt }) => (kind === 'scheduled' && startedAt !== null ? [startedAt - slotAt] : []))
		// Of one that waited for its turn while the clock was moved a day ahead nothing is known.
		.filter((ms) => ms < dayMs / 2)
		.sort((a, b) => a - b);
	const tables = await db.execute<{ what: string; bytes: number }>(
		`select case when n.nspname <> 'linnet' then n.nspname when c.relname ~ '^(probe_results|result_details)' then 'results' when c.relname ~ '^rollups' then 'rollups'
			when c.relname = 'budget_reservations' then 'claims' else 'others' end as what, sum(pg_total_relation_size(c.oid))::float8 as bytes
		from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.relkind = 'r' and n.nspname not like 'pg\\_%' and n.nspname <> 'information_schema' group by 1`,
	);
	const members = await family(service.pid, service.dir);
	const incidents = await listIncidents(db, { resolvedSinceAt: 0, limit: 10_000 });
	return {
		atMinute: (performance.now() - startedMs) / 60_000,
		processes: members,
		tables: new Map(tables.map(({ what, bytes }) => [what, bytes])),
		resultCount: fresh.filter(({ kind, startedAt }) => kind === 'scheduled' && startedAt !== null).length,
		missedCount: fresh.filter(({ kind, startedAt }) => kind === 'scheduled' && startedAt === null).length,
		lateP50Ms: late[Math.floor(late.length * 0.5)] ?? null,
		lateP99Ms: late[Math.floor(late.length * 0.99)] ?? null,
		incidentCount: incidents.length,
		openCount: incidents.filter(({ resolvedAt }) => resolvedAt === null).length,
		killCount: [...killed.values()].reduce((sum, count) => sum + count, 0),
		days: await listDays(db, 'probe_results'),
	};
}

const samples: Sample[] = [];
const everyMs = days > 0 ? (endsAtMs - startedMs) / (days + 1) : Number.POSITIVE_INFINITY;
let [reportAtMs, killAtMs, dayAtMs] = [startedMs + reportSeconds * 1_000, startedMs + 10_000, startedMs + everyMs];
const due = (atMs: number) => performance.now() >= atMs;
while (!due(endsAtMs)) {
	if (due(reportAtMs)) {
		reportAtMs += reportSeconds * 1_000;
		// The database may be the one that was killed.
		const sample = await takeSample().catch(() => null);
		if (sample !== null) {
			samples.push(sample);
			console.log(samplesTable(samples.slice(-1), samples.length === 1));
		}
	}
	if (options.kills && due(killAtMs)) {
		killAtMs = performance.now() + 3_000 + random() * 9_000;
		await killOne();
	}
	if (due(dayAtMs) && shiftMs < 0) {
		dayAtMs += everyMs;
		shiftMs += dayMs;
		await moveClock();
	}
	await pause(200);
}
clearInterval(illTimer);
for (const { provider } of illnesses) for (const model of [null, models[0] ?? null]) simulator.setFault(provider, model, undefined);
for (const illness of illnesses) illness.toAt = Math.min(illness.toAt, serviceNow() + 5_000);
console.log('\nletting it heal …');
await pause(45_000);
samples.push(await takeSample());
console.log(samplesTable(samples.slice(-1), false));
console.log(`\n${flatness(samples)}\n`);
if (options.kills) console.log(`killed with -9: ${[...killed].map(([name, count]) => `${name} ${count}`).join(', ')}`);
// What comes while the books are read is in no book.
const seen = simulator.requestLog.flatMap(({ requestId }) => requestId ?? []);
const ledger = await readLedger({
	db,
	simulator,
	collector,
	wasIll: (provider, at) => [...stalls.slots, ...illnesses.filter((one) => one.provider === provider)].some(({ fromAt, toAt }) => at >= fromAt && at <= toAt),
	// In flight, or read and not yet durable.
	mayBeLost: (seenAt) => cuts.some((cutAt) => seenAt > cutAt - 6_000 && seenAt <= cutAt + 500),
	async readResults() {
		await readNew();
		return [...results.values()];
	},
});
const recorded = new Set([...results.values()].map(({ requestId }) => requestId));
const cutOff = seen.filter((id) => !recorded.has(id)).length;
console.log(
	`ledger: ${seen.length} probes seen by providers, ${cutOff} of them in no result (cut off in flight by a kill or lost); ${collector.seen.length} messages`,
);
if (stalls.slots.length > 0)
	console.log(`  the simulated providers had no turn on the CPU for half a second or longer ${stalls.slots.length} times: counted as ill`);
for (const [what, found] of Object.entries(ledger))
	console.log(`  ${what}: ${found.length}${found.length === 0 ? '' : `\n    ${found.slice(0, 10).join('\n    ')}`}`);
stalls.stop();
await db.close();
await stopServices();
await simulator.close();
await collector.close();
