import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { access, chmod, chown, constants, link, mkdir, readFile, realpath, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { Log } from '#core/log.ts';
import { canReach, findPostgresBinaries, findRunAs, type RunAs, rootOfRelocated } from './embedded-binaries.ts';

export interface EmbeddedPostgresOptions {
	/** Created when missing. Holds `data/`, `run/` (socket), `log/`, `password`. */
	readonly dataDir: string;
	readonly log: Log;
	/** Server settings on top of ours. */
	readonly settings?: Readonly<Record<string, string>>;
	/** False saves a second of initdb: for throw-away servers of tests. */
	readonly durable?: boolean;
}

export interface EmbeddedPostgres {
	/** Connection URL of the database `linnet`. */
	readonly url: string;
	/** False when a server was already running there: it belongs to another process, or is the orphan of one that was killed. */
	readonly startedHere: boolean;
	/** Fast shutdown, only when `startedHere`. */
	stop(): Promise<void>;
	/** Fast shutdown, whoever started it: for the one who knows that nobody else needs it. */
	shutDown(): Promise<void>;
}

interface Home {
	readonly dir: string;
	readonly data: string;
	readonly run: string;
	readonly runAs: RunAs | null;
	readonly native: string;
	/** Null over TCP, where the password is needed. */
	readonly socketDir: string | null;
}

const settings = {
	max_connections: '200',
	shared_buffers: '32MB',
	// Its default minute leaves the queues' few rows among thousands of dead ones; at 10 s its rounds took a fifth of all CPU of Postgres.
	autovacuum_naptime: '30s',
	jit: 'off',
	max_wal_size: '512MB',
	timezone: 'UTC',
	log_timezone: 'UTC',
	// Seven files, each written anew after a week.
	logging_collector: 'on',
	log_directory: '../log',
	log_filename: 'postgres-%w.log',
	log_rotation_age: '1d',
	log_rotation_size: '0',
	log_truncate_on_rotation: 'on',
};

/**
 * glibc gives memory back to the system only above a limit that grows with the largest piece ever freed (mallopt(3)): a connection that had inserted
 * thousands of rows kept 57 MB, of which Postgres itself knew 3.
 */
export const leanMalloc = { MALLOC_TRIM_THRESHOLD_: '131072', MALLOC_MMAP_THRESHOLD_: '131072' };

// A socket path must fit sun_path: 104 bytes on macOS, 108 on Linux.
const longestSocketPath = 103;
const giveUpAfterMs = 60_000;

/**
 * A real Postgres from npm binaries, in a directory of ours. Starts it, or attaches to the one that already serves that directory;
 * several processes may call it at once: one starts, the others attach.
 * @throws with what to do about it: no binary for the platform, a directory that can't be written, a server that does not start.
 */
export async function openEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
	const home = await prepareHome(options);
	if ((await stat(join(home.data, 'PG_VERSION')).catch(() => null)) === null) await initialise(home, options.durable ?? true);
	const deadline = Date.now() + giveUpAfterMs;
	let lastError: unknown = null;
	while (Date.now() < deadline) {
		const running = await attach(home);
		if (running !== null) return { url: running, startedHere: false, stop: async () => {}, shutDown: () => stop(home) };
		if (await isServerAlive(home)) {
			// Starting up, recovering or shutting down.
			await sleep(50);
			continue;
		}
		try {
			await start(home, options.settings ?? {});
			const url = await attach(home);
			if (url === null) throw new Error('the server ended right after its start');
			options.log.info({ dir: home.dir }, 'embedded postgres started');
			return { url, startedHere: true, stop: () => stop(home), shutDown: () => stop(home) };
		} catch (error) {
			// A neighbour was faster, a dead server's lock file was not yet cleared, or the port was taken meanwhile.
			lastError = error;
			await sleep(100);
			const log = await readFile(join(home.dir, 'server.log'), 'utf8').catch(() => '');
			if (!/lock file|already exists|already in use|Address in use|being used by/i.test(`${log}${String(error)}`)) break;
		}
	}
	throw new Error(
		`The embedded Postgres in ${home.dir} did not start. Its log is ${join(home.dir, 'server.log')} and ${join(home.dir, 'log')}. Or set DATABASE_URL to another Postgres.`,
		{ cause: lastError },
	);
}

