import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

const root = join(import.meta.dirname, '..', '..');

export interface Service {
	readonly pid: number;
	readonly url: string;
	readonly dir: string;
	readonly configPath: string;
	/** Everything it printed so far. */
	output(): string;
	/** A command of Linnet's in its directory and environment, beside it. */
	run(...args: string[]): Promise<{ readonly code: number; readonly output: string }>;
	/** Pids of the children whose command line holds the words. */
	childPids(words: string): number[];
	/** Resolves with the exit code when it ends. */
	readonly exited: Promise<number | null>;
	/** As Ctrl-C does: the signal goes to the whole process group. Resolves with the exit code. */
	interrupt(): Promise<number | null>;
	kill(signal: NodeJS.Signals): Promise<void>;
	/** True when it is ready. */
	ready(): Promise<boolean>;
}

export interface StartOptions {
	/** Null: the demo. */
	readonly config: string | null;
	readonly env?: Record<string, string>;
	/** Of an earlier start, to go on where it was. */
	readonly dir?: string;
	readonly port?: number;
	/** False: resolves at once, for starts that must fail. */
	readonly waitUntilReady?: boolean;
	/** Default 90 s. */
	readonly readyWithinMs?: number;
	/** Command that it is started through, e.g. into another network. */
	readonly enter?: readonly string[];
	/** Where its address can't be reached from here. */
	readonly isReady?: (url: string) => Promise<boolean>;
}

const started: { child: ChildProcess; dir: string }[] = [];

/** `linnet up` in a directory of its own, as a process group of its own. */
export async function startService({
	config,
	env = {},
	dir,
	port,
	waitUntilReady = true,
	readyWithinMs = 90_000,
	enter = [],
	isReady,
}: StartOptions): Promise<Service> {
	const home = dir ?? (await mkdtemp(join(tmpdir(), 'linnet-e2e-')));
	// Postgres runs as an unprivileged account when this is root; it must be able to get in.
	await chmod(home, 0o755);
	const configPath = join(home, 'linnet.yaml');
	if (config !== null) await writeFile(configPath, config);
	const own = port ?? (await freePort());
	const [command = process.execPath, ...args] = [...enter, process.execPath, join(root, 'bin', 'linnet.mjs'), 'up'];
	const { PATH, HOME, NODE_COMPILE_CACHE } = process.env;
	const environment = { PATH, HOME, NODE_COMPILE_CACHE, LINNET_DATA: join(home, 'data'), PORT: String(own), ...env };
	const child = spawn(command, args, { cwd: home, detached: true, stdio: ['ignore', 'pipe', 'pipe'], env: environment });
	started.push({ child, dir: home });
	let output = '';
	child.stdout?.on('data', (chunk) => (output += chunk));
	child.stderr?.on('data', (chunk) => (output += chunk));
	const exited = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
	const service: Service = {
		pid: child.pid ?? 0,
		url: `http://127.0.0.1:${own}`,
		dir: home,
		configPath,
		exited,
		output: () => output,
		run: (...words) =>
			new Promise((resolve, reject) => {
				const options = { cwd: home, env: environment, encoding: 'utf8' as const, timeout: 90_000 };
				const one = execFile(process.execPath, [join(root, 'bin', 'linnet.mjs'), ...words], options, (error, stdout, stderr) => {
					if (error !== null && one.exitCode === null) reject(error);
					else resolve({ code: one.exitCode ?? 1, output: stdout + stderr });
				});
			}),
		childPids: (words) =>
			processes()
				.filter(({ ppid, args }) => ppid === child.pid && args.includes(words))
				.map(({ pid }) => pid),
		async interrupt() {
			if (child.exitCode === null && child.signalCode === null) process.kill(-(child.pid ?? 0), 'SIGINT');
			return exited;
		},
		async kill(signal) {
			child.kill(signal);
			await exited;
		},
		ready: async () => (isReady === undefined ? (await fetch(`${service.url}/readyz`).catch(() => null))?.status === 200 : isReady(service.url)),
	};
	if (waitUntilReady) {
		await until(
			() => `ready; its last words:\n${output.slice(-2_000)}`,
			async () => {
				if (child.exitCode !== null) throw new Error(`ended before it was ready:\n${output}`);
				return service.ready();
			},
			readyWithinMs,
		);
	}
	return service;
}

/** Ends everything that was started, and removes its directories. */
export async function stopServices(): Promise<void> {
	const all = started.splice(0);
	for (const { child } of all) {
		if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) continue;
		const exited = new Promise((resolve) => child.once('exit', resolve));
		process.kill(-child.pid, 'SIGINT');
		await exited;
	}
	for (const dir of new Set(all.map((one) => one.dir))) {
		// A server that outlived its kill -9'd parent; SIGINT is Postgres's fast shutdown.
		for (const { pid, args } of processes()) if (args.includes(join(dir, 'data'))) process.kill(pid, 'SIGINT');
		await until('data directory unused', async () => !processes().some(({ args }) => args.includes(join(dir, 'data'))));
		await rm(dir, { recursive: true, force: true });
	}
}

export function processes(): { pid: number; ppid: number; args: string }[] {
	return execFileSync('ps', ['-A', '-o', 'pid=,ppid=,args='], { encoding: 'utf8' })
		.split('\n')
		.flatMap((line) => {
			const match = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line);
			return match === null ? [] : [{ pid: Number(match[1]), ppid: Number(match[2]), args: match[3] ?? '' }];
		});
}

/** Waits for a condition, not for a time; what never comes fails with its name. */
export async function until<T>(what: string | (() => string), check: () => Promise<T | false | null | undefined>, withinMs = 90_000): Promise<T> {
	const deadline = performance.now() + withinMs;
	for (;;) {
		const value = await check();
		if (value) return value;
		if (performance.now() > deadline) throw new Error(`never came: ${typeof what === 'string' ? what : what()}`);
		await pause(100);
	}
}

export function freePort(): Promise<number> {
	return new Promise((resolve) => {
		const server = createServer();
		server.listen(0, '127.0.0.1', () => {
			const { port } = server.address() as AddressInfo;
			server.close(() => resolve(port));
		});
	});
}
