import { spawn } from 'node:child_process';
import { access, mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export interface TestRedis {
	readonly url: string;
	/** Loses everything, like a server without persistence that was restarted. */
	empty(): Promise<void>;
	stop(): Promise<void>;
}

/**
 * The program's path. Without it: null on a laptop, after saying loudly what is left out; with CI=true it throws, so that no pipeline is
 * green by leaving tests out.
 */
export async function findRedisServer(leftOut: string): Promise<string | null> {
	for (const directory of ['/usr/bin', ...(process.env.PATH ?? '').split(delimiter)]) {
		const path = join(directory, 'redis-server');
		if (
			await access(path).then(
				() => true,
				() => false,
			)
		)
			return path;
	}
	const message = `redis-server is not installed: ${leftOut}`;
	if (process.env.CI === 'true') throw new Error(message);
	console.warn(`\n!!! LEFT OUT: ${message}\n`);
	return null;
}

/** A server of its own on a free port, in a directory of its own. */
export async function startRedis(program: string): Promise<TestRedis> {
	const directory = await mkdtemp(join(tmpdir(), 'linnet-redis-'));
	const port = await freePort();
	const args = [
		'--port',
		String(port),
		'--bind',
		'127.0.0.1',
		'--dir',
		directory,
		'--save',
		'',
		'--appendonly',
		'no',
		'--hz',
		'100',
		'--maxmemory-policy',
		'noeviction',
	];
	const child = spawn(program, args, { stdio: 'ignore' });
	const exited = new Promise<void>((done) => child.once('exit', () => done()));
	let startFailure: Error | undefined;
	child.once('error', (error) => {
		startFailure = error;
	});
	for (let attempt = 0; !(await answers(port)); attempt++) {
		if (startFailure !== undefined || child.exitCode !== null || attempt > 200) throw new Error(`${program} did not start`, { cause: startFailure });
		await sleep(25);
	}
	return {
		url: `redis://127.0.0.1:${port}`,
		empty: () => say(port, 'FLUSHALL\r\n').then(() => {}),
		async stop() {
			child.kill('SIGTERM');
			await exited;
			await rm(directory, { recursive: true, force: true });
		},
	};
}

function answers(port: number): Promise<boolean> {
	return say(port, 'PING\r\n').then(
		(answer) => answer.startsWith('+PONG'),
		() => false,
	);
}

function say(port: number, command: string): Promise<string> {
	return new Promise((done, fail) => {
		const socket = connect(port, '127.0.0.1', () => socket.write(command));
		socket.once('data', (answer) => {
			socket.destroy();
			done(answer.toString());
		});
		socket.once('error', fail);
	});
}

function freePort(): Promise<number> {
	return new Promise((done, fail) => {
		const server = createServer().once('error', fail);
		server.listen(0, '127.0.0.1', () => {
			const address = server.address();
			server.close(() => done(typeof address === 'object' && address !== null ? address.port : 0));
		});
	});
}
