/** All in one: embedded Postgres, schema, simulator (in the demo), workers, API; each in its own process, so that no load disturbs a measurement. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import type { Log } from '#core/log.ts';
import { readMeta, rememberDemoStart } from '#db/meta.ts';
import { listTargetKeys } from '#db/targets.ts';
import { demoFleet, demoKeyEnv } from '#simulator/scenarios/demo.ts';
import { compileAhead } from './compile-ahead.ts';
import { readConfig } from './config-source.ts';
import { demoConfig } from './demo-config.ts';
import { readSettings, type Settings } from './environment.ts';
import { ExpectedError } from './expected-error.ts';
import { leanEnvironment, leanNodeOptions, packHeap } from './lean-process.ts';
import { openLog } from './log.ts';
import { openDatabase } from './open-database.ts';
import { type Closing, runRole } from './run-role.ts';
import { seedDemo } from './seed-demo.ts';
import { openTerminal, type Terminal } from './terminal.ts';
import { watchStates } from './watch-states.ts';

export function upCommand(): Command {
	return new Command('up')
		.description('everything on one machine; without a linnet.yaml it is the demo, on a simulated fleet')
		.option('--demo', 'the demo, even if there is a linnet.yaml')
		.action(async (options: { demo?: boolean }) => {
			const settings = readSettings();
			const demo = options.demo === true || (!settings.configNamed && !existsSync(settings.configPath));
			// The demo keeps its simulated record apart from a real one.
			const own = demo ? { ...settings, dataDir: join(settings.dataDir, 'demo'), configNamed: false } : settings;
			const terminal = openTerminal(process.stdout.isTTY === true);
			const log = terminal.interactive ? terminal.log : openLog(settings, 'up');
			await runRole(log, (closing) => startAll(own, demo, terminal, log, closing));
		});
}

async function startAll(settings: Settings, demo: boolean, terminal: Terminal, log: Log, closing: Closing): Promise<void> {
	// What reading the targets took is given back at once: of 10,000 the parent held 229 MB for a minute and a half, and then 70.
	packHeap();
	terminal.title(demo ? 'Linnet demo: a simulated fleet, nothing here is a real provider' : 'Linnet');
	// Cheap faults first: nothing is half-started by them.
	await refusePortInUse(settings);
	const stopping = new AbortController();
	closing.add('compiling', () => stopping.abort());
	// While Postgres starts.
	const compiled = compileAhead(process.env.NODE_COMPILE_CACHE, stopping.signal);
	const config = demo
		? null
		: await terminal.step(
				'configuration',
				() => readConfig(settings),
				(read) => `${read.targets.length} targets from ${settings.configPath}`,
			);
	const { db, url } = await terminal.step(
		settings.databaseUrl === null ? 'embedded Postgres' : 'Postgres',
		() => openDatabase(settings, log, closing, { connections: 3, guard: true }),
		(opened) => (opened.embedded ? `data in ${join(settings.dataDir, 'postgres')}` : 'DATABASE_URL'),
	);
	await refuseMixedRecord(db, demo);
	const env: NodeJS.ProcessEnv = {
		...leanEnvironment,
		...process.env,
		DATABASE_URL: url,
		LINNET_DATA: settings.dataDir,
		LINNET_SUPERVISED: '1',
		...(config === null ? {} : { LINNET_CONFIG: settings.configPath }),
	};
	const family = createFamily(env, terminal, log);
	closing.add('children', () => family.stop());
	if (demo) {
		const now = Date.now();
		const storyStartedAt = await rememberDemoStart(db, now);
		// The same instant: nobody has started this demo before.
		if (storyStartedAt === now) {
			const { targets } = demoConfig('http://127.0.0.1:1');
			await terminal.step(
				'simulated history',
				() => seedDemo(db, demoFleet, targets, settings.vantage, now),
				() => '90 days, made up',
			);
		}
		delete env.LINNET_CONFIG;
		// The simulator takes any key; the probes carry one as real ones do.
		env[demoKeyEnv] = 'simulated';
		const port = await freePort();
		env.LINNET_SIMULATOR_URL = `http://127.0.0.1:${port}`;
		await terminal.step('simulated providers', () => family.start('simulator', [join('..', 'simulator', 'main.ts'), String(port), String(storyStartedAt)]));
	}
	await compiled;
	// Probes first: what is not measured is lost, what is not judged only waits.
	await terminal.step(
		'probes',
		() => family.start('probe', ['main.ts', 'worker', '--jobs', 'probe']),
		() => `vantage ${settings.vantage}`,
	);
	await terminal.step('judge', () => family.start('judge', ['main.ts', 'worker', '--jobs', 'judge']));
	await terminal.step('API and page', () => family.start('api', ['main.ts', 'api']));
	const shownHost = settings.host === '0.0.0.0' || settings.host === '::' ? 'localhost' : settings.host;
	const address = `http://${shownHost.includes(':') ? `[${shownHost}]` : shownHost}:${settings.port}`;
	terminal.ready(address, demo);
	log.info({ address, demo }, 'linnet is up');
	// Each look reads the whole snapshot: of 10,000 targets a quarter of a core, for nobody.
	if (terminal.interactive) {
		const watcher = watchStates(db, url, terminal);
		closing.add('state watcher', () => watcher.close());
	}
	terminal.onStop(() => log.info({}, 'stopping'));
}

/** A simulated record must never be shown as a real one, nor the other way round. */
async function refuseMixedRecord(db: Parameters<typeof readMeta>[0], demo: boolean): Promise<void> {
	const { demoStartedAt } = await readMeta(db);
	if (!demo && demoStartedAt !== null)
		throw new ExpectedError('this database holds the demo: simulated results. Set DATABASE_URL to another one for real providers.');
	if (demo && demoStartedAt === null && (await listTargetKeys(db)).length > 0) {
		throw new ExpectedError(
			'this database holds a real record, and there is no linnet.yaml: the demo would mix simulated results into it. Name the configuration (LINNET_CONFIG), or unset DATABASE_URL.',
		);
	}
}

