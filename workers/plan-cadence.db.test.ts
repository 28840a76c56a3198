/** From the money that is left to the slots that run: the planner and a worker, on one database. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { silentLog } from '#core/log.ts';
import type { ProbeResult } from '#core/probe-result.ts';
import { shardOf } from '#core/schedule.ts';
import type { Target } from '#core/target.ts';
import { reserve, settle } from '#db/budget.ts';
import { readCadencePlan } from '#db/cadence-plans.ts';
import { openIncident } from '#db/incidents.ts';
import { ensurePartitions } from '#db/partitions.ts';
import { insertResults } from '#db/probe-results.ts';
import { listResults } from '#db/read-results.ts';
import { setScheduleProgress } from '#db/schedule-progress.ts';
import { transaction } from '#db/sql.ts';
import { registerTargets } from '#db/targets.ts';
import { createTestDatabase, type TestDatabase } from '#test/postgres.ts';
import { sampleIncident } from '#test/sample-incident.ts';
import { sampleNow, sampleResult, sampleTarget } from '#test/sample-results.ts';
import { createCadencePlanner } from './plan-cadence.ts';
import { runShard } from './run-shard.ts';
import { shardCount, tickEveryMs } from './shard-ticks.ts';
import { watchCadence } from './watch-cadence.ts';

let house: TestDatabase;
beforeAll(async () => {
	house = await createTestDatabase();
});
afterAll(() => house.drop());

const minute = 60_000;

it('what is left of the day is spread by value: the dear target is probed rarely, its other slots are recorded, an incident brings it back, new money all of it', async () => {
	const { db } = house;
	let now = sampleNow;
	let capMicroUsd = 1e6;
	const ids = Array.from({ length: 100 }, (_, i) => `acme:m${i}:chat`).filter((id) => shardOf(id, shardCount) === 0);
	const [cheapId = '', dearId = ''] = ids;
	const at = (usd: number) => ({ inputUsdPerMTok: usd, outputUsdPerMTok: usd });
	const targets: Target[] = [sampleTarget(cheapId, { intervalMs: 1_000, price: at(0.01) }), sampleTarget(dearId, { intervalMs: 1_000, price: at(10) })];
	await registerTargets(db, targets, sampleNow - 10 * minute);
	await ensurePartitions(db, sampleNow);
	await setScheduleProgress(db, 'local', 0, sampleNow);
	const planCadence = createCadencePlanner({ db, log: silentLog, now: () => now, targets: () => targets, capMicroUsd: () => capMicroUsd });
	const watch = watchCadence(db, silentLog, () => now);
	const tick = async () => {
		const tools = {
			...{ db, log: silentLog, vantage: 'local', now: () => now, targets: () => targets, capMicroUsd: () => capMicroUsd },
			...{ waitUntil: async () => {}, stopping: () => false, cadence: () => watch.refresh() },
			canaryTests: { learn: async () => {}, test: async (_target: Target, _canary: unknown, result: ProbeResult) => result },
			runProbe: async ({ target, slotAt }: { target: Target; slotAt: number }) =>
				sampleResult({ slotAt, startedAt: slotAt, model: target.model, costMicroUsd: 0 }),
			record: async (result: ProbeResult) => void (await insertResults(db, [result], { now, retentionDays: 14 })),
		};
		for (let one = 0; one < 8; one += 1) await runShard(tools, { shard: 0, tickAt: now + one * tickEveryMs });
	};
	const fates = async (id: string) => {
		const { results } = await listResults(db, { targetId: id, limit: 20 });
		return results.reduce<Record<string, number>>((counts, { result: { startedAt, evidence } }) => {
			const fate = startedAt === null ? String(evidence?.subcode) : 'ran';
			return { ...counts, [fate]: (counts[fate] ?? 0) + 1 };
		}, {});
	};

	capMicroUsd = 1e12;
	expect((await planCadence()).cadences).toEqual({});
	await tick();
	expect(await fates(dearId)).toEqual({ ran: 20 });

	// Two days' money was spent by noon.
	now += minute;
	capMicroUsd = 3e6;
	await reserve(db, [{ id: 'before', estimateMicroUsd: 1e6 }], { now, capMicroUsd });
	await settle(db, 'before', 1e6);
	const plan = await planCadence();
	expect(plan.leftMicroUsd).toBe(2e6);
	expect(plan.plannedMicroUsd).toBeLessThanOrEqual(plan.leftMicroUsd);
	expect(Object.keys(plan.cadences)).toEqual([dearId]);
	const factor = plan.cadences[dearId]?.factor ?? 0;
	expect(factor).toBeGreaterThanOrEqual(4);
	await tick();
	expect(await fates(cheapId)).toEqual({ ran: 20 });
	const stretched = await fates(dearId);
	expect((stretched.ran ?? 0) * factor).toBeLessThan(20 + factor);
	expect(stretched.budget_stretched).toBe(20 - (stretched.ran ?? 0));
	const { revision } = (await readCadencePlan(db)) ?? {};
	now += 30_000;
	await planCadence();
	expect((await readCadencePlan(db))?.revision, 'what did not change is not written again').toBe(revision);

	await transaction(db, (tx) => openIncident(tx, sampleIncident({ startedAt: now, detectedAt: now, targetIds: [dearId] })));
	now += 30_000;
	const pressed = await planCadence();
	expect(pressed.cadences[dearId]).toMatchObject({ reason: 'incident' });
	expect(pressed.cadences[dearId]?.factor).toBeLessThan(factor);

	now += 30_000;
	capMicroUsd = 1e12;
	const relieved = await planCadence();
	expect(relieved.cadences[dearId]).toMatchObject({ factor: 1, baseFactor: 1, slack: { untilAt: expect.any(Number) } });
	await tick();
	expect(await fates(dearId)).toEqual({ ran: 20 });
	// Nobody plans any more: after ten minutes every slot runs, and the cap alone holds.
	now += 11 * minute;
	expect(await watch.refresh()).toBeNull();
});
