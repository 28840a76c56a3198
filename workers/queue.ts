/** The only file that knows BullMQ. One code for both of its backends: Postgres, where nothing else is configured, and Redis. */
import { hostname } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import {
	type ConnectionOptions,
	createPostgresBackend,
	type Job,
	type JobSchedulerJson,
	Queue,
	runMigrations,
	Worker,
	type WorkerOptions,
	withBackend,
} from 'bullmq';
import { Redis } from 'ioredis';
import pg from 'pg';
import type { Log } from '#core/log.ts';
import { advisoryLocks } from '#db/sql.ts';
import { SteadyClient } from '#db/steady-client.ts';

export type JobData = Readonly<Record<string, unknown>>;

export interface WorkedJob {
	readonly id: string;
	readonly data: JobData;
	/** When it was due, ms since epoch: for a tick its nominal time, however late it is taken. */
	readonly timestampAt: number;
}

export interface Tick {
	/** Stable: the same id replaces the tick of before. */
	readonly id: string;
	readonly everyMs: number;
	/** Ticks fall on multiples of everyMs, plus this. */
	readonly offsetMs: number;
	readonly data: JobData;
}

export interface Queues {
	/**
	 * Registers the ticks of a queue, or mends those that have stopped: the store was emptied, the clock set back, a process died that had taken one
	 * and had not made the next. Cheap to repeat, safe from any number of processes.
	 * @param others what becomes of ticks that are not in the list
	 */
	keepTicks(queueName: string, ticks: readonly Tick[], others: 'kept' | 'removed'): Promise<void>;
	/**
	 * Takes jobs until `close`. A handler that throws fails its job; a job of `add` is tried 3 times, a tick is followed by the next.
	 * @param lockMs a job whose process died is taken by another one after about this long
	 */
	work(queueName: string, handler: (job: WorkedJob) => Promise<void>, options: { readonly concurrency: number; readonly lockMs: number }): void;
	/** Of jobs with one `jobId` (without colon) only the first is run, as long as its end is remembered: put the due time into it. */
	add(queueName: string, data: JobData, options?: { readonly delayMs?: number; readonly jobId?: string }): Promise<void>;
	counts(queueName: string): Promise<{ waiting: number; active: number; delayed: number; failed: number }>;
	/** Takes no new job, waits for those under way up to `drainMs` (10 s), and lets go. */
	close(drainMs?: number): Promise<void>;
}

export interface OpenQueuesOptions {
	/** Null: BullMQ on the Postgres of `databaseUrl`. */
	readonly redisUrl: string | null;
	readonly databaseUrl: string;
	readonly log: Log;
}

/** How often a worker looks for jobs whose process died. All share one check on Redis, so all must use the same. */
const stalledIntervalMs = 2_000;
/** BullMQ keeps with each job who took it. */
const processName = `${hostname()}:${process.pid}`;
const drainAtMostMs = 10_000;
const quietMs = 10_000;
// BullMQ remembers this many ends, against jobs added twice and for people who look: of a vantage's ticks half a minute. On Postgres it reads all of them at
// each end.
const kept = { removeOnComplete: { count: 100 }, removeOnFail: { count: 500, age: 86_400 } };

