import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createTestDatabase, type TestDatabase } from '#test/postgres.ts';
import { sampleNow, sampleResult, sampleTarget } from '#test/sample-results.ts';
import { insertResults } from './probe-results.ts';
import { readResultsAfter } from './read-results.ts';
import { advisoryLocks } from './sql.ts';
import { registerTargets } from './targets.ts';
import { tightenDays } from './tighten-days.ts';

const dayMs = 86_400_000;
const today = Math.floor(sampleNow / dayMs) * dayMs;
const slots = 200;
const models = Array.from({ length: 250 }, (_, i) => `m${i}`);
let database: TestDatabase;
beforeEach(async () => {
	database = await createTestDatabase();
});
afterEach(() => database.drop());

it('a day that is over takes less room, holds the same results, and is left alone then; today is not touched, nor what another process is at', async () => {
	const { db } = database;
	await registerTargets(
		db,
		models.map((model) => sampleTarget(`acme:${model}:chat`)),
		sampleNow,
	);
	// As they come: each slot of every target, then the next one.
	for (const day of [today - 2 * dayMs, today])
		for (let slot = 0; slot < slots; slot += 1) {
			const slotAt = day + slot * 60_000;
			await insertResults(
				db,
				models.map((model) => sampleResult({ model, slotAt, startedAt: slotAt })),
				{ now: sampleNow + dayMs },
			);
		}
	await db.execute('vacuum analyze probe_results');
	const sizes = async () =>
		(
			await db.execute<{ bytes: number }>(
				`select pg_relation_size(i.indexrelid) as bytes from pg_index i join pg_class c on c.oid = i.indrelid
				where c.relname ~ '^probe_results_[0-9]{8}$' and i.indisunique and pg_relation_size(c.oid) > 0 order by c.relname`,
			)
		).map(({ bytes }) => bytes);
	const before = await sizes();
	const results = await readResultsAfter(db, 0, 100_000);
	// Left by a process that was killed while it did this.
	const [{ name }] = (await db.execute<{ name: string }>(
		"select relname as name from pg_class where relname ~ '^probe_results_[0-9]{8}$' order by relname limit 1",
	)) as [{ name: string }];
	await db.execute(`create unique index ${name}_slot_ccnew on ${name} (slot_at, series_key)`);
	await db.execute(`update pg_index set indisvalid = false where indexrelid = '${name}_slot_ccnew'::regclass`);

	const other = await db.pool.connect();
	await other.query(`select pg_advisory_lock(${advisoryLocks.tighten})`);
	expect(await tightenDays(db, today - dayMs)).toEqual([]);
	other.release(true);
	await vi.waitUntil(async () => (await tightenDays(db, today - dayMs)).length === 1);
	const after = await sizes();
	expect([before.length, after.length]).toEqual([2, 2]);
	expect((before[0] ?? 0) / (slots * models.length)).toBeGreaterThan(36);
	expect((after[0] ?? 0) / (slots * models.length)).toBeLessThan(33);
	expect(after[1]).toBe(before[1]);
	expect(await readResultsAfter(db, 0, 100_000)).toEqual(results);
	expect(await db.execute("select from pg_class where relname ~ '_cc(new|old)'")).toEqual([]);
	expect(await tightenDays(db, today - dayMs)).toEqual([]);
	const late = sampleResult({ model: 'm1', slotAt: today - 2 * dayMs + slots * 60_000, startedAt: today - 2 * dayMs + slots * 60_000 });
	const first = await insertResults(db, [late], { now: sampleNow });
	const again = await insertResults(db, [late], { now: sampleNow });
	expect([first.inserted, again.duplicates]).toEqual([1, 1]);
});
