/** The queries of docs/every-number.md give what is published. */
import { readFile } from 'node:fs/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { quantile } from '#core/histogram.ts';
import { silentLog } from '#core/log.ts';
import { type Outcome, outcomes, sliOf } from '#core/outcome.ts';
import { missedSlot } from '#core/probe-result.ts';
import { mergeRollups } from '#core/rollup.ts';
import { readDayRollups } from '#db/day-rollups.ts';
import { insertResults } from '#db/probe-results.ts';
import { readSeries } from '#db/rollups.ts';
import { registerTargets } from '#db/targets.ts';
import { createRandom } from '#simulator/fleet.ts';
import { createTestDatabase, type TestDatabase } from '#test/postgres.ts';
import { sampleNow, sampleResult, sampleTarget } from '#test/sample-results.ts';
import { rollUp } from '#workers/roll-up.ts';

const id = 'acme:small:chat';
let database: TestDatabase;
beforeEach(async () => {
	database = await createTestDatabase();
	await registerTargets(database.db, [sampleTarget(id)], sampleNow);
});
afterEach(() => database.drop());

test('each documented query says what the rollups say', async () => {
	const random = createRandom(9);
	const results = Array.from({ length: 3_000 }, (_, i) => {
		const outcome = random() < 0.7 ? 'ok' : (outcomes[Math.floor(random() * outcomes.length)] as Outcome);
		const slotAt = sampleNow - i * 60_000;
		const kind = random() < 0.9 ? ('scheduled' as const) : ('confirmation' as const);
		const result = sampleResult({ slotAt, startedAt: slotAt + 1, outcome, sli: sliOf(outcome, random() < 0.5), kind, ttftMs: 50 + random() * 3_000 });
		return random() < 0.05 ? missedSlot(result, 'missed_slot') : result;
	});
	await insertResults(database.db, results, { now: sampleNow });
	await rollUp({ db: database.db, log: silentLog, now: () => sampleNow });

	const page = await readFile(new URL('../docs/every-number.md', import.meta.url), 'utf8');
	const queries = new Map([...page.matchAll(/```sql\n-- (\w+)\n(.+?)```/gs)].map(([, name = '', text = '']) => [name, text]));
	const [fromAt, toAt] = [Date.UTC(2026, 10, 21), Date.UTC(2026, 10, 24)];
	const run = async (name: string) =>
		(await database.db.execute<Record<string, unknown>>(queries.get(name) ?? '', [id, new Date(fromAt).toISOString(), new Date(toAt).toISOString()])) as Record<
			string,
			never
		>[];
	const rollup = mergeRollups((await readSeries(database.db, id, { fromAt, toAt, step: 'hour' })).map((one) => one.rollup));
	const { good, bad, excluded } = rollup;

	expect([...queries.keys()]).toEqual(['availability', 'outcomes', 'capacity', 'quality', 'coverage', 'ttft', 'days', 'cost']);
	expect(good * bad * excluded * rollup.missed).toBeGreaterThan(0);
	expect(await run('availability')).toEqual([{ good, bad, excluded, ratio: good / (good + bad) }]);
	expect(Object.fromEntries((await run('outcomes')).map(({ outcome, count }) => [outcome, count]))).toEqual(rollup.outcomes);
	expect(await run('capacity')).toEqual([{ served: rollup.served, refused: rollup.refused }]);
	expect(await run('quality')).toEqual([{ right: rollup.right, answered: rollup.answered }]);
	expect(await run('coverage')).toEqual([{ slots: rollup.count, missed: rollup.missed }]);
	const [ttft] = (await run('ttft')) as unknown as { count: number; quantiles: number[] }[];
	expect(ttft?.count).toBe(rollup.ttft.counts.reduce((sum, one) => sum + one, 0));
	for (const [i, q] of [0.5, 0.9, 0.95, 0.99].entries()) expect(Math.abs((quantile(rollup.ttft, q) ?? 0) / (ttft?.quantiles[i] ?? 0) - 1)).toBeLessThan(0.0251);
	const days = await readDayRollups(database.db, '2026-11-21', '2026-11-23');
	expect(await run('days')).toEqual(['2026-11-21', '2026-11-22', '2026-11-23'].map((day) => ({ day, ...days.get(id)?.of(Date.parse(day)) })));
	const [cost] = await run('cost');
	expect(Number(cost?.micro_usd)).toBeCloseTo(rollup.costMicroUsd, 3);
	expect([cost?.input_tokens, cost?.output_tokens]).toEqual([rollup.inputTokens, rollup.outputTokens]);
});
