/** Workers of three vantages on one Redis and one Postgres, while a seeded hand kills and stops them: then the books are looked at. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ProbeResult } from '#core/probe-result.ts';
import { shardOf } from '#core/schedule.ts';
import { listIncidents } from '#db/incidents.ts';
import { listResults } from '#db/read-results.ts';
import { createRandom } from '#simulator/fleet.ts';
import { type Simulator, startSimulator } from '#simulator/start-simulator.ts';
import { createTestDatabase, type TestDatabase } from '#test/postgres.ts';
import { findRedisServer, startRedis, type TestRedis } from '#test/redis.ts';
import { shardCount, tickEveryMs, tickLeadMs } from '#workers/shard-ticks.ts';
import { makeNewerVersion, type NewerVersion } from './newer-version.ts';
import { until } from './service.ts';
import { openTickBook, type TickBook } from './ticks.ts';

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
	/** What it printed, with its end. */
	readonly ended: Promise<{ code: number | null; words: string }>;
	stopped: boolean;
}

describe.skipIf(program === null)(`many workers, seed ${seed}`, () => {
	let redis: TestRedis;
	let house: TestDatabase;
	let simulator: Simulator;
	let dir: string;
	let newer: NewerVersion | null = null;
	let started = 0;
	let workers: Worker[] = [];
	let books: ReadonlyMap<string, TickBook>;
	/** When the first worker of a vantage was at work, ms since epoch. */
	const grownAt = new Map<string, number>();
	/** Up to when all others stood while one was killed. */
	let stoodUntilAt = Number.POSITIVE_INFINITY;
	/** What those that were killed held then. */
	const inFlight: { vantage: string; shard: number; tickAt: number }[] = [];
	const workersOf = (own: string) => workers.filter(({ vantage }) => vantage === own);

	/** @param vantage null: a judge */
	function start(vantage: string | null, root = join(import.meta.dirname, '..', '..')): Worker {
		started += 1;
		const child = spawn(process.execPath, [join(root, 'bin', 'linnet.mjs'), 'worker', '--jobs', vantage === null ? 'judge' : 'probe'], {
			stdio: ['ignore', 'pipe', 'pipe'],
			env: {
				...{ PATH: process.env.PATH, DATABASE_URL: house.url, REDIS_URL: redis.url, LINNET_CONFIG: join(dir, 'linnet.yaml') },
				...{ LINNET_DATA: join(dir, `worker-${started}`), LINNET_VANTAGE: vantage ?? 'fra', FLEET_KEY: 'test-key' },
			},
		});
		let words = '';
		for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (words = (words + chunk).slice(-4_000)));
		const ended = new Promise<{ code: number | null; words: string }>((resolve) => child.once('close', (code) => resolve({ code, words })));
		const worker = { child, vantage, ended, stopped: false };
		workers.push(worker);
		return worker;
	}

	async function kill(worker: Worker): Promise<void> {
		workers = workers.filter((one) => one !== worker);
		worker.child.kill('SIGKILL');
		await worker.ended;
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

	beforeAll(async () => {
		redis = await startRedis(program ?? '');
		house = await createTestDatabase();
		books = new Map(vantages.map((vantage) => [vantage, openTickBook(redis.url, vantage)]));
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
			`interval: ${intervalMs / 1_000}s\nbudget: { usdPerDay: 1000000 }\ntimeouts: { connect: 1s, firstToken: 2s, stall: 2s, total: 4s }\nverdict: { blip: 3s }\nproviders: ${JSON.stringify(file)}\n`,
		);
		start(null);
	});
	afterAll(async () => {
		await Promise.all(workers.map(kill));
		await Promise.all([...books.values()].map((book) => book.close()));
		await simulator.close();
		await house.drop();
		await redis.stop();
		await newer?.remove();
		await rm(dir, { recursive: true, force: true });
	});

	it.each(vantages)(
		'of 1, 2, 4 and 8 workers in %s each has its part within a tick of its start, and one that is killed takes the slots in flight with it',
		async (vantage) => {
			const book = books.get(vantage) as TickBook;
			start(vantage);
			await untilHeard(vantage);
			grownAt.set(vantage, Date.now());
			for (const [count, rounds] of [
				[2, 1],
				[4, 2],
				[8, 3],
			] as const) {
				while (workersOf(vantage).length < count) start(vantage);
				const pids = workersOf(vantage).map(({ child }) => child.pid ?? 0);
				await until(`${count} workers that wait for ticks`, async () => (await book.workers()).filter((pid) => pids.includes(pid)).length === count);
				const registeredAt = Date.now();
				// Whole rounds, from its first tick on: in each every shard has one.
				const untilAt = registeredAt + rounds * tickEveryMs;
				const taken = await until('those rounds', async () => {
					const all = (await book.taken()).filter(({ tickAt }) => tickAt >= registeredAt && tickAt < untilAt);
					return all.length === rounds * shardCount ? all : null;
				});
				const parts = pids.map((pid) => taken.filter((tick) => tick.pid === pid));
				const shown = `${count} workers took ${parts.map(({ length }) => length)} of ${taken.length} ticks`;
				// A quarter of an even part at least, on a machine that has two cores for all of them.
				for (const part of parts) expect(part.length, shown).toBeGreaterThanOrEqual(taken.length / count / 4);
			}

			// Frozen first: what it holds then is in flight.
			while (workersOf(vantage).length > 2) {
				const victim = workersOf(vantage).at(-1) as Worker;
				victim.child.kill('SIGSTOP');
				for (const { shard, tickAt, pid, active } of await book.taken()) if (active && pid === victim.child.pid) inFlight.push({ vantage, shard, tickAt });
				await kill(victim);
			}
			await untilHeard(vantage);
		},
		240_000,
	);

	it('killed, stopped and started again at random, with Redis emptied, they lose and double nothing and blame nobody', async () => {
		const random = createRandom(seed);
		start(null);
		const fromAt = Date.now();
		stoodUntilAt = Math.min(stoodUntilAt, fromAt);
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

		let holes: string[] = [];
		const due = await until(
			() => `no hole: ${holes}`,
			async () => {
				const slots = (await results()).filter(({ kind, slotAt }) => kind === 'scheduled' && slotAt >= fromAt && slotAt < toAt);
				const series = Map.groupBy(slots, ({ provider, model, vantage }) => `${provider}:${model}:chat from ${vantage}`);
				const whole = Math.floor((toAt - fromAt) / intervalMs);
				const keys = ids.flatMap((id) => vantages.map((vantage) => `${id} from ${vantage}`));
				holes = keys.flatMap((key) => ((series.get(key)?.length ?? 0) < whole ? [`${key}: ${series.get(key)?.length ?? 0} of ${whole}`] : []));
				return holes.length === 0 ? slots : null;
			},
		);
		// Of those that were killed while all others stood: what each held, and nothing else.
		for (const vantage of vantages) {
			const sinceAt = grownAt.get(vantage) ?? 0;
			const before = (await results()).filter(
				(result) => result.kind === 'scheduled' && result.vantage === vantage && result.slotAt >= sinceAt && result.slotAt < stoodUntilAt,
			);
			for (const own of Map.groupBy(before, ({ provider, model }) => `${provider}:${model}`).values())
				expect(own.length).toBeGreaterThanOrEqual(Math.floor((stoodUntilAt - sinceAt) / intervalMs));
			const missed = before.filter(({ startedAt }) => startedAt === null);
			const wasHeld = ({ provider, model, operation, slotAt }: ProbeResult) =>
				inFlight.some(
					(held) =>
						held.vantage === vantage &&
						held.shard === shardOf(`${provider}:${model}:${operation}`, shardCount) &&
						slotAt >= held.tickAt + tickLeadMs &&
						slotAt < held.tickAt + tickLeadMs + tickEveryMs,
				);
			expect(missed.filter((result) => !wasHeld(result)).map(({ provider, model, slotAt }) => `${provider}:${model} from ${vantage} at ${slotAt}`)).toEqual([]);
			expect(missed.length).toBeGreaterThan(0);
		}

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

	it('a newer version beside this one: both work, the old ones leave in order, no slot is lost or doubled, and there is no way back', async () => {
		simulator.setFault('birch', null, undefined);
		const old = [...workers];
		const fromAt = Date.now() + 2 * intervalMs;
		newer = await makeNewerVersion();
		for (const vantage of [null, ...vantages]) start(vantage, newer.dir);
		const migrated = async () => (await house.db.execute<{ number: number }>('select max(number) as number from linnet.migrations'))[0]?.number === 9_999;
		await until('the newer schema', migrated);
		// The old ones know nothing of it, and go on: those that die are the only ones that may not come back.
		await Promise.all(vantages.map(untilHeard));
		expect(old.map(({ child }) => child.exitCode)).toEqual(old.map(() => null));
		for (const worker of old) {
			worker.child.kill('SIGTERM');
			expect((await worker.ended).code).toBe(0);
		}
		workers = workers.filter((worker) => !old.includes(worker));
		await Promise.all(vantages.map(untilHeard));
		const toAt = Date.now() - 5_000;
		const late = start('fra');
		const { code, words } = await late.ended;
		workers = workers.filter((worker) => worker !== late);
		expect([code, words]).toEqual([1, expect.stringContaining('The database schema is at migration 9999')]);

		const ran = await until('every slot of the time', async () => {
			const slots = (await results()).filter(({ kind, slotAt }) => kind === 'scheduled' && slotAt >= fromAt && slotAt < toAt);
			return slots.length >= ids.length * vantages.length * Math.floor((toAt - fromAt) / intervalMs) ? slots : null;
		});
		const keys = ran.map(({ provider, model, vantage, slotAt }) => `${provider}:${model} from ${vantage} at ${new Date(slotAt).toISOString()}`);
		expect(keys.filter((key, index) => keys.indexOf(key) !== index)).toEqual([]);
		expect(ran.filter(({ startedAt }) => startedAt === null).map(({ slotAt, vantage, evidence }) => ({ slotAt, vantage, evidence }))).toEqual([]);
		await until('birch is well again', async () =>
			(await listIncidents(house.db, { resolvedSinceAt: 0, limit: 100 })).every(({ resolvedAt }) => resolvedAt !== null),
		);
	}, 240_000);
});
