import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '#test/postgres.ts';
import { eventOfModel, sampleAlert } from '#test/sample-alert.ts';
import { sampleNow } from '#test/sample-results.ts';
import { storePlan } from './alert-plans.ts';
import {
	countDeliveries,
	discardDeadLetters,
	leaseDueDeliveries,
	listDeadLetters,
	listTroubledChannels,
	markDelivered,
	markFailed,
	replayDeadLetters,
	takeFallbacks,
	trimOutbox,
} from './outbox.ts';
import { type Db, transaction } from './sql.ts';

let database: TestDatabase;
let db: Db;
beforeEach(async () => {
	database = await createTestDatabase();
	db = database.db;
});
afterEach(() => database.drop());

const leaseMs = 60_000;
const minute = 60_000;
/** One more message of a group to each channel. */
async function enqueue(groupId = 'i', channels = ['pager'], { endpoints = [''], at = sampleNow }: { endpoints?: string[]; at?: number } = {}) {
	const messages = channels.map((channel) => ({
		...{ channel, groupId, key: groupId, reason: 'first' as const, worstImpact: 'major' as const, open: true, tells: [] },
		message: sampleAlert({ groupId, members: [{ news: 'new', event: eventOfModel(groupId) }] }),
	}));
	await transaction(db, (tx) => storePlan(tx, { messages, holds: [], untold: [] }, [], () => endpoints, at));
}
const lease = (at = sampleNow, limit = 100) => leaseDueDeliveries(db, at, limit, leaseMs);
const label = ({ channel, sequence }: { channel: string; sequence: number }) => `${channel} ${sequence}`;
const labels = async (at?: number, limit?: number) => (await lease(at, limit)).map(label).sort();
const dead = { error: 'gone', nextAttemptAt: null };

it('holds a resolve back until its trigger has ended, per channel', async () => {
	await enqueue('i', ['pager', 'chat']);
	await enqueue('i', ['pager', 'chat']);
	const triggers = await lease();
	expect(triggers.map(label).sort()).toEqual(['chat 1', 'pager 1']);
	expect(await lease()).toEqual([]);
	await markDelivered(db, triggers.find(({ channel }) => channel === 'pager')!, sampleNow);
	expect(await labels()).toEqual(['pager 2']);
	await markFailed(db, triggers.find(({ channel }) => channel === 'chat')!, dead);
	expect(await labels()).toEqual(['chat 2']);
});

it('gives a delivery to one worker at a time, and to the next when the lease runs out, whose mark alone counts', async () => {
	await enqueue();
	const both = await Promise.all([lease(), lease(), lease()]);
	expect(both.flat()).toHaveLength(1);
	const [first] = both.flat();
	expect(await lease(sampleNow + leaseMs - 1)).toEqual([]);
	const [second] = await lease(sampleNow + leaseMs);
	expect(second).toEqual({ ...first, attemptCount: 2 });
	expect(await markFailed(db, first!, { error: 'late', nextAttemptAt: null })).toBe(false);
	expect(await markDelivered(db, second!, sampleNow)).toBe(true);
	expect(await markDelivered(db, second!, sampleNow)).toBe(false);
	expect(await countDeliveries(db)).toEqual([{ state: 'delivered', channel: 'pager', count: 1, oldestAt: sampleNow }]);
});

it('tries again not before the time it was told, with the same message id', async () => {
	await enqueue();
	const [first] = await lease();
	await markFailed(db, first!, { error: 'HTTP 503', nextAttemptAt: sampleNow + 5_000 });
	expect(await lease(sampleNow + 4_999)).toEqual([]);
	const [second] = await lease(sampleNow + 5_000);
	expect(second).toMatchObject({ messageId: first!.messageId, attemptCount: 2, createdAt: sampleNow });
});

it('a channel with a thousand messages has a few under way, and takes no other’s turn', async () => {
	for (let i = 0; i < 30; i += 1) await enqueue(`slow-${i}`, ['slow'], { at: sampleNow - minute });
	await enqueue('late', ['quick']);
	const leased = await lease(sampleNow, 10);
	expect(leased.filter(({ channel }) => channel === 'slow')).toHaveLength(4);
	expect(leased.filter(({ channel }) => channel === 'quick')).toHaveLength(1);
	expect(await lease(sampleNow, 10)).toEqual([]);
	await markDelivered(db, leased[0]!, sampleNow);
	expect((await lease(sampleNow, 10)).map(({ channel }) => channel)).toEqual(['slow']);
});

it('each endpoint of a channel has its own copy, and its own fate', async () => {
	await enqueue('i', ['am'], { endpoints: ['http://a', 'http://b'] });
	await enqueue('i', ['am'], { endpoints: ['http://a', 'http://b'] });
	const [a, b] = (await lease()).sort((x, y) => (x.endpoint < y.endpoint ? -1 : 1));
	await markDelivered(db, a!, sampleNow);
	await markFailed(db, b!, { error: 'ECONNREFUSED', nextAttemptAt: sampleNow + minute });
	expect((await lease()).map(({ endpoint, sequence }) => [endpoint, sequence])).toEqual([['http://a', 2]]);
});

