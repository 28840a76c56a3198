import { hostname } from 'node:os';
import { join } from 'node:path';
import { createPlannedTargets } from '#core/cadence.ts';
import type { Log } from '#core/log.ts';
import { acquireLease, releaseLease, renewLease } from '#db/leases.ts';
import { ensurePartitions } from '#db/partitions.ts';
import { createRollupReader } from '#db/rollup-reader.ts';
import { isUnavailable } from '#db/sql.ts';
import { sweepDeadRows } from '#db/sweep-dead-rows.ts';
import { registerTargets } from '#db/targets.ts';
import { announcedMaintenances, watchMaintenances } from '#workers/announced-maintenances.ts';
import { type EvaluatorTools, evaluatorName, type Judged, openEvaluator } from '#workers/evaluator.ts';
import { createCadencePlanner } from '#workers/plan-cadence.ts';
import { watchLoopLag } from '#workers/probe/loop-lag.ts';
import { paceStarts } from '#workers/probe/pace-starts.ts';
import { runProbe } from '#workers/probe/run-probe.ts';
import { openCanaryTests } from '#workers/probe/test-canaries.ts';
import { prune } from '#workers/prune.ts';
import { createPublisher, type Publisher } from '#workers/publish-snapshot.ts';
import { openQueues, type Queues } from '#workers/queue.ts';
import { createRecorder } from '#workers/record/create-recorder.ts';
import { rollUp, summarizeSometimes } from '#workers/roll-up.ts';
import { runConfirmation, runShard, type ScheduleTools } from '#workers/run-shard.ts';
import { settleSchedule } from '#workers/settle-schedule.ts';
import { shardCount, shardTicks, tickEveryMs, tickLeadMs, tickOf, ticksBehind } from '#workers/shard-ticks.ts';
import { type CadenceWatch, watchCadence } from '#workers/watch-cadence.ts';
import { watchOfficialPages } from '#workers/watch-official-pages.ts';
import { type ConfigSource, openConfig } from './config-source.ts';
import { createPauses } from './create-pauses.ts';
import type { Settings } from './environment.ts';
import { keepAlive } from './keep-alive.ts';
import { keepRegistered } from './keep-registered.ts';
import { openKnownSecrets } from './known-secrets.ts';
import { collectAlone, comeFirst, giveWay, keepHeapLean, makeAllYoung } from './lean-process.ts';
import { type OpenedDatabase, openDatabase } from './open-database.ts';
import { openRoads, type Roads, watchPublisher } from './open-roads.ts';
import { createProcessMetrics, type ProcessMetrics } from './process-metrics.ts';
import { readDrill } from './read-drill.ts';
import { runOnCall } from './run-on-call.ts';
import type { Closing } from './run-role.ts';
import { publishMetrics, watchJudging, watchLoop, watchProbing } from './watch-process.ts';

interface Shop {
	readonly settings: Settings;
	readonly log: Log;
	readonly closing: Closing;
	readonly config: ConfigSource;
	readonly database: OpenedDatabase;
	readonly queues: Queues;
	readonly metrics: ProcessMetrics;
	/** Null: no traces are asked for. */
	readonly roads: Roads | null;
	/** Aborted when the worker stops. */
	readonly stop: AbortSignal;
	endLoops(): void;
	retentionDays(): number;
}

const dayMs = 86_400_000;

/** probe: sends canaries. judge: rolls up, detects, alerts, publishes. */
export type JobKind = 'all' | 'probe' | 'judge';

