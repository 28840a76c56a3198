import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog } from '#core/log.ts';
import { openEmbeddedPostgres } from '#db/embedded.ts';
import { migrate } from '#db/migrate.ts';
import { openDb } from '#db/sql.ts';

export const templateName = 'linnet_template';
const variable = 'LINNET_TEST_POSTGRES_URL';

/** URL of the server of this test run; its database `linnet` is only for making others. */
export function testServerUrl(): string {
	const url = process.env[variable];
	if (url === undefined) throw new Error(`Expected ${variable} to be set by the global setup: run the test in the project "db" or "redis"`);
	return url;
}

/** One server for the whole run, with a migrated template; the second project that asks for it shares the first one's. */
export default async function setup(): Promise<() => Promise<void>> {
	if (process.env[variable] !== undefined) return async () => {};
	const dataDir = await mkdtemp(join(tmpdir(), 'linnet-test-'));
	const server = await openEmbeddedPostgres({
		dataDir,
		log: silentLog,
		durable: false,
		// A crash of the machine loses a test database, which nobody misses.
		settings: { fsync: 'off', full_page_writes: 'off', synchronous_commit: 'off', autovacuum: 'off' },
	});
	const admin = openDb({ url: server.url, max: 1 });
	await admin.execute(`create database ${templateName}`);
	await admin.close();
	const template = openDb({ url: withDatabase(server.url, templateName), max: 1 });
	await migrate(template);
	await template.close();
	process.env[variable] = server.url;
	return async () => {
		await server.stop();
		await rm(dataDir, { recursive: true, force: true });
	};
}

export function withDatabase(url: string, database: string): string {
	return url.replace(/\/[^/]*$/, `/${database}`);
}
