/** Workers of three vantages on one Redis and one Postgres, while a seeded hand kills and stops them: then the books are looked at. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { listIncidents } from '#db/incidents.ts';
import { readProcessMetrics } from '#db/process-metrics.ts';
import { listResults } from '#db/read-results.ts';
import { createRandom } from '#simulator/fleet.ts';
import { type Simulator, startSimulator } from '#simulator/start-simulator.ts';
import { createTestDatabase, type TestDatabase } from '#test/postgres.ts';
import { findRedisServer, startRedis, type TestRedis } from '#test/redis.ts';
import { until } from './service.ts';

const program = await findRedisServer('many workers that are killed and stopped');
const seed = Number(process.env.CHAOS_SEED ?? Date.now() % 100_000);
const vantages = ['fra', 'iad', 'sin'] as const;
const providers = ['alder', 'birch', 'cedar', 'dogwood'];
const models = ['maker/one', 'maker/two'];
const intervalMs = 2_000;
const ids = providers.flatMap((provider) => models.map((model) => `${provider}:${model}:chat`));
const quick = { median: 15, sigma: 0 };

interface Worker {
	readonly child: ChildProcess;
	readonly vantage: string | null;
	stopped: boolean;
}

describe.skipIf(program === null)(`many workers, seed ${seed}`, () => {
	let redis: TestRedis;
	let house: TestDatabase;
	let simulator: Simulator;
	let dir: string;
	let started = 0;
	let workers: Worker[] = [];

	/** @param vantage null: a judge */
	function start(vantage: string | null): Worker {
		started += 1;
		const child = spawn(
			process.execPath,
			[join(import.meta.dirname, '..', '..', 'bin', 'linnet.mjs'), 'worker', '--jobs', vantage === null ? 'judge' : 'probe'],
			{
				stdio: 'ignore',
				env: {
					...{ PATH: process.env.PATH, DATABASE_URL: house.url, REDIS_URL: redis.url, LINNET_CONFIG: join(dir, 'linnet.yaml') },
					...{ LINNET_DATA: join(dir, `worker-${started}`), LINNET_VANTAGE: vantage ?? 'fra', FLEET_KEY: 'test-key' },
				},
			},
		);
		const worker = { child, vantage, stopped: false };
		workers.push(worker);
		return worker;
	}

	async function kill(worker: Worker): Promise<void> {
		workers = workers.filter((one) => one !== worker);
		const exited = new Promise((resolve) => worker.child.once('exit', resolve));
		worker.child.kill('SIGKILL');
		await exited;
	}

	const results = async () =>
		(await Promise.all(ids.map(async (targetId) => (await listResults(house.db, { targetId, limit: 500 })).results))).flat().map(({ result }) => result);
	/** Newest slot that ran, of the target that is furthest behind in a vantage. */
	const heardThrough = async (vantage: string) => {
		const ran = (await results()).filter((result) => result.vantage === vantage && result.startedAt !== null);
		return Math.min(
			...ids.map((id) => Math.max(0, ...ran.filter(({ provider, model }) => id.startsWith(`${provider}:${model}:`)).map(({ slotAt }) => slotAt))),
		);
	};
	const untilHeard = (vantage: string) => {
		const since = Date.now();
		return until(`every target from ${vantage}`, async () => (await heardThrough(vantage)) > since);
	};
	/** Slots run by each process of a vantage, as they count them themselves. */
	const ranByProcess = async (vantage: string) =>
		((await readProcessMetrics(house.db, Date.now() - 25_000)) as { name: string; values: { value: number; labels: Record<string, string> }[] }[][]).flatMap(
			(metrics) =>
				metrics
					.filter(({ name }) => name === 'linnet_slots_total')
					.flatMap(({ values }) => values.filter(({ labels }) => labels.vantage === vantage && labels.result === 'ran').map(({ value }) => value)),
		);

	beforeAll(async () => {
		redis = await startRedis(program ?? '');
		house = await createTestDatabase();
		dir = await mkdtemp(join(tmpdir(), 'linnet-chaos-'));
		simulator = await startSimulator({
			fleet: {
				providers: providers.map((id) => ({
					...{ id, name: id, dialect: 'openai-chat' },
					models: models.map((model) => ({
						...{ model, upstreamModel: model, operation: 'chat' as const, ttftMs: quick, tokensPerSecond: { median: 900, sigma: 0 }, price: null },
					})),
				})),
			},
		});
		const file = providers.map((id) => ({
			...{ id, dialect: 'openai-chat', baseUrl: simulator.baseUrl(id), apiKeyEnv: 'FLEET_KEY', models: models.map((model) => ({ model })) },
		}));
		await writeFile(
			join(dir, 'linnet.yaml'),
			`interval: ${intervalMs / 1_000}s\nbudget: { usdPerDay: 10000 }\ntimeouts: { connect: 1s, firstToken: 2s, stall: 2s, total: 4s }\nverdict: { blip: 3s }\nproviders: ${JSON.stringify(file)}\n`,
		);
	});
	afterAll(async () => {
		await Promise.all(workers.map(kill));
		await simulator.close();
		await house.drop();
		await redis.stop();
		await rm(dir, { recursive: true, force: true });
	});

	it('one worker does all, and those that join take over a part of it, each in its vantage', async () => {
		start(null);
		start('fra');
		await untilHeard('fra');
		for (const vantage of vantages) start(vantage);
		await Promise.all(vantages.map(untilHeard));
		for (const vantage of [...vantages, 'fra']) start(vantage);
		// Four of fra now: each runs some of its slots.
		await until('all four of fra at work', async () => (await ranByProcess('fra')).filter((count) => count > 0).length === 4);
		start(null);
	});

	it('killed, stopped and started again at random, with Redis emptied, they lose and double nothing and blame nobody', async () => {
		const random = createRandom(seed);
		const fromAt = Date.now();
		const resumes: Promise<void>[] = [];
		const blows = 7;
		for (let blow = 0; blow < blows; blow += 1) {
			await pause(1_000 + random() * 1_500);
			if (blow === 3) await redis.empty();
			const standing = workers.filter(({ stopped }) => !stopped);
			const judges = standing.filter(({ vantage }) => vantage === null);
			// One judge always stands; which of the two holds the lease is chance.
			const targets = standing.filter((worker) => worker.vantage !== null || judges.length > 1);
			const victim = targets[Math.floor(random() * targets.length)];
			if (victim === undefined) continue;
			if (random() < 0.5) {
				await kill(victim);
				start(victim.vantage);
				continue;
			}
			victim.stopped = true;
			victim.child.kill('SIGSTOP');
			resumes.push(
				pause(3_000 + random() * 5_000).then(() => {
					victim.child.kill('SIGCONT');
					victim.stopped = false;
				}),
			);
		}
		await Promise.all(resumes);
		const toAt = Date.now();
		await Promise.all(vantages.map(untilHeard));

		const due = await until('no hole', async () => {
			const slots = (await results()).filter(({ kind, slotAt }) => kind === 'scheduled' && slotAt >= fromAt && slotAt < toAt);
			const series = Map.groupBy(slots, ({ provider, model, vantage }) => `${provider}:${model} from ${vantage}`);
			if (series.size !== ids.length * vantages.length) return null;
			const whole = Math.floor((toAt - fromAt) / intervalMs);
			return [...series.values()].every(({ length }) => length >= whole) ? slots : null;
		});
		const keys = due.map(({ provider, model, vantage, slotAt }) => `${provider}:${model} from ${vantage} at ${slotAt}`);
		expect(keys.filter((key, index) => keys.indexOf(key) !== index)).toEqual([]);
		// Each answer that was read is one result: no probe is recorded under two slots.
		const requests = due.flatMap(({ requestId }) => (requestId === null ? [] : [requestId]));
		expect(requests.length).toBe(new Set(requests).size);
		expect(requests.length).toBeGreaterThan(due.length / 2);
		const blamed = (await listIncidents(house.db, { resolvedSinceAt: 0, limit: 100 })).filter(({ cause }) => cause === 'provider');
		expect(blamed.map(({ title, reason }) => `${title}: ${reason}`)).toEqual([]);
	}, 240_000);

	it('the judge that judges is killed: the other one goes on within seconds', async () => {
		const judges = workers.filter(({ vantage }) => vantage === null);
		expect(judges).toHaveLength(2);
		const holder = async () => (await house.db.pool.query<{ holder: string }>("select holder from linnet.leases where name = 'evaluator'")).rows[0]?.holder;
		const pid = Number((await until('a holder', holder)).split(':').at(-1));
		const victim = judges.find(({ child }) => child.pid === pid);
		if (victim === undefined) throw new Error(`Expected one of the judges to hold the lease, got ${pid}`);
		const killedAt = Date.now();
		await kill(victim);
		simulator.setFault('birch', null, { mode: 'http_error', error: 'unavailable' });
		const opened = await until('the outage', async () =>
			(await listIncidents(house.db, { resolvedSinceAt: 0, limit: 100 })).find(({ cause, scope }) => cause === 'provider' && scope.provider === 'birch'),
		);
		expect(opened.detectedAt).toBeGreaterThan(killedAt);
		expect(await holder()).not.toContain(`:${pid}`);
	});
});
