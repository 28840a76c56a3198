import { spawn } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { silentLog } from '#core/log.ts';
import { type EmbeddedPostgres, openEmbeddedPostgres } from './embedded.ts';
import { openDb } from './sql.ts';

let parent: string;
const opened: EmbeddedPostgres[] = [];
beforeEach(async () => {
	parent = await mkdtemp(join(tmpdir(), 'linnet-embedded-'));
	await chmod(parent, 0o755);
});
afterEach(async () => {
	for (const server of opened.splice(0)) await server.stop();
	await rm(parent, { recursive: true, force: true });
});

async function open(dataDir: string, settings: Record<string, string> = {}): Promise<EmbeddedPostgres> {
	const server = await openEmbeddedPostgres({ dataDir, log: silentLog, durable: false, settings });
	opened.push(server);
	return server;
}

async function ask(url: string, text: string): Promise<Record<string, unknown>> {
	const db = openDb({ url, max: 1 });
	const [row] = await db.execute<Record<string, unknown>>(text);
	await db.close();
	return row ?? {};
}

it('serves one data directory once, whoever opens it, and only its starter stops it', async () => {
	const dataDir = join(parent, 'with space and ünïcode');
	const servers = await Promise.all([1, 2, 3].map(() => open(dataDir)));
	expect(servers.filter(({ startedHere }) => startedHere)).toHaveLength(1);
	expect(new Set(servers.map(({ url }) => url)).size).toBe(1);
	const url = servers[0]!.url;
	for (const server of servers.filter(({ startedHere }) => !startedHere)) await server.stop();
	expect(
		await ask(url, "select 1 as alive, lower('ÀÉ') as lower, pg_encoding_to_char(encoding) as encoding from pg_database where datname = 'linnet'"),
	).toEqual({
		alive: 1,
		lower: 'àé',
		encoding: 'UTF8',
	});
	await servers.find(({ startedHere }) => startedHere)!.stop();
	await expect(ask(url, 'select 1')).rejects.toThrow();
	expect((await readdir(dataDir)).sort()).toEqual(['data', 'log', 'password', 'run', 'server.log']);
});

it('keeps its data over a stop, a killed server, and a killed parent whose server it then joins', async () => {
	const dataDir = join(parent, 'data dir');
	const first = await open(dataDir);
	await ask(first.url, 'create table public.kept as select 1 as n');
	await first.stop();
	const pidOf = async () => Number.parseInt(await readFile(join(dataDir, 'data', 'postmaster.pid'), 'utf8'), 10);

	const second = await open(dataDir);
	expect(second.startedHere).toBe(true);
	await ask(second.url, 'insert into public.kept values (2)');
	process.kill(await pidOf(), 'SIGKILL');

	const script = `
		import { openEmbeddedPostgres } from '#db/embedded.ts';
		import { silentLog } from '#core/log.ts';
		const { startedHere } = await openEmbeddedPostgres({ dataDir: ${JSON.stringify(dataDir)}, log: silentLog });
		console.log(startedHere);
		setInterval(() => {}, 1e6);`;
	const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', script], { cwd: process.cwd(), stdio: ['ignore', 'pipe', 'inherit'] });
	const said = await new Promise<string>((done) => {
		createInterface({ input: child.stdout }).once('line', done);
	});
	child.kill('SIGKILL');
	expect(said).toBe('true');
	const third = await open(dataDir);
	try {
		expect(third.startedHere).toBe(false);
		expect(await ask(third.url, 'select sum(n) as sum from public.kept')).toEqual({ sum: 3 });
	} finally {
		process.kill(await pidOf(), 'SIGINT');
	}
});

it('goes over loopback with a password where the path is too long for a socket', async () => {
	const { url } = await open(join(parent, 'x'.repeat(100)));
	expect(new URL(url).hostname).toBe('127.0.0.1');
	expect(await ask(url, 'show listen_addresses')).toEqual({ listen_addresses: '127.0.0.1' });
	await expect(ask(url.replace(/:[^:@]+@/, ':wrong@'), 'select 1')).rejects.toThrow(/password/);
});

it('says what to do when the place can not be used, or the server does not start', async () => {
	await writeFile(join(parent, 'file'), '');
	await expect(open(join(parent, 'file', 'below'))).rejects.toThrow(/Could not write to the data directory.*DATABASE_URL/);
	await mkdir(join(parent, 'bad'));
	await expect(open(join(parent, 'bad'), { shared_buffers: 'much' })).rejects.toThrow(/did not start\. Its log is .*server\.log/);
});
