/** Reports of routers stand beside the canaries and move nothing: a lying reporter changes no verdict and no number. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createApp } from '#api/create-app.ts';
import { targetSchema, verdictsSchema } from '#api/schema.ts';
import { type RunningServer, serve } from '#api/serve.ts';
import { createSnapshotSource, type SnapshotSource } from '#api/snapshot-source.ts';
import { createEvidence } from '#bin/evidence.ts';
import { keepObservations } from '#bin/keep-observations.ts';
import { silentLog } from '#core/log.ts';
import { readSnapshot, writeSnapshot } from '#core/snapshot-text.ts';
import { acquireLease, type Lease } from '#db/leases.ts';
import { insertResults } from '#db/probe-results.ts';
import { createRollupReader } from '#db/rollup-reader.ts';
import { registerTargets } from '#db/targets.ts';
import { createTestDatabase, type TestDatabase } from '#test/postgres.ts';
import { sampleNow, sampleResult, sampleTarget } from '#test/sample-results.ts';
import { evaluatorName, openEvaluator } from '#workers/evaluator.ts';
import { createPublisher } from '#workers/publish-snapshot.ts';
import { rollUp } from '#workers/roll-up.ts';

const target = sampleTarget('acme:small:chat');
const now = sampleNow + 5_000;
const token = ['test', 'token'].join('-');
let database: TestDatabase;
let lease: Lease;
let server: RunningServer;
let snapshots: SnapshotSource;
let observations: ReturnType<typeof keepObservations>;

beforeEach(async () => {
	database = await createTestDatabase();
	const { db } = database;
	await registerTargets(db, [target], now - 3_600_000);
	await insertResults(
		db,
		Array.from({ length: 20 }, (_, index) => sampleResult({ slotAt: sampleNow - index * 60_000, startedAt: sampleNow - index * 60_000 + 2 })),
		{ now, retentionDays: 14 },
	);
	const taken = await acquireLease(db, evaluatorName, 'test', 60_000);
	if (taken === null) throw new Error('Expected the lease to be free');
	lease = taken;
	snapshots = createSnapshotSource();
	observations = keepObservations(
		db,
		() => now,
		async () => [],
	);
	const readiness = () => ({ ready: true, checks: {} });
	const app = createApp({
		snapshots,
		evidence: createEvidence(db),
		observations,
		adminToken: token,
		now: () => now,
		log: silentLog,
		siteDir: null,
		version: 'test',
		readiness,
	});
	server = await serve(app, { host: '127.0.0.1', port: 0 });
});
afterEach(async () => {
	await server.close();
	await database.drop();
});

async function judgeAndPublish(): Promise<void> {
	const { db } = database;
	await rollUp({ db, log: silentLog, now: () => now });
	const backOff = { firstMs: 3_600_000, longestMs: 86_400_000 };
	const evaluator = await openEvaluator({
		...{ db, log: silentLog, lease, now: () => now, targets: () => [target], maintenances: () => [], blipMs: () => 20_000, routes: () => [] },
		...{ simulated: false, publicUrl: () => null, backOff },
	});
	await evaluator.step();
	const published = await createPublisher({
		db,
		rollups: createRollupReader(db),
		now: () => now,
		targets: () => [target],
		status: () => ({ title: 'Reports', url: null }),
		simulated: false,
		intervalMs: () => 60_000,
		maintenances: async () => [],
		drill: null,
	}).publish();
	snapshots.put(readSnapshot(writeSnapshot(published)));
	await observations.refresh();
}

const readTarget = async () => targetSchema.parse(await (await fetch(`${server.url}/v1/targets/${target.id}`)).json());
const readVerdicts = async () => verdictsSchema.parse(await (await fetch(`${server.url}/v1/verdicts`)).json()).targets;

test('a flood of reported failures is shown with its source, and every verdict and number is as before', async () => {
	await judgeAndPublish();
	const [before, verdictsBefore] = [await readTarget(), await readVerdicts()];
	expect([before.target.state, before.observations]).toEqual(['operational', []]);
	const report = (index: number) => ({
		id: `r-${index}`,
		source: 'liar',
		target: target.id,
		from: new Date(now - 60_000).toISOString(),
		to: new Date(now).toISOString(),
		outcomes: { server_error: 1_000_000, ok: 2 },
		ttftMs: { buckets: [100], counts: [2] },
	});
	const body = Array.from({ length: 500 }, (_, index) => JSON.stringify(report(index))).join('\n');
	for (const expected of [
		{ accepted: 500, duplicates: 0 },
		{ accepted: 0, duplicates: 500 },
	]) {
		const answer = await fetch(`${server.url}/v1/observations`, {
			method: 'POST',
			body,
			headers: { authorization: `Bearer ${token}`, 'content-type': 'application/x-ndjson' },
		});
		expect(await answer.json()).toEqual({ schema: 'linnet.recorded/1', ...expected, unknownTargets: [] });
	}
	await judgeAndPublish();
	const after = await readTarget();
	expect(after.target).toEqual(before.target);
	expect(await readVerdicts()).toEqual(verdictsBefore);
	expect(after.observations).toMatchObject([
		{ source: 'liar', reports: 500, requests: 500_001_000, outcomes: { server_error: 500_000_000, ok: 1_000 }, ttftMs: { count: 1_000 } },
	]);
});
