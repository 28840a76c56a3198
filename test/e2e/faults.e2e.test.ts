/**
 * Faults of our own, one after the other on one running service, each while providers are probed: its Postgres stands still, is stopped, has no connection
 * to give, the disk is full, the clock jumps, the event loop blocks, a crowd comes to the API. After each the books must balance.
 */
import { spawn } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { listResults } from '#db/read-results.ts';
import { type Db, openDb } from '#db/sql.ts';
import { type Simulator, startSimulator } from '#simulator/start-simulator.ts';
import { type Collector, startCollector } from '#test/collector.ts';
import { canMakeDisks, makeSmallDisk, type SmallDisk } from '#test/small-disk.ts';
import { balanced, readLedger } from './ledger.ts';
import { processes, type Service, startService, stopServices, until } from './service.ts';
import { type Stalls, watchStalls } from './stalls.ts';

const possible = canMakeDisks('the service on a full disk, and every other fault of its own machine');
const providers = ['alder', 'birch', 'cedar', 'dogwood'];
const models = ['maker/one', 'maker/two'];
const ids = providers.flatMap((provider) => models.map((model) => `${provider}:${model}:chat`));
const quick = { median: 20, sigma: 0 };
const preload = join(import.meta.dirname, 'fault-preload.mjs');

// Longer than the books wait for what is on its way: what is missing is then said by name.
describe.skipIf(!possible)('a fault of our own', { timeout: 120_000 }, () => {
	let disk: SmallDisk;
	let simulator: Simulator;
	let collector: Collector;
	let service: Service;
	let db: Db;
	let stalls: Stalls;
	const illnesses: { provider: string; fromAt: number; toAt: number }[] = [];

	const states = async () =>
		Object.values(((await (await fetch(`${service.url}/v1/verdicts`)).json()) as { targets: Record<string, { state: string }> }).targets).map(
			({ state }) => state,
		);
	const allWell = () => until('all operational', async () => (await states()).every((state) => state === 'operational'));
	const newest = async (targetId: string) => (await listResults(db, { targetId, limit: 20 })).results.find(({ result }) => result.outcome === 'ok')?.result;
	/** By the monotonic clock of this process: every target has been probed and recorded anew. */
	const heals = async () => {
		const before = await until('the database', async () => Promise.all(ids.map(newest)).catch(() => null));
		await until('every target probed anew', async () => {
			const now = await Promise.all(ids.map(newest)).catch(() => null);
			return now?.every((result, i) => result !== undefined && result.slotAt !== before[i]?.slotAt);
		});
		await allWell();
	};
	const balance = () =>
		readLedger({
			db,
			simulator,
			collector,
			wasIll: (provider, at) =>
				[...stalls.slots, ...illnesses.filter((one) => one.provider === provider)].some(({ fromAt, toAt }) => at >= fromAt && at <= toAt),
		});
	const fallIll = (provider: string) => {
		illnesses.push({ provider, fromAt: Date.now() - 5_000, toAt: Number.POSITIVE_INFINITY });
		simulator.setFault(provider, null, { mode: 'http_error', error: 'unavailable' });
	};
	const recover = (provider: string) => {
		simulator.setFault(provider, null, undefined);
		const one = illnesses.find((illness) => illness.provider === provider && illness.toAt === Number.POSITIVE_INFINITY);
		if (one !== undefined) one.toAt = Date.now() + 5_000;
	};
	const faults = (wanted: object) => writeFile(join(disk.dir, 'faults.json'), JSON.stringify(wanted));
	const postmaster = () => processes().find(({ args }) => args.includes('/postgres -D') && args.includes(disk.dir))?.pid ?? null;
	const childrenOf = (pid: number) =>
		processes()
			.filter(({ ppid }) => ppid === pid)
			.map((one) => one.pid);

	beforeAll(async () => {
		stalls = watchStalls();
		disk = await makeSmallDisk(400);
		simulator = await startSimulator({
			longestLog: 1_000_000,
			fleet: {
				providers: providers.map((id) => ({
					...{ id, name: id, dialect: 'openai-chat' },
					models: models.map((model) => ({
						...{ model, upstreamModel: model, operation: 'chat' as const, ttftMs: quick, tokensPerSecond: { median: 900, sigma: 0 }, price: null },
					})),
				})),
			},
		});
		collector = await startCollector();
		const file = providers.map((id) => ({
			...{ id, dialect: 'openai-chat', baseUrl: simulator.baseUrl(id), apiKeyEnv: 'FLEET_KEY', models: models.map((model) => ({ model })) },
		}));
		await faults({});
		await mkdir(join(disk.dir, 'home'));
		service = await startService({
			dir: join(disk.dir, 'home'),
			config: `interval: 1s
timeouts: { connect: 2s, firstToken: 4s, stall: 4s, total: 6s }
budget: { usdPerDay: 1000000 }
verdict: { blip: 3s }
providers: ${JSON.stringify(file)}
alerts: { channels: { hook: { type: webhook, url: ${collector.url}, secretEnv: SIGNING } }, routes: [{ channels: [hook], groupBy: incident, groupWait: 0s, groupInterval: 0s }] }
`,
			env: {
				FLEET_KEY: 'test-key',
				SIGNING: Buffer.from('n'.repeat(24)).toString('base64'),
				NODE_OPTIONS: `--import ${preload}`,
				LINNET_TEST_FAULTS: join(disk.dir, 'faults.json'),
			},
		});
		db = openDb({ url: `postgres://linnet@${encodeURIComponent(join(disk.dir, 'home', 'data', 'postgres', 'run'))}:5432/linnet`, max: 2 });
		await allWell();
	});
	afterAll(async () => {
		stalls.stop();
		await db?.close();
		await stopServices();
		await simulator.close();
		await collector.close();
		await disk.remove();
	});

	it('Postgres stands still: what was measured waits on the disk, and an outage that began meanwhile is told', async () => {
		const server = postmaster();
		if (server === null) throw new Error('no Postgres found');
		const all = [server, ...childrenOf(server)];
		for (const pid of all) process.kill(pid, 'SIGSTOP');
		fallIll('birch');
		await pause(12_000);
		for (const pid of all) process.kill(pid, 'SIGCONT');
		await until('the outage', async () => collector.seen.some(({ body }) => body.includes('incident.opened')));
		recover('birch');
		await heals();
		expect(await balance()).toEqual(balanced);
	});

	it('Postgres is stopped for a while', async () => {
		// Its guard is in the supervisor, and would start it again at once.
		process.kill(service.pid, 'SIGSTOP');
		process.kill(postmaster() ?? Number.NaN, 'SIGINT');
		await until('stopped', async () => postmaster() === null);
		await pause(8_000);
		process.kill(service.pid, 'SIGCONT');
		await heals();
		expect(await balance()).toEqual(balanced);
	});

	it('Postgres has no connection to give', async () => {
		const url = db.url.replace(/linnet$/, 'postgres');
		const taken: pg.Client[] = [];
		const take = async () => {
			const client = new pg.Client({ connectionString: url, application_name: 'crowd' });
			client.on('error', () => {});
			await client.connect();
			taken.push(client);
			return client;
		};
		const crowd = await take();
		const endsAtMs = performance.now() + 10_000;
		let refusals = 0;
		while (performance.now() < endsAtMs) {
			await crowd.query("select pg_terminate_backend(pid) from pg_stat_activity where application_name <> 'crowd' and backend_type = 'client backend'");
			const tries = await Promise.allSettled(Array.from({ length: 40 }, take));
			refusals += tries.filter(({ status }) => status === 'rejected').length;
			if (tries.every(({ status }) => status === 'rejected')) await pause(200);
		}
		await Promise.all(taken.map((client) => client.end()));
		expect(refusals).toBeGreaterThan(0);
		await heals();
		expect(await balance()).toEqual(balanced);
	});

	it('the disk is full', async () => {
		await disk.fill();
		await until('Postgres feels it', async () => {
			await db.execute('select pg_switch_wal()').catch(() => {});
			await disk.fill();
			return /No space left on device|ENOSPC|could not extend/.test(service.output());
		});
		await pause(6_000);
		await disk.free();
		await heals();
		expect(await balance()).toEqual(balanced);
	});

	it('the event loop of the prober blocks', async () => {
		await faults({ block: { id: 1, role: '--jobs probe', ms: 5_000 } });
		await pause(6_000);
		await faults({});
		await heals();
		expect(await balance()).toEqual(balanced);
	});

	it('a crowd comes to the API', async () => {
		const flood = spawn(process.execPath, [join(import.meta.dirname, 'flood.ts'), service.url, '5000'], { stdio: ['ignore', 'pipe', 'inherit'] });
		let answers = '';
		flood.stdout.on('data', (chunk) => (answers += chunk));
		await new Promise((resolve) => flood.once('exit', resolve));
		expect(Number(answers)).toBeGreaterThan(0);
		await heals();
		expect(await balance()).toEqual(balanced);
	});

	it('the clock jumps forward and back', async () => {
		await faults({ shiftMs: 600_000 });
		await heals();
		await faults({ shiftMs: 0 });
		await heals();
		expect(await balance()).toEqual(balanced);
	});
});
