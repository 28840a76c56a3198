import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { afterEach, expect, it } from 'vitest';
import { silentLog } from '#core/log.ts';
import { type OpenQueuesOptions, openQueues, type Queues, type WorkedJob } from '#workers/queue.ts';

export interface QueueStore {
	readonly urls: Pick<OpenQueuesOptions, 'redisUrl' | 'databaseUrl'>;
	/** Loses every job and every tick. */
	empty(): Promise<void>;
}

/** What a queue must do on every backend; called by one test file for each. */
export function describeQueueRules(storeOf: () => QueueStore): void {
	const opened: Queues[] = [];
	const children: ChildProcess[] = [];
	const open = async () => {
		const queues = await openQueues({ ...storeOf().urls, log: silentLog });
		opened.push(queues);
		return queues;
	};
	afterEach(async () => {
		for (const child of children.splice(0)) child.kill('SIGKILL');
		await Promise.all(opened.splice(0).map((queues) => queues.close(1_000)));
	});
	let number = 0;
	const newName = () => `rules-${process.pid}-${++number}`;

	/** Collects jobs; `reach` resolves with them as soon as there are so many. */
	function collect() {
		const jobs: WorkedJob[] = [];
		let wake = () => {};
		return {
			jobs,
			take: async (job: WorkedJob) => {
				jobs.push(job);
				wake();
			},
			reach: async (count: number) => {
				while (jobs.length < count) {
					await new Promise<void>((done) => {
						wake = done;
					});
				}
				return jobs;
			},
		};
	}

	/** A process that takes a job of the queue, says so and never ends it. */
	function startWorker(name: string, { lockMs, before = '' }: { lockMs: number; before?: string }): ChildProcess {
		const script = `${before}
			import { openQueues } from '#workers/queue.ts';
			import { silentLog } from '#core/log.ts';
			const queues = await openQueues({ ...${JSON.stringify(storeOf().urls)}, log: silentLog });
			queues.work(${JSON.stringify(name)}, () => new Promise(() => console.log('taken')), { concurrency: 1, lockMs: ${lockMs} });`;
		const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', script], { cwd: process.cwd(), stdio: ['ignore', 'pipe', 'inherit'] });
		children.push(child);
		return child;
	}

	async function killOnceTaken(child: ChildProcess): Promise<void> {
		await new Promise<void>((done, fail) => {
			createInterface({ input: child.stdout! }).once('line', () => done());
			child.once('exit', (code) => fail(new Error(`the worker ended with ${code} before it took the job`)));
		});
		child.kill('SIGKILL');
	}

	it('runs a tick once a period, at its nominal time, whoever registered it and however many work', async () => {
		const name = newName();
		const workers = await Promise.all([open(), open(), open()]);
		const tick = { id: 'shard-1', everyMs: 1_000, offsetMs: 250, data: { shard: 1 } };
		await Promise.all(workers.flatMap((queues) => [queues.keepTicks(name, [tick], 'removed'), queues.keepTicks(name, [tick], 'kept')]));
		const seen = collect();
		for (const queues of workers) queues.work(name, seen.take, { concurrency: 4, lockMs: 5_000 });
		await seen.reach(3);
		await workers[0]?.keepTicks(name, [tick], 'removed');
		const jobs = await seen.reach(6);
		const first = jobs[0]?.timestampAt ?? 0;
		expect(first % tick.everyMs).toBe(tick.offsetMs);
		expect(jobs.map(({ timestampAt }) => timestampAt)).toEqual(jobs.map((_, i) => first + i * tick.everyMs));
		expect(jobs.every(({ data }) => data.shard === 1)).toBe(true);
		expect((await workers[0]!.counts(name)).delayed).toBeLessThanOrEqual(1);
	});

	it('changes a tick when it is registered otherwise, and ends those that are not kept', async () => {
		const name = newName();
		const queues = await open();
		const tick = (id: string, everyMs: number, data: object) => ({ id, everyMs, offsetMs: 0, data: { id, ...data } });
		await queues.keepTicks(name, [tick('a', 3_600_000, {})], 'removed');
		await queues.keepTicks(name, [tick('b', 200, {})], 'kept');
		const seen = collect();
		queues.work(name, seen.take, { concurrency: 1, lockMs: 5_000 });
		await seen.reach(2);
		await queues.keepTicks(name, [tick('a', 200, { changed: true })], 'removed');
		const before = seen.jobs.length;
		const jobs = (await seen.reach(before + 5)).slice(before);
		// One of b may have been under way.
		expect(jobs.filter(({ data }) => data.changed === true).length).toBeGreaterThanOrEqual(4);
		expect(jobs.every(({ timestampAt }) => timestampAt % 200 === 0)).toBe(true);
	});

	it('heals when its store was emptied and the tick is registered again', async () => {
		const name = newName();
		const queues = await open();
		const tick = { id: 'a', everyMs: 500, offsetMs: 0, data: {} };
		await queues.keepTicks(name, [tick], 'removed');
		const seen = collect();
		queues.work(name, seen.take, { concurrency: 1, lockMs: 5_000 });
		await seen.reach(2);
		await storeOf().empty();
		await queues.keepTicks(name, [tick], 'removed');
		await seen.reach(seen.jobs.length + 3);
	});

	it('goes on with a tick whose worker died before it had made the next one, without waiting for its lock', async () => {
		const name = newName();
		const queues = await open();
		const tick = { id: 'a', everyMs: 500, offsetMs: 0, data: { job: 'a' } };
		await queues.keepTicks(name, [tick], 'removed');
		// BullMQ's own step between the two.
		const dyingThere = `
			import { Worker } from 'bullmq';
			const makeNext = Worker.prototype.nextJobFromJobData;
			Worker.prototype.nextJobFromJobData = function (job, ...rest) {
				return job ? new Promise(() => console.log('taken')) : makeNext.call(this, job, ...rest);
			};`;
		await killOnceTaken(startWorker(name, { lockMs: 600_000, before: dyingThere }));
		const seen = collect();
		queues.work(name, seen.take, { concurrency: 1, lockMs: 5_000 });
		// As at each start of a worker, and every few seconds.
		const looks = new AbortController();
		const looking = (async () => {
			while (!looks.signal.aborted) await queues.keepTicks(name, [tick], 'removed');
		})();
		const jobs = await seen.reach(3);
		looks.abort();
		await looking;
		const first = jobs[0]?.timestampAt ?? 0;
		expect(jobs.map(({ timestampAt }) => timestampAt - first)).toEqual([0, 500, 1_000]);
	});

	it('runs a tick once that waits for a free hand, however often it is looked at meanwhile', async () => {
		const name = newName();
		const queues = await open();
		const seen = collect();
		let free = () => {};
		queues.work(
			name,
			async (job) => {
				await seen.take(job);
				if (job.data.holds === true)
					await new Promise<void>((done) => {
						free = done;
					});
			},
			{ concurrency: 1, lockMs: 5_000 },
		);
		await queues.add(name, { holds: true });
		await seen.reach(1);
		const tick = { id: 'a', everyMs: 1_000, offsetMs: 0, data: { job: 'a' } };
		const until = Date.now() + 2_500;
		while (Date.now() < until) await queues.keepTicks(name, [tick], 'removed');
		free();
		const [first, ...later] = (await seen.reach(5)).slice(1).map(({ timestampAt }) => timestampAt);
		// What waited, and then each of the next.
		expect(first).toBeLessThanOrEqual(until);
		expect(later.map((at) => at - (later[0] ?? 0))).toEqual([0, 1_000, 2_000]);
	});

	it('runs a delayed job not before its time', async () => {
		const name = newName();
		const queues = await open();
		const seen = collect();
		queues.work(name, seen.take, { concurrency: 1, lockMs: 5_000 });
		const addedAt = Date.now();
		await queues.add(name, { what: 'later' }, { delayMs: 400 });
		await queues.add(name, { what: 'now' });
		const jobs = await seen.reach(2);
		expect(jobs.map(({ data }) => data.what)).toEqual(['now', 'later']);
		expect(Date.now() - addedAt).toBeGreaterThanOrEqual(399);
		expect(jobs[1]!.timestampAt - addedAt).toBeGreaterThanOrEqual(400);
	});

	it('runs jobs of one id once, also when the first has ended', async () => {
		const name = newName();
		const queues = await open();
		const seen = collect();
		await Promise.all([1, 2, 3].map(() => queues.add(name, {}, { jobId: 'confirm|a' })));
		queues.work(name, seen.take, { concurrency: 4, lockMs: 5_000 });
		await seen.reach(1);
		await queues.add(name, {}, { jobId: 'confirm|a' });
		await queues.add(name, { last: true });
		expect(await seen.reach(2)).toHaveLength(2);
		expect(seen.jobs[1]?.data).toEqual({ last: true });
	});

	it('tries a job again that failed', async () => {
		const name = newName();
		const queues = await open();
		const seen = collect();
		queues.work(
			name,
			async (job) => {
				await seen.take(job);
				if (seen.jobs.length === 1) throw new Error('not yet');
			},
			{ concurrency: 1, lockMs: 5_000 },
		);
		await queues.add(name, {});
		await seen.reach(2);
	});

	it('gives the job of a killed process to another one', async () => {
		const name = newName();
		const queues = await open();
		await queues.add(name, { n: 1 });
		await killOnceTaken(startWorker(name, { lockMs: 2_000 }));
		const seen = collect();
		queues.work(name, seen.take, { concurrency: 1, lockMs: 2_000 });
		expect((await seen.reach(1))[0]?.data).toEqual({ n: 1 });
	});

	it('waits at closing for the jobs under way, and no longer than it was told', async () => {
		const name = newName();
		const [patient, hasty] = [await open(), await open()];
		let ended = false;
		let finish = () => {};
		const taken = collect();
		patient.work(
			name,
			async (job) => {
				await taken.take(job);
				await new Promise<void>((done) => {
					finish = done;
				});
				ended = true;
			},
			{ concurrency: 1, lockMs: 5_000 },
		);
		await patient.add(name, {});
		await taken.reach(1);
		const closed = patient.close(20_000);
		finish();
		await closed;
		expect(ended).toBe(true);
		const stuck = collect();
		hasty.work(
			name,
			async (job) => {
				await stuck.take(job);
				await new Promise(() => {});
			},
			{ concurrency: 1, lockMs: 5_000 },
		);
		await hasty.add(name, {});
		await stuck.reach(1);
		await hasty.close(200);
	});
}
