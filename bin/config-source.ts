/** The configuration in force: read at start, read again on change and SIGHUP; a bad file keeps the old one running and says so. */
import { readFile, watch } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { loadConfig } from '#config/load.ts';
import { formatProblem } from '#config/problem.ts';
import type { Config } from '#config/resolve.ts';
import type { Log } from '#core/log.ts';
import { demoConfig } from './demo-config.ts';
import type { Settings } from './environment.ts';
import { ExpectedError } from './expected-error.ts';

export interface ConfigSource {
	current(): Config;
	/** False while the file on disk is refused and an older configuration runs. */
	accepted(): boolean;
	onChange(listener: (config: Config) => void): void;
	close(): void;
}

/** @throws ExpectedError with every fault of the file, or when a file that was asked for is missing */
export async function readConfig(settings: Settings): Promise<Config> {
	const simulator = process.env.LINNET_SIMULATOR_URL;
	let text: string;
	try {
		text = await readFile(settings.configPath, 'utf8');
	} catch (error) {
		const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
		if (missing && !settings.configNamed && simulator) return demoConfig(simulator);
		if (missing)
			throw new ExpectedError(`no configuration: expected ${settings.configPath}. \`linnet init\` writes one; \`linnet up\` without one runs the demo.`, 2);
		throw new ExpectedError(`could not read ${settings.configPath}: ${(error as Error).message}`, 2);
	}
	const { config, problems } = loadConfig(text, process.env);
	if (config === null)
		throw new ExpectedError(
			describeProblems(
				settings.configPath,
				problems.map((problem) => formatProblem(settings.configPath, problem)),
			),
			2,
		);
	return config;
}

export function describeProblems(path: string, problems: readonly string[]): string {
	return `${path} has ${problems.length === 1 ? '1 fault' : `${problems.length} faults`}:\n${problems.map((problem) => `  ${problem}`).join('\n')}`;
}

export async function openConfig(settings: Settings, log: Log): Promise<ConfigSource> {
	let config = await readConfig(settings);
	let accepted = true;
	const listeners: ((config: Config) => void)[] = [];
	const stop = new AbortController();
	let reading: Promise<void> | null = null;
	const reload = () => {
		// One at a time; an editor that saves in two steps is caught by the delay.
		reading ??= new Promise((resolve) => setTimeout(resolve, 100)).then(async () => {
			reading = null;
			if (stop.signal.aborted) return;
			try {
				const next = await readConfig(settings);
				accepted = true;
				if (JSON.stringify(next) === JSON.stringify(config)) return;
				config = next;
				log.info({ targets: next.targets.length }, 'configuration reloaded');
				for (const listener of listeners) listener(next);
			} catch (error) {
				if (!(error instanceof ExpectedError)) throw error;
				accepted = false;
				log.error({ problem: error.message }, 'configuration refused: the old one keeps running');
			}
		});
	};
	process.on('SIGHUP', reload);
	if (!config.simulated) void follow();

	async function follow(): Promise<void> {
		// The directory, not the file: editors replace the file, and a watch on the old one would hear nothing more.
		try {
			for await (const event of watch(dirname(settings.configPath), { signal: stop.signal, persistent: false })) {
				if (event.filename === null || event.filename === basename(settings.configPath)) reload();
			}
		} catch (error) {
			if (!stop.signal.aborted) log.warn({ problem: String(error) }, 'the configuration is not watched: send SIGHUP after a change');
		}
	}
	return {
		current: () => config,
		accepted: () => accepted,
		onChange: (listener) => listeners.push(listener),
		close() {
			stop.abort();
			process.off('SIGHUP', reload);
		},
	};
}
