/** Longer than most: every rule here needs the same house, the same world and its clock. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AlertRoute } from '#core/alert.ts';
import type { MaintenanceWindow } from '#core/judge/judge-state.ts';
import { silentLog } from '#core/log.ts';
import { type Outcome, sliOf } from '#core/outcome.ts';
import type { ProbeResult } from '#core/probe-result.ts';
import { listNotices } from '#db/alert-notices.ts';
import { activeBackOffs } from '#db/back-offs.ts';
import { addJournalStep, readCheckpoint, readDoubts, readEvaluatorHead, readJournalAfter } from '#db/evaluator-state.ts';
import { listIncidents, listOpenIncidents } from '#db/incidents.ts';
import { acquireLease, type Lease, releaseLease } from '#db/leases.ts';
import { recordObservations } from '#db/observations.ts';
import { ensurePartitions } from '#db/partitions.ts';
import { insertResults } from '#db/probe-results.ts';
import { query, transaction } from '#db/sql.ts';
import { registerTargets } from '#db/targets.ts';
import { createTestDatabase, type TestDatabase } from '#test/postgres.ts';
import { sampleNow, sampleResult, sampleTarget } from '#test/sample-results.ts';
import { type Evaluator, type EvaluatorTools, evaluatorName, type Judged, openEvaluator } from './evaluator.ts';

const everything = { provider: null, model: null, impact: null, cause: null };
const minute = 60_000;
const providers = ['acme', 'groq', 'lama', 'nimbus'];
const all = providers.flatMap((provider) => ['small', 'large'].map((model) => sampleTarget(`${provider}:${model}:chat`)));
let house: TestDatabase;
let lease: Lease;
let evaluator: Evaluator;
let routes: AlertRoute[];
let targets = all;
let windows: MaintenanceWindow[];
let now: number;

beforeEach(async () => {
	house = await createTestDatabase();
	seen = 0;
	[targets, routes, windows, now] = [all, [{ match: everything, channels: ['hook'] }], [], sampleNow];
	await registerTargets(house.db, all, sampleNow - minute);
	await ensurePartitions(house.db, sampleNow);
	lease = await take();
	evaluator = await openEvaluator(tools());
});
afterEach(() => house.drop());

async function take(): Promise<Lease> {
	const taken = await acquireLease(house.db, evaluatorName, 'test', 60 * minute);
	if (taken === null) throw new Error('lease not free');
	return taken;
}

const tools = (changes: Partial<EvaluatorTools> = {}): EvaluatorTools => ({
	db: house.db,
	log: silentLog,
	lease,
	now: () => now,
	targets: () => targets,
	blipMs: () => 20_000,
	maintenances: () => windows,
	routes: () => routes,
	simulated: false,
	publicUrl: () => 'https://status.example.org',
	backOff: { firstMs: 60 * minute, longestMs: 24 * 60 * minute },
	...changes,
});

type World = (result: ProbeResult) => Outcome;
const well: World = () => 'ok';
const down =
	(provider: string, outcome: Outcome = 'server_error'): World =>
	(result) =>
		result.provider === provider ? outcome : 'ok';

/** One result of each target every 30 s; judged every 10 s. */
async function live(seconds: number, world: World, step: () => Promise<Judged> = () => evaluator.step()): Promise<Judged[]> {
	const judged: Judged[] = [];
	for (const end = now + seconds * 1_000; now < end; ) {
		const results = targets.flatMap(({ provider, model }, i) => {
			if ((now / 1_000) % 30 !== (i % 3) * 10) return [];
			const slotAt = now + i;
			const one = sampleResult({ provider, model, slotAt, startedAt: slotAt, totalMs: 900 });
			const outcome = world(one);
			return [{ ...one, outcome, sli: sliOf(outcome, null) }];
		});
		await insertResults(house.db, results, { now: now + minute, retentionDays: 14 });
		now += 10_000;
		judged.push(await step());
	}
	return judged;
}

/** What was told of incidents, but for changes of status. */
const told = (judged: readonly Judged[]) =>
	judged.flatMap(({ incidents }) => incidents).flatMap(({ type, title }) => (type === 'recovering' || type === 'failing_again' ? [] : `${type} ${title}`));

