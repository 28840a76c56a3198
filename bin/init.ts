import { access, writeFile } from 'node:fs/promises';
import { Command } from 'commander';
import { selectModels } from '#config/discovery.ts';
import { loadConfig } from '#config/load.ts';
import { forecastPerDayMicroUsd } from '#core/cost.ts';
import type { CatalogEntry } from '#providers/catalog.ts';
import { dialects } from '#providers/index.ts';
import { listModels } from '#workers/list-models.ts';
import { draftConfig } from './draft-config.ts';
import { readSettings } from './environment.ts';
import { ExpectedError } from './expected-error.ts';

const listWithinMs = 5_000;

export function initCommand(): Command {
	return new Command('init')
		.description('write a linnet.yaml from the provider keys in the environment; nothing is spent before you start it')
		.option('--force', 'overwrite an existing file')
		.action(async (options: { force?: boolean }) => {
			const { configPath } = readSettings();
			const exists = await access(configPath).then(
				() => true,
				() => false,
			);
			if (exists && !options.force) throw new ExpectedError(`${configPath} exists already: --force overwrites it`);
			const { text, notes } = await draftConfig({ env: process.env, listModels: askForModels });
			await writeFile(configPath, text).catch((error: Error) => {
				throw new ExpectedError(`could not write ${configPath}: ${error.message}`);
			});
			console.log(`Wrote ${configPath}:\n\n${text}`);
			for (const note of notes) console.log(note);
			const { config } = loadConfig(text, process.env);
			if (config === null) return;
			const { probes, typical, highest } = forecastPerDayMicroUsd(config.targets);
			const usd = (micro: number) => `$${(micro / 1e6).toFixed(2)}`;
			console.log(
				`${config.targets.length} targets, ${Math.round(probes)} probes a day: about ${usd(typical)} a day without known prices, at most ${usd(highest)}; the budget stops at $${config.budget.usdPerDay}.`,
			);
			console.log('Nothing was sent but requests for lists of models. Start it: npm start');
		});
}

async function askForModels(entry: CatalogEntry, keyEnv: string): Promise<string[]> {
	const dialect = dialects[entry.dialect ?? ''];
	if (dialect === undefined) throw new Error(`no dialect ${entry.dialect}`);
	const listed = await listModels({ dialect, entry, baseUrl: entry.baseUrl, headers: {}, secret: process.env[keyEnv] ?? null, timeoutMs: listWithinMs });
	return selectModels(listed, null, []).map(({ name }) => name);
}
