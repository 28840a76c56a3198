import { writeFile } from 'node:fs/promises';
import { Command } from 'commander';
import { Document } from 'yaml';
import { selectModels } from '#config/discovery.ts';
import { loadConfig } from '#config/load.ts';
import { forecastPerDayMicroUsd } from '#core/cost.ts';
import { type CatalogEntry, catalog, findProvider } from '#providers/catalog.ts';
import { dialects } from '#providers/index.ts';
import { listModels } from '#workers/list-models.ts';
import { endpointOf } from './discover.ts';
import { readSettings } from './environment.ts';
import { ExpectedError } from './expected-error.ts';

/** Small, cheap models have these in their names; the one with the shortest name is taken. */
const cheap = /nano|mini|lite|flash|haiku|small|instant|luna|8b|7b|3b/i;
const listWithinMs = 5_000;

export function initCommand(): Command {
	return new Command('init')
		.description('write a linnet.yaml from the provider keys in the environment; nothing is spent before you start it')
		.option('--force', 'overwrite an existing file')
		.action(async (options: { force?: boolean }) => {
			const { configPath } = readSettings();
			const found = catalog.filter(
				(entry) => entry.retiredOn === null && entry.dialect !== null && entry.dialect in dialects && entry.apiKeyEnv.some((name) => process.env[name]),
			);
			if (found.length === 0) {
				const names = catalog.flatMap(({ apiKeyEnv, dialect }) => (dialect !== null && dialect in dialects ? apiKeyEnv.slice(0, 1) : []));
				throw new ExpectedError(
					`no provider key in the environment. Set one of ${[...new Set(names)].join(', ')}, or write the file by hand: linnet.example.yaml shows how.`,
				);
			}
			const notes: string[] = [];
			const providers = [];
			for (const entry of found) {
				const model = await pickModel(entry, notes);
				if (model === null || /[{}]/.test(entry.baseUrl))
					notes.push(`${entry.id}: left out, it needs values of your own (baseUrl, models): see linnet.example.yaml`);
				else {
					const keyEnv = entry.apiKeyEnv.find((name) => process.env[name]);
					providers.push({
						use: entry.id,
						...(keyEnv === entry.apiKeyEnv[0] ? {} : { apiKeyEnv: keyEnv }),
						models: [{ model: model.includes('/') ? model : `${entry.id}/${model}`, upstreamModel: model }],
					});
				}
			}
			if (providers.length === 0) throw new ExpectedError(`no provider could be asked for its models:\n${notes.map((note) => `  ${note}`).join('\n')}`);
			const document = new Document({ interval: '60s', budget: { usdPerDay: 1 }, providers });
			document.commentBefore = ' Written by `linnet init`. Every key: linnet.example.yaml. Check it: npx linnet check';
			const text = document.toString();
			const { config } = loadConfig(text, process.env);
			await writeFile(configPath, text, { flag: options.force ? 'w' : 'wx' }).catch((error: NodeJS.ErrnoException) => {
				throw new ExpectedError(
					error.code === 'EEXIST' ? `${configPath} exists already: --force overwrites it` : `could not write ${configPath}: ${error.message}`,
				);
			});
			console.log(`Wrote ${configPath}:\n\n${text}`);
			for (const note of notes) console.log(note);
			if (config !== null) {
				const { probes, typical, highest } = forecastPerDayMicroUsd(config.targets);
				console.log(
					`${config.targets.length} targets, ${Math.round(probes)} probes a day: about $${(typical / 1e6).toFixed(2)} a day without known prices, at most $${(highest / 1e6).toFixed(2)}; the budget stops at $${config.budget.usdPerDay}.`,
				);
				console.log('Nothing was sent but requests for lists of models. Start it: npm start');
			}
		});
}

/** The cheapest-looking model that the provider lists. Null when it can't be asked. */
async function pickModel(entry: CatalogEntry, notes: string[]): Promise<string | null> {
	const { baseUrl, dialect: dialectId, apiKeyEnv } = endpointOf(entry);
	const dialect = dialects[dialectId];
	if (dialect === undefined || /[{}]/.test(baseUrl)) return null;
	try {
		const listed = await listModels({
			dialect,
			entry: findProvider(entry.id),
			baseUrl,
			headers: {},
			secret: process.env[apiKeyEnv ?? ''] ?? null,
			timeoutMs: listWithinMs,
		});
		const chat = selectModels(listed, null, []).map(({ name }) => name);
		return [...chat].sort((a, b) => Number(cheap.test(b)) - Number(cheap.test(a)) || a.length - b.length || a.localeCompare(b))[0] ?? null;
	} catch (error) {
		notes.push(`${entry.id}: its list of models could not be read (${(error as NodeJS.ErrnoException).code ?? (error as Error).message})`);
		return null;
	}
}
