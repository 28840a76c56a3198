/** The Postgres of DATABASE_URL, or the embedded one; migrated. */
import { join } from 'node:path';
import type { Log } from '#core/log.ts';
import { openEmbeddedPostgres } from '#db/embedded.ts';
import { migrate } from '#db/migrate.ts';
import { type Db, isUnavailable, openDb } from '#db/sql.ts';
import type { Settings } from './environment.ts';
import { ExpectedError } from './expected-error.ts';
import type { Closing } from './run-role.ts';

export interface OpenedDatabase {
	readonly db: Db;
	readonly url: string;
	readonly embedded: boolean;
}

/** @throws ExpectedError when it can't be reached, the data directory can't be written, or the schema is newer than this code */
export async function openDatabase(settings: Settings, log: Log, closing: Closing, options: { connections?: number } = {}): Promise<OpenedDatabase> {
	let url = settings.databaseUrl;
	if (url === null) {
		try {
			const embedded = await openEmbeddedPostgres({ dataDir: join(settings.dataDir, 'postgres'), log });
			closing.add('embedded postgres', () => embedded.stop());
			url = embedded.url;
		} catch (error) {
			throw new ExpectedError(`${(error as Error).message}${error instanceof Error && error.cause instanceof Error ? ` (${error.cause.message})` : ''}`, 1, {
				cause: error,
			});
		}
	}
	let lastProblem = '';
	let closed = false;
	const db = openDb({ url, max: options.connections ?? 8 }, (error) => {
		// An idle connection that breaks is replaced; said once a kind, not once a connection.
		if (error.message !== lastProblem && !closed) log.warn({ problem: error.message }, 'database connection lost');
		lastProblem = error.message;
	});
	closing.add('database', () => {
		closed = true;
		return db.close();
	});
	try {
		await migrate(db);
	} catch (error) {
		if (isUnavailable(error) || /28P01|28000|3D000/.test((error as { code?: string }).code ?? '')) {
			throw new ExpectedError(`could not use the database at ${describeUrl(url)}: ${(error as Error).message || (error as { code?: string }).code}`, 1, {
				cause: error,
			});
		}
		throw error instanceof Error && /newer/.test(error.message) ? new ExpectedError(error.message, 1) : error;
	}
	return { db, url, embedded: settings.databaseUrl === null };
}

/** Host and database, never user or password. */
function describeUrl(url: string): string {
	const { host, hostname, pathname } = new URL(url);
	return `${host || hostname || 'a local socket'}${pathname}`;
}
