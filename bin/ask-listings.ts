/** Asks the providers with `models: discover` what they list. What was listed last is kept in a file: a provider that is down keeps its targets. */
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Discovered, DiscoveredModel, Discovery } from '#config/discovery.ts';
import { isRecord, parseJson } from '#core/error-body.ts';
import { type KnownModel, type ListedModel, lifecycleOf, rememberListing } from '#core/lifecycle.ts';
import { findProvider } from '#providers/catalog.ts';
import { dialects } from '#providers/index.ts';
import { listModels } from '#workers/list-models.ts';

export interface ListingTools {
	/** ms since epoch. */
	now(): number;
	/** The value of a variable; undefined when it is not set. */
	readSecret(envName: string): string | undefined;
	/** Holds the last known lists. */
	readonly dataDir: string;
}

export interface Listings {
	readonly discovered: Discovered;
	/** What an operator should know: a list that could not be read, and what is used in its place. No secret is in them. */
	readonly notes: readonly string[];
}

/** A start must not hang on one provider. */
const listWithinMs = 15_000;

interface Remembered {
	/** When the newest listing was read, ms since epoch. */
	readonly listedAt: number;
	readonly models: readonly KnownModel[];
}

/** All at once. Never throws: a provider that can't be asked keeps what it last listed, or has no targets until it can be. */
export async function askListings(tools: ListingTools, discoveries: readonly Discovery[]): Promise<Listings> {
	if (discoveries.length === 0) return { discovered: new Map(), notes: [] };
	const path = join(tools.dataDir, 'models.json');
	const remembered = await readRemembered(path);
	const notes: string[] = [];
	const lists = new Map<string, readonly DiscoveredModel[]>();
	const known = new Map(remembered);
	await Promise.all(
		discoveries.map(async (discovery) => {
			const { provider } = discovery;
			const key = `${provider} ${discovery.baseUrl}`;
			const last = remembered.get(key);
			try {
				const listed = await askOne(tools, discovery);
				const listedAt = tools.now();
				known.set(key, { listedAt, models: rememberListing(last?.models ?? [], listed, listedAt) });
			} catch (error) {
				const problem = (error as NodeJS.ErrnoException).code ?? (error instanceof Error ? error.message : String(error));
				const instead =
					last === undefined ? 'it has no targets until it can be' : `the ${last.models.length} models of ${new Date(last.listedAt).toISOString()} are used`;
				notes.push(`${provider}: its list of models could not be read (${problem}); ${instead}`);
			}
			const { listedAt, models } = known.get(key) ?? { listedAt: 0, models: [] };
			lists.set(
				provider,
				models.map((model) => ({ name: model.name, lifecycle: lifecycleOf(model, listedAt, tools.now()) })),
			);
		}),
	);
	try {
		await mkdir(tools.dataDir, { recursive: true });
		// Several processes of one machine read and write it: each writes a whole file and moves it into place.
		const part = `${path}.${process.pid}`;
		await writeFile(part, JSON.stringify(Object.fromEntries(known)));
		await rename(part, path);
	} catch (error) {
		notes.push(
			`the lists of models could not be kept in ${path} (${(error as NodeJS.ErrnoException).code}): after a restart a provider that is down has no targets`,
		);
	}
	return { discovered: lists, notes };
}

async function askOne(tools: ListingTools, { provider, dialect: dialectId, baseUrl, headers, apiKeyEnv }: Discovery): Promise<ListedModel[]> {
	const dialect = dialects[dialectId];
	if (dialect === undefined) throw new Error(`no dialect "${dialectId}"`);
	const secret = apiKeyEnv === null ? null : (tools.readSecret(apiKeyEnv) ?? '').trim();
	return listModels({ dialect, entry: findProvider(provider), baseUrl, headers, secret, timeoutMs: listWithinMs });
}

/** Empty when there is no file, or none of ours: then nothing is known. */
async function readRemembered(path: string): Promise<ReadonlyMap<string, Remembered>> {
	const json = parseJson(await readFile(path, 'utf8').catch(() => ''));
	const entries = isRecord(json) ? Object.entries(json) : [];
	return new Map(
		entries.filter((entry): entry is [string, Remembered] => isRecord(entry[1]) && typeof entry[1].listedAt === 'number' && Array.isArray(entry[1].models)),
	);
}