async function prepareHome({ dataDir, log }: EmbeddedPostgresOptions): Promise<Home> {
	let wanted = resolve(dataDir);
	try {
		await mkdir(wanted, { recursive: true });
		await access(wanted, constants.W_OK);
		wanted = await realpath(wanted);
	} catch (cause) {
		throw new Error(`Could not write to the data directory ${wanted}. Give this user write access, choose another one, or set DATABASE_URL.`, { cause });
	}
	let runAs = await findRunAs();
	let dir = wanted;
	const owned = await stat(join(wanted, 'data')).catch(() => null);
	if (runAs !== null && owned !== null && owned.uid !== 0) runAs = { uid: owned.uid, gid: owned.gid };
	if (runAs === null && owned !== null && process.getuid !== undefined && owned.uid !== process.getuid()) {
		throw new Error(
			`The data directory ${wanted} belongs to user id ${owned.uid}. Start Linnet as that user or as root, choose another one, or set DATABASE_URL.`,
		);
	}
	if (runAs !== null && !(await canReach(runAs, wanted))) {
		dir = join(rootOfRelocated, createHash('sha256').update(wanted).digest('hex').slice(0, 12));
		await mkdir(dir, { recursive: true, mode: 0o755 });
		await symlink(dir, join(wanted, 'postgres-is-here')).catch(() => {});
		log.warn({ wanted, dir }, 'the unprivileged account of postgres cannot reach the data directory: the data is kept elsewhere');
	}
	const data = join(dir, 'data');
	const run = join(dir, 'run');
	for (const path of [run, join(dir, 'log')]) {
		await mkdir(path, { recursive: true });
		// Whoever can enter the socket directory is let in without a password.
		await chmod(path, 0o700);
	}
	if (runAs !== null) for (const path of [dir, run, join(dir, 'log')]) await chown(path, runAs.uid, runAs.gid);
	const fits = Buffer.byteLength(join(run, '.s.PGSQL.5432.lock')) <= longestSocketPath;
	return { dir, data, run, runAs, native: await findPostgresBinaries(runAs), socketDir: fits && process.platform !== 'win32' ? run : null };
}

/** Into a directory of its own that is then renamed: a crash or a race leaves no half-made one. */
async function initialise(home: Home, durable: boolean): Promise<void> {
	const passwordFile = join(home.dir, 'password');
	const suffix = randomBytes(6).toString('hex');
	const partial = `${home.data}.${suffix}`;
	const partialPassword = `${passwordFile}.${suffix}`;
	await writeFile(partialPassword, randomBytes(24).toString('hex'), { mode: 0o600 });
	if (home.runAs !== null) await chown(partialPassword, home.runAs.uid, home.runAs.gid);
	// Appears whole or not at all; the first one stays.
	await link(partialPassword, passwordFile).catch((error: NodeJS.ErrnoException) => {
		if (error.code !== 'EEXIST') throw error;
	});
	await rm(partialPassword);
	await execute(home, 'initdb', [
		...['-D', partial, '-U', 'linnet', '--auth-local=trust', '--auth-host=scram-sha-256', `--pwfile=${passwordFile}`, '--no-instructions'],
		// The default locale is the environment's, which may not exist, or mean SQL_ASCII.
		...['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'],
		...(durable ? [] : ['--no-sync']),
	]);
	await writeFile(join(partial, 'postgresql.conf'), "include_if_exists 'linnet.conf'\n", { flag: 'a' });
	await rename(partial, home.data).catch(async (error: NodeJS.ErrnoException) => {
		await rm(partial, { recursive: true, force: true });
		if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST' && error.code !== 'EPERM') throw error;
	});
}

async function start(home: Home, more: Readonly<Record<string, string>>): Promise<void> {
	const place =
		home.socketDir === null
			? { listen_addresses: '127.0.0.1', port: String(await findPort(home)), unix_socket_directories: '' }
			: { listen_addresses: '', port: '5432', unix_socket_directories: home.socketDir };
	const lines = Object.entries({ ...settings, ...place, ...more }).map(([key, value]) => `${key} = '${value.replaceAll("'", "''")}'\n`);
	await writeFile(join(home.data, 'linnet.conf'), lines.join(''));
	const log = join(home.dir, 'server.log');
	await rm(log, { force: true });
	await execute(home, 'pg_ctl', ['-D', home.data, '-l', log, '-w', '-t', '60', 'start']);
}