let seen = 0;
/** What channels are owed since the last look. */
async function deliveries() {
	const notices = await listNotices(house.db);
	const fresh = notices.slice(seen);
	seen = notices.length;
	return fresh.map(({ channel, event }) => [channel, event.type]);
}

describe('judging recorded results', () => {
	it('an outage is one incident of the provider, and its alert goes into the outbox with it', async () => {
		await live(120, well);
		const judged = await live(120, down('acme'));
		expect(told(judged)).toEqual(['open acme: outage']);
		const [incident] = await listOpenIncidents(house.db);
		expect(incident).toMatchObject({
			condition: 'outage',
			cause: 'provider',
			severity: 'down',
			impact: 'critical',
			targetIds: ['acme:small:chat', 'acme:large:chat'],
		});
		expect(incident?.startedAt).toBeGreaterThanOrEqual(sampleNow + 120_000);
		expect(incident?.updates[0]?.body).toMatch(/Found well meanwhile: 3 of 3 other providers/);
		expect(await deliveries()).toEqual([['hook', 'incident.opened']]);
		expect(judged.flatMap(({ reprobes }) => reprobes).length).toBeGreaterThan(0);
	});

	it('a quiet step is no transaction, and a result is judged once', async () => {
		await live(60, well);
		const head = await readEvaluatorHead(house.db, evaluatorName);
		expect(await evaluator.step()).toMatchObject({ resultCount: 0, incidents: [] });
		expect(await readEvaluatorHead(house.db, evaluatorName)).toEqual(head);
	});

	it('killed after any step and opened again, with or without a checkpoint, it decides the same', async () => {
		const story = async (step: () => Promise<Judged>) => [
			...(await live(90, well, step)),
			...(await live(90, down('acme'), step)),
			...(await live(240, well, step)),
		];
		const whole = told(await story(() => evaluator.step()));
		expect(whole).toEqual(['open acme: outage', 'resolve acme: outage']);
		const [first] = await listIncidents(house.db, { resolvedSinceAt: 0, limit: 10 });

		await house.drop();
		house = await createTestDatabase();
		now = sampleNow;
		await registerTargets(house.db, all, sampleNow - minute);
		await ensurePartitions(house.db, sampleNow);
		lease = await take();
		let steps = 0;
		const killed = told(
			await story(async () => {
				steps += 1;
				const one = await openEvaluator(tools());
				const judged = await one.step();
				if (steps % 7 === 0) await one.checkpoint();
				return judged;
			}),
		);
		expect(killed).toEqual(whole);
		expect(await listIncidents(house.db, { resolvedSinceAt: 0, limit: 10 })).toEqual([first]);
	});

	it('killed, it hears again what lies behind numbers that duplicates have burned', async () => {
		await live(60, well);
		await evaluator.checkpoint();
		await live(10, well);
		await house.db.run(query('burn', "select nextval('probe_result_seq') from generate_series(1, 10000)"));
		await live(10, down('acme'));
		await (await openEvaluator(tools())).checkpoint();
		const heardAgain = await readCheckpoint(house.db, evaluatorName);
		await evaluator.checkpoint();
		expect(heardAgain).toEqual(await readCheckpoint(house.db, evaluatorName));
	});

	it('the journal is heard again only from the last checkpoint on', async () => {
		await live(60, well);
		await evaluator.checkpoint();
		const { journalNumber } = await readEvaluatorHead(house.db, evaluatorName);
		expect(await readJournalAfter(house.db, evaluatorName, 0)).toEqual([]);
		await live(20, well);
		expect((await readJournalAfter(house.db, evaluatorName, 0))[0]?.journalNumber).toBe(journalNumber + 1);
	});

	it('killed again and again before its first checkpoint: who finds a long journal writes one with the first step', async () => {
		await live(60, well);
		const { journalNumber, readThroughSeq } = await readEvaluatorHead(house.db, evaluatorName);
		const quiet = Array.from({ length: 1_000 }, (_, i) => ({ journalNumber: journalNumber + 1 + i, readThroughSeq, at: now, inputs: null, doubts: [] }));
		await transaction(house.db, async (tx) => {
			for (const step of quiet) await addJournalStep(tx, evaluatorName, step);
		});
		evaluator = await openEvaluator(tools());
		await live(10, well);
		expect(await readJournalAfter(house.db, evaluatorName, 0)).toEqual([]);
		evaluator = await openEvaluator(tools());
		await live(10, well);
		expect(await readJournalAfter(house.db, evaluatorName, 0)).toHaveLength(1);
	});

	it('a crash before the commit leaves nothing behind, and the next evaluator decides the same', async () => {
		await live(120, well);
		const failing = await openEvaluator(
			tools({
				publicUrl: () => {
					throw new Error('crash');
				},
			}),
		);
		await expect(live(120, down('acme'), () => failing.step())).rejects.toThrow('crash');
		expect(await listOpenIncidents(house.db)).toEqual([]);
		evaluator = await openEvaluator(tools());
		expect(told([await evaluator.step()])).toEqual(['open acme: outage']);
	});

	it('an evaluator that lost its lease writes nothing', async () => {
		await live(60, well);
		const stale = evaluator;
		await releaseLease(house.db, lease);
		lease = await take();
		await expect(live(10, down('acme'), () => stale.step())).rejects.toThrow(/lease/);
		evaluator = await openEvaluator(tools());
		expect((await evaluator.step()).resultCount).toBeGreaterThan(0);
	});

	it('a state of another version is left, and what is open in the record is taken over', async () => {
		await live(120, well);
		await live(120, down('acme'));
		await evaluator.checkpoint();
		const spoil = "update linnet.evaluator_checkpoints set state = replace(state, '\"version\":3', '\"version\":1') where part = 'whole'";
		await house.db.pool.query(spoil);
		evaluator = await openEvaluator(tools());
		expect(told(await live(240, well))).toEqual(['resolve acme: outage']);
		expect(await listOpenIncidents(house.db)).toEqual([]);
	});

	it('a resolve follows its trigger on the channel that heard of it, also when the routes have changed', async () => {
		await live(120, well);
		await live(120, down('acme'));
		expect(await deliveries()).toEqual([['hook', 'incident.opened']]);
		routes = [{ match: everything, channels: ['another'] }];
		await live(240, well);
		expect(await deliveries()).toEqual([['hook', 'incident.resolved']]);
	});

	it('nobody is told of the end of what nobody was told of', async () => {
		routes = [];
		await live(120, well);
		await live(120, down('acme'));
		routes = [{ match: everything, channels: ['hook'] }];
		await live(240, well);
		expect(await deliveries()).toEqual([]);
	});

	it('a target that left the configuration takes its incident along, and the channel hears it', async () => {
		await live(120, well);
		await live(240, ({ provider, model }) => (provider === 'acme' && model === 'large' ? 'server_error' : 'ok'));
		await deliveries();
		targets = all.filter(({ id }) => id !== 'acme:large:chat');
		expect(told([await evaluator.step()])).toEqual(['resolve large on acme: outage']);
		expect(await deliveries()).toEqual([['hook', 'incident.resolved']]);
	});

	it('nothing that fails inside announced maintenance is an incident', async () => {
		await live(120, well);
		windows = [{ id: 'm', provider: 'acme', model: null, vantage: null, fromAt: now, toAt: now + 10 * minute }];
		expect(told(await live(180, down('acme')))).toEqual([]);
		windows = [];
		expect(told(await live(180, down('acme')))).toEqual(['open acme: outage']);
	});

	it('our own network is nobody’s outage', async () => {
		await live(120, well);
		const judged = await live(120, () => 'connect_failed');
		expect(judged.flatMap(({ incidents }) => incidents).map(({ cause }) => cause)).toEqual(['monitor']);
	});

	it('what is loud and not settled is told as a doubt, until it is', async () => {
		targets = all.filter(({ provider }) => provider === 'acme' || provider === 'groq');
		await live(120, well);
		const judged = await live(300, () => 'server_error');
		expect(judged.some(({ doubtsMoved }) => doubtsMoved)).toBe(true);
		const told = [...(await readDoubts(house.db, evaluatorName)), ...judged.flatMap(({ incidents }) => incidents)];
		expect(told.length).toBeGreaterThan(0);
	});
});

