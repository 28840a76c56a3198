import pg from 'pg';
import { SteadyClient } from './steady-client.ts';

/** One SQL statement with its row type; runs as a prepared statement of that name. */
export interface Query<Row> {
	readonly name: string;
	readonly text: string;
	/** Carries the type only. */
	readonly row?: Row;
}

/** What a verb of a table needs; both Db and Tx are one. */
export interface Sql {
	readonly pool: pg.Pool;
	run<Row>(query: Query<Row>, values?: readonly unknown[]): Promise<Row[]>;
	/** For DDL and one-off statements; every statement that a verb runs often is a Query. */
	execute<Row = unknown>(text: string, values?: readonly unknown[]): Promise<Row[]>;
}

/** A pool. Statements that belong together go through `transaction`. */
export interface Db extends Sql {
	readonly url: string;
	close(): Promise<void>;
}

/** One open transaction: a verb that takes a Tx is only right inside one. */
export interface Tx extends Sql {
	readonly client: pg.PoolClient;
}

/** Lock numbers of ours, so that no two uses share one. The SQL of migrations repeats the one it takes. */
export const advisoryLocks = {
	migrations: 7_201,
	resultOrder: 7_202,
	rollUp: 7_204,
	snapshots: 7_205,
	queueSchedules: 7_206,
	allInOne: 7_207,
	alerts: 7_208,
	tighten: 7_209,
} as const;

const registry = new Map<string, Query<unknown>>();
/** Every Query of the modules loaded so far: a test PREPAREs them all on the migrated schema. */
export const queries: ReadonlyMap<string, Query<unknown>> = registry;

export function query<Row>(name: string, text: string): Query<Row> {
	if (registry.has(name)) throw new Error(`Expected query names to be unique, got a second "${name}"`);
	const made = { name, text };
	registry.set(name, made);
	return made;
}

const { builtins } = pg.types;
/** Of `smallint[]` and `integer[]`, in pg_type.dat; node-postgres has no names for arrays. */
const [oidOfSmallints, oidOfIntegers] = [1005, 1007];
const parsers = new Map<number, (text: string) => unknown>([
	[builtins.INT8, parseInt8],
	[builtins.TIMESTAMPTZ, parseInstant],
	[builtins.DATE, (text) => text],
	[oidOfSmallints, parseIntegers],
	[oidOfIntegers, parseIntegers],
]);

/** int8 as a number: every one of ours is a count, a sequence or money far below 2^53. */
function parseInt8(text: string): number {
	const value = Number(text);
	if (!Number.isSafeInteger(value)) throw new Error(`Expected an int8 within ±2^53, got ${text}`);
	return value;
}

/** timestamptz as ms since epoch, as everywhere else in the code. */
function parseInstant(text: string): number {
	// `2026-11-23 16:18:23.123+00`: sessions run in UTC and ISO style.
	const at = Date.parse(`${text.slice(0, 10)}T${text.slice(11, -3)}Z`);
	if (Number.isNaN(at)) throw new Error(`Expected a timestamptz in UTC, got ${text}`);
	return at;
}

/** The general parser makes an object for each element: of the histograms of a large fleet an eighth of all that the judge throws away. */
export function parseIntegers(text: string): (number | null)[] {
	if (text === '{}') return [];
	const found: number[] = [];
	let [value, sign] = [0, 1];
	for (let i = 1; i < text.length; i++) {
		const code = text.charCodeAt(i);
		if (code >= 48 && code <= 57) value = value * 10 + (code - 48);
		else if (code === 45) sign = -1;
		else if (code === 44 || code === 125) {
			found.push(sign * value);
			[value, sign] = [0, 1];
		}
		// A null, an array of arrays, bounds of its own.
		else return pg.types.getTypeParser(oidOfIntegers)(text) as (number | null)[];
	}
	return found;
}

const types: pg.CustomTypesConfig = {
	getTypeParser: ((oid: number, format: 'text' | 'binary') => parsers.get(oid) ?? pg.types.getTypeParser(oid, format)) as typeof pg.types.getTypeParser,
};

export interface OpenDbOptions {
	readonly url: string;
	/** Connections at most. */
	readonly max?: number;
	readonly statementTimeoutMs?: number;
	readonly name?: string;
}

