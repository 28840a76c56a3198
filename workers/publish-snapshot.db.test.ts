import { afterEach, beforeEach, expect, it } from 'vitest';
import { silentLog } from '#core/log.ts';
import type { TargetView } from '#core/snapshot.ts';
import { reserve } from '#db/budget.ts';
import { openIncident, resolveIncident } from '#db/incidents.ts';
import { dayOf } from '#db/partitions.ts';
import { insertResults } from '#db/probe-results.ts';
import { createRollupReader, type RollupReader } from '#db/rollup-reader.ts';
import { transaction } from '#db/sql.ts';
import { createEvidenceReader } from '#db/target-evidence.ts';
import { registerTargets } from '#db/targets.ts';
import { createTestDatabase, type TestDatabase } from '#test/postgres.ts';
import { sampleIncident } from '#test/sample-incident.ts';
import { sampleNow, sampleResult, sampleTarget } from '#test/sample-results.ts';
import { createPublisher, type PublishTools } from './publish-snapshot.ts';
import { rollUp } from './roll-up.ts';

const targets = [sampleTarget('acme:small:chat')];
let database: TestDatabase;
let now: number;

beforeEach(async () => {
	database = await createTestDatabase();
	now = sampleNow + 1_000;
	await registerTargets(database.db, targets, sampleNow - 3_600_000);
	await insertResults(database.db, [sampleResult()], { now, retentionDays: 14 });
	await rollUp({ db: database.db, log: silentLog, now: () => now });
});
afterEach(() => database.drop());

const publisherWith = (overrides: Partial<PublishTools> = {}) =>
	createPublisher({
		...{ db: database.db, rollups: createRollupReader(database.db), now: () => now, targets: () => targets, simulated: false, drill: null },
		...{ status: () => ({ title: 't', url: null }), intervalMs: () => 60_000, maintenances: async () => [] },
		...overrides,
	});
const open = () => transaction(database.db, (tx) => openIncident(tx, sampleIncident()));

it('a verdict is told at once, with the numbers of the last whole publication', async () => {
	let reads = 0;
	const rollups = createRollupReader(database.db);
	const counting: RollupReader = {
		...rollups,
		windows(at) {
			reads += 1;
			return rollups.windows(at);
		},
	};
	const publisher = publisherWith({ rollups: counting });
	expect(await publisher.publishVerdicts()).toMatchObject({ number: 1, targets: [{ state: 'operational', availability: { '1d': { good: 1 } } }] });
	await open();
	now += 100;
	expect(await publisher.publishVerdicts()).toMatchObject({
		number: 2,
		generatedAt: new Date(now).toISOString(),
		targets: [{ state: 'major_outage', incident: 'i-1', availability: { '1d': { good: 1 } } }],
	});
	expect(reads).toBe(1);
});

it('numbers that are too old, or of another configuration, are read anew first', async () => {
	let configured = targets;
	const publisher = publisherWith({ targets: () => configured });
	await publisher.publish();
	await insertResults(database.db, [sampleResult({ slotAt: sampleNow + 60_000, startedAt: sampleNow + 60_000 })], { now: now + 60_000, retentionDays: 14 });
	await rollUp({ db: database.db, log: silentLog, now: () => now });
	now += 61_000;
	expect((await publisher.publishVerdicts()).targets[0]?.availability['1d'].good).toBe(2);
	configured = [...targets, sampleTarget('acme:large:chat')];
	expect((await publisher.publishVerdicts()).targets.map(({ id }) => id)).toEqual(['acme:small:chat', 'acme:large:chat']);
});

it('a verdict does not wait for new numbers that are being made: it is told with those of before', async () => {
	const { promise: gate, resolve: release } = Promise.withResolvers<void>();
	const asked = Promise.withResolvers<void>();
	let isHeld = false;
	const rollups = createRollupReader(database.db);
	const publisher = publisherWith({
		// What a window keeps depends on how long it took to read.
		rollups: { ...rollups, windows: (at) => createRollupReader(database.db).windows(at) },
		async maintenances() {
			if (isHeld) {
				isHeld = false;
				asked.resolve();
				await gate;
			}
			return [];
		},
	});
	await publisher.publish();
	await insertResults(database.db, [sampleResult({ slotAt: sampleNow - 60_000, startedAt: sampleNow - 60_000 })], { now, retentionDays: 14 });
	now += 11_000;
	await rollUp({ db: database.db, log: silentLog, now: () => now });
	isHeld = true;
	const begun = publisher.publish();
	await asked.promise;
	await open();
	const told = await publisher.publishVerdicts();
	expect(told).toMatchObject({ number: 2, targets: [{ incident: 'i-1', availability: { '1d': { good: 1 } } }] });
	release();
	expect(await begun).toMatchObject({ number: 3, targets: [{ incident: 'i-1', availability: { '1d': { good: 2 } } }] });
});

