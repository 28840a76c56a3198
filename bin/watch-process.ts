/** The values that a worker's metrics look up, and their way to the API's `/metrics`. */
import { hostname } from 'node:os';
import { stretchedTargets } from '#core/cadence.ts';
import type { Log } from '#core/log.ts';
import { leftOutRatio, spoolGauges } from '#core/spool-pressure.ts';
import { readBudgetDay } from '#db/budget.ts';
import { readEvaluatorHead } from '#db/evaluator-state.ts';
import { countDeliveries, type DeliveryCount } from '#db/outbox.ts';
import { dayOf } from '#db/partitions.ts';
import { removeProcessMetrics, writeProcessMetrics } from '#db/process-metrics.ts';
import { readLastSeq } from '#db/read-results.ts';
import type { Db } from '#db/sql.ts';
import { readRollUpProgress } from '#db/write-rollups.ts';
import { evaluatorName } from '#workers/evaluator.ts';
import { type LoopLag, watchLoopLag } from '#workers/probe/loop-lag.ts';
import type { Queues } from '#workers/queue.ts';
import type { Recorder } from '#workers/record/create-recorder.ts';
import type { CadenceWatch } from '#workers/watch-cadence.ts';
import type { ConfigSource } from './config-source.ts';
import type { ProcessMetrics } from './process-metrics.ts';
import type { Closing } from './run-role.ts';

const writeEveryMs = 10_000;

export function watchProbing(metrics: ProcessMetrics, vantage: string, { recorder, queues, lag }: { recorder: Recorder; queues: Queues; lag: LoopLag }): void {
	const inVantage = (value: number) => ({ [vantage]: value });
	metrics.watch(spoolGauges.bytes, 'Results on the disk that wait for Postgres', async () => inVantage(await recorder.spooledBytes()), 'vantage');
	const leftOut = async () => inVantage(leftOutRatio(await recorder.pressure()));
	metrics.watch(spoolGauges.leftOut, 'Slots that are not probed since the disk fills, as a share of all', leftOut, 'vantage');
	metrics.watch('linnet_record_pending', 'Results that are not durable yet', async () => inVantage(recorder.pendingCount()), 'vantage');
	const lagOf = async () => inVantage(lag.worstSince(performance.now() - writeEveryMs) / 1_000);
	metrics.watch('linnet_event_loop_delay_seconds', 'Worst delay of a probing process in the last 10 s', lagOf, 'vantage');
	const waiting = async () => inVantage((await queues.counts(`probe-${vantage}`)).waiting);
	metrics.watch('linnet_queue_waiting_jobs', 'Jobs that are due and not begun', waiting, 'vantage');
}

export function watchJudging(metrics: ProcessMetrics, db: Db, config: ConfigSource, now: () => number, cadence: CadenceWatch): void {
	const behind = async (read: () => Promise<number>) => Math.max(0, (await readLastSeq(db)) - (await read()));
	const judged = async () => (await readEvaluatorHead(db, evaluatorName)).readThroughSeq;
	metrics.watch('linnet_evaluator_behind_results', 'Recorded results that are not judged yet', () => behind(judged));
	metrics.watch('linnet_rollup_behind_results', 'Recorded results that are in no sum yet', () => behind(() => readRollUpProgress(db)));
	const sumBy = (key: 'state' | 'channel', counts: readonly DeliveryCount[]) => {
		const sums: Record<string, number> = {};
		for (const one of counts) sums[one[key]] = (sums[one[key]] ?? 0) + one.count;
		return sums;
	};
	const byState = async () => ({ pending: 0, dead: 0, ...sumBy('state', await countDeliveries(db)) });
	metrics.watch('linnet_outbox_deliveries', 'Deliveries by state', byState, 'state');
	const deadByChannel = async () =>
		sumBy(
			'channel',
			(await countDeliveries(db)).filter(({ state }) => state === 'dead'),
		);
	metrics.watch('linnet_outbox_dead_deliveries', 'Deliveries that were given up, by channel', deadByChannel, 'channel');
	metrics.watch('linnet_outbox_oldest_seconds', 'Age of the oldest delivery that is not made yet; 0 without one', async () => {
		const pending = (await countDeliveries(db)).filter(({ state }) => state === 'pending');
		return Math.max(0, ...pending.map(({ oldestAt }) => now() - oldestAt)) / 1_000;
	});
	const today = () => readBudgetDay(db, dayOf(now()));
	metrics.watch('linnet_budget_spent_usd', 'Spent today, UTC', async () => (await today()).spentMicroUsd / 1e6);
	metrics.watch('linnet_budget_reserved_usd', 'Reserved by probes under way', async () => (await today()).reservedMicroUsd / 1e6);
	metrics.watch('linnet_budget_cap_usd', 'What a day may cost', async () => config.current().budget.usdPerDay);
	const stretches = async () => {
		const factors = stretchedTargets(await cadence.refresh()).map(({ cadence: { factor } }) => factor);
		return { targets: factors.length, max: Math.max(1, ...factors) };
	};
	metrics.watch(
		'linnet_cadence_stretched_targets',
		'Targets that a short budget has probed more rarely than configured',
		async () => (await stretches()).targets,
	);
	metrics.watch('linnet_cadence_stretch_max', 'Of the target that is probed most rarely: one slot in so many runs', async () => (await stretches()).max);
	metrics.watch('linnet_config_accepted', '0 while the file on the disk is refused and an older one runs', async () => Number(config.accepted()));
	metrics.watch('linnet_config_targets', 'Targets of the configuration in force', async () => config.current().targets.length);
}

/** Of a process that does not probe: one that does watches it anyway, by vantage. */
export function watchLoop(metrics: ProcessMetrics, role: string, closing: Closing): void {
	const lag = watchLoopLag();
	closing.add('loop lag', () => lag.stop());
	const worst = async () => ({ [role]: lag.worstSince(performance.now() - writeEveryMs) / 1_000 });
	metrics.watch('linnet_process_event_loop_delay_seconds', 'Worst delay of a judging or serving process in the last 10 s', worst, 'role');
}

/** Every 10 s, so that one scrape of the API tells of every process. */
export function publishMetrics(metrics: ProcessMetrics, role: string, db: Db, log: Log, closing: Closing): void {
	const name = `${hostname()}:${process.pid}:${role}`;
	metrics.watch('linnet_process_resident_memory_bytes', 'Of the largest process of a role', async () => ({ [role]: process.memoryUsage.rss() }), 'role');
	let last: Promise<void> = Promise.resolve();
	const write = () => {
		last = last
			.then(async () => writeProcessMetrics(db, name, Date.now(), await metrics.read()))
			.catch((error) => log.debug({ problem: String(error) }, 'metrics not written: trying again'));
	};
	write();
	const timer = setInterval(write, writeEveryMs);
	closing.add('metrics', async () => {
		clearInterval(timer);
		await last;
		await removeProcessMetrics(db, name).catch(() => {});
	});
}
