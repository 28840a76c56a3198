import { Command } from 'commander';
import { type CatalogEntry, catalog, findProvider } from '#providers/catalog.ts';
import { dialects } from '#providers/index.ts';
import { listModels } from '#workers/list-models.ts';
import { readConfig } from './config-source.ts';
import { readSettings } from './environment.ts';
import { ExpectedError } from './expected-error.ts';

export function discoverCommand(): Command {
	return new Command('discover')
		.description('the models that a provider lists to our key; nothing is billed')
		.argument('<provider>', 'a provider of the configuration, or one that Linnet knows, with its key in the environment')
		.option('--json', 'print a JSON list')
		.action(async (id: string, options: { json?: boolean }) => {
			const models = await discover(id);
			console.log(options.json ? JSON.stringify(models) : models.join('\n'));
		});
}

async function discover(id: string): Promise<string[]> {
	const settings = readSettings();
	const entry = findProvider(id);
	const own = (await readConfig({ ...settings, configNamed: true }).catch(() => null))?.targets.find(({ provider }) => provider === id);
	const endpoint = own ?? (entry === undefined ? null : endpointOf(entry));
	if (endpoint === null)
		throw new ExpectedError(`expected a provider of the configuration, or one of ${catalog.map((known) => known.id).join(', ')}; got "${id}"`, 2);
	const dialect = dialects[endpoint.dialect];
	if (dialect === undefined) throw new ExpectedError(`${id} speaks "${endpoint.dialect}", which this version does not`, 2);
	const secret = endpoint.apiKeyEnv === null ? null : process.env[endpoint.apiKeyEnv];
	if (secret === undefined || secret === '')
		throw new ExpectedError(`expected the environment variable ${endpoint.apiKeyEnv} to hold the API key of "${id}", but it is not set`, 2);
	try {
		const models = await listModels({ dialect, entry, baseUrl: endpoint.baseUrl, headers: endpoint.headers, secret, timeoutMs: 15_000 });
		return models.map(({ name }) => name);
	} catch (error) {
		throw new ExpectedError(`${id}: ${(error as NodeJS.ErrnoException).code ?? (error as Error).message}`, 1, { cause: error });
	}
}

/** Of a known provider, with the first of its variables that is set. */
export function endpointOf(entry: CatalogEntry): { dialect: string; baseUrl: string; apiKeyEnv: string | null; headers: Record<string, string> } {
	return {
		dialect: entry.dialect ?? '',
		baseUrl: entry.baseUrl,
		apiKeyEnv: entry.apiKeyEnv.find((name) => process.env[name]) ?? entry.apiKeyEnv[0] ?? null,
		headers: {},
	};
}
