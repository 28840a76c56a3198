/** The Postgres of DATABASE_URL, or the embedded one; migrated. */
import { join } from 'node:path';
import type { Log } from '#core/log.ts';
import { type EmbeddedPostgres, openEmbeddedPostgres } from '#db/embedded.ts';
import { migrate } from '#db/migrate.ts';
import { advisoryLocks, type Db, isUnavailable, openDb } from '#db/sql.ts';
import type { Settings } from './environment.ts';
import { ExpectedError } from './expected-error.ts';
import type { Closing } from './run-role.ts';

export interface OpenedDatabase {
	readonly db: Db;
	readonly url: string;
	readonly embedded: boolean;
}

/** @throws ExpectedError when it can't be reached, the data directory can't be written, or the schema is newer than this code */
export async function openDatabase(
	settings: Settings,
	log: Log,
	closing: Closing,
	options: { connections?: number; guard?: boolean } = {},
): Promise<OpenedDatabase> {
	let url = settings.databaseUrl;
	if (url === null) {
		try {
			const open = () => openEmbeddedPostgres({ dataDir: join(settings.dataDir, 'postgres'), log });
			const embedded = await open();
			url = embedded.url;
			if (options.guard) guard(embedded, open, log, closing);
			else closing.add('embedded postgres', () => embedded.stop());
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
	if (options.guard) await lockAllInOne(db, closing);
	return { db, url, embedded: settings.databaseUrl === null };
}

/** Two all-in-one services on one database would send every canary twice. The lock goes with its connection, so a kill -9 frees it. */
async function lockAllInOne(db: Db, closing: Closing): Promise<void> {
	const client = await db.pool.connect();
	const { rows } = await client.query<{ locked: boolean }>('select pg_try_advisory_lock($1) as locked', [advisoryLocks.allInOne]);
	if (!rows[0]?.locked) {
		client.release();
		throw new ExpectedError('another `linnet up` runs on this database: stop it first, or set LINNET_DATA (or DATABASE_URL) to another one');
	}
	client.on('error', () => {});
	closing.add('all-in-one lock', () => client.release(true));
}

const guardEveryMs = 2_000;

/** Starts the embedded server again when it dies, at the same address; it recovers from its log. */
function guard(first: EmbeddedPostgres, open: () => Promise<EmbeddedPostgres>, log: Log, closing: Closing): void {
	let current = first;
	let looking: Promise<void> | null = null;
	const look = async () => {
		const found = await open();
		if (!found.startedHere) return;
		current = found;
		log.error({}, 'the embedded postgres had ended: started again');
		if (found.url !== first.url) log.error({}, 'the embedded postgres has another address now: restart Linnet');
	};
	const timer = setInterval(() => {
		looking ??= look()
			.catch((error) => log.error({ problem: (error as Error).message }, 'the embedded postgres could not be started again'))
			.finally(() => {
				looking = null;
			});
	}, guardEveryMs);
	closing.add('embedded postgres', async () => {
		clearInterval(timer);
		await looking;
		// Also one that an earlier, killed process left behind: the lock says that nobody else uses it.
		await current.shutDown();
	});
}

/** Host and database, never user or password. */
function describeUrl(url: string): string {
	const { host, hostname, pathname } = new URL(url);
	return `${host || hostname || 'a local socket'}${pathname}`;
}
