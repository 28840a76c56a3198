import { afterAll, beforeAll } from 'vitest';
import { createTestDatabase, type TestDatabase } from '#test/postgres.ts';
import { describeQueueRules } from '#test/queue-rules.ts';

let database: TestDatabase;
beforeAll(async () => {
	database = await createTestDatabase();
});
afterAll(() => database.drop());

describeQueueRules(() => ({
	urls: { redisUrl: null, databaseUrl: database.url },
	empty: async () => {
		await database.db.execute('truncate bullmq.job, bullmq.scheduler cascade');
	},
}));