export async function startWorker(settings: Settings, jobs: JobKind, log: Log, closing: Closing): Promise<void> {
	if (jobs === 'probe') {
		comeFirst();
		// It makes more garbage than it holds: looked at as often as in others, with half the nursery besides, a probe took 8 % more CPU.
		keepHeapLean(100);
	}
	// It holds and takes most of all.
	if (jobs === 'judge') {
		giveWay('probes');
		keepHeapLean(35);
		collectAlone();
		makeAllYoung();
	}
	const config = await openConfig(settings, log);
	closing.add('config', () => config.close());
	const database = await openDatabase(settings, log, closing);
	const stopping = new AbortController();
	const queues = await openQueues({ redisUrl: settings.redisUrl, databaseUrl: database.url, log });
	closing.add('queues', () => queues.close());
	const retentionDays = () => Math.ceil(config.current().record.keepResultsMs / dayMs);
	const metrics = createProcessMetrics();
	const roads = await openRoads(jobs, log, closing);
	const stops = { stop: stopping.signal, endLoops: () => stopping.abort() };
	const shop: Shop = { settings, log, closing, config, database, queues, metrics, roads, ...stops, retentionDays };
	// A prober that starts runs what is due at once; of a target that comes later the first tick that knows of it runs slots from then on.
	const register = (fromAt: number) => registerTargets(database.db, config.current().targets, fromAt);
	await register(Date.now());
	await ensurePartitions(database.db, Date.now());
	config.onChange(() => void register(Date.now() + tickEveryMs + tickLeadMs).catch((error) => log.error({ problem: String(error) }, 'targets not registered')));
	if (jobs !== 'judge') await startProbing(shop);
	if (jobs !== 'probe') await startJudging(shop);
	if (jobs === 'judge') watchLoop(metrics, jobs, closing);
	publishMetrics(metrics, jobs, database.db, log, closing);
	keepAlive(settings.dataDir, log, closing);
}

/** How long a probe in flight may go on when the worker is told to stop; cut off, it is recorded as our own trouble. */
const drainMs = 6_000;
async function startProbing({ settings, log, closing, config, database, queues, metrics, roads, stop, endLoops, retentionDays }: Shop): Promise<void> {
	const { vantage } = settings;
	const queue = `probe-${vantage}`;
	const lag = watchLoopLag();
	closing.add('loop lag', () => lag.stop());
	const spoolDir = join(settings.dataDir, 'spool', vantage);
	const recorder = createRecorder({ db: database.db, spoolDir, log, now: Date.now, retentionDays, onBatch: metrics.recordedBatch });
	watchProbing(metrics, vantage, { recorder, queues, lag });
	closing.add('recorder', () => recorder.close());
	const cutProbes = new AbortController();
	// Runs before the recorder closes: slots that wait are given up, probes in flight get some seconds to end, and then their jobs.
	closing.add('probes', async () => {
		endLoops();
		const timer = setTimeout(() => cutProbes.abort(), drainMs);
		await queues.close();
		clearTimeout(timer);
	});
	const targets = () => config.current().targets;
	const pace = paceStarts();
	const pause = createPauses(stop);
	const cadence = watchCadence(database.db, log, Date.now);
	const tools: ScheduleTools = {
		db: database.db,
		log,
		vantage,
		now: Date.now,
		waitUntil: (at) => pause(Math.max(0, at - Date.now())),
		stopping: () => stop.aborted,
		targets,
		capMicroUsd: () => config.current().budget.usdPerDay * 1e6,
		async runProbe(probe) {
			const readyMs = performance.now();
			const waitMs = pace.admit(readyMs) - readyMs;
			if (waitMs > 0) await pause(waitMs);
			return runProbe(
				{
					now: Date.now,
					readSecret: (name) => process.env[name],
					lag,
					controls: () => controlsFor(probe.target.provider, targets()),
				},
				{ ...probe, signal: cutProbes.signal },
			);
		},
		cadence: () => cadence.refresh(),
		canaryTests: openCanaryTests({ db: database.db, log }),
		record(result) {
			metrics.heardResult(result);
			return recorder.record(result);
		},
		pressure: () => recorder.pressure(),
		...(roads === null ? {} : { onRoad: roads.probed }),
		handOver: (tick) => queues.add(queue, { job: 'left', ...tick }),
	};
	const settle = () => settleSchedule({ db: database.db, log, now: Date.now, targets, retentionDays: retentionDays() }, [vantage]);
	queues.work(
		queue,
		async ({ data, timestampAt }) => {
			const tick = tickOf(data, timestampAt);
			if (tick !== null) await (stop.aborted ? tools.handOver?.(tick) : runShard(tools, tick));
			else if (stop.aborted) return;
			else if (data.job === 'confirm') await runConfirmation(tools, data as unknown as { targetId: string; canary: string; slotAt: number });
			else if (data.job === 'settle') await settle();
		},
		// A shard's tick lasts as long as its slowest probe, so several of one shard are under way at once.
		{ concurrency: shardCount * 32, lockMs: 30_000 },
	);
	const ticks = [...shardTicks, { id: 'settle', everyMs: 15_000, offsetMs: 0, data: { job: 'settle' } }];
	await keepRegistered(stop, log, () => queues.keepTicks(queue, ticks, 'removed'));
	// The next ticks are still to come, and their slots begin 2 s after them: what is due until then is run now, by the first of those that start together.
	const behind = ticksBehind(Date.now());
	await Promise.all(behind.map((tick) => queues.add(queue, { job: 'left', ...tick }, { jobId: `behind-${tick.shard}-${tick.tickAt}-${tickEveryMs}` })));
	// What came due while nothing ran is marked at once, not at the next tick.
	await settle();
}

