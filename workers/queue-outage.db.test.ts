import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { silentLog } from '#core/log.ts';
import { openEmbeddedPostgres } from '#db/embedded.ts';
import { openQueues } from './queue.ts';

it('goes on by itself after its Postgres was killed and came back, and says so without a flood', async () => {
	const dataDir = await mkdtemp(join(tmpdir(), 'linnet-queue-'));
	const start = () => openEmbeddedPostgres({ dataDir, log: silentLog });
	let server = await start();
	let warnings = 0;
	const queues = await openQueues({ redisUrl: null, databaseUrl: server.url, log: { ...silentLog, warn: () => warnings++ } });
	const ticks: number[] = [];
	let wake = () => {};
	const reach = async (count: number) => {
		while (ticks.length < count) {
			await new Promise<void>((done) => {
				wake = done;
			});
		}
	};
	await queues.keepTicks('q', [{ id: 'a', everyMs: 300, offsetMs: 0, data: {} }], 'removed');
	queues.work(
		'q',
		async ({ timestampAt }) => {
			ticks.push(timestampAt);
			wake();
		},
		{ concurrency: 2, lockMs: 2_000 },
	);
	await reach(3);
	process.kill(Number.parseInt(await readFile(join(dataDir, 'data', 'postmaster.pid'), 'utf8'), 10), 'SIGKILL');
	// Backends outlive their postmaster by some ms; jobs of another queue go in until the last one is gone.
	await expect(
		(async () => {
			for (;;) await queues.add('other', {});
		})(),
	).rejects.toThrow();
	server = await start();
	const before = ticks.length;
	await reach(before + 5);
	expect(new Set(ticks).size).toBeGreaterThanOrEqual(ticks.length - 1);
	expect(warnings).toBeGreaterThan(0);
	expect(warnings).toBeLessThan(20);
	await queues.close();
	await server.stop();
	await rm(dataDir, { recursive: true, force: true });
});