it('a publication that began before a verdict and ends after it does not put it back', async () => {
	let release = () => {};
	const gate = new Promise<void>((resolve) => {
		release = resolve;
	});
	const rollups = createRollupReader(database.db);
	const slow = publisherWith({ rollups: { ...rollups, days: (at) => gate.then(() => rollups.days(at)) } });
	const fast = publisherWith();
	const begun = slow.publish();
	await open();
	expect((await fast.publishVerdicts()).targets[0]?.incident).toBe('i-1');
	release();
	expect((await begun).targets[0]?.incident).toBe('i-1');
	await transaction(database.db, (tx) => resolveIncident(tx, 'i-1', { update: { at: now, status: 'resolved', body: 'Well.' } }));
	expect((await slow.publishVerdicts()).targets[0]?.incident).toBeNull();
});

it('a target without news keeps its very text, and for a minute also where only its longer windows were read anew; one with news is written anew', async () => {
	const all = [...targets, sampleTarget('acme:large:chat'), sampleTarget('acme:silent:chat')];
	await registerTargets(database.db, all, sampleNow - 3_600_000);
	await insertResults(database.db, [sampleResult({ model: 'large' })], { now, retentionDays: 14 });
	await rollUp({ db: database.db, log: silentLog, now: () => now });
	const clock = { rollups: now };
	const rollups = createRollupReader(database.db);
	const publisher = publisherWith({
		targets: () => all,
		// What was read stays for as long as this clock stands.
		rollups: { ...rollups, windows: () => rollups.windows(clock.rollups), days: () => rollups.days(clock.rollups) },
	});
	const publish = async () => {
		const { targets: written } = await publisher.publish();
		return { written, views: written.map(({ text }) => JSON.parse(text) as TargetView) };
	};
	const first = await publish();
	await insertResults(database.db, [sampleResult({ slotAt: sampleNow + 60_000, startedAt: sampleNow + 60_000 })], { now: now + 60_000, retentionDays: 14 });
	now += 61_000;
	const second = await publish();
	expect(second.views[0]?.measuredAt).toBe(new Date(sampleNow + 60_000).toISOString());
	expect(second.written.slice(1)).toEqual(first.written.slice(1));
	now += 15_000;
	const third = await publish();
	expect(third.written[1]).toBe(first.written[1]);
	// What was due is counted up to when what ran was.
	expect(third.views.map(({ coverage }) => coverage.due)).toEqual([56, 56, 56]);
	now += 76_000;
	clock.rollups = now;
	expect((await publish()).views.map(({ coverage }) => coverage.due)).toEqual([58, 58, 59]);
	expect(first.views.map(({ coverage }) => coverage.due)).toEqual([56, 56, 56]);
});

it('tells what the probes cost only where the operator shows it', async () => {
	expect(await publisherWith().publish()).not.toHaveProperty('spend');
	expect(await publisherWith({ capMicroUsdPerDay: () => null }).publish()).not.toHaveProperty('spend');
	await reserve(database.db, [{ id: 'a', estimateMicroUsd: 1_200 }], { now, capMicroUsd: 5_000 });
	const { spend } = await publisherWith({ capMicroUsdPerDay: () => 5_000 }).publish();
	expect(spend).toMatchObject({ todayMicroUsd: 1_200, capMicroUsdPerDay: 5_000, forecastProbesPerDay: 1_440 });
});

it('the evidence of a target’s page: its newest results, and each day’s latency of the canary with the most answers', async () => {
	const day = 86_400_000;
	const results = [
		...Array.from({ length: 24 }, (_, i) => sampleResult({ slotAt: sampleNow - (i + 1) * 60_000, startedAt: sampleNow - (i + 1) * 60_000, ttftMs: 200 })),
		sampleResult({ slotAt: sampleNow - 3 * day, startedAt: sampleNow - 3 * day, ttftMs: 900 }),
		sampleResult({ slotAt: sampleNow - 90_000, startedAt: sampleNow - 90_000, canary: 'other', ttftMs: 5_000 }),
	];
	await insertResults(database.db, results, { now, retentionDays: 14 });
	await rollUp({ db: database.db, log: silentLog, now: () => now });
	const evidence = (await createEvidenceReader(database.db).read(now, null)).get(targets[0]?.id ?? '');
	expect(evidence?.results).toHaveLength(20);
	expect(evidence?.results.slice(0, 3).map(({ slotAt, canary }) => [slotAt - sampleNow, canary])).toEqual([
		[0, 'echo'],
		[-60_000, 'echo'],
		[-90_000, 'other'],
	]);
	expect(evidence?.canary).toBe('echo');
	expect(evidence?.latencyDays.map(({ date, count }) => [date, count])).toEqual([
		[dayOf(sampleNow - 3 * day), 1],
		[dayOf(sampleNow), 25],
	]);
	expect(evidence?.latencyDays[0]?.p50Ms).toBeCloseTo(900, -2);
	const [own, other] = targets.map(({ id }) => id);
	const some = createEvidenceReader(database.db);
	expect([...(await some.read(now, [other ?? ''])).values()].map(({ results: found }) => found.length)).toEqual([0]);
	expect((await some.read(now, [own ?? ''])).get(own ?? '')).toEqual(evidence);
});
