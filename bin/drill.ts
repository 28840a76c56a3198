/** Plays scenarios with known truths against the real pipeline and prints how well it told them. */
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { silentLog } from '#core/log.ts';
import { openEmbeddedPostgres } from '#db/embedded.ts';
import { migrate } from '#db/migrate.ts';
import { type Db, openDb } from '#db/sql.ts';
import { playScenario } from './drill/play-scenario.ts';
import { type DrillReport, reportOf, type ScenarioRun } from './drill/report.ts';
import { readScenario, type Scenario } from './drill/scenario.ts';
import { scorePlay } from './drill/score-play.ts';
import { readSettings } from './environment.ts';
import { ExpectedError } from './expected-error.ts';
import { drillFile } from './read-drill.ts';
import { version } from './version.ts';

const shipped = fileURLToPath(new URL('../simulator/scenarios/drills/', import.meta.url));

export function drillCommand(): Command {
	return new Command('drill')
		.description('plays scenarios of faults against the real pipeline on simulated providers, on a virtual clock, and scores what it told')
		.argument('[files...]', 'scenario files, or names of shipped ones (default: all that are shipped)')
		.option('--seeds <n>', 'play each so many times, with other chances', '1')
		.option('--list', 'the shipped scenarios')
		.option('--json', 'print the report as JSON')
		.option('--write <file>', 'also write the report there')
		.option('--publish', 'the API and the page of this installation show these figures from its next start on')
		.addHelpText('after', '\nNothing is sent anywhere but to loopback, and nothing is spent. Exit code 1 when a scenario was not told as it expects.')
		.action(async (files: string[], options: { seeds: string; list?: true; json?: true; write?: string; publish?: true }) => {
			const seeds = Number(options.seeds);
			if (!Number.isInteger(seeds) || seeds < 1 || seeds > 100) throw new ExpectedError(`--seeds: expected a number from 1 to 100, got "${options.seeds}"`, 2);
			const known = (await readdir(shipped)).filter((name) => name.endsWith('.yaml')).sort();
			const paths =
				files.length === 0
					? known.map((name) => join(shipped, name))
					: files.map((file) => (known.includes(`${file}.yaml`) ? join(shipped, `${file}.yaml`) : resolve(file)));
			const scenarios = await Promise.all(paths.map(readScenario));
			if (options.list) {
				for (const { name, description } of scenarios) console.log(`${name.padEnd(24)} ${description}`);
				return;
			}
			const report = await play(scenarios, seeds, (line) => process.stderr.write(line));
			if (options.write !== undefined) await writeFile(options.write, `${JSON.stringify(report, null, '\t')}\n`);
			if (options.publish) {
				const { dataDir } = readSettings();
				await mkdir(dataDir, { recursive: true });
				await writeFile(drillFile(dataDir), JSON.stringify(report));
			}
			if (options.json) console.log(JSON.stringify(report));
			else print(report);
			process.exitCode = report.scenarios.some(({ complaints }) => complaints.length > 0) ? 1 : 0;
		});
}

async function play(scenarios: readonly Scenario[], seeds: number, tell: (line: string) => void): Promise<DrillReport> {
	const dir = await mkdtemp(join(tmpdir(), 'linnet-drill-'));
	const postgres = await openEmbeddedPostgres({ dataDir: dir, log: silentLog, durable: false });
	const admin = openDb({ url: postgres.url, max: 2 });
	const runs: ScenarioRun[] = [];
	// Ctrl-C ends the play between two steps, and the throw-away Postgres with it.
	const stop = new AbortController();
	const onSignal = () => stop.abort(new ExpectedError('stopped'));
	for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, onSignal);
	try {
		for (const scenario of scenarios) {
			for (let seed = 1; seed <= seeds; seed += 1) {
				tell(`\r${scenario.name}, ${seed} of ${seeds} … `);
				const db = await freshDatabase(admin, postgres.url, `drill_${runs.length}`);
				try {
					const played = await playScenario(db, scenario, seed, stop.signal);
					const { probeCount, disturbedCount, reprobeCount } = played;
					runs.push({ scenario, score: scorePlay(scenario, played), probeCount, disturbedCount, reprobeCount });
				} finally {
					await db.close();
				}
			}
			tell(`\r${' '.repeat(60)}\r`);
		}
	} finally {
		await admin.close();
		await postgres.shutDown();
		await rm(dir, { recursive: true, force: true });
	}
	return reportOf(runs, { version, at: Date.now(), seeds });
}

async function freshDatabase(admin: Db, url: string, name: string): Promise<Db> {
	await admin.pool.query(`create database ${name}`);
	const own = new URL(url);
	own.pathname = `/${name}`;
	const db = openDb({ url: own.href, max: 4 });
	await migrate(db);
	return db;
}

function print({ scenarios, seeds }: DrillReport): void {
	const seconds = (one: { meanMs: number; sigmaMs: number } | null) =>
		one === null ? '–' : `${(one.meanMs / 1_000).toFixed(0)}${seeds > 1 ? ` ± ${(one.sigmaMs / 1_000).toFixed(0)}` : ''} s`;
	console.table(
		Object.fromEntries(
			scenarios.map(({ name, detect, scope, clear, falseAlarms, misblamed, messages, complaints }) => [
				name,
				{
					told: seconds(detect),
					scope: seconds(scope),
					clear: seconds(clear),
					'false alarms': falseAlarms,
					misblamed,
					messages: messages.toFixed(1),
					as_expected: complaints.length === 0 ? 'yes' : 'no',
				},
			]),
		),
	);
	for (const { name, complaints } of scenarios) for (const complaint of complaints) console.log(`${name}: ${complaint}`);
	console.log(
		`From the start of the trouble until told, until its scope was named, and from its end until over: mean${seeds > 1 ? ' ± σ' : ''} over ${seeds} seed${seeds > 1 ? 's' : ''}.`,
	);
}
