import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AlertRoute } from '#core/alert.ts';
import { silentLog } from '#core/log.ts';
import { type Outcome, sliOf } from '#core/outcome.ts';
import { activeBackOffs } from '#db/back-offs.ts';
import { readDetectorState } from '#db/detector-state.ts';
import { listIncidents, listOpenIncidents } from '#db/incidents.ts';
import { acquireLease, type Lease, releaseLease } from '#db/leases.ts';
import { leaseDueDeliveries, markDelivered } from '#db/outbox.ts';
import { ensurePartitions } from '#db/partitions.ts';
import { insertResults } from '#db/probe-results.ts';
import { registerTargets } from '#db/targets.ts';
import { createTestDatabase, type TestDatabase } from '#test/postgres.ts';
import { sampleNow, sampleResult, sampleTarget } from '#test/sample-results.ts';
import { type DetectTools, detect, evaluatorName } from './detect.ts';

const everything = { provider: null, model: null, impact: null, cause: null };
const minute = 60_000;
let house: TestDatabase;
let lease: Lease;
let routes: AlertRoute[];
let targets = [sampleTarget('acme:small:chat'), sampleTarget('other:small:chat')];

beforeEach(async () => {
	house = await createTestDatabase();
	targets = [sampleTarget('acme:small:chat'), sampleTarget('other:small:chat')];
	await registerTargets(house.db, targets, sampleNow - minute);
	await ensurePartitions(house.db, sampleNow);
	lease = await take();
	routes = [{ match: everything, channels: ['hook'] }];
});
afterEach(() => house.drop());

async function take(): Promise<Lease> {
	const taken = await acquireLease(house.db, evaluatorName, 'test', minute);
	if (taken === null) throw new Error('lease not free');
	return taken;
}

const tools = (changes: Partial<DetectTools> = {}): DetectTools => ({
	db: house.db,
	log: silentLog,
	lease,
	now: () => sampleNow + 10 * minute,
	targets: () => targets,
	routes: () => routes,
	simulated: false,
	publicUrl: () => 'https://status.example.org',
	backOff: { firstMs: 60 * minute, longestMs: 24 * 60 * minute },
	...changes,
});

/** Records results of acme:small:chat, one a minute from `from` on. */
async function record(outcomes: readonly Outcome[], from = 0): Promise<void> {
	const results = outcomes.map((outcome, i) => {
		const slotAt = sampleNow + (from + i) * minute;
		return sampleResult({ slotAt, startedAt: slotAt, outcome, sli: sliOf(outcome, null) });
	});
	await insertResults(house.db, results, { now: sampleNow + 240 * minute, retentionDays: 14 });
}

const bad = ['server_error', 'server_error', 'server_error'] as const;
const good = ['ok', 'ok', 'ok'] as const;

async function deliveries() {
	const due = await leaseDueDeliveries(house.db, sampleNow + 24 * 60 * minute, 100, 1_000);
	for (const delivery of due) await markDelivered(house.db, delivery, sampleNow);
	return due;
}