describe('our own trouble', () => {
	it.each<[string, World, string]>([
		['a key that is refused', down('acme', 'auth_failed'), 'credentials'],
		['a wallet that is empty', down('acme', 'quota_exhausted'), 'quota'],
		['a vantage that is blind', () => 'connect_failed', 'monitor'],
	])('%s is told on the routes of the operator and on no other, and its end too', async (_, world, cause) => {
		routes = [
			{ match: { class: ['operator'] }, channels: ['operator'] },
			{ match: { class: ['provider'] }, channels: ['on-call'] },
		];
		await live(120, well);
		await live(150, world);
		expect((await listOpenIncidents(house.db)).map((one) => one.cause)).toEqual([cause]);
		expect(await deliveries()).toContainEqual(['operator', 'operator.opened']);
		await live(400, well);
		expect(await listOpenIncidents(house.db)).toEqual([]);
		await deliveries();
		const all = (await listNotices(house.db)).map(({ channel, event }) => [channel, event.class, event.type]);
		expect(all.at(-1)).toEqual(['operator', 'operator', 'operator.resolved']);
		expect(new Set(all.map(([channel]) => channel))).toEqual(new Set(['operator']));
	});
});

describe('a refused key', () => {
	it('is the operator’s incident, pauses the provider’s targets, longer each time, until a good result', async () => {
		await live(60, well);
		const judged = await live(120, down('acme', 'auth_failed'));
		expect(judged.flatMap(({ incidents }) => incidents).map(({ cause }) => cause)).toEqual(['credentials']);
		const until = async () => (await activeBackOffs(house.db, 'local', now)).get('acme:small:chat')?.untilAt ?? 0;
		const first = await until();
		expect(first).toBeGreaterThan(now + 58 * minute);

		now = first + 1_000 - ((first + 1_000) % 30_000) + 30_000;
		await live(30, down('acme', 'auth_failed'));
		expect(await until()).toBeGreaterThan(now + 118 * minute);

		await live(120, well);
		expect(await until()).toBe(0);
	});

	it('never becomes the provider’s outage', async () => {
		await live(60, well);
		const judged = await live(600, down('acme', 'auth_failed'));
		expect(judged.flatMap(({ incidents }) => incidents).filter(({ cause }) => cause === 'provider')).toEqual([]);
	});
});

