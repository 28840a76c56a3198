/** Meaning beyond shape: known providers, defaults, duplicates, references, secrets. Collects every fault. */
import type { Lifecycle } from '#core/lifecycle.ts';
import type { Objective } from '#core/objective.ts';
import type { OfficialPage } from '#core/official.ts';
import { type Canary, type Target, type Timeouts, targetId } from '#core/target.ts';
import { type CatalogEntry, catalog } from '#providers/catalog.ts';
import { dialects } from '#providers/index.ts';
import { isPageKind } from '#providers/official/index.ts';
import { type Discovered, type Discovery, selectModels } from './discovery.ts';
import type { Environment } from './environment.ts';
import type { Fault, Path } from './problem.ts';
import {
	type AlertsConfig,
	type DeadManSwitch,
	type FileMaintenance,
	resolveAlerts,
	resolveDeadManSwitch,
	resolveMaintenances,
	resolveObjectives,
} from './resolve-alerts.ts';
import { checkExpectation, isBuiltIn, ownCanariesOf, resolveCanaries } from './resolve-canaries.ts';
import { type ConfigFile, describe, type ModelEntry, type ProviderEntry } from './schema.ts';

export interface Config {
	readonly simulated: boolean;
	readonly intervalMs: number;
	readonly targets: readonly Target[];
	readonly budget: { readonly usdPerDay: number };
	readonly record: { readonly keepResultsMs: number };
	readonly verdict: { readonly blipMs: number };
	readonly alerts: AlertsConfig;
	readonly objectives: readonly Objective[];
	/** Announced in the file; the command line and the API announce others. */
	readonly maintenances: readonly FileMaintenance[];
	/** Null: nobody outside waits for a sign of life. */
	readonly deadManSwitch: DeadManSwitch | null;
	/** showSpend: today's spend, the cap and the forecast stand on the page. */
	readonly status: { readonly title: string; readonly url: string | null; readonly showSpend: boolean };
}

export const defaults = {
	intervalMs: 60_000,
	timeouts: { connectMs: 10_000, firstTokenMs: 30_000, stallMs: 20_000, totalMs: 60_000 },
	usdPerDay: 1,
	keepResultsMs: 14 * 86_400_000,
	blipMs: 20_000,
	maxConcurrency: 8,
	// Reasoning models spend a small cap on hidden thinking and then answer nothing.
	maxOutputTokens: 256,
	title: 'LLM status',
} as const;

/** Every name in the file, also of entries that are themselves at fault. */
export interface Names {
	readonly channels: ReadonlySet<unknown>;
	readonly providers: ReadonlySet<unknown>;
	readonly models: ReadonlySet<unknown>;
	readonly canaries: ReadonlySet<unknown>;
}

