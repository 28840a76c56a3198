import { Webhook } from 'standardwebhooks';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { ChannelSettings } from '#alerts/index.ts';
import { type AlertRoute, defaultPolicy, type Transition } from '#core/alert.ts';
import { silentLog } from '#core/log.ts';
import { countDeliveries, leaseDueDeliveries, listDeadLetters, replayDeadLetters } from '#db/outbox.ts';
import { transaction } from '#db/sql.ts';
import { type Collector, startCollector } from '#test/collector.ts';
import { createTestDatabase, type TestDatabase } from '#test/postgres.ts';
import { sampleAlert } from '#test/sample-alert.ts';
import { sampleNow } from '#test/sample-results.ts';
import { owe } from './announce.ts';
import { type DeliverTools, deliver } from './deliver.ts';
import { planMessages } from './plan-alerts.ts';

const secret = Buffer.from('s'.repeat(24)).toString('base64');
let house: TestDatabase;
let now: number;
let channels: Record<string, ChannelSettings>;
let routes: AlertRoute[];
let collector: Collector;
let number: number;

beforeEach(async () => {
	house = await createTestDatabase();
	collector = await startCollector();
	[now, number] = [sampleNow, 0];
	// Port 9 of loopback takes no connection.
	channels = { hook: hookAt(collector.url), dead: hookAt('http://127.0.0.1:9') };
});
afterEach(async () => {
	await collector.close();
	await house.drop();
});

const tools = (): DeliverTools & { routes(): AlertRoute[] } => ({
	...{ db: house.db, log: silentLog, now: () => now, channels: () => channels, readSecret: () => secret, random: () => 0, routes: () => routes },
});
const run = async () => {
	await planMessages(tools());
	await Promise.all(await deliver(tools()));
};
async function tell(transition: Transition, names: string[]) {
	routes = [{ match: {}, channels: names, policy: { ...defaultPolicy, groupWaitMs: 0, groupIntervalMs: 0 } }];
	const event = sampleAlert().members[0]!.event;
	number += 1;
	await transaction(house.db, (tx) =>
		owe(tx, { subjectId: 'inc-1', transition, number, at: now, event: { ...event, type: `incident.${transition}` } }, tools()),
	);
}
const states = async () => (await countDeliveries(house.db)).map(({ state, channel, count }) => [state, channel, count]);
const hookAt = (url: string): ChannelSettings => ({ type: 'webhook', url, secretEnv: 'SECRET' });
const ids = () => collector.seen.map(({ headers }) => headers['webhook-id']);

it('a delivery that is refused is tried again later with the same id, until it is taken', async () => {
	collector.answer(500, 429, 204);
	await tell('opened', ['hook']);
	await run();
	await run();
	expect(ids()).toHaveLength(1);
	now += 6_000;
	await run();
	now += 400_000;
	await run();
	expect(ids()).toHaveLength(3);
	expect(new Set(ids()).size).toBe(1);
	expect(await states()).toEqual([['delivered', 'hook', 1]]);
	now += 1e9;
	await run();
	expect(ids()).toHaveLength(3);
});

it('is signed for the moment of the attempt', async () => {
	now = Date.now();
	await tell('opened', ['hook']);
	await run();
	const [one] = collector.seen;
	expect(new Webhook(secret).verify(one?.body ?? '', one?.headers as Record<string, string>)).toMatchObject({ type: 'incident.opened' });
});

it('a resolve never overtakes its trigger', async () => {
	collector.answer(500, 200, 200);
	await tell('opened', ['hook']);
	await run();
	await tell('resolved', []);
	await run();
	expect(ids()).toHaveLength(1);
	now += 6_000;
	await run();
	await run();
	const [trigger, again, resolve] = ids();
	expect(again).toBe(trigger);
	expect(resolve).not.toBe(trigger);
	expect(ids()).toHaveLength(3);
});

it('a channel that is gone from the routes still hears the end of what it was told, once', async () => {
	await tell('opened', ['hook']);
	await run();
	await tell('resolved', []);
	routes = [];
	await run();
	await run();
	expect(collector.seen.map(({ body }) => JSON.parse(body).type)).toEqual(['incident.opened', 'incident.resolved']);
});

it('an endpoint that is gone (410) is asked no more until its channel is configured anew; what it missed can be sent again', async () => {
	collector.answer(410);
	await tell('opened', ['hook']);
	await run();
	expect(await states()).toEqual([['dead', 'hook', 1]]);
	await tell('updated', ['hook']);
	await run();
	expect(ids()).toHaveLength(1);
	channels = { ...channels, hook: hookAt(`${collector.url}/new`) };
	expect(await replayDeadLetters(house.db, { deliveryIds: null, channel: 'hook' }, now)).toBe(2);
	await run();
	await run();
	expect(collector.seen.map(({ path }) => path)).toEqual(['/', '/new', '/new']);
	expect(await listDeadLetters(house.db)).toEqual([]);
});

it('what cannot be sent because its channel is not configured waits, and goes when it is', async () => {
	await tell('opened', ['later']);
	await run();
	expect(await states()).toEqual([['pending', 'later', 1]]);
	channels = { ...channels, later: hookAt(collector.url) };
	now += 6_000;
	await run();
	expect(ids()).toHaveLength(1);
});

it('one channel that fails delays no other', async () => {
	await tell('opened', ['dead', 'hook']);
	await run();
	expect(ids()).toHaveLength(1);
	expect(await states()).toEqual([
		['delivered', 'hook', 1],
		['pending', 'dead', 1],
	]);
});

it('a channel that was away for an hour hears the trigger and then its end, each once; one beside it heard both at once', async () => {
	channels = { hook: hookAt(`${collector.url}/hook`), quick: hookAt(`${collector.url}/quick`) };
	collector.usually('/hook', { status: 503 });
	const startedAt = now;
	const heard = (path: string) =>
		collector.seen.filter((one) => one.path === path && one.status < 300).map(({ body, headers }) => [JSON.parse(body).type, headers['webhook-id']]);
	await tell('opened', ['hook', 'quick']);
	for (; now < startedAt + 4 * 3_600_000; now += 60_000) {
		const minute = (now - startedAt) / 60_000;
		if (minute === 20) await tell('resolved', ['hook', 'quick']);
		if (minute === 60) collector.usually('/hook', { status: 204 });
		await run();
		if (minute === 20) expect(heard('/quick').map(([type]) => type)).toEqual(['incident.opened', 'incident.resolved']);
		if (minute < 60) expect(heard('/hook')).toEqual([]);
	}
	const [trigger, ...rest] = heard('/hook');
	expect([trigger?.[0], ...rest.map(([type]) => type)]).toEqual(['incident.opened', 'incident.resolved']);
	const tried = collector.seen.filter(({ path, status }) => path === '/hook' && status === 503).map(({ headers }) => headers['webhook-id']);
	expect(tried.length).toBeGreaterThan(1);
	expect(new Set(tried)).toEqual(new Set([trigger?.[1]]));
	expect(heard('/quick')).toHaveLength(2);
});

it('a worker that died after sending repeats the message with the same id', async () => {
	await tell('opened', ['hook']);
	await planMessages(tools());
	const [leased] = await leaseDueDeliveries(house.db, now, 10, 60_000);
	await run();
	expect(ids()).toHaveLength(0);
	now += 61_000;
	await run();
	expect(ids()).toEqual([leased?.messageId]);
});
