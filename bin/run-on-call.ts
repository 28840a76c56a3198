/** What on-call relies on: messages are planned and sent, the operator's own troubles and the error budgets are watched, the world outside hears that we live. */
import { statfs } from 'node:fs/promises';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { plannedIntervalMs } from '#core/cadence.ts';
import type { Log } from '#core/log.ts';
import type { OperatorFacts } from '#core/operator-alert.ts';
import { acquireLease, releaseLease, renewLease } from '#db/leases.ts';
import { syncFileMaintenances } from '#db/maintenances.ts';
import { type Db, transaction } from '#db/sql.ts';
import { announceOverrides } from '#workers/announce-overrides.ts';
import { deliver } from '#workers/deliver.ts';
import { pingSwitch } from '#workers/ping-switch.ts';
import { planMessages } from '#workers/plan-alerts.ts';
import type { CadenceWatch } from '#workers/watch-cadence.ts';
import { findRefusingChannels, watchOperator } from '#workers/watch-operator.ts';
import { watchSlos } from '#workers/watch-slos.ts';
import type { ConfigSource } from './config-source.ts';
import type { Settings } from './environment.ts';

export interface OnCallTools {
	readonly settings: Settings;
	readonly log: Log;
	readonly config: ConfigSource;
	readonly db: Db;
	readonly cadence: CadenceWatch;
	readonly stop: AbortSignal;
}

const deliverEveryMs = 500;
const watchEveryMs = 10_000;
const leaseMs = 45_000;
const verifyEveryMs = 300_000;
const watcherName = 'on-call';

const readSecret = (name: string) => process.env[name];

/** Ends when `stop` aborts and what is under way has ended. */
export async function runOnCall(tools: OnCallTools): Promise<void> {
	await Promise.all([sendMessages(tools), keepWatch(tools)]);
}

async function sendMessages({ log, config, db, stop }: OnCallTools): Promise<void> {
	const underWay = new Set<Promise<void>>();
	const { routes, channels } = { routes: () => config.current().alerts.routes, channels: () => config.current().alerts.channels };
	const tools = {
		...{ db, log, now: Date.now, routes, channels, readSecret, random: Math.random, simulated: config.current().simulated },
		targets: () => config.current().targets,
		publicUrl: () => config.current().status.url,
	};
	while (!stop.aborted) {
		try {
			await announceOverrides(tools);
			await planMessages(tools);
			for (const delivery of await deliver(tools)) {
				const ended: Promise<void> = delivery
					.catch((error) => log.warn({ problem: String(error) }, 'a delivery was not recorded: its lease runs out and it is sent again'))
					.finally(() => underWay.delete(ended));
				underWay.add(ended);
			}
		} catch (error) {
			log.warn({ problem: String(error) }, 'alerts not planned or read: trying again');
		}
		await pause(deliverEveryMs, stop);
	}
	await Promise.all(underWay);
}

/** One process watches at a time: what it finds of its disk and its file would be no finding of another's. */
async function keepWatch({ settings, log, config, db, stop, cadence }: OnCallTools): Promise<void> {
	const startedAt = Date.now();
	let refused: OperatorFacts['refusedChannels'] = [];
	let verifiedAt = Number.NEGATIVE_INFINITY;
	let switchProblem: string | null = null;
	let pingedAt = Number.NEGATIVE_INFINITY;
	let synced = '';
	const { simulated } = config.current();
	const current = () => config.current();
	const shared = { db, log, now: Date.now, readSecret, simulated, routes: () => current().alerts.routes, channels: () => current().alerts.channels };

	const watch = async () => {
		const { alerts, maintenances, deadManSwitch, targets } = current();
		const announced = JSON.stringify(maintenances);
		if (announced !== synced) {
			const createdAt = Date.now();
			const announcements = maintenances.map((one) => ({
				...one,
				source: 'file' as const,
				createdBy: settings.configPath.split('/').at(-1) ?? 'file',
				createdAt,
			}));
			await transaction(db, (tx) => syncFileMaintenances(tx, announcements, createdAt));
			synced = announced;
		}
		if (Date.now() - verifiedAt >= verifyEveryMs) {
			verifiedAt = Date.now();
			refused = await findRefusingChannels(shared, alerts.channels);
			for (const { channel, reason } of refused) log.error({ channel, reason }, 'a mail server refuses: its channel will not be told');
		}
		if (deadManSwitch === null) switchProblem = null;
		else if (Date.now() - pingedAt >= deadManSwitch.everyMs - watchEveryMs / 2) {
			const plan = await cadence.refresh();
			const intervalMs = () => Math.min(...targets.map((target) => plannedIntervalMs(target, plan, Date.now())));
			const { problem, decision } = await pingSwitch({ db, log, now: Date.now, intervalMs, url: () => process.env[deadManSwitch.urlEnv] });
			if (decision.complete) pingedAt = Date.now();
			switchProblem = problem;
		}
		await watchSlos({ ...shared, objectives: () => current().objectives, publicUrl: () => current().status.url });
		await watchOperator({
			...shared,
			refused,
			targets: () => current().targets,
			upForMs: () => Date.now() - startedAt,
			budgetUsdPerDay: () => current().budget.usdPerDay,
			configProblem: () => config.problem(),
			disk: () => readDisk(settings.dataDir),
			switchProblem: () => switchProblem,
		});
	};
	// A changed channel is asked at once.
	config.onChange(() => {
		verifiedAt = Number.NEGATIVE_INFINITY;
	});
	const holder = `${hostname()}:${process.pid}`;
	while (!stop.aborted) {
		try {
			const lease = await acquireLease(db, watcherName, holder, leaseMs);
			while (lease !== null && !stop.aborted) {
				await watch();
				await pause(watchEveryMs, stop);
				if (!stop.aborted && !(await renewLease(db, lease, leaseMs))) break;
			}
			if (lease !== null && stop.aborted) await releaseLease(db, lease);
		} catch (error) {
			log.warn({ problem: String(error) }, 'not watched: trying again');
		}
		await pause(watchEveryMs, stop);
	}
}

async function readDisk(dir: string): Promise<OperatorFacts['disk']> {
	try {
		const { bavail, blocks, bsize } = await statfs(dir);
		return { host: hostname(), freeBytes: bavail * bsize, totalBytes: blocks * bsize };
	} catch {
		// No data directory: this process keeps nothing on a disk.
		return null;
	}
}

async function pause(ms: number, stop: AbortSignal): Promise<void> {
	await sleep(ms, undefined, { signal: stop }).catch(() => {});
}