describe('reports of routers', () => {
	const report = (id: string, bad: number) =>
		recordObservations(
			house.db,
			[
				{
					...{ source: 'router', id, targetId: 'acme:small:chat', fromAt: now - 30_000, toAt: now, ttft: { buckets: [], counts: [] } },
					outcomes: { ok: 1, server_error: bad },
				},
			],
			now,
		);

	it('of failures ask for a probe of our own, and open nothing; they are forgotten when they are old', async () => {
		await live(120, well);
		await report('r-1', 900);
		const judged = await live(60, well);
		expect(judged.flatMap(({ reprobes }) => reprobes)).toMatchObject([{ targetId: 'acme:small:chat', reason: 'routers report failures' }]);
		expect(told([...judged, ...(await live(400, well))])).toEqual([]);
		await report('r-2', 900);
		expect((await live(20, well)).flatMap(({ reprobes }) => reprobes)).toHaveLength(1);
	});

	it('are heard again from the journal after a crash, and asked about no second time', async () => {
		await live(120, well);
		await report('r-1', 900);
		await live(20, well);
		await releaseLease(house.db, lease);
		lease = await take();
		evaluator = await openEvaluator(tools());
		const steps = await readJournalAfter(house.db, evaluatorName, 0);
		expect(steps.flatMap(({ inputs }) => inputs ?? [])).toContainEqual(expect.objectContaining({ type: 'reports', natsOf: { 'acme:small:chat': 2 } }));
		expect((await live(60, well)).flatMap(({ reprobes }) => reprobes)).toEqual([]);
	});
});