it('what comes through wakes the others that wait for the same endpoint, but for those that it asked to wait', async () => {
	await Promise.all(['a', 'b', 'c'].map((id) => enqueue(id)));
	const [a, b, c] = await lease();
	await markFailed(db, a!, { error: 'ECONNREFUSED', nextAttemptAt: sampleNow + 300 * minute });
	await markFailed(db, b!, { error: 'answered 429', nextAttemptAt: sampleNow + 10 * minute, notBefore: sampleNow + 10 * minute });
	await markDelivered(db, c!, sampleNow + minute);
	expect((await lease(sampleNow + minute)).map(({ deliveryId }) => deliveryId)).toEqual([a!.deliveryId]);
	expect((await lease(sampleNow + 10 * minute)).map(({ deliveryId }) => deliveryId)).toContain(b!.deliveryId);
});

describe('a dead letter', () => {
	async function bury(groupId: string, channel = 'pager') {
		await enqueue(groupId, [channel]);
		const one = (await lease()).find((delivery) => delivery.groupId === groupId);
		await markFailed(db, one!, dead);
		return one!;
	}
	const every = { deliveryIds: null, channel: null };

	it('is listed with its reason, and can be sent again with its own id and the whole schedule before it', async () => {
		const buried = await bury('a');
		expect(await listDeadLetters(db)).toEqual([expect.objectContaining({ messageId: buried.messageId, lastError: 'gone' })]);
		expect(await replayDeadLetters(db, every, sampleNow + minute)).toBe(1);
		expect(await lease(sampleNow + minute)).toEqual([expect.objectContaining({ messageId: buried.messageId, attemptCount: 1 })]);
	});

	it('is sent again by its number or its channel alone', async () => {
		const [a] = [await bury('a'), await bury('b'), await bury('c', 'chat')];
		expect(await replayDeadLetters(db, { deliveryIds: [a!.deliveryId], channel: null }, sampleNow)).toBe(1);
		expect(await replayDeadLetters(db, { deliveryIds: null, channel: 'chat' }, sampleNow)).toBe(1);
		expect((await listDeadLetters(db)).map(({ groupId }) => groupId)).toEqual(['b']);
	});

	it('is not sent again once its channel knows better: a trigger after its resolve would open what nobody closes', async () => {
		await bury('a');
		await enqueue('a');
		const [resolve] = await lease();
		await markDelivered(db, resolve!, sampleNow);
		expect(await replayDeadLetters(db, every, sampleNow)).toBe(0);
	});

	it('that is put aside counts no longer', async () => {
		await bury('a');
		expect(await discardDeadLetters(db, every, sampleNow)).toBe(1);
		expect(await listDeadLetters(db)).toEqual([]);
		expect(await countDeliveries(db)).toEqual([]);
		expect(await replayDeadLetters(db, every, sampleNow)).toBe(0);
	});

	it('goes to the fallback of its channel once, as does what fails for five minutes', async () => {
		await bury('a');
		await enqueue('b');
		const [b] = await lease();
		await markFailed(db, b!, { error: 'ECONNREFUSED', nextAttemptAt: sampleNow + minute });
		const taken = async (at: number) => (await takeFallbacks(db, ['pager'], 5 * minute, at)).map(({ groupId }) => groupId);
		expect(await taken(sampleNow + 4 * minute)).toEqual(['a']);
		expect(await taken(sampleNow + 5 * minute)).toEqual(['b']);
		expect(await taken(sampleNow + 6 * minute)).toEqual([]);
	});
});

it('a channel is in trouble after its second failure in a row', async () => {
	await enqueue();
	const [first] = await lease();
	await markFailed(db, first!, { error: 'answered 500', nextAttemptAt: sampleNow });
	expect(await listTroubledChannels(db)).toEqual([]);
	const [second] = await lease();
	await markFailed(db, second!, { error: 'answered 502', nextAttemptAt: sampleNow });
	expect(await listTroubledChannels(db)).toEqual([{ channel: 'pager', count: 1, oldestAt: sampleNow, lastError: 'answered 502' }]);
});

it('forgets ended deliveries of a stated age, never pending ones', async () => {
	await enqueue('i', ['a', 'b', 'c']);
	const [delivered, failed] = await lease(sampleNow, 2);
	await markDelivered(db, delivered!, sampleNow);
	await markFailed(db, failed!, dead);
	expect(await trimOutbox(db, sampleNow)).toBe(0);
	expect(await trimOutbox(db, sampleNow + 1)).toBe(2);
	expect(await countDeliveries(db)).toMatchObject([{ state: 'pending', count: 1 }]);
});
