import { afterEach, beforeEach, expect, it } from 'vitest';
import { latticeInputOf } from '#core/judge/lattice-input.ts';
import type { Log } from '#core/log.ts';
import { silentLog } from '#core/log.ts';
import type { ProbeResult } from '#core/probe-result.ts';
import { readSnapshot, writeSnapshot } from '#core/snapshot-text.ts';
import type { Target } from '#core/target.ts';
import { listCanaryFaults, readCanaryTests } from '#db/canary-tests.ts';
import { ensurePartitions } from '#db/partitions.ts';
import { insertResults } from '#db/probe-results.ts';
import { createRollupReader } from '#db/rollup-reader.ts';
import { type Db, openDb } from '#db/sql.ts';
import { registerTargets } from '#db/targets.ts';
import { createTestDatabase, type TestDatabase } from '#test/postgres.ts';
import { sampleNow, sampleResult, sampleTarget } from '#test/sample-results.ts';
import { createPublisher } from '#workers/publish-snapshot.ts';
import { openCanaryTests } from './test-canaries.ts';

const target = sampleTarget('acme:small:chat');
const echo = { name: 'echo', type: 'echo' } as const;
const refused = sampleResult({
	outcome: 'bad_request',
	sli: 'excluded',
	httpStatus: 400,
	evidence: { param: 'temperature', message: 'temperature: not here' },
});
const failed = sampleResult({ outcome: 'server_error', sli: 'bad', httpStatus: 500, evidence: { message: 'oops' } });
let house: TestDatabase;
let told: { facts: object; message: string }[];

beforeEach(async () => {
	house = await createTestDatabase();
	told = [];
});
afterEach(() => house.drop());

/** A worker that has just started; each call is another one. */
function worker() {
	const log: Log = { ...silentLog, warn: (facts, message) => told.push({ facts, message }), info: (facts, message) => told.push({ facts, message }) };
	const tests = openCanaryTests({ db: house.db, log });
	return async (result: ProbeResult, own: Target = target) => {
		await tests.learn([own]);
		return tests.test(own, echo, result);
	};
}

it('a refusal is told once, with the field to change, and kept for whoever reports it', async () => {
	const send = worker();
	for (let i = 0; i < 3; i += 1) await send(refused);
	expect(told).toMatchObject([{ facts: { targetId: target.id, canary: 'echo', field: 'temperature', advice: expect.stringContaining('sendTemperature') } }]);
	expect(await listCanaryFaults(house.db)).toMatchObject([{ targetId: target.id, fate: 'refused', refusal: { field: 'temperature' } }]);
	await send(sampleResult());
	expect(await listCanaryFaults(house.db)).toEqual([]);
	expect(told).toHaveLength(2);
});

it('before the first acceptance an error neither counts nor reaches the detector; after it the same error does, also in a worker that starts later', async () => {
	const send = worker();
	const before = await send(failed);
	expect(before).toMatchObject({ sli: 'excluded', evidence: { untested: true } });
	expect(latticeInputOf('1', before, sampleNow)).toBeNull();
	await send(sampleResult());
	expect(await send(failed)).toEqual(failed);
	const later = worker();
	expect(await later(failed)).toEqual(failed);
	expect(latticeInputOf('1', failed, sampleNow)).not.toBeNull();
});

it('what another worker learns is known at the next tick', async () => {
	const [one, other] = [worker(), worker()];
	expect((await one(failed)).sli).toBe('excluded');
	await other(sampleResult({ startedAt: sampleNow + 10 }));
	expect((await one(failed)).sli).toBe('bad');
});

it('an old word that comes late does not undo a newer one, and an acceptance outlives a refusal', async () => {
	const [one, other] = [worker(), worker()];
	await one(sampleResult({ startedAt: sampleNow + 10 }));
	await other({ ...refused, startedAt: sampleNow + 20 });
	await openCanaryTests({ db: house.db, log: silentLog }).test(target, echo, { ...failed, startedAt: sampleNow + 30 });
	expect(await listCanaryFaults(house.db)).toMatchObject([{ fate: 'refused', acceptedAt: sampleNow + 10 }]);
	expect((await worker()(failed)).sli).toBe('bad');
});

it('after a change of the request the test begins anew', async () => {
	await worker()(sampleResult());
	const changed = { ...target, upstreamModel: 'small-3' };
	expect((await worker()({ ...failed, startedAt: sampleNow + 60_000 }, changed)).sli).toBe('excluded');
});

it('the target document names what to mend, and the verdict why nothing is seen', async () => {
	await registerTargets(house.db, [target], sampleNow - 60_000);
	await ensurePartitions(house.db, sampleNow);
	const publish = async () => {
		const published = await createPublisher({
			...{ db: house.db, rollups: createRollupReader(house.db), now: () => sampleNow + 5_000, targets: () => [target], simulated: false },
			...{ status: () => ({ title: 't', url: null }), intervalMs: () => 60_000, maintenances: async () => [], drill: null },
		}).publish();
		return readSnapshot(writeSnapshot(published)).targets[0];
	};
	expect((await publish())?.canaryFaults).toEqual([]);
	await insertResults(house.db, [await worker()(refused)], { now: sampleNow, retentionDays: 14 });
	const shown = await publish();
	expect(shown).toMatchObject({ state: 'unknown', reason: expect.stringContaining('for its field `temperature`') });
	expect(shown?.canaryFaults).toMatchObject([{ canary: 'echo', state: 'refused', field: 'temperature', advice: expect.stringContaining('sendTemperature') }]);
});

it.each([
	['is away', async () => openDb({ url: 'postgres://nobody@127.0.0.1:1/nothing' })],
	['refuses what it is given', async () => ({ ...house.db, run: () => house.db.execute('select 1 / 0') as never, close: async () => {} })],
])('a store that %s loses nothing: what was learned holds, and is stored when it is well', async (_, open) => {
	const away: Db = await open();
	let db = away;
	const throughDb: Db = { ...house.db, run: (...args) => db.run(...args) };
	const tests = openCanaryTests({ db: throughDb, log: silentLog });
	expect(await tests.test(target, echo, sampleResult())).toEqual(sampleResult());
	expect(await tests.test(target, echo, failed)).toEqual(failed);
	await away.close();
	db = house.db;
	await tests.test(target, echo, sampleResult());
	expect(await readCanaryTests(house.db, [target.id])).toMatchObject([{ fate: 'accepted', acceptedAt: sampleNow + 3 }]);
});
