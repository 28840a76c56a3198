import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { defaultPolicy } from '#core/alert.ts';
import { silentLog } from '#core/log.ts';
import type { Objective } from '#core/objective.ts';
import { listNotices } from '#db/alert-notices.ts';
import { insertResults } from '#db/probe-results.ts';
import { createRollupReader } from '#db/rollup-reader.ts';
import { setScheduleProgress } from '#db/schedule-progress.ts';
import { registerTargets } from '#db/targets.ts';
import { type Collector, startCollector } from '#test/collector.ts';
import { createTestDatabase, type TestDatabase } from '#test/postgres.ts';
import { sampleNow, sampleResult, sampleTarget } from '#test/sample-results.ts';
import { pingSwitch } from './ping-switch.ts';
import { createPublisher } from './publish-snapshot.ts';
import { rollUp } from './roll-up.ts';
import { watchOperator } from './watch-operator.ts';
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
	let problem: string | null;
	const watch = () =>
		watchOperator({
			...shared(),
			...{ refused: [], targets: () => targets, budgetUsdPerDay: () => 1_000, switchProblem: () => null },
			upForMs: () => 60 * minute,
			configProblem: () => problem,
			disk: async () => ({ host: 'h', freeBytes: 1e9, totalBytes: 1e12 }),
		});

	it('troubles are told once each, as the operator’s, and resolved when they are over', async () => {
		problem = 'linnet.yaml:3: unknown key';
		await setScheduleProgress(house.db, 'local', 0, now - 30 * minute);
		await watch();
		await watch();
		const opened = await listNotices(house.db);
		expect(opened.map(({ event }) => event.type)).toEqual(['operator.opened', 'operator.opened', 'operator.opened']);
		expect(new Set(opened.map(({ event }) => event.class))).toEqual(new Set(['operator']));
		problem = null;
		await setScheduleProgress(house.db, 'local', 0, now);
		await watch();
		expect((await told()).slice(3).map(([type]) => type)).toEqual(['operator.resolved', 'operator.resolved']);
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