/** Opens the queues of one process; the Postgres backend is migrated first, by one of the processes that start. */
export async function openQueues({ redisUrl, databaseUrl, log }: OpenQueuesOptions): Promise<Queues> {
	const backend = redisUrl === null ? await openPostgres(databaseUrl) : openRedis(redisUrl);
	const queues = new Map<string, Queue>();
	const workers: Worker[] = [];
	const warn = quieten(log);
	let closing: Promise<void> | undefined;

	const queueOf = (name: string): Queue => {
		const known = queues.get(name);
		// Jobs under way may add others while they are drained.
		if (known !== undefined) return known;
		if (closing !== undefined) throw new Error('Expected the queues to be open');
		const queue = backend.queue(name);
		queue.on('error', (error) => warn(error, { queue: name }));
		queues.set(name, queue);
		return queue;
	};

	const closeAll = async (drainMs: number) => {
		const drained = Promise.all(workers.map((worker) => worker.close())).then(() => true);
		if (!(await within(drained, drainMs))) {
			log.warn({ drainMs }, 'jobs are still under way: another process runs them again');
			await within(Promise.all(workers.map((worker) => worker.close(true))), 1_000);
		}
		await within(Promise.all([...queues.values()].map((queue) => queue.close())), 2_000);
		await within(backend.close(), 2_000);
	};

	return {
		keepTicks: (name, ticks, others) =>
			backend.alone(async () => {
				const queue = queueOf(name);
				const registered = new Map((await queue.getJobSchedulers(0, -1, true)).map((known) => [known.key, known]));
				for (const tick of ticks) {
					const known = registered.get(tick.id);
					registered.delete(tick.id);
					const farAhead = known !== undefined && isFarAhead(known);
					if (known !== undefined && isAsWanted(known, tick) && !hasStopped(known) && !farAhead) continue;
					// BullMQ goes on from the next time that it has stored: it must forget it.
					if (farAhead) await queue.removeJobScheduler(tick.id);
					await queue.upsertJobScheduler(tick.id, { every: tick.everyMs, offset: offsetOf(tick) }, { name: 'tick', data: tick.data, opts: { ...kept } });
				}
				if (others === 'removed') for (const key of registered.keys()) await queue.removeJobScheduler(key);
			}),
		work(name, handler, { concurrency, lockMs }) {
			const worker = backend.worker(
				name,
				(job) => handler({ id: job.id ?? '', data: job.data as JobData, timestampAt: dueAt(job) }),
				// The default of 15 s would lose as much after every outage of the store.
				{ name: processName, concurrency, lockDuration: lockMs, stalledInterval: stalledIntervalMs, maxStalledCount: 10, runRetryDelay: 1_000, ...kept },
			);
			worker.on('error', (error) => warn(error, { queue: name }));
			worker.on('failed', (job, error) => warn(error, { queue: name, jobId: job?.id }));
			workers.push(worker);
		},
		async add(name, data, { delayMs = 0, jobId } = {}) {
			const retries = { attempts: 3, backoff: { type: 'fixed', delay: 1_000 } };
			await queueOf(name).add('job', data, { ...kept, ...retries, delay: delayMs, ...(jobId === undefined ? {} : { jobId }) });
		},
		async counts(name) {
			const { waiting = 0, active = 0, delayed = 0, failed = 0 } = await queueOf(name).getJobCounts('waiting', 'active', 'delayed', 'failed');
			return { waiting, active, delayed, failed };
		},
		close: (drainMs = drainAtMostMs) => {
			closing ??= closeAll(drainMs);
			return closing;
		},
	};
}

function isAsWanted(known: JobSchedulerJson, tick: Tick): boolean {
	return known.every === tick.everyMs && known.offset === offsetOf(tick) && JSON.stringify(known.template?.data) === JSON.stringify(tick.data);
}

/** Without an offset BullMQ runs the first tick at once, out of step; a whole period is the same phase. */
function offsetOf({ offsetMs, everyMs }: Tick): number {
	return offsetMs === 0 ? everyMs : offsetMs;
}

/** A tick's job id ends with its nominal time; another job was due its delay after it was added. */
function dueAt(job: Job): number {
	const nominal = /^repeat:.*:(\d{13,})$/.exec(job.id ?? '')?.[1];
	return nominal === undefined ? job.timestamp + (job.opts.delay ?? 0) : Number(nominal);
}

/** Longer than a worker needs from taking a tick to making the next one. */
const stoppedAfterMs = 1_000;

/**
 * BullMQ makes the next tick's job after it has given out this one's: who dies in between leaves none, and until the lock of the job in hand ends
 * (30 s) there is no tick: after one kill of twelve a target of every 60 s was probed again only after 97. One whose job only waits for a free hand is made again, under the same id.
 */
function hasStopped({ next }: JobSchedulerJson): boolean {
	return next === undefined || next < Date.now() - stoppedAfterMs;
}

/** It waits for a time that only a clock since set back could call near. */
function isFarAhead({ next = 0, every = 0 }: JobSchedulerJson): boolean {
	return next > Date.now() + 2 * every + 5_000;
}

interface Backend {
	queue(name: string): Queue;
	worker(name: string, process: (job: Job) => Promise<void>, options: Omit<WorkerOptions, 'connection'>): Worker;
	/** One at a time over all processes. */
	alone(work: () => Promise<void>): Promise<void>;
	close(): Promise<void>;
}

