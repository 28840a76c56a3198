import { Webhook } from 'standardwebhooks';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { ChannelSettings } from '#alerts/index.ts';
import { silentLog } from '#core/log.ts';
import { countDeliveries, enqueueDeliveries, leaseDueDeliveries } from '#db/outbox.ts';
import { transaction } from '#db/sql.ts';
import { type Collector, startCollector } from '#test/collector.ts';
import { createTestDatabase, type TestDatabase } from '#test/postgres.ts';
import { sampleNow } from '#test/sample-results.ts';
import { type DeliverTools, deliver } from './deliver.ts';

const secret = Buffer.from('s'.repeat(24)).toString('base64');
const event = {
	type: 'incident.opened',
	at: '2026-11-23T12:00:00.000Z',
	simulated: false,
	useInstead: [],
	link: null,
	incident: {
		id: 'inc-1',
		title: 't',
		scope: {},
		cause: 'provider',
		impact: 'major',
		status: 'identified',
		startedAt: '2026-11-23T12:00:00.000Z',
		detectedAt: '2026-11-23T12:00:00.000Z',
		resolvedAt: null,
		reason: 'r',
		targetIds: [],
		evidence: { good: 0, bad: 3, excluded: 0, outcomes: {}, vantages: [] },
	},
};
let house: TestDatabase;
let now: number;
let channels: Record<string, ChannelSettings>;
let collector: Collector;

beforeEach(async () => {
	house = await createTestDatabase();
	collector = await startCollector();
	now = sampleNow;
	// Port 9 of loopback takes no connection.
	channels = { hook: hookAt(collector.url), dead: hookAt('http://127.0.0.1:9') };
});
afterEach(async () => {
	await collector.close();
	await house.drop();
});

const tools = (): DeliverTools => ({ db: house.db, log: silentLog, now: () => now, channels: () => channels, readSecret: () => secret, random: () => 0 });
const run = async () => void (await Promise.all(await deliver(tools())));
const enqueue = (transition: number, names: string[]) =>
	transaction(house.db, (tx) => enqueueDeliveries(tx, { incidentId: 'inc-1', transition, channels: names, alsoToPreviousChannels: false, event, at: now }));

const hookAt = (url: string): ChannelSettings => ({ type: 'webhook', url, secretEnv: 'SECRET' });
const ids = () => collector.seen.map(({ headers }) => headers['webhook-id']);

it('a delivery that is refused is tried again later with the same id, until it is taken', async () => {
	collector.answer(500, 429, 204);
	await enqueue(1, ['hook']);
	await run();
	await run();
	expect(ids()).toHaveLength(1);
	now += 6_000;
	await run();
	now += 400_000;
	await run();
	expect(ids()).toHaveLength(3);
	expect(new Set(ids()).size).toBe(1);
	expect(await countDeliveries(house.db)).toMatchObject({ delivered: { count: 1 } });
	now += 1e9;
	await run();
	expect(ids()).toHaveLength(3);
});

it('is signed for the moment of the attempt', async () => {
	now = Date.now();
	collector.answer(200);
	await enqueue(1, ['hook']);
	await run();
	const [one] = collector.seen;
	expect(new Webhook(secret).verify(one?.body ?? '', one?.headers as Record<string, string>)).toMatchObject({ type: 'incident.opened' });
});

it('a resolve never overtakes its trigger', async () => {
	collector.answer(500, 200, 200);
	await enqueue(1, ['hook']);
	await enqueue(2, ['hook']);
	await run();
	await run();
	expect(ids()).toHaveLength(1);
	now += 6_000;
	await run();
	await run();
	const [trigger, again, resolve] = ids();
	expect(again).toBe(trigger);
	expect(resolve).not.toBe(trigger);
});

it('an answer that is final dead-letters at once, and what cannot be sent is kept, not lost', async () => {
	collector.answer(410);
	await enqueue(1, ['hook', 'gone']);
	await run();
	expect(await countDeliveries(house.db)).toMatchObject({ dead: { count: 1 }, pending: { count: 1 } });
	channels = { ...channels, gone: hookAt(collector.url) };
	now += 6_000;
	await run();
	expect(ids()).toHaveLength(2);
});

it('one channel that fails delays no other', async () => {
	collector.answer(200);
	await enqueue(1, ['dead', 'hook']);
	await run();
	expect(ids()).toHaveLength(1);
	expect(await countDeliveries(house.db)).toMatchObject({ delivered: { count: 1 }, pending: { count: 1 } });
});

it('a worker that died after sending repeats the message with the same id', async () => {
	collector.answer(200, 200);
	await enqueue(1, ['hook']);
	const [leased] = await leaseDueDeliveries(house.db, now, 10, 60_000);
	await run();
	expect(ids()).toHaveLength(0);
	now += 61_000;
	await run();
	expect(ids()).toEqual([leased?.messageId]);
});
