import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ChannelSettings } from '#alerts/index.ts';
import { defaultPolicy } from '#core/alert.ts';
import { silentLog } from '#core/log.ts';
import type { Objective } from '#core/objective.ts';
import type { OperatorKind } from '#core/operator-alert.ts';
import { spoolGauges } from '#core/spool-pressure.ts';
import { listNotices } from '#db/alert-notices.ts';
import { reserve, settle } from '#db/budget.ts';
import { disableEndpoint } from '#db/channel-states.ts';
import { leaseDueDeliveries, markDelivered, markFailed, replayDeadLetters } from '#db/outbox.ts';
import { insertResults } from '#db/probe-results.ts';
import { writeProcessMetrics } from '#db/process-metrics.ts';
import { createRollupReader } from '#db/rollup-reader.ts';
import { setScheduleProgress } from '#db/schedule-progress.ts';
import { transaction } from '#db/sql.ts';
import { listOpenStandingAlerts } from '#db/standing-alerts.ts';
import { registerTargets } from '#db/targets.ts';
import { type Collector, startCollector } from '#test/collector.ts';
import { createTestDatabase, type TestDatabase } from '#test/postgres.ts';
import { sampleAlert } from '#test/sample-alert.ts';
import { sampleNow, sampleResult, sampleTarget } from '#test/sample-results.ts';
import { owe } from './announce.ts';
import { settingsHash } from './deliver.ts';
import { pingSwitch } from './ping-switch.ts';
import { planMessages } from './plan-alerts.ts';
import { createPublisher } from './publish-snapshot.ts';
import { rollUp } from './roll-up.ts';
import { type WatchTools, watchOperator } from './watch-operator.ts';
import { watchSlos } from './watch-slos.ts';

const minute = 60_000;
const targets = [sampleTarget('acme:small:chat')];
const objective: Objective = {
	...{ id: 'slo-1', title: 'acme: 99 % over 30 d', scope: { provider: 'acme', model: null, operation: null } },
	...{ objectiveRatio: 0.99, periodMs: 30 * 24 * 60 * minute, targetIds: ['acme:small:chat'] },
};
let house: TestDatabase;
let now: number;

beforeEach(async () => {
	house = await createTestDatabase();
	now = sampleNow + 60 * minute;
	await registerTargets(house.db, targets, sampleNow);
});
afterEach(() => house.drop());

async function record(from: number, to: number, bad: boolean) {
	const results = Array.from({ length: to - from }, (_, i) => {
		const slotAt = sampleNow + (from + i) * minute;
		return sampleResult({ slotAt, startedAt: slotAt, ...(bad ? { outcome: 'server_error' as const, sli: 'bad' as const } : {}) });
	});
	await insertResults(house.db, results, { now, retentionDays: 14 });
	await rollUp({ db: house.db, log: silentLog, now: () => now });
}
const shared = () => ({
	...{ db: house.db, log: silentLog, now: () => now, simulated: false, readSecret: () => undefined, channels: () => ({}) },
	routes: () => [{ match: {}, channels: ['pager'], policy: defaultPolicy }],
});
const told = async () => (await listNotices(house.db)).map(({ event }) => [event.type, event.incident.title]);

describe('an objective', () => {
	const watch = () => watchSlos({ ...shared(), objectives: () => [objective], publicUrl: () => null });

	it('that burns too fast alerts once, resolves when it no longer does, and is shown with its budget', async () => {
		await record(0, 60, true);
		await watch();
		await watch();
		expect(await told()).toEqual([['slo.opened', objective.title]]);
		const snapshot = await createPublisher({
			...{ db: house.db, rollups: createRollupReader(house.db), now: () => now, targets: () => targets, simulated: false, drill: null },
			...{ status: () => ({ title: 't', url: null }), intervalMs: () => minute, maintenances: async () => [], objectives: () => [objective] },
		}).publish();
		expect(snapshot.objectives).toMatchObject([{ id: 'slo-1', availability: { good: 0, bad: 60 }, rules: [{ name: 'fast', firing: true }, {}, {}] }]);
		now += 24 * 60 * minute;
		await record(60 + 23 * 60, 60 + 24 * 60, false);
		await record(60 + 17 * 60, 60 + 23 * 60, false);
		await watch();
		expect((await told()).map(([type]) => type)).toContain('slo.resolved');
	});

	it('with two results alerts nobody, however bad they are', async () => {
		await record(58, 60, true);
		await watch();
		expect(await told()).toEqual([]);
	});
});

