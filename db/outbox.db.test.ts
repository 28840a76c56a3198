import { afterEach, beforeEach, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '#test/postgres.ts';
import { sampleNow } from '#test/sample-results.ts';
import { countDeliveries, enqueueDeliveries, leaseDueDeliveries, markDelivered, markFailed, type NewDeliveries, trimOutbox } from './outbox.ts';
import { type Db, transaction } from './sql.ts';

let database: TestDatabase;
let db: Db;
beforeEach(async () => {
	database = await createTestDatabase();
	db = database.db;
});
afterEach(() => database.drop());

const leaseMs = 60_000;
const enqueue = (transition: number, more: Partial<NewDeliveries> = {}) =>
	transaction(db, (tx) =>
		enqueueDeliveries(tx, { incidentId: 'i', transition, channels: ['pager'], alsoToPreviousChannels: false, event: { transition }, at: sampleNow, ...more }),
	);
const lease = (at = sampleNow, limit = 10) => leaseDueDeliveries(db, at, limit, leaseMs);
const label = ({ channel, transition }: { channel: string; transition: number }) => `${channel} ${transition}`;

it('holds a resolve back until its trigger has ended, per channel', async () => {
	await enqueue(1, { channels: ['pager', 'chat'] });
	await enqueue(2, { channels: ['pager'], alsoToPreviousChannels: true });
	const triggers = await lease();
	expect(triggers.map(label)).toEqual(['pager 1', 'chat 1'].sort((a, b) => triggers.map(label).indexOf(a) - triggers.map(label).indexOf(b)));
	expect(await lease()).toEqual([]);
	await markDelivered(db, triggers.find(({ channel }) => channel === 'pager')!, sampleNow);
	expect((await lease()).map(label)).toEqual(['pager 2']);
	await markFailed(db, triggers.find(({ channel }) => channel === 'chat')!, { error: 'gone', nextAttemptAt: null });
	expect((await lease()).map(label)).toEqual(['chat 2']);
});

it('gives a delivery to one worker at a time, and to the next when the lease runs out, whose mark alone counts', async () => {
	await enqueue(1);
	const both = await Promise.all([lease(), lease(), lease()]);
	expect(both.flat()).toHaveLength(1);
	const [first] = both.flat();
	expect(await lease(sampleNow + leaseMs - 1)).toEqual([]);
	const [second] = await lease(sampleNow + leaseMs);
	expect(second).toEqual({ ...first, attemptCount: 2 });
	expect(await markFailed(db, first!, { error: 'late', nextAttemptAt: null })).toBe(false);
	expect(await markDelivered(db, second!, sampleNow)).toBe(true);
	expect(await markDelivered(db, second!, sampleNow)).toBe(false);
	expect(await countDeliveries(db)).toEqual({ delivered: { count: 1, oldestAt: sampleNow } });
});

it('tries again not before the time it was told, with the same message id', async () => {
	await enqueue(1);
	const [first] = await lease();
	await markFailed(db, first!, { error: 'HTTP 503', nextAttemptAt: sampleNow + 5_000 });
	expect(await lease(sampleNow + 4_999)).toEqual([]);
	const [second] = await lease(sampleNow + 5_000);
	expect(second).toMatchObject({ messageId: first!.messageId, payload: { transition: 1 }, attemptCount: 2, createdAt: sampleNow });
});

it('takes a transition once, however often its job runs, and nothing of a transaction that failed', async () => {
	await enqueue(1);
	await enqueue(1);
	await transaction(db, async (tx) => {
		await enqueueDeliveries(tx, { incidentId: 'j', transition: 1, channels: ['pager'], alsoToPreviousChannels: false, event: {}, at: sampleNow });
		throw new Error('crash');
	}).catch(() => {});
	expect((await lease()).map(({ incidentId }) => incidentId)).toEqual(['i']);
});

it('forgets ended deliveries of a stated age, never pending ones', async () => {
	await enqueue(1, { channels: ['a', 'b', 'c'] });
	const [delivered, dead] = await lease(sampleNow, 2);
	await markDelivered(db, delivered!, sampleNow);
	await markFailed(db, dead!, { error: 'x', nextAttemptAt: null });
	expect(await trimOutbox(db, sampleNow)).toBe(0);
	expect(await trimOutbox(db, sampleNow + 1)).toBe(2);
	expect((await countDeliveries(db)).pending?.count).toBe(1);
});