async function openPostgres(url: string): Promise<Backend> {
	const { Queue: PostgresQueue, Worker: PostgresWorker } = withBackend(createPostgresBackend);
	const connection = (max: number) => ({
		connectionString: url,
		Client: SteadyClient,
		max,
		keepAlive: true,
		connectionTimeoutMillis: 5_000,
		application_name: 'linnet queue',
		// With stale statistics the planner reads the whole job table at every claim (1.8 ms; 96 % of a core at 2,000 targets instead of 36 %).
		// A tick that is lost in a crash is settled as missed: it need not wait for the disk.
		// A process that is frozen while it registers ticks keeps no other one from it for longer than a statement may take.
		options: '-c enable_seqscan=off -c random_page_cost=1.0 -c jit=off -c synchronous_commit=off -c idle_in_transaction_session_timeout=30000',
	});
	const client = new SteadyClient({ connectionString: url, application_name: 'linnet queue', connectionTimeoutMillis: 5_000 });
	await client.connect();
	try {
		await runMigrations(client);
	} finally {
		await client.end();
	}
	const pool = new pg.Pool(connection(1));
	pool.on('error', () => {}); // The next use shows it.
	let last: Promise<unknown> = Promise.resolve();
	return {
		queue: (name) => new PostgresQueue(name, { connection: connection(2), streams: { events: { maxLen: 100 } } }) as unknown as Queue,
		worker: (name, process, options) => new PostgresWorker(name, process, { ...options, connection: connection(4) }) as unknown as Worker,
		// Of ten processes that register one scheduler at the same time most are refused, and extra jobs stay behind (BullMQ 6.7, measured).
		alone(work) {
			const turn = last.then(async () => {
				const own = await pool.connect();
				try {
					await own.query('begin');
					await own.query('select pg_advisory_xact_lock($1)', [advisoryLocks.queueSchedules]);
					await work();
				} finally {
					const broken = await own.query('commit').then(
						() => undefined,
						(error: Error) => error,
					);
					own.release(broken);
				}
			});
			last = turn.catch(() => {});
			return turn;
		},
		close: () => pool.end(),
	};
}

function openRedis(url: string): Backend {
	// A worker waits for Redis to come back; whoever adds a job hears at once that it is away.
	const patient = new Redis(url, { maxRetriesPerRequest: null });
	const brisk = new Redis(url, { maxRetriesPerRequest: 1, connectTimeout: 5_000 });
	for (const client of [patient, brisk]) client.on('error', () => {}); // Queue and worker report it.
	const asConnection = (client: Redis) => client as unknown as ConnectionOptions;
	return {
		queue: (name) => new Queue(name, { connection: asConnection(brisk), streams: { events: { maxLen: 100 } } }),
		worker: (name, process, options) => new SharingWorker(name, process, { ...options, connection: asConnection(patient) }),
		alone: (work) => work(),
		async close() {
			patient.disconnect();
			brisk.disconnect();
		},
	};
}

/** How long a tick that was taken counts (a little less than a round, so that whose turn it is has fewest), and how much later it makes the next look. */
const sharedOverMs = 2_250;
const yieldMs = 10;
const yieldAtMostMs = 80;

/**
 * All idle workers of a queue wake at the same millisecond and race for the tick; Redis serves them in one order, so that of eight in a vantage three
 * had nothing to do for 20 s (BullMQ 6.7, measured). Who took most of late comes a few ms later: the others have their turn.
 */
class SharingWorker extends Worker {
	#took: number[] = [];
	#cameEmpty = true;

	protected override async moveToActive(token: string, name?: string): Promise<Job> {
		this.#took = this.#took.filter((atMs) => atMs > performance.now() - sharedOverMs);
		// Once a look: where many jobs wait, none is held up.
		if (this.#cameEmpty && this.#took.length > 0) await pause(Math.min(yieldAtMostMs, yieldMs * this.#took.length));
		const job: Job | undefined = await super.moveToActive(token, name);
		this.#cameEmpty = job === undefined;
		if (job?.name === 'tick') this.#took.push(performance.now());
		return job as Job;
	}
}

/** A store that is away fails every few ms: says each problem once in a while, with how often it came. */
function quieten(log: Log): (error: Error, facts: object) => void {
	const problems = new Map<string, { saidAt: number; unsaid: number }>();
	return (error, facts) => {
		const problem = error.message || ((error as { code?: string }).code ?? error.name);
		const known = problems.get(problem);
		if (known !== undefined && Date.now() - known.saidAt < quietMs) {
			known.unsaid += 1;
			return;
		}
		if (problems.size > 100) problems.clear();
		problems.set(problem, { saidAt: Date.now(), unsaid: 0 });
		log.warn({ ...facts, problem, repeatedCount: known?.unsaid ?? 0 }, 'queue trouble');
	};
}

/** False when it takes longer, or fails: then there is nothing left to wait for. */
async function within(work: Promise<unknown>, ms: number): Promise<boolean> {
	let timer: NodeJS.Timeout | undefined;
	const late = new Promise<false>((done) => {
		timer = setTimeout(done, ms, false);
	});
	const ended = await Promise.race([
		work.then(
			() => true,
			() => false,
		),
		late,
	]);
	clearTimeout(timer);
	return ended;
}