describe('the operator’s own', () => {
	const giB = 1024 ** 3;
	const well = {
		...{ refused: [] as WatchTools['refused'], targets, budgetUsd: 1_000, upForMs: 60 * minute },
		...{ configProblem: null as string | null, switchProblem: null as string | null, freeBytes: 500 * giB, channels: {} as Record<string, ChannelSettings> },
	};
	let world: typeof well;
	let promised = 0;
	const hook: ChannelSettings = { type: 'webhook', url: 'http://127.0.0.1:9', secretEnv: 'SECRET' };
	const watch = () =>
		watchOperator({
			...shared(),
			...{ refused: world.refused, targets: () => world.targets, budgetUsdPerDay: () => world.budgetUsd, upForMs: () => world.upForMs },
			...{ configProblem: () => world.configProblem, switchProblem: () => world.switchProblem, channels: () => world.channels },
			disk: async () => ({ host: 'h', freeBytes: world.freeBytes, totalBytes: 1_000 * giB }),
		});
	/** Owes a message to the channel; the operator's own routes lead elsewhere. */
	async function promise(channel: string) {
		promised += 1;
		const event = sampleAlert().members[0]!.event;
		const routes = () => [{ match: {}, channels: [channel], policy: { ...defaultPolicy, groupWaitMs: 0 } }];
		await transaction(house.db, (tx) => owe(tx, { subjectId: `inc-${promised}`, transition: 'opened', number: 1, at: now, event }, { routes }));
		await planMessages({ ...shared(), routes, channels: () => ({ [channel]: hook }) });
	}
	const lease = async () => {
		const [delivery] = await leaseDueDeliveries(house.db, now, 1, 1_000);
		if (delivery === undefined) throw new Error('nothing is due');
		return delivery;
	};
	const taken = async () => markDelivered(house.db, await lease(), now, hook);
	const settledAt = (vantage: string, at: number) => setScheduleProgress(house.db, vantage, 0, at);
	const gauges = (leftOut: number, bytes: number) =>
		writeProcessMetrics(house.db, 'fra-1', now, [
			{ name: spoolGauges.leftOut, values: [{ labels: { vantage: 'fra' }, value: leftOut }] },
			{ name: spoolGauges.bytes, values: [{ labels: { vantage: 'fra' }, value: bytes }] },
		]);
	const reserveUsd = (id: string, usd: number) => reserve(house.db, [{ id, estimateMicroUsd: usd * 1e6 }], { now, capMicroUsd: 1e12 });

	interface Trouble {
		readonly raise: () => Promise<unknown> | unknown;
		readonly clear: () => Promise<unknown> | unknown;
	}
	const troubles: Record<OperatorKind, Trouble> = {
		budget_used_up: { raise: () => reserveUsd('slot', 999), clear: () => settle(house.db, 'slot', 1) },
		budget_forecast: {
			raise: async () => {
				await reserveUsd('another', 700);
				await settle(house.db, 'another', 700e6);
			},
			clear: () => (world = { ...world, budgetUsd: 2_000 }),
		},
		vantage_late: { raise: () => settledAt('local', now - 30 * minute), clear: () => settledAt('local', now) },
		outbox_ageing: {
			raise: async () => {
				await promise('chat');
				now += 11 * minute;
			},
			clear: taken,
		},
		channel_failing: {
			raise: () => (world = { ...world, refused: [{ channel: 'mail', reason: 'SMTP: answered 535 at AUTH' }] }),
			clear: () => (world = { ...world, refused: [] }),
		},
		channel_disabled: {
			raise: async () => {
				world = { ...world, channels: { chat: hook } };
				await disableEndpoint(house.db, { channel: 'chat', endpoint: '', settingsHash: settingsHash(hook), disabledAt: now, reason: 'HTTP 410' });
			},
			clear: () => (world = { ...world, channels: { chat: { ...hook, url: 'http://127.0.0.1:9/new' } as ChannelSettings } }),
		},
		dead_letters: {
			raise: async () => {
				await promise('chat');
				await markFailed(house.db, await lease(), { error: 'answered 404', nextAttemptAt: null });
			},
			clear: () => replayDeadLetters(house.db, { deliveryIds: null, channel: 'chat' }, now).then(taken),
		},
		disk_filling: { raise: () => (world = { ...world, freeBytes: giB }), clear: () => (world = { ...world, freeBytes: 500 * giB }) },
		spool_filling: { raise: () => gauges(0.5, 150 * 2 ** 20), clear: () => gauges(0, 0) },
		config_rejected: {
			raise: () => (world = { ...world, configProblem: 'linnet.yaml:3: unknown key' }),
			clear: () => (world = { ...world, configProblem: null }),
		},
		model_retired: {
			raise: () => (world = { ...world, targets: [sampleTarget('acme:small:chat', { lifecycle: 'retired' })] }),
			clear: () => (world = { ...world, targets: [sampleTarget('acme:large:chat')] }),
		},
		switch_unreachable: {
			raise: () => (world = { ...world, switchProblem: 'it answered 500' }),
			clear: () => (world = { ...world, switchProblem: null }),
		},
	};
	it('each trouble is told once, as the operator’s, and resolved when it is over', async () => {
		const own = async () => (await listNotices(house.db)).filter(({ event }) => event.class === 'operator').map(({ event }) => event.type);
		for (const [kind, { raise, clear }] of Object.entries(troubles)) {
			// Another day, all told: nothing of the one before is left.
			now += 24 * 60 * minute;
			await planMessages({ ...shared(), channels: () => ({ pager: hook }) });
			for (const delivery of await leaseDueDeliveries(house.db, now, 10, 1_000)) await markDelivered(house.db, delivery, now, hook);
			world = { ...well };
			const before = await own();
			expect([kind, await watch()]).toEqual([kind, []]);
			await raise();
			await watch();
			await watch();
			expect((await listOpenStandingAlerts(house.db, 'operator')).map((alert) => alert.kind)).toEqual([kind]);
			await clear();
			await watch();
			expect([kind, ...(await own())]).toEqual([kind, ...before, 'operator.opened', 'operator.resolved']);
		}
	});
});