export function resolveConfig(
	file: ConfigFile,
	env: Environment,
	names: Names,
	discovered: Discovered,
): { config: Config | null; discoveries: Discovery[]; problems: Fault[] } {
	const problems: Fault[] = [];
	const discoveries: Discovery[] = [];
	const targets: Target[] = [];
	const seenTargets = new Map<string, string>();
	const seenProviders = new Set<string>();
	const ownCanaries = ownCanariesOf(file);
	const share = createShare();
	file.canaries?.forEach((canary, i) => {
		checkExpectation(canary, ['canaries', i], problems);
		if (isBuiltIn(canary.name)) problems.push({ path: ['canaries', i, 'name'], message: `expected another name: "${canary.name}" is built in` });
	});

	file.providers.forEach((entry, i) => {
		const at: Path = ['providers', i];
		const base = resolveProvider(entry, at, problems);
		if (base === null) return;
		if (seenProviders.has(base.id))
			problems.push({ path: [...at, entry.id === undefined ? 'use' : 'id'], message: `duplicate provider "${base.id}": give one of them another \`id\`` });
		seenProviders.add(base.id);
		if (base.apiKeyEnv !== null && !env[base.apiKeyEnv]) {
			problems.push({
				path: [...at, 'apiKeyEnv' in entry ? 'apiKeyEnv' : entry.use === undefined ? 'id' : 'use'],
				message: `expected the environment variable ${base.apiKeyEnv} to hold the API key of "${base.id}", but it is not set (\`apiKeyEnv: null\` if the endpoint takes none)`,
			});
		}
		for (const key of ['include', 'exclude'] as const) {
			if (entry[key] !== undefined && entry.models !== 'discover') problems.push({ path: [...at, key], message: 'only with `models: discover`' });
		}
		if (entry.models === 'discover') {
			discoveries.push({ ...base, provider: base.id, dialect: base.dialect ?? '', headers: entry.headers ?? {} });
			if (base.dialect === null || dialects[base.dialect]?.listing === null)
				problems.push({ path: [...at, 'models'], message: `expected a list of models: "${base.id}" has no listing that can be asked for` });
			for (const { name, lifecycle } of selectModels(discovered.get(base.id) ?? [], entry.include ?? null, entry.exclude ?? [])) {
				const model = { model: name.includes('/') ? name : `${base.id}/${name}`, upstreamModel: name };
				const target = resolveModel({ file, entry, base, ownCanaries, share, problems }, model, [...at, 'models'], lifecycle);
				// Two names may differ only in what the canonical id adds.
				if (seenTargets.has(target.id)) continue;
				seenTargets.set(target.id, `providers[${i}].models`);
				targets.push(target);
			}
			return;
		}
		entry.models.forEach((model, j) => {
			const target = resolveModel({ file, entry, base, ownCanaries, share, problems }, model, [...at, 'models', j]);
			const first = seenTargets.get(target.id);
			if (first !== undefined) problems.push({ path: [...at, 'models', j, 'model'], message: `duplicate target "${target.id}": already defined at ${first}` });
			else seenTargets.set(target.id, `providers[${i}].models[${j}]`);
			targets.push(target);
		});
	});

	const alerts = resolveAlerts(file, env, names, targets, problems);
	const objectives = resolveObjectives(file, targets, problems);
	const maintenances = resolveMaintenances(file, names, problems);
	const deadManSwitch = resolveDeadManSwitch(file, env, problems);
	if (problems.length > 0) return { config: null, discoveries, problems };
	return {
		config: {
			simulated: false,
			intervalMs: file.interval ?? defaults.intervalMs,
			targets,
			budget: { usdPerDay: file.budget?.usdPerDay ?? defaults.usdPerDay },
			record: { keepResultsMs: file.record?.keepResults ?? defaults.keepResultsMs },
			verdict: { blipMs: file.verdict?.blip ?? defaults.blipMs },
			alerts,
			objectives,
			maintenances,
			deadManSwitch,
			status: { title: file.status?.title ?? defaults.title, url: file.status?.url ?? null, showSpend: file.status?.showSpend ?? true },
		},
		discoveries,
		problems,
	};
}

interface ProviderBase {
	readonly id: string;
	readonly name: string;
	/** For chat; null when it has none. */
	readonly dialect: string | null;
	/** For embeddings; null when it has none. */
	readonly embeddings: string | null;
	readonly baseUrl: string;
	readonly apiKeyEnv: string | null;
	readonly statusPageUrl: string | null;
	/** Null: none that can be read, or it shall not be. */
	readonly officialPage: OfficialPage | null;
	readonly flags: Partial<Target['flags']>;
}