async function stop(home: Home): Promise<void> {
	if (!(await isServerAlive(home))) return;
	await execute(home, 'pg_ctl', ['-D', home.data, '-m', 'fast', '-w', '-t', '60', 'stop']);
}

/** URL of the server that serves this very data directory; null when none answers. */
async function attach(home: Home): Promise<string | null> {
	const lock = await readFile(join(home.data, 'postmaster.pid'), 'utf8').catch(() => '');
	const [, , , port, socketDir] = lock.split('\n');
	if (port === undefined || port === '') return null;
	const password = socketDir ? '' : `:${(await readFile(join(home.dir, 'password'), 'utf8')).trim()}`;
	const url = (database: string) => `postgres://linnet${password}@${socketDir ? encodeURIComponent(socketDir) : '127.0.0.1'}:${port}/${database}`;
	const client = new pg.Client({ connectionString: url('postgres'), connectionTimeoutMillis: 2_000 });
	client.on('error', () => {});
	try {
		await client.connect();
		const found = await client.query<{ data_directory: string }>('show data_directory');
		if (found.rows[0]?.data_directory !== home.data) return null;
		await client.query('create database linnet').catch((error: { code?: string }) => {
			// 42P04 it exists, 23505 a neighbour creates it at this moment.
			if (error.code !== '42P04' && error.code !== '23505') throw error;
		});
		return url('linnet');
	} catch (error) {
		const { code } = error as { code?: string };
		// Alive, and busier than it can be: whoever asks again gets in.
		if (code === '53300') return url('linnet');
		// 57P03 not yet, 57P01 no longer; the rest is "nobody there".
		if (code === undefined || ['57P03', '57P01', 'ECONNREFUSED', 'ENOENT', 'ECONNRESET', 'EPIPE'].includes(code)) return null;
		throw error;
	} finally {
		await client.end().catch(() => {});
	}
}

async function isServerAlive(home: Home): Promise<boolean> {
	const pid = Number.parseInt(await readFile(join(home.data, 'postmaster.pid'), 'utf8').catch(() => ''), 10);
	if (!(pid > 0)) return false;
	try {
		process.kill(pid, 0);
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
	}
	// A process id can come back as somebody else's, and a killed server waits as a zombie until it is reaped.
	const stated = process.platform === 'linux' ? await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '') : '(postgres) S';
	return /\(postgres\) [^Z]/.test(stated);
}

/** The port of the last start while it is free, so that those who know the URL find the server again. */
async function findPort(home: Home): Promise<number> {
	const before = /^port = '(\d+)'$/m.exec(await readFile(join(home.data, 'linnet.conf'), 'utf8').catch(() => ''))?.[1];
	return before === undefined ? freePort(0) : freePort(Number(before)).catch(() => freePort(0));
}

function freePort(wanted: number): Promise<number> {
	return new Promise((done, fail) => {
		const server = createServer().once('error', fail);
		server.listen(wanted, '127.0.0.1', () => {
			const address = server.address();
			server.close(() => done(typeof address === 'object' && address !== null ? address.port : 0));
		});
	});
}

function execute(home: Home, program: 'initdb' | 'pg_ctl', args: readonly string[]): Promise<void> {
	const environment = { PATH: process.env.PATH, SystemRoot: process.env.SystemRoot, LC_ALL: 'C', TZ: 'UTC', ...leanMalloc };
	return new Promise((done, fail) => {
		const child = spawn(join(home.native, 'bin', program), args, {
			cwd: home.dir,
			env: environment,
			stdio: ['ignore', 'pipe', 'pipe'],
			...(home.runAs ?? {}),
		});
		let said = '';
		const listen = (chunk: Buffer) => {
			said = (said + chunk.toString()).slice(-4_000);
		};
		child.stdout.on('data', listen);
		child.stderr.on('data', listen);
		child.once('error', fail);
		child.once('close', (code) => (code === 0 ? done() : fail(new Error(`${program} ended with code ${code}: ${said.trim()}`))));
	});
}