describe('the dead-man’s switch', () => {
	let collector: Collector;
	beforeEach(async () => {
		collector = await startCollector();
	});
	afterEach(() => collector.close());
	const ping = () => pingSwitch({ db: house.db, log: silentLog, now: () => now, intervalMs: () => minute, url: () => `${collector.url}/alive` });

	it('hears nothing before a loop is complete, and nothing while results are not judged', async () => {
		expect(await ping()).toMatchObject({ decision: { complete: false, missing: 'probe' } });
		await record(57, 60, false);
		expect(await ping()).toMatchObject({ decision: { complete: false, missing: 'verdict' } });
		expect(collector.seen).toEqual([]);
	});

	it('hears of a whole loop, and says when it does not take it', async () => {
		await record(57, 60, false);
		await house.db.execute(
			"insert into evaluator_heads (name, journal_number, read_through_seq, doubts, updated_at) select 'detector', 1, max(seq), '[]', now() from probe_results",
		);
		await createPublisher({
			...{ db: house.db, rollups: createRollupReader(house.db), now: () => now, targets: () => targets, simulated: false, drill: null },
			...{ status: () => ({ title: 't', url: null }), intervalMs: () => minute, maintenances: async () => [] },
		}).publish();
		expect(await ping()).toEqual({ decision: { complete: true }, problem: null });
		collector.answer(503);
		expect(await ping()).toMatchObject({ problem: 'it answered 503' });
		expect(collector.seen.map(({ path }) => path)).toEqual(['/alive', '/alive']);
	});
});