function resolveProvider(entry: ProviderEntry, at: Path, problems: Fault[]): ProviderBase | null {
	const known = entry.use === undefined ? null : catalog.find(({ id }) => id === entry.use);
	if (entry.use !== undefined && !known) {
		problems.push({
			path: [...at, 'use'],
			message: `expected a provider that Linnet knows, got ${describe(entry.use)}; known: ${catalog.map(({ id }) => id).join(', ')}. Any other endpoint: id, dialect, baseUrl`,
		});
		return null;
	}
	const before = problems.length;
	const id = entry.id ?? known?.id;
	const own = entry.dialect ?? known?.dialect ?? undefined;
	const ownIsChat = own === undefined || dialects[own]?.operation !== 'embeddings';
	const embeddings = entry.embeddings ?? (ownIsChat ? (known?.embeddings ?? undefined) : own);
	const dialect = own ?? embeddings;
	const baseUrl = entry.baseUrl ?? known?.baseUrl;
	if (id === undefined) problems.push({ path: at, message: 'missing: expected `use: <known provider>`, or `id`, `dialect` and `baseUrl` of your own' });
	if (id !== undefined && dialect === undefined)
		problems.push({ path: [...at, 'dialect'], message: `missing: expected one of ${Object.keys(dialects).join(', ')}` });
	if (id !== undefined && !baseUrl) problems.push({ path: [...at, 'baseUrl'], message: 'missing: expected the URL under which the endpoint serves its API' });
	if (baseUrl && /[{}]/.test(baseUrl))
		problems.push({
			path: [...at, entry.baseUrl === undefined ? 'use' : 'baseUrl'],
			message: `expected \`baseUrl\` with your own values in place of {…}: ${baseUrl}`,
		});
	if (dialect !== undefined && !(dialect in dialects)) {
		problems.push({
			path: [...at, entry.dialect === undefined ? 'use' : 'dialect'],
			message: `expected a dialect of ${Object.keys(dialects).join(', ')}, got "${dialect}", which this version does not speak yet`,
		});
	}
	if (entry.embeddings !== undefined && dialects[entry.embeddings]?.operation !== 'embeddings') {
		const known = Object.values(dialects).filter(({ operation }) => operation === 'embeddings');
		problems.push({ path: [...at, 'embeddings'], message: `expected one of ${known.map((each) => each.id).join(', ')}, got "${entry.embeddings}"` });
	}
	if (id === undefined || dialect === undefined || !baseUrl || problems.length > before) return null;
	const apiKeyEnv = entry.apiKeyEnv === undefined ? (known?.apiKeyEnv[0] ?? null) : entry.apiKeyEnv;
	return {
		id,
		name: entry.name ?? known?.name ?? id,
		dialect: ownIsChat ? (own ?? null) : null,
		embeddings: embeddings ?? null,
		baseUrl,
		apiKeyEnv,
		...resolveStatusPage(entry, known?.statusPage ?? null),
		flags: known?.flags ?? {},
	};
}

/** An address alone is only shown, unless it is the known one. */
function resolveStatusPage(entry: ProviderEntry, known: CatalogEntry['statusPage']): Pick<ProviderBase, 'statusPageUrl' | 'officialPage'> {
	const own = typeof entry.statusPage === 'string' ? { url: entry.statusPage, kind: entry.statusPage === known?.url ? known.kind : null } : entry.statusPage;
	const { url, kind } = own ?? known ?? { url: null, kind: null };
	const only = own === undefined ? (known?.only ?? null) : null;
	return { statusPageUrl: url, officialPage: url !== null && kind !== null && isPageKind(kind) ? { url, kind, only } : null };
}

interface ModelContext {
	readonly file: ConfigFile;
	readonly entry: ProviderEntry;
	readonly base: ProviderBase;
	readonly ownCanaries: ReadonlyMap<string, Canary>;
	readonly share: Share;
	readonly problems: Fault[];
}

type Share = <Part>(part: Part) => Part;

/** Equal parts as one object: 10,000 targets have a handful of them, and five processes hold them all. */
function createShare(): Share {
	const known = new Map<string, unknown>();
	return <Part>(part: Part): Part => {
		const key = JSON.stringify(part);
		if (!known.has(key)) known.set(key, part);
		return known.get(key) as Part;
	};
}

