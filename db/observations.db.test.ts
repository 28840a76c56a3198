import { afterEach, beforeEach, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '#test/postgres.ts';
import { sampleNow, sampleTarget } from '#test/sample-results.ts';
import { type Observation, readObservedTraffic, recordObservations } from './observations.ts';
import { type Db, openDb } from './sql.ts';
import { registerTargets } from './targets.ts';

const target = 'acme:small:chat';
let database: TestDatabase;
let db: Db;
beforeEach(async () => {
	database = await createTestDatabase();
	db = database.db;
	await registerTargets(db, [sampleTarget(target), sampleTarget('acme:large:chat')], sampleNow);
});
afterEach(() => database.drop());

const report = (changes: Partial<Observation> = {}): Observation => ({
	source: 'gateway-1',
	id: 'r-1',
	targetId: target,
	fromAt: sampleNow - 60_000,
	toAt: sampleNow,
	outcomes: { ok: 9, server_error: 1 },
	ttft: { buckets: [100, 110], counts: [4, 5] },
	...changes,
});

it('stores a report once, however often and from wherever at once it is sent; the first one stands', async () => {
	const other = openDb({ url: database.url, max: 2 });
	const sent = await Promise.all([recordObservations(db, [report()], sampleNow), recordObservations(other, [report({ outcomes: { ok: 1_000 } })], sampleNow)]);
	await other.close();
	expect(sent.map(({ accepted, duplicates }) => [accepted, duplicates]).sort()).toEqual([
		[0, 1],
		[1, 0],
	]);
	expect(await recordObservations(db, [report(), report({ source: 'gateway-2' }), report({ id: 'r-2' }), report({ id: 'r-2' })], sampleNow)).toEqual({
		accepted: 2,
		duplicates: 2,
		unknownTargets: [],
	});
});

it('names targets that are not measured here and stores the rest', async () => {
	expect(await recordObservations(db, [report(), report({ id: 'r-2', targetId: 'nobody:m/x:chat' })], sampleNow)).toEqual({
		accepted: 1,
		duplicates: 0,
		unknownTargets: ['nobody:m/x:chat'],
	});
});

it('adds up what ended since, per target and source', async () => {
	await recordObservations(
		db,
		[
			report(),
			report({ id: 'r-2', fromAt: sampleNow - 120_000, toAt: sampleNow - 60_000, outcomes: { ok: 1, throttled: 2 }, ttft: { buckets: [90], counts: [1] } }),
			report({ id: 'r-3', toAt: sampleNow - 3_600_000, fromAt: sampleNow - 3_660_000 }),
			report({ source: 'gateway-2', ttft: { buckets: [], counts: [] } }),
		],
		sampleNow,
	);
	const [first, second, ...rest] = await readObservedTraffic(db, sampleNow - 3_600_000);
	expect(first).toEqual({
		targetId: target,
		source: 'gateway-1',
		fromAt: sampleNow - 120_000,
		toAt: sampleNow,
		reportCount: 2,
		outcomes: { ok: 10, server_error: 1, throttled: 2 },
		ttft: { buckets: [90, 100, 110], counts: [1, 4, 5] },
	});
	expect([second?.source, second?.ttft, rest]).toEqual(['gateway-2', { buckets: [], counts: [] }, []]);
});

it('forgets after a week', async () => {
	await recordObservations(db, [report()], sampleNow);
	await recordObservations(
		db,
		[report({ id: 'r-2', fromAt: sampleNow + 7 * 86_400_000, toAt: sampleNow + 7 * 86_400_000 + 1 })],
		sampleNow + 7 * 86_400_000 + 1,
	);
	expect((await readObservedTraffic(db, 0)).map(({ reportCount }) => reportCount)).toEqual([1]);
});