/** Opens lazily: an absent server shows at the first statement. `onError` hears of idle connections that broke; the pool replaces them. */
export function openDb({ url, max = 8, statementTimeoutMs = 30_000, name = 'linnet' }: OpenDbOptions, onError: (error: Error) => void = () => {}): Db {
	const pool = new pg.Pool({
		...connectionOf(url, statementTimeoutMs),
		...{ application_name: name, max, types, Client: SteadyClient, idleTimeoutMillis: 60_000 },
		// The server's process behind it keeps what its largest statements and each partition that it met have left in its memory: up to 30 MB.
		maxLifetimeSeconds: 300,
	});
	pool.on('error', onError);
	return { url, pool, ...runner(pool), close: () => pool.end() };
}

/** Settings for a pg Client or Pool of ours. */
export function connectionOf(url: string, statementTimeoutMs: number): pg.ClientConfig {
	const options = [
		'-c search_path=linnet -c timezone=UTC -c datestyle=ISO -c jit=off -c work_mem=16MB',
		`-c statement_timeout=${statementTimeoutMs}`,
		// A process that is frozen inside a transaction, or whose machine has gone, would keep the order of results or a lease locked for everybody else.
		`-c idle_in_transaction_session_timeout=${statementTimeoutMs}`,
	].join(' ');
	// pg lets `options` of the URL win over the setting, so ours go into it.
	const merged = url.replace(/([?&]options=)([^&]*)/, (_, key, theirs) => `${key}${encodeURIComponent(`${decodeURIComponent(theirs)} ${options}`)}`);
	// The server's own timeout does not help when the network swallows its answer.
	return { connectionString: merged, options, keepAlive: true, connectionTimeoutMillis: 5_000, query_timeout: statementTimeoutMs + 5_000 };
}

function runner(target: pg.Pool | pg.PoolClient): Omit<Sql, 'pool'> {
	return {
		run: async <Row>({ name, text }: Query<Row>, values: readonly unknown[] = []) =>
			(await target.query({ name, text, values: values as unknown[], types })).rows as Row[],
		execute: async <Row>(text: string, values: readonly unknown[] = []) => (await target.query({ text, values: values as unknown[], types })).rows as Row[],
	};
}

/** Runs `work` in one transaction on one connection; rolls back and rethrows when it throws. */
export async function transaction<T>(db: Db, work: (tx: Tx) => Promise<T>): Promise<T> {
	const client = await db.pool.connect();
	let broken: Error | undefined;
	try {
		await client.query('begin');
		const result = await work({ client, pool: db.pool, ...runner(client) });
		await client.query('commit');
		return result;
	} catch (error) {
		await client.query('rollback').catch((failure: Error) => {
			broken = failure;
		});
		throw error;
	} finally {
		// A connection that can't roll back is not given to the next one.
		client.release(broken);
	}
}

/** Inside a transaction already, it is used as it is; a Db opens one. */
export function inTransaction<T>(sql: Db | Tx, work: (tx: Tx) => Promise<T>): Promise<T> {
	return 'client' in sql ? work(sql) : transaction(sql, work);
}

const unavailableCodes = new Set(['ECONNREFUSED', 'ECONNRESET', 'ENOENT', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH']);
// 08 connection, 53 out of resources, 57P0x shutdown and start, 57014 statement timeout, 25006 a standby, 25P03 idle in a transaction for too long, 40 deadlock
// and the like, 55P03 lock timeout.
const unavailableStates = /^(08...|53...|57P0[1-5]|57014|25006|25P03|40...|55P03)$/;

/** True when the same statement may succeed later: the server is away, not our data wrong. */
export function isUnavailable(error: unknown): boolean {
	if (!(error instanceof Error)) return false;
	const { code } = error as { code?: string };
	if (code !== undefined) return unavailableCodes.has(code) || unavailableStates.test(code);
	if (error instanceof AggregateError) return error.errors.some(isUnavailable);
	// pg throws these without a code.
	return /connection terminated|timeout exceeded when trying to connect|connection timeout|query read timeout|client has encountered a connection error/i.test(
		error.message,
	);
}

/** ms since epoch → a timestamptz parameter; null stays null. */
export function instant(at: number): string;
export function instant(at: number | null): string | null;
export function instant(at: number | null): string | null {
	return at === null ? null : new Date(at).toISOString();
}