/** Other providers' endpoints: do they answer when one does not? */
function controlsFor(provider: string, targets: ReturnType<ConfigSource['current']>['targets']): { host: string; port: number }[] {
	const controls = new Map<string, { host: string; port: number }>();
	for (const target of targets) {
		if (target.provider === provider) continue;
		const { hostname: host, port, protocol } = new URL(target.baseUrl);
		controls.set(target.provider, { host, port: Number(port) || (protocol === 'https:' ? 443 : 80) });
		if (controls.size === 3) break;
	}
	return [...controls.values()];
}

async function startJudging(shop: Shop): Promise<void> {
	const { log, closing, config, database, queues, metrics, stop, endLoops, retentionDays } = shop;
	const { db } = database;
	const cadence = watchCadence(db, log, Date.now);
	watchJudging(metrics, db, config, Date.now, cadence);
	const timed = async (job: string, run: () => Promise<unknown>) => {
		const startedMs = performance.now();
		await run();
		metrics.ranJob(job, performance.now() - startedMs);
	};
	const rollups = createRollupReader(db);
	const unwatched = createPublisher({
		...{ db, rollups, now: Date.now },
		targets: () => config.current().targets,
		status: () => config.current().status,
		simulated: config.current().simulated,
		intervalMs: () => config.current().intervalMs,
		objectives: () => config.current().objectives,
		capMicroUsdPerDay: () => (config.current().status.showSpend ? config.current().budget.usdPerDay * 1e6 : null),
		maintenances: () => announcedMaintenances(db, Date.now()),
		cadence: () => cadence.refresh(),
		drill: await readDrill(shop.settings.dataDir),
	});
	const publisher = shop.roads === null ? unwatched : watchPublisher(unwatched, shop.roads);
	const capMicroUsd = () => config.current().budget.usdPerDay * 1e6;
	const planCadence = createCadencePlanner({ db, log, now: Date.now, targets: () => config.current().targets, capMicroUsd });
	const secrets = openKnownSecrets(shop.settings.configPath);
	const officialEveryMs = config.current().simulated ? 20_000 : 60_000;
	queues.work(
		'judge',
		async ({ data }) => {
			if (data.job === 'publish') {
				// Of a large fleet, just before its sums are read: of five minutes of results at once each row is written once. Burn rates want each.
				if (rollups.isDue(Date.now()) || config.current().objectives.length > 0) await timed('roll-up', () => rollUp({ db, log, now: Date.now }));
				await summarizeSometimes(db, Date.now());
				await timed('publish', () => publisher.publish());
			} else if (data.job === 'official') {
				await timed('official', () =>
					watchOfficialPages({ db, log, now: Date.now, targets: () => config.current().targets, everyMs: officialEveryMs, secrets }),
				);
			} else if (data.job === 'cadence') await timed('cadence', planCadence);
			else if (data.job === 'prune') await timed('prune', () => prune({ db, log, now: Date.now, retentionDays: retentionDays() }));
		},
		{ concurrency: 3, lockMs: 60_000 },
	);
	await keepRegistered(stop, log, async () => {
		const everyMs = config.current().targets.length <= smallFleet ? 10_000 : 15_000;
		const ticks = [
			{ id: 'publish', everyMs, offsetMs: 1_000 },
			// Looked at more often than it is asked: a page is due a while after its last answer.
			{ id: 'official', everyMs: 10_000, offsetMs: 3_000 },
			{ id: 'cadence', everyMs: 30_000, offsetMs: 2_000 },
			{ id: 'prune', everyMs: 600_000, offsetMs: 5_000 },
		];
		await queues.keepTicks(
			'judge',
			ticks.map((tick) => ({ ...tick, data: { job: tick.id } })),
			'kept',
		);
	});
	config.onChange(() => void publisher.publish().catch((error) => log.warn({ problem: String(error) }, 'not published after the change: the next tick does')));
	// The roll-up is left to its tick: of a large fleet that was away it takes a minute, and nobody may wait for it.
	await publisher.publish();
	const evaluator = evaluate(shop, publisher, cadence);
	const sweep = sweepDeadRows(db).catch((error) => log.warn({ problem: String(error) }, 'dead rows not swept: autovacuum does it'));
	const onCall = runOnCall({ ...shop, db, cadence });
	// Their last transaction ends before the pool is closed.
	closing.add('evaluator and on-call', async () => {
		endLoops();
		await Promise.all([evaluator, onCall, sweep]);
	});
}

