import { expect, it } from 'vitest';
import { createTestDatabase } from '#test/postgres.ts';
import { acquireLease, renewLease } from './leases.ts';
import { isUnavailable, openDb, transaction } from './sql.ts';

it('a transaction of a process that stands still in the midst of it is ended by the server: its locks are free, nothing of it is kept, and it may try again', async () => {
	const database = await createTestDatabase();
	const { db } = database;
	const frozen = openDb({ url: database.url, max: 1, statementTimeoutMs: 1_000 });
	const locked = Promise.withResolvers<void>();
	const thaw = Promise.withResolvers<void>();
	const ended = transaction(frozen, async (tx) => {
		const lease = await acquireLease(tx, 'l', 'frozen', 60_000);
		locked.resolve();
		await thaw.promise;
		await renewLease(tx, lease!, 60_000);
	}).catch((error: unknown) => error);
	await locked.promise;
	// Waits for the row, and gets it.
	expect(await acquireLease(db, 'l', 'next', 60_000)).not.toBeNull();
	thaw.resolve();
	expect(isUnavailable(await ended)).toBe(true);
	expect(await transaction(frozen, (tx) => acquireLease(tx, 'l', 'frozen', 60_000))).toBeNull();
	await frozen.close();
	await database.drop();
});
