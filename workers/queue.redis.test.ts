import { afterAll, beforeAll, describe } from 'vitest';
import { describeQueueRules } from '#test/queue-rules.ts';
import { findRedisServer, startRedis, type TestRedis } from '#test/redis.ts';

const program = await findRedisServer('the rules of the queue on Redis are not tested');

describe.skipIf(program === null)('on Redis', () => {
	let redis: TestRedis;
	beforeAll(async () => {
		if (program !== null) redis = await startRedis(program);
	});
	afterAll(() => redis?.stop());
	describeQueueRules(() => ({ urls: { redisUrl: redis.url, databaseUrl: 'postgres://127.0.0.1:9/none' }, empty: () => redis.empty() }));
});
