import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

// On a shared machine a second try tells a stall of the machine from a fault of ours; the report names every test that needed it.
const shared = {
	pool: 'forks' as const,
	setupFiles: ['./test/setup.ts'],
	retry: process.env.CI === undefined ? 0 : 1,
	testTimeout: 30_000,
	// A hundred services start in directories of their own: they need not compile a hundred times.
	env: { NODE_COMPILE_CACHE: join(import.meta.dirname, 'node_modules', '.cache', 'compiled') },
};
// A file's suffix says what it needs: .test.ts nothing, .db.test.ts Postgres, .redis.test.ts Redis too, .browser.test.ts Chromium,
// .e2e.test.ts the whole service in child processes. What speaks to the real clients of others, or to every fault, is test/contract: too slow for `npm run check`.
export default defineConfig({
	test: {
		// Three on two cores: most of a test's time is waiting, for a database, a browser or an outage to be told. A dozen workers at once run alone.
		maxWorkers: 3,
		projects: [
			{
				test: {
					...shared,
					name: 'unit',
					include: ['**/*.test.ts'],
					exclude: ['**/node_modules/**', '**/*.{db,redis,browser,e2e}.test.ts', 'test/contract/**'],
				},
			},
			{
				test: { ...shared, name: 'contract', include: ['test/contract/**/*.test.ts'], exclude: ['**/node_modules/**', '**/*.{db,redis,browser,e2e}.test.ts'] },
			},
			{ test: { ...shared, name: 'db', include: ['**/*.db.test.ts'], globalSetup: ['./test/postgres-server.ts'], testTimeout: 60_000, hookTimeout: 60_000 } },
			{
				test: {
					...shared,
					name: 'redis',
					fileParallelism: false,
					include: ['**/*.redis.test.ts'],
					globalSetup: ['./test/postgres-server.ts'],
					testTimeout: 60_000,
					hookTimeout: 60_000,
				},
			},
			{ test: { ...shared, name: 'browser', include: ['**/*.browser.test.ts'], testTimeout: 60_000, hookTimeout: 60_000 } },
			{
				test: {
					...shared,
					name: 'e2e',
					include: ['**/*.e2e.test.ts'],
					testTimeout: 180_000,
					hookTimeout: 120_000,
					// Last, and two at once: each is a whole service with its providers. Three starve them for seconds, and a probe then times out that was answered.
					maxWorkers: 2,
					sequence: { groupOrder: 1 },
				},
			},
		],
	},
});