/** @param lifecycle undefined: named by hand */
function resolveModel(context: ModelContext, model: ModelEntry, at: Path, lifecycle?: Lifecycle): Target {
	const { file, entry, base, share, problems } = context;
	const operation = model.operation ?? (base.dialect === null ? 'embeddings' : 'chat');
	const dialectId = operation === 'chat' ? base.dialect : base.embeddings;
	if (dialectId === null) {
		const wanted = Object.values(dialects).filter((dialect) => dialect.operation === operation);
		problems.push({
			path: [...at, 'operation'],
			message: `no protocol for ${operation} is known of "${base.id}": set \`${operation === 'chat' ? 'dialect' : 'embeddings'}\` to one of ${wanted.map(({ id }) => id).join(', ')}`,
		});
	}
	const dialect = dialectId === null ? undefined : dialects[dialectId];
	// The catalogue's flags are about chat; only the operator's own fields go with a vector.
	const flags = { ...dialect?.defaultFlags, ...(operation === 'chat' ? base.flags : {}) };
	const intervalMs = model.interval ?? entry.interval ?? file.interval ?? defaults.intervalMs;
	const timeouts = resolveTimeouts(file, entry);
	const canaries = resolveCanaries(context, model, operation, dialectId, at);
	if (model.dimensions !== undefined && operation !== 'embeddings')
		problems.push({ path: [...at, 'dimensions'], message: 'only with `operation: embeddings`' });
	const cap = findCap(model.body);
	if (cap !== null) problems.push({ path: [...at, 'body', cap], message: 'set `maxOutputTokens` instead: what a probe may cost is reckoned from it' });
	return {
		id: targetId({ provider: base.id, model: model.model, operation }),
		provider: base.id,
		providerName: base.name,
		model: model.model,
		operation,
		upstreamModel: model.upstreamModel ?? model.model,
		dialect: dialectId ?? '',
		baseUrl: base.baseUrl,
		apiKeyEnv: base.apiKeyEnv,
		headers: entry.headers ?? {},
		intervalMs,
		timeouts: share(timeouts),
		flags: share({
			maxTokensField: model.maxTokensField ?? flags.maxTokensField ?? 'max_tokens',
			sendTemperature: model.sendTemperature ?? flags.sendTemperature ?? false,
			includeUsage: model.includeUsage ?? flags.includeUsage ?? true,
			maxOutputTokens: model.maxOutputTokens ?? flags.maxOutputTokens ?? defaults.maxOutputTokens,
			bodyPatch: { ...flags.bodyPatch, ...model.body },
		}),
		canaries: share(canaries),
		price: share(model.price ?? (base.apiKeyEnv === null ? { inputUsdPerMTok: 0, outputUsdPerMTok: 0 } : null)),
		maxConcurrency: entry.maxConcurrency ?? defaults.maxConcurrency,
		statusPageUrl: base.statusPageUrl,
		...(base.officialPage === null || file.officialPages?.read === false ? {} : { officialPage: base.officialPage }),
		...(entry.http2 === true ? { http2: true as const } : {}),
		...(lifecycle === undefined ? {} : { lifecycle }),
	};
}

function resolveTimeouts(file: ConfigFile, entry: ProviderEntry): Timeouts {
	const merged = { ...file.timeouts, ...entry.timeouts };
	return {
		connectMs: merged.connect ?? defaults.timeouts.connectMs,
		firstTokenMs: merged.firstToken ?? defaults.timeouts.firstTokenMs,
		stallMs: merged.stall ?? defaults.timeouts.stallMs,
		totalMs: merged.total ?? defaults.timeouts.totalMs,
	};
}

/** Fields by which protocols cap or multiply an answer. */
const capFields = new Set([
	'max_tokens',
	'max_completion_tokens',
	'max_output_tokens',
	'maxOutputTokens',
	'maxTokens',
	'num_predict',
	'n',
	'candidateCount',
	'best_of',
]);

/** The field of a body that would change what a probe can cost; null when there is none. */
function findCap(body: ModelEntry['body']): string | null {
	for (const [key, value] of Object.entries(body ?? {})) {
		if (capFields.has(key)) return key;
		if (typeof value === 'object' && value !== null && Object.keys(value).some((inner) => capFields.has(inner))) return key;
	}
	return null;
}
