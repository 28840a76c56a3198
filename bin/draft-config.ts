/** The first `linnet.yaml`: one cheap model of each provider whose key is in the environment. */
import { Document } from 'yaml';
import { loadConfig } from '#config/load.ts';
import { forecastPerDayMicroUsd } from '#core/cost.ts';
import { type CatalogEntry, catalog } from '#providers/catalog.ts';
import { dialects } from '#providers/index.ts';
import { ExpectedError } from './expected-error.ts';

export interface DraftTools {
	readonly env: Readonly<Record<string, string | undefined>>;
	/** Names of the chat models that the provider lists; rejects when it can't be asked. Not billed. */
	listModels(entry: CatalogEntry, keyEnv: string): Promise<readonly string[]>;
}

export interface Draft {
	readonly text: string;
	/** What the operator should know: for people. */
	readonly notes: readonly string[];
}

/** Small, cheap models have these in their names; of several the one with the shortest name is taken. */
const cheap = /nano|mini|lite|flash|haiku|small|instant|luna|8b|7b|3b/i;

const usdPerDay = 1;
const intervals = ['60s', '2m', '5m', '10m', '15m', '30m', '1h'] as const;

/** Taken when a provider can't be asked for its list; a snapshot of 2026-11, so it is said. */
const usual: Readonly<Record<string, string>> = {
	openai: 'gpt-6-luna',
	anthropic: 'claude-haiku-5-5',
	google: 'gemini-2.5-flash',
	cohere: 'command-r7b-12-2024',
};

/** @throws ExpectedError when no provider can be written down */
export async function draftConfig({ env, listModels }: DraftTools): Promise<Draft> {
	const spoken = catalog.filter(({ dialect, retiredOn }) => retiredOn === null && dialect !== null && dialect in dialects);
	const found = spoken.flatMap((entry) => {
		const keyEnv = entry.apiKeyEnv.find((name) => env[name]);
		return keyEnv === undefined ? [] : [{ entry, keyEnv }];
	});
	if (found.length === 0) {
		const names = [...new Set(spoken.flatMap(({ apiKeyEnv }) => apiKeyEnv.slice(0, 1)))];
		throw new ExpectedError(`no provider key in the environment. Set one of ${names.join(', ')}, or write the file by hand: linnet.example.yaml shows how.`);
	}
	const notes: string[] = [];
	const drafts = await Promise.all(
		found.map(async ({ entry, keyEnv }) => {
			const model = await pickModel(entry, keyEnv, listModels, notes);
			if (model === null) {
				notes.push(`${entry.id}: left out, it needs values of your own (baseUrl, models): see linnet.example.yaml`);
				return [];
			}
			const key = keyEnv === entry.apiKeyEnv[0] ? {} : { apiKeyEnv: keyEnv };
			return [{ use: entry.id, ...key, models: [{ model: model.includes('/') ? model : `${entry.id}/${model}`, upstreamModel: model }] }];
		}),
	);
	const providers = drafts.flat();
	if (providers.length === 0) throw new ExpectedError(`no provider could be written down:\n${notes.map((note) => `  ${note}`).join('\n')}`);
	const texts = intervals.map((interval) => {
		const document = new Document({ interval, budget: { usdPerDay }, providers });
		document.commentBefore = ' Written by `linnet init`. Every key: linnet.example.yaml. Check it: npx linnet check';
		return document.toString();
	});
	// The shortest that the budget can pay all day, at the assumed prices: slots beyond it would be recorded as missed.
	const affordable = texts.find((text) => {
		const { config } = loadConfig(text, env);
		return config !== null && forecastPerDayMicroUsd(config.targets).typical <= usdPerDay * 1e6;
	});
	return { text: affordable ?? texts.at(-1) ?? '', notes };
}

/** Null when the provider needs values of the operator's own, or can't be asked and has no usual model. */
async function pickModel(entry: CatalogEntry, keyEnv: string, listModels: DraftTools['listModels'], notes: string[]): Promise<string | null> {
	if (/[{}]/.test(entry.baseUrl)) return null;
	try {
		const listed = [...(await listModels(entry, keyEnv))];
		listed.sort((a, b) => Number(cheap.test(b)) - Number(cheap.test(a)) || a.length - b.length || a.localeCompare(b));
		if (listed[0] !== undefined) return listed[0];
		notes.push(`${entry.id}: it lists no chat model to this key`);
	} catch (error) {
		notes.push(`${entry.id}: its list of models could not be read (${(error as NodeJS.ErrnoException).code ?? (error as Error).message})`);
	}
	const model = usual[entry.id] ?? null;
	if (model !== null) notes.push(`${entry.id}: took ${model}, unseen: check it with \`npx linnet check --probe\``);
	return model;
}
