/** The configuration in force: read at start, read again on change and SIGHUP; a bad file keeps the old one running and says so. */
import { readFile, watch } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { loadConfig } from '#config/load.ts';
import { formatProblem } from '#config/problem.ts';
import type { Config } from '#config/resolve.ts';
import type { Log } from '#core/log.ts';
import { askListings } from './ask-listings.ts';
import { demoConfig } from './demo-config.ts';
import type { Settings } from './environment.ts';
import { ExpectedError } from './expected-error.ts';

export interface ConfigSource {
	current(): Config;
	/** False while the file on disk is refused and an older configuration runs. */
	accepted(): boolean;
	/** Why the file on disk is refused, its first faults in words; null while it is in force. */
	problem(): string | null;
	onChange(listener: (config: Config) => void): void;
	close(): void;
}

/**
 * The file's configuration, with the models that its providers list where it says `discover`.
 * @param tell hears what went otherwise than asked, but not wrong enough to stop: a list of models that could not be read
 * @throws ExpectedError with every fault of the file, or when a file that was asked for is missing
 */
export async function readConfig(settings: Settings, tell: (note: string) => void = (note) => console.error(note)): Promise<Config> {
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
	const loaded = loadConfig(text, process.env);
	if (loaded.config === null)
		throw new ExpectedError(
			describeProblems(
				settings.configPath,
				loaded.problems.map((problem) => formatProblem(settings.configPath, problem)),
			),
			2,
		);
	if (loaded.discoveries.length === 0) return loaded.config;
	const { discovered, notes } = await askListings({ now: Date.now, readSecret: (name) => process.env[name], dataDir: settings.dataDir }, loaded.discoveries);
	notes.forEach(tell);
	const { config } = loadConfig(text, process.env, discovered);
	if (config === null || config.targets.length === 0)
		throw new ExpectedError([`${settings.configPath} gives no target: no model that is listed is wanted`, ...notes].join('\n  '), 2);
	return config;
}

export function describeProblems(path: string, problems: readonly string[]): string {
	return `${path} has ${problems.length === 1 ? '1 fault' : `${problems.length} faults`}:\n${problems.map((problem) => `  ${problem}`).join('\n')}`;
}

/** Listings change on the scale of days; an hour keeps the surprise short and costs nothing. */
const relistEveryMs = 3_600_000;

export async function openConfig(settings: Settings, log: Log): Promise<ConfigSource> {
	const read = () => readConfig(settings, (note) => log.warn({ note }, 'a list of models was not read'));
	let config = await read();
	let refusal: string | null = null;
	const listeners: ((config: Config) => void)[] = [];
	const stop = new AbortController();
	let reading: Promise<void> | null = null;
	const reload = () => {
		// One at a time; an editor that saves in two steps is caught by the delay.
		reading ??= new Promise((resolve) => setTimeout(resolve, 100)).then(async () => {
			reading = null;
			if (stop.signal.aborted) return;
			try {
				const next = await read();
				refusal = null;
				if (JSON.stringify(next) === JSON.stringify(config)) return;
				config = next;
				log.info({ targets: next.targets.length }, 'configuration reloaded');
				for (const listener of listeners) listener(next);
			} catch (error) {
				if (!(error instanceof ExpectedError)) throw error;
				refusal = error.message.slice(0, 500);
				log.error({ problem: error.message }, 'configuration refused: the old one keeps running');
			}
		});
	};
	process.on('SIGHUP', reload);
	// Providers add and end models without telling: where a list decides the targets it is asked for again. A reload does just that.
	const relist = setInterval(reload, relistEveryMs);
	relist.unref();
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
		accepted: () => refusal === null,
		problem: () => refusal,
		onChange: (listener) => listeners.push(listener),
		close() {
			stop.abort();
			clearInterval(relist);
			process.off('SIGHUP', reload);
		},
	};
}
