/** What two real Alertmanagers hold of what the real planner and sender tell them. They go by the real clock; ours runs ahead where a minute must pass. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ChannelSettings } from '#alerts/index.ts';
import { defaultPolicy, type Transition } from '#core/alert.ts';
import { silentLog } from '#core/log.ts';
import { countDeliveries } from '#db/outbox.ts';
import { transaction } from '#db/sql.ts';
import { findAlertmanager, startAlertmanager, type TestAlertmanager } from '#test/alertmanager.ts';
import { type Collector, startCollector } from '#test/collector.ts';
import { until } from '#test/e2e/service.ts';
import { createTestDatabase, type TestDatabase } from '#test/postgres.ts';
import { eventOfModel } from '#test/sample-alert.ts';
import { owe } from '#workers/announce.ts';
import { deliver } from '#workers/deliver.ts';
import { planMessages } from '#workers/plan-alerts.ts';

const program = await findAlertmanager();

describe.skipIf(program === null)('Alertmanager from Debian, two instances', () => {
	let house: TestDatabase;
	let people: Collector;
	let instances: TestAlertmanager[];
	let aheadMs = 0;
	let number = 0;
	const now = () => Date.now() + aheadMs;
	const startedAt = Date.now() - 60_000;

	beforeAll(async () => {
		house = await createTestDatabase();
		people = await startCollector();
		instances = await Promise.all([1, 2].map((i) => startAlertmanager(program ?? '', `${people.url}/people-${i}`)));
	});
	afterAll(async () => {
		await Promise.all(instances.map((one) => one.stop()));
		await people.close();
		await house.drop();
	});

	const tools = () => ({
		...{ db: house.db, log: silentLog, now, readSecret: () => undefined, random: () => 0 },
		routes: () => [{ match: {}, channels: ['prometheus'], policy: { ...defaultPolicy, groupWaitMs: 0, groupIntervalMs: 0 } }],
		channels: (): Record<string, ChannelSettings> => ({ prometheus: { type: 'alertmanager', urls: instances.map(({ url }) => url) } }),
	});
	const run = async () => {
		await planMessages(tools());
		await Promise.all(await deliver(tools()));
	};
	async function move(model: string, transition: Transition): Promise<void> {
		number += 1;
		const startedAtText = new Date(startedAt).toISOString();
		const resolvedAt = transition === 'resolved' ? new Date().toISOString() : null;
		const event = eventOfModel(model, { incident: { startedAt: startedAtText, resolvedAt } }, transition);
		await transaction(house.db, (tx) => owe(tx, { subjectId: `inc-${model}`, transition, number, at: now(), event }, tools()));
		await run();
	}
	const held = async () => (await Promise.all(instances.map((one) => one.alerts()))).map((alerts) => alerts.toSorted(byIncident));
	const byIncident = (a: { labels: Readonly<Record<string, string>> }, b: typeof a) => (a.labels.incident ?? '').localeCompare(b.labels.incident ?? '');
	const incidents = async () => (await held()).map((alerts) => alerts.map(({ labels }) => labels.incident));
	/** What each instance told people of an incident, in order. */
	const told = (incident: string) =>
		[1, 2].map((i) =>
			people.seen
				.filter(({ path }) => path === `/people-${i}`)
				.map(({ body }) => JSON.parse(body) as { status: string; alerts: { labels: Record<string, string> }[] })
				.filter(({ alerts }) => alerts.some(({ labels }) => labels.incident === incident))
				.map(({ status }) => status),
		);

	it('both hold what fires, under labels that people route by, and each tells its people', async () => {
		await move('one', 'opened');
		await move('two', 'opened');
		expect(await incidents()).toEqual([
			['inc-one', 'inc-two'],
			['inc-one', 'inc-two'],
		]);
		const [[first] = []] = await held();
		expect(first).toMatchObject({
			labels: { alertname: 'LinnetIncident', provider: 'groq', model: 'one', operation: 'chat', cause: 'provider', class: 'provider', severity: 'major' },
			annotations: { summary: 'one on groq: outage' },
			startsAt: new Date(startedAt).toISOString(),
		});
		await until('people told', async () => told('inc-one').every(({ length }) => length === 1));
	});

	it('what still fires is told again before it would run out, also to one that was restarted and had forgotten it', async () => {
		const before = await held();
		await run();
		expect(await held()).toEqual(before);
		await instances[1]?.restart();
		expect(await instances[1]?.alerts()).toEqual([]);
		aheadMs += 61_000;
		await run();
		const after = await held();
		expect(after.map((alerts) => alerts.map(({ labels }) => labels.incident))).toEqual([
			['inc-one', 'inc-two'],
			['inc-one', 'inc-two'],
		]);
		for (const [i, { endsAt, startsAt }] of (after[0] ?? []).entries()) {
			expect(Date.parse(endsAt)).toBeGreaterThan(Date.parse(before[0]?.[i]?.endsAt ?? ''));
			expect(startsAt).toBe(before[0]?.[i]?.startsAt);
		}
		// The one that never forgot has nothing new to say.
		expect(told('inc-one')[0]).toEqual(['firing']);
	});

	it('a silence made there mutes it there, and is kept when it is told again', async () => {
		const [one] = instances;
		const id = (await one?.silence({ provider: 'groq', model: 'two' }, Date.now() + 3_600_000)) ?? '';
		aheadMs += 61_000;
		await run();
		const states = async () => (await one?.alerts())?.toSorted(byIncident).map(({ status }) => [status.state, status.silencedBy.length]);
		await until('silenced', async () => (await states())?.[1]?.[0] === 'suppressed');
		expect(await states()).toEqual([
			['active', 0],
			['suppressed', 1],
		]);
		await one?.endSilence(id);
		await until('no longer silenced', async () => (await states())?.[1]?.[0] === 'active');
	});

	it('the end of one ends that one, on both, and people hear it once', async () => {
		await move('one', 'resolved');
		expect(await incidents()).toEqual([['inc-two'], ['inc-two']]);
		await until('people told', async () => told('inc-one').every((words) => words.includes('resolved')));
		expect(told('inc-one').map((words) => words.filter((word) => word === 'resolved'))).toEqual([['resolved'], ['resolved']]);
		await move('two', 'resolved');
		expect(await incidents()).toEqual([[], []]);
		expect((await countDeliveries(house.db)).map(({ state }) => state)).toEqual(['delivered']);
	});
});
