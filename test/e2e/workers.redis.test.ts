import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { listResults } from '#db/read-results.ts';
import { type Simulator, startSimulator } from '#simulator/start-simulator.ts';
import { createTestDatabase, type TestDatabase } from '#test/postgres.ts';
import { findRedisServer, startRedis, type TestRedis } from '#test/redis.ts';
import { until } from './service.ts';

const program = await findRedisServer('several workers on one queue');
const models = Array.from({ length: 16 }, (_, i) => `maker/m${i}`);
const ids = models.map((model) => `alder:${model}:chat`);
const quick = { median: 10, sigma: 0 };

describe.skipIf(program === null)('several workers on Redis', () => {
	let redis: TestRedis;
	let house: TestDatabase;
	let simulator: Simulator;
	let dir: string;
	const workers: ChildProcess[] = [];

	function startWorker(jobs: 'probe' | 'judge', name: string): ChildProcess {
		const child = spawn(process.execPath, [join(import.meta.dirname, '..', '..', 'bin', 'linnet.mjs'), 'worker', '--jobs', jobs], {
			stdio: ['ignore', 'ignore', 'inherit'],
			env: {
				PATH: process.env.PATH,
				DATABASE_URL: house.url,
				REDIS_URL: redis.url,
				LINNET_CONFIG: join(dir, 'linnet.yaml'),
				LINNET_DATA: join(dir, name),
				FLEET_KEY: 'test-key',
			},
		});
		workers.push(child);
		return child;
	}

	/** All results of all targets, newest first within each. */
	const everything = async () =>
		(await Promise.all(ids.map(async (targetId) => (await listResults(house.db, { targetId, limit: 500 })).results))).flat().map(({ result }) => result);
	const ran = async () => (await everything()).filter(({ startedAt }) => startedAt !== null);
	const untilMore = async (count: number) => {
		const before = (await ran()).length;
		await until(`${count} more results`, async () => (await ran()).length >= before + count);
	};

	beforeAll(async () => {
		redis = await startRedis(program ?? '');
		house = await createTestDatabase();
		dir = await mkdtemp(join(tmpdir(), 'linnet-workers-'));
		simulator = await startSimulator({
			fleet: {
				providers: [
					{
						id: 'alder',
						name: 'Alder',
						dialect: 'openai-chat',
						models: models.map((model) => ({
							model,
							upstreamModel: model,
							operation: 'chat',
							ttftMs: quick,
							tokensPerSecond: { median: 900, sigma: 0 },
							price: null,
						})),
					},
				],
			},
		});
		const provider = {
			id: 'alder',
			dialect: 'openai-chat',
			baseUrl: simulator.baseUrl('alder'),
			apiKeyEnv: 'FLEET_KEY',
			models: models.map((model) => ({ model })),
		};
		await writeFile(
			join(dir, 'linnet.yaml'),
			`interval: 1s\nbudget: { usdPerDay: 10000 }\ntimeouts: { connect: 1s, firstToken: 2s, stall: 2s, total: 5s }\nproviders: ${JSON.stringify([provider])}\n`,
		);
		startWorker('judge', 'judge');
		startWorker('probe', 'one');
		startWorker('probe', 'two');
	});
	afterAll(async () => {
		await Promise.all(
			workers
				.filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null)
				.map((worker) => new Promise((resolve) => worker.once('exit', resolve) && worker.kill('SIGTERM'))),
		);
		await simulator.close();
		await house.drop();
		await redis.stop();
		await rm(dir, { recursive: true, force: true });
	});

	it('share the slots: every target is probed, each slot is probed and recorded once', async () => {
		await until('every target', async () => new Set((await ran()).map(({ model }) => model)).size === models.length);
		await untilMore(100);
		const results = await ran();
		expect(new Set(results.map(({ model, slotAt }) => `${model} ${slotAt}`)).size).toBe(results.length);
		// What the provider saw is what was recorded, but for the probes under way.
		expect(simulator.connectionCount()).toBeLessThanOrEqual((await ran()).length + 2 * models.length);
	});

	it('one killed with -9: the other goes on alone, and what fell with it is run late or marked as missed', async () => {
		const killedAt = Date.now();
		workers[1]?.kill('SIGKILL');
		await untilMore(150);
		await until('no unexplained hole', async () => {
			const slots = (await everything()).filter(({ slotAt, kind }) => kind === 'scheduled' && slotAt >= killedAt - 3_000 && slotAt < killedAt + 7_000);
			return slots.length === models.length * 10;
		});
	}, 150_000);

	it('Redis emptied: the schedule heals by itself', async () => {
		await redis.empty();
		await untilMore(100);
	});
});
