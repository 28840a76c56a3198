import { afterEach, beforeEach, expect, test } from 'vitest';
import { silentLog } from '#core/log.ts';
import { type Outcome, outcomes, sliOf } from '#core/outcome.ts';
import { packDays } from '#db/packed-rollups.ts';
import { ensureDayPartitions } from '#db/partitions.ts';
import { insertResults } from '#db/probe-results.ts';
import { readSeries } from '#db/rollups.ts';
import { registerTargets } from '#db/targets.ts';
import { createRandom } from '#simulator/fleet.ts';
import { createTestDatabase, type TestDatabase } from '#test/postgres.ts';
import { sampleNow, sampleResult, sampleTarget } from '#test/sample-results.ts';
import { rebuildRollups } from './rebuild-rollups.ts';
import { rollUp } from './roll-up.ts';

const dayMs = 86_400_000;
const id = 'acme:small:chat';
let database: TestDatabase;
beforeEach(async () => {
	database = await createTestDatabase();
	await registerTargets(database.db, [sampleTarget(id)], sampleNow);
	const random = createRandom(5);
	const results = Array.from({ length: 1_500 }, (_, i) => {
		const slotAt = sampleNow - Math.floor((i * 4 * dayMs) / 1_500);
		const outcome = random() < 0.8 ? 'ok' : (outcomes[Math.floor(random() * outcomes.length)] as Outcome);
		const kind = random() < 0.9 ? ('scheduled' as const) : ('confirmation' as const);
		return sampleResult({ slotAt, startedAt: slotAt + 1, outcome, sli: sliOf(outcome, true), kind, ttftMs: random() * 3_000, costMicroUsd: random() * 90 });
	});
	await insertResults(database.db, results, { now: sampleNow, retentionDays: 400 });
	await rollUp({ db: database.db, log: silentLog, now: () => sampleNow });
});
afterEach(() => database.drop());

const steps = ['five_minutes', 'hour', 'day'] as const;
const everything = async () => Promise.all(steps.map((step) => readSeries(database.db, id, { fromAt: sampleNow - 9 * dayMs, toAt: sampleNow + dayMs, step })));
const rebuild = (checkOnly: boolean, days: { fromDay?: string; toDay?: string } = {}) =>
	rebuildRollups(database.db, { checkOnly, now: sampleNow, log: silentLog, ...days });

test('the rollups are rebuilt from raw to the same digits, packed days too', async () => {
	const before = await everything();
	await packDays(database.db, sampleNow - dayMs);
	const days = await rebuild(false);
	expect(days.map(({ day }) => day)).toEqual(['2026-11-19', '2026-11-20', '2026-11-21', '2026-11-22', '2026-11-23']);
	expect(days.flatMap(({ changed }) => changed)).toEqual([]);
	expect(days.every(({ rollups }) => rollups > 100)).toBe(true);
	expect(await everything()).toEqual(before);
});

test('a rollup that was changed, lost or stands for nothing is named by a check, which mends nothing, and mended by the rebuild', async () => {
	const before = await everything();
	const { db } = database;
	await db.execute("update linnet.rollups_hour set good_count = good_count + 1 where bucket_at = '2026-11-21T05:00Z'");
	await db.execute("delete from linnet.rollups_5m where bucket_at >= '2026-11-22T10:00Z' and bucket_at < '2026-11-22T10:05Z'");
	await db.execute(
		"insert into linnet.rollups_day select (jsonb_populate_record(d, '{\"series_key\": 7777}')).* from linnet.rollups_day d where bucket_at = '2026-11-20'",
	);
	const spoiled = await everything();
	const places = (await rebuild(true)).flatMap(({ changed }) => changed.map((place) => place.replace(/ \d+ /, ' ')));
	expect(new Set(places)).toEqual(new Set(['hour 2026-11-21T05:00:00.000Z', 'five_minutes 2026-11-22T10:00:00.000Z', 'day 2026-11-20T00:00:00.000Z']));
	expect(await everything()).toEqual(spoiled);
	await rebuild(false, { fromDay: '2026-11-20', toDay: '2026-11-22' });
	expect(await everything()).toEqual(before);
	expect((await rebuild(true)).flatMap(({ changed }) => changed)).toEqual([]);
});

test('a day whose raw results are gone keeps its rollups, also when it has an empty partition', async () => {
	const { db } = database;
	await ensureDayPartitions(db, ['2026-11-10']);
	await db.execute(
		'insert into linnet.rollups_day select (jsonb_populate_record(d, \'{"bucket_at": "2026-11-10T00:00:00Z"}\')).* from linnet.rollups_day d where bucket_at = \'2026-11-20\'',
	);
	const old = () => db.execute("select * from linnet.rollups_day where bucket_at = '2026-11-10'");
	const before = await old();
	expect(before).toHaveLength(1);
	expect((await rebuild(false)).map(({ day }) => day)).not.toContain('2026-11-10');
	expect(await old()).toEqual(before);
});