async function refusePortInUse({ host, port }: Settings): Promise<void> {
	if (port === 0) throw new ExpectedError('PORT: expected a fixed port for `linnet up`, got 0', 2);
	await new Promise<void>((resolve, reject) => {
		const server = createServer();
		server.once('error', (error: NodeJS.ErrnoException) => {
			const what = error.code === 'EADDRINUSE' ? 'is in use: set PORT to another one, or stop the other process' : `can't be used: ${error.message}`;
			reject(new ExpectedError(`port ${port} on ${host} ${what}`));
		});
		server.listen(port, host, () => server.close(() => resolve()));
	});
}

function freePort(): Promise<number> {
	return new Promise((resolve, reject) => {
		const server = createServer();
		server.once('error', reject);
		server.listen(0, '127.0.0.1', () => {
			const address = server.address();
			server.close(() => (address !== null && typeof address === 'object' ? resolve(address.port) : reject(new Error('no free port'))));
		});
	});
}

interface Family {
	/** Resolves when the child says that it is ready, or is slow to say so: a large record on a busy machine. @throws when it ends before. */
	start(name: string, args: readonly string[]): Promise<void>;
	stop(): Promise<void>;
}

const here = fileURLToPath(new URL('.', import.meta.url));
const readyWithinMs = 30_000;
const killAfterMs = 11_000;

/** Children that are started again when they end, a little later each time. */
function createFamily(env: NodeJS.ProcessEnv, terminal: Terminal, log: Log): Family {
	const running = new Map<string, ChildProcess>();
	let stopping = false;

	const spawnChild = (name: string, args: readonly string[]) => {
		const child = spawn(process.execPath, [...leanNodeOptions(name), join(here, args[0] ?? ''), ...args.slice(1)], {
			env,
			stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
		});
		running.set(name, child);
		for (const stream of [child.stdout, child.stderr]) {
			if (stream !== null) createInterface({ input: stream }).on('line', (line) => terminal.childLine(name, line));
		}
		return child;
	};

	const superviseFrom = (name: string, args: readonly string[], child: ChildProcess, failures: number) => {
		const startedAt = Date.now();
		child.once('exit', (code, signal) => {
			running.delete(name);
			if (stopping) return;
			const next = Date.now() - startedAt > 60_000 ? 0 : failures + 1;
			const afterMs = Math.min(200 * 2 ** next, 10_000);
			log.error({ name, code, signal, afterMs }, 'a process ended: starting it again');
			setTimeout(() => {
				if (!stopping) superviseFrom(name, args, spawnChild(name, args), next);
			}, afterMs);
		});
	};

	return {
		async start(name, args) {
			const child = spawnChild(name, args);
			await new Promise<void>((resolve, reject) => {
				const timer = setTimeout(() => {
					log.warn({ name, afterMs: readyWithinMs }, 'a process is slow to start: going on without it');
					resolve();
				}, readyWithinMs);
				child.once('message', () => {
					clearTimeout(timer);
					resolve();
				});
				child.once('exit', (code, signal) => {
					clearTimeout(timer);
					reject(new ExpectedError(`${name} ended at its start (${signal ?? `exit code ${code}`}): its last words are above`));
				});
			});
			superviseFrom(name, args, child, 0);
		},
		async stop() {
			stopping = true;
			// What the probes talk to goes last, or its end would be measured as an outage.
			const [simulator, others] = [running.get('simulator'), [...running].filter(([name]) => name !== 'simulator')];
			await Promise.all(others.map(([, child]) => end(child)));
			if (simulator !== undefined) await end(simulator);
		},
	};
}

function end(child: ChildProcess): Promise<void> {
	return new Promise((resolve) => {
		const timer = setTimeout(() => child.kill('SIGKILL'), killAfterMs);
		child.once('exit', () => {
			clearTimeout(timer);
			resolve();
		});
		child.kill('SIGTERM');
	});
}
