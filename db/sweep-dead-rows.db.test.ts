import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '#test/postgres.ts';
import { sweepDeadRows } from './sweep-dead-rows.ts';

let database: TestDatabase;
beforeAll(async () => {
	database = await createTestDatabase();
});
afterAll(() => database.drop());

it('what is written anew all the time takes the room of its dead, where nobody else cleans up', async () => {
	const { db } = database;
	const size = async () => (await db.execute<{ bytes: number }>(`select pg_total_relation_size('snapshots')::float8 as bytes`))[0]?.bytes ?? 0;
	// The servers of tests have no autovacuum, like one that is killed each minute.
	const publishMany = async () => {
		for (let i = 0; i < 20; i++) {
			await db.execute('delete from snapshots');
			await db.execute(
				`insert into snapshots (number, generated_at, document) select 1, now(), decode(string_agg(md5(n::text), ''), 'hex') from generate_series(1, 2000) n`,
			);
		}
	};
	await publishMany();
	const once = await size();
	await sweepDeadRows(db);
	await publishMany();
	expect(await size()).toBeLessThanOrEqual(once * 1.3);
	await publishMany();
	expect(await size()).toBeGreaterThan(once * 1.5);
});
