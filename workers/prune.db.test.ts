import { afterEach, beforeEach, expect, it } from 'vitest';
import { silentLog } from '#core/log.ts';
import { readBudgetDay, reserve, settle } from '#db/budget.ts';
import { dayOf } from '#db/partitions.ts';
import { insertResults } from '#db/probe-results.ts';
import { listQuarantine } from '#db/quarantine.ts';
import { readResultsAfter } from '#db/read-results.ts';
import { readSeries } from '#db/rollups.ts';
import { registerTargets } from '#db/targets.ts';
import { createTestDatabase, type TestDatabase } from '#test/postgres.ts';
import { sampleNow, sampleResult, sampleTarget } from '#test/sample-results.ts';
import { prune } from './prune.ts';
import { rollUp } from './roll-up.ts';

let database: TestDatabase;
beforeEach(async () => {
	database = await createTestDatabase();
});
afterEach(() => database.drop());

const dayMs = 86_400_000;

it('drops raw results, fine rollups and the quarantine at their ages, and keeps the days for ever', async () => {
	const { db } = database;
	await registerTargets(db, [sampleTarget('acme:small:chat')], sampleNow);
	const ages = [0, 13, 20, 130, 500];
	const results = ages.map((age) => sampleResult({ slotAt: sampleNow - age * dayMs }));
	await insertResults(db, results, { now: sampleNow, retentionDays: 1_000 });
	await insertResults(db, [sampleResult({ model: 'unknown' })], { now: sampleNow });
	await rollUp({ db, log: silentLog, now: () => sampleNow });
	const tools = { db, log: silentLog, retentionDays: 14 };
	await prune({ ...tools, now: () => sampleNow });
	await prune({ ...tools, now: () => sampleNow });
	expect((await readResultsAfter(db, 0, 10)).map(({ result }) => (sampleNow - result.slotAt) / dayMs)).toEqual([0, 13]);
	const kept = async (step: 'five_minutes' | 'hour' | 'day') => (await readSeries(db, 'acme:small:chat', { fromAt: 0, toAt: sampleNow + dayMs, step })).length;
	expect([await kept('five_minutes'), await kept('hour'), await kept('day')]).toEqual([3, 4, 5]);
	expect(await listQuarantine(db, 9)).toHaveLength(1);
	await prune({ ...tools, now: () => Date.now() + 15 * dayMs });
	expect(await listQuarantine(db, 9)).toHaveLength(0);
});

it('forgets a reservation of hours ago once it is settled, and never what it cost', async () => {
	const { db } = database;
	const hourMs = 3_600_000;
	for (const [id, hoursAgo] of [
		['old', 3],
		['crashed', 2],
		['new', 0.5],
	] as const)
		await reserve(db, [{ id, estimateMicroUsd: 10 }], { now: sampleNow - hoursAgo * hourMs, capMicroUsd: 100 });
	await settle(db, 'old', 4);
	await settle(db, 'new', 4);
	const left = async () => (await db.execute<{ id: string }>('select reservation_id as id from budget_reservations order by 1')).map(({ id }) => id);
	await prune({ db, log: silentLog, now: () => sampleNow, retentionDays: 14 });
	expect(await left()).toEqual(['new']);
	expect(await readBudgetDay(db, dayOf(sampleNow))).toEqual({ reservedMicroUsd: 0, spentMicroUsd: 18 });
});

it('makes the days ahead, so that no result waits for its table', async () => {
	const { db } = database;
	await prune({ db, log: silentLog, now: () => sampleNow, retentionDays: 14 });
	const days = await db.execute<{ name: string }>("select relname as name from pg_class where relname ~ '^probe_results_[0-9]{8}$' order by 1");
	expect(days.map(({ name }) => name.slice(-2))).toEqual(['22', '23', '24', '25', '26']);
});

it('a year goes by: results of each day and late ones, each in its own day; what is kept stays as large as its retention', { timeout: 120_000 }, async () => {
	const { db } = database;
	const target = sampleTarget('acme:small:chat');
	await registerTargets(db, [target], sampleNow - 366 * dayMs);
	let retentionDays = 14;
	let dropped = 0;
	for (let ago = 365; ago >= 0; ago -= 1) {
		const now = sampleNow - ago * dayMs;
		// In the middle of the year the operator keeps results for a shorter time.
		if (ago === 180) retentionDays = 7;
		dropped += (await prune({ db, log: silentLog, now: () => now, retentionDays })).length;
		const late = ago % 20 === 0 ? [sampleResult({ slotAt: now - 3 * dayMs - 61_000, startedAt: now - 3 * dayMs - 61_000 })] : [];
		await insertResults(db, [sampleResult({ slotAt: now - 1_000, startedAt: now - 1_000 }), ...late], { now, retentionDays });
		await rollUp({ db, log: silentLog, now: () => now });
	}
	const partitions = await db.execute<{ name: string }>("select relname as name from pg_class where relname ~ '^probe_results_[0-9]{8}$' order by 1");
	expect(partitions.length).toBeLessThanOrEqual(retentionDays + 2 + 3);
	expect(dropped).toBeGreaterThan(340);
	expect(await db.execute('select from probe_results_default')).toEqual([]);
	const kept = (await readResultsAfter(db, 0, 100)).map(({ result }) => Math.round((sampleNow - result.slotAt) / dayMs));
	expect(Math.max(...kept)).toBeLessThanOrEqual(retentionDays + 1);
	const days = await readSeries(db, target.id, { fromAt: 0, toAt: sampleNow + dayMs, step: 'day' });
	expect(days.length).toBeGreaterThanOrEqual(366);
	expect(days.reduce((sum, { rollup }) => sum + rollup.good, 0)).toBe(366 + 19);
});