/** Up to here fresh numbers cost next to nothing, and are published more often than is promised. */
const smallFleet = 1_000;
/** A process that dies is followed by another one this soon. */
const leaseMs = 5_000;
/** While results come they are looked for this often: half of it is the mean delay of a verdict. */
const busyPollMs = 25;
const idlePollMs = 150;

/** One evaluator at a time, whoever has the lease; another process takes over when it expires. */
async function evaluate({ log, config, database: { db }, queues, metrics, roads, stop }: Shop, publisher: Publisher, cadence: CadenceWatch): Promise<void> {
	const holder = `${hostname()}:${process.pid}`;
	const { simulated } = config.current();
	const maintenances = watchMaintenances(db, Date.now);
	const pause = createPauses(stop);
	const plannedTargets = createPlannedTargets();
	const tools: Omit<EvaluatorTools, 'lease'> = {
		db,
		log,
		now: Date.now,
		// Evidence stays fresh, and silence is none, for as long as the plan leaves between two probes.
		targets: () => plannedTargets(config.current().targets, cadence.current()),
		blipMs: () => config.current().verdict.blipMs,
		maintenances: maintenances.windows,
		routes: () => config.current().alerts.routes,
		simulated,
		publicUrl: () => config.current().status.url,
		// The demo's story is short: a key that is refused there is tried again within the minute.
		backOff: simulated ? { firstMs: 45_000, longestMs: 90_000 } : { firstMs: 3_600_000, longestMs: dayMs },
	};
	while (!stop.aborted) {
		try {
			const lease = await acquireLease(db, evaluatorName, holder, leaseMs);
			if (lease === null) {
				await pause(500);
				continue;
			}
			await Promise.all([maintenances.refresh(), cadence.refresh()]);
			const evaluator = await openEvaluator({ ...tools, lease });
			// By the clock that nobody sets.
			let renewAtMs = performance.now() + leaseMs / 3;
			while (!stop.aborted) {
				if (performance.now() >= renewAtMs) {
					if (!(await renewLease(db, lease, leaseMs))) break;
					renewAtMs = performance.now() + leaseMs / 3;
				}
				await Promise.all([maintenances.refresh(), cadence.refresh()]);
				const [startedMs, startedAt] = [performance.now(), Date.now()];
				const judged = await evaluator.step();
				if (judged.resultCount > 0) metrics.ranJob('judge', performance.now() - startedMs);
				roads?.judged(
					judged.results.map(({ result }) => result),
					startedAt,
					Date.now(),
					judged.incidents,
				);
				await follow(judged);
				if (!judged.more) await pause(judged.resultCount > 0 ? busyPollMs : idlePollMs);
			}
			if (stop.aborted) {
				await evaluator.checkpoint();
				await releaseLease(db, lease);
			}
		} catch (error) {
			if (isUnavailable(error)) log.warn({ problem: String(error) }, 'database away: judging waits');
			else log.error({ problem: error instanceof Error ? (error.stack ?? error.message) : String(error) }, 'a step could not be judged: trying again');
			await pause(1_000);
		}
	}

	async function follow({ incidents, doubtsMoved, reprobes }: Judged): Promise<void> {
		for (const { type, incidentId, title, cause, impact, reason } of incidents) log.info({ incidentId, title, cause, impact, reason }, `incident: ${type}`);
		for (const { targetId, vantage, canary, delayMs } of reprobes) {
			const slotAt = Date.now() + delayMs;
			const jobId = `confirm|${targetId}|${canary}|${slotAt}`.replaceAll(':', '~');
			await queues.add(`probe-${vantage}`, { job: 'confirm', targetId, canary, slotAt }, { delayMs, jobId });
		}
		if (incidents.length > 0 || doubtsMoved) await publisher.publishVerdicts();
	}
}