describe('judging recorded results', () => {
	it('an outage opens an incident and puts one alert per channel into the outbox, together', async () => {
		await record(bad);
		const judged = await detect(tools());
		expect(judged.incidents.map(({ type }) => type)).toEqual(['open']);
		const [incident] = await listOpenIncidents(house.db);
		expect(incident).toMatchObject({ condition: 'outage', cause: 'provider', startedAt: sampleNow, targetIds: ['acme:small:chat'], evidence: { bad: 3 } });
		const [alert, ...rest] = await deliveries();
		expect(rest).toEqual([]);
		expect(alert?.payload).toMatchObject({ type: 'incident.opened', useInstead: ['other'], link: `https://status.example.org/incident/${incident?.id}.html` });
	});

	it('a result is judged once, however often it is asked', async () => {
		await record(bad);
		await detect(tools());
		expect(await detect(tools())).toEqual({ resultCount: 0, incidents: [], reprobes: [] });
		expect(await listIncidents(house.db, { resolvedSinceAt: 0, limit: 10 })).toHaveLength(1);
	});

	it('one by one or all at once, restarted between any two, the decisions are the same', async () => {
		const outcomes = [...bad, ...good, ...bad] as Outcome[];
		for (const [i, outcome] of outcomes.entries()) {
			await record([outcome], i);
			await detect(tools());
		}
		const [incident, ...rest] = await listIncidents(house.db, { resolvedSinceAt: 0, limit: 10 });
		expect(rest).toEqual([]);
		expect(incident).toMatchObject({ relapseCount: 1, resolvedAt: null });
		expect(incident?.updates.map(({ status }) => status)).toEqual(['identified', 'resolved', 'identified']);
	});

	it('a crash before the commit leaves nothing behind, and the next run decides the same', async () => {
		await record(bad);
		const failing = {
			...tools(),
			publicUrl: () => {
				throw new Error('crash');
			},
		};
		await expect(detect(failing)).rejects.toThrow('crash');
		expect(await listOpenIncidents(house.db)).toEqual([]);
		expect(await readDetectorState(house.db, evaluatorName)).toBeNull();
		expect((await detect(tools())).incidents).toHaveLength(1);
	});

	it('an evaluator that lost its lease writes nothing', async () => {
		await record(bad);
		await releaseLease(house.db, lease);
		const stale = lease;
		lease = await take();
		await expect(detect(tools({ lease: stale }))).rejects.toThrow(/lease/);
		expect(await listOpenIncidents(house.db)).toEqual([]);
		expect((await detect(tools())).incidents).toHaveLength(1);
	});

	it('a resolve follows its trigger on the channel that heard of it, also when the routes have changed', async () => {
		await record(bad);
		await detect(tools());
		routes = [{ match: everything, channels: ['another'] }];
		await record(good, 3);
		await detect(tools());
		expect((await deliveries()).map(({ channel, payload }) => [channel, (payload as { type: string }).type])).toEqual([['hook', 'incident.opened']]);
		expect((await deliveries()).map(({ channel, payload }) => [channel, (payload as { type: string }).type])).toEqual([['hook', 'incident.resolved']]);
	});

	it('nobody is told of the end of what nobody was told of', async () => {
		routes = [];
		await record([...bad, ...good]);
		await detect(tools());
		routes = [{ match: everything, channels: ['hook'] }];
		expect(await deliveries()).toEqual([]);
	});

	it('results that come late and out of order are judged too', async () => {
		await record(['server_error'], 2);
		await record(['server_error'], 0);
		await record(['server_error'], 1);
		expect((await detect(tools())).incidents.map(({ type, startedAt }) => [type, startedAt])).toEqual([['open', sampleNow]]);
	});

	it('a target that left the configuration takes its incident along, and the channel hears it', async () => {
		await record(bad);
		await detect(tools());
		targets = [sampleTarget('other:small:chat')];
		expect((await detect(tools())).incidents.map(({ type }) => type)).toEqual(['resolve']);
		expect(await listOpenIncidents(house.db)).toEqual([]);
	});
});

describe('a refused key', () => {
	it('is the operator’s incident, pauses the provider’s targets, longer each time, until a good result', async () => {
		await record(['auth_failed', 'auth_failed', 'auth_failed']);
		const judged = await detect(tools());
		expect(judged.incidents.map(({ cause }) => cause)).toEqual(['credentials']);
		const until = async () => (await activeBackOffs(house.db, 'local', sampleNow + 10 * minute)).get('acme:small:chat')?.untilAt;
		expect(await until()).toBe(sampleNow + 2 * minute + 60 * minute);

		await record(['auth_failed'], 63);
		await detect(tools());
		expect(await until()).toBe(sampleNow + 63 * minute + 120 * minute);

		await record(['ok'], 184);
		await detect(tools());
		expect(await until()).toBeUndefined();
	});

	it('never becomes the provider’s outage', async () => {
		await record(Array.from({ length: 20 }, () => 'auth_failed' as const));
		expect((await detect(tools())).incidents.filter(({ cause }) => cause === 'provider')).toEqual([]);
	});
});
