/** Meaning beyond shape: known providers, defaults, duplicates, references, secrets. Collects every fault. */
import { type ChannelSettings, channelOf } from '#alerts/index.ts';
import type { AlertRoute } from '#core/alert.ts';
import { type Canary, type Target, type Timeouts, targetId } from '#core/target.ts';
import { catalog } from '#providers/catalog.ts';
import { dialects } from '#providers/index.ts';
import type { Environment } from './load.ts';
import type { Path } from './problem.ts';
import { type ConfigFile, describe, type ModelEntry, type ProviderEntry } from './schema.ts';

export interface Config {
	readonly simulated: boolean;
	readonly intervalMs: number;
	readonly targets: readonly Target[];
	readonly budget: { readonly usdPerDay: number };
	readonly record: { readonly keepResultsMs: number };
	readonly alerts: { readonly channels: Readonly<Record<string, ChannelSettings>>; readonly routes: readonly AlertRoute[] };
	readonly status: { readonly title: string; readonly url: string | null };
}

export interface Fault {
	readonly path: Path;
	readonly message: string;
}

export const defaults = {
	intervalMs: 60_000,
	timeouts: { connectMs: 10_000, firstTokenMs: 30_000, stallMs: 20_000, totalMs: 60_000 },
	usdPerDay: 1,
	keepResultsMs: 14 * 86_400_000,
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

export function resolveConfig(file: ConfigFile, env: Environment, names: Names): { config: Config | null; problems: Fault[] } {
	const problems: Fault[] = [];
	const targets: Target[] = [];
	const seenTargets = new Map<string, string>();
	const seenProviders = new Set<string>();
	const ownCanaries = new Map((file.canaries ?? []).map((canary) => [canary.name, { type: 'custom', ...canary } as Canary]));
	file.canaries?.forEach((canary, i) => {
		checkExpectation(canary, ['canaries', i], problems);
		if (canary.name === 'echo') problems.push({ path: ['canaries', i, 'name'], message: 'expected another name: "echo" is built in' });
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
		entry.models.forEach((model, j) => {
			const target = resolveModel(file, entry, base, model, ownCanaries, names, [...at, 'models', j], problems);
			const first = seenTargets.get(target.id);
			if (first !== undefined) problems.push({ path: [...at, 'models', j, 'model'], message: `duplicate target "${target.id}": already defined at ${first}` });
			else seenTargets.set(target.id, `providers[${i}].models[${j}]`);
			targets.push(target);
		});
	});

	const alerts = resolveAlerts(file, env, names, problems);
	if (problems.length > 0) return { config: null, problems };
	return {
		config: {
			simulated: false,
			intervalMs: file.interval ?? defaults.intervalMs,
			targets,
			budget: { usdPerDay: file.budget?.usdPerDay ?? defaults.usdPerDay },
			record: { keepResultsMs: file.record?.keepResults ?? defaults.keepResultsMs },
			alerts,
			status: { title: file.status?.title ?? defaults.title, url: file.status?.url ?? null },
		},
		problems,
	};
}

interface ProviderBase {
	readonly id: string;
	readonly name: string;
	readonly dialect: string;
	readonly baseUrl: string;
	readonly apiKeyEnv: string | null;
	readonly statusPageUrl: string | null;
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
	const dialect = entry.dialect ?? known?.dialect ?? undefined;
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
	if (id === undefined || dialect === undefined || !baseUrl || problems.length > before) return null;
	const apiKeyEnv = entry.apiKeyEnv === undefined ? (known?.apiKeyEnv[0] ?? null) : entry.apiKeyEnv;
	return {
		id,
		name: entry.name ?? known?.name ?? id,
		dialect,
		baseUrl,
		apiKeyEnv,
		statusPageUrl: entry.statusPage ?? known?.statusPage?.url ?? null,
		flags: known?.flags ?? {},
	};
}

function resolveModel(
	file: ConfigFile,
	entry: ProviderEntry,
	base: ProviderBase,
	model: ModelEntry,
	ownCanaries: ReadonlyMap<string, Canary>,
	names: Names,
	at: Path,
	problems: Fault[],
): Target {
	const operation = model.operation ?? 'chat';
	if (operation !== 'chat') problems.push({ path: [...at, 'operation'], message: 'expected "chat": this version has no embeddings canary yet' });
	const flags = { ...dialects[base.dialect]?.defaultFlags, ...base.flags };
	const intervalMs = model.interval ?? entry.interval ?? file.interval ?? defaults.intervalMs;
	const timeouts = resolveTimeouts(file, entry);
	const canaries = (model.canaries ?? ['echo']).flatMap((choice, k): Canary[] => {
		if (typeof choice !== 'string') {
			checkExpectation(choice, [...at, 'canaries', k], problems);
			return [{ type: 'custom', ...choice }];
		}
		const found = choice === 'echo' ? ({ name: 'echo', type: 'echo' } as const) : ownCanaries.get(choice);
		if (found === undefined)
			problems.push({ path: [...at, 'canaries', k], message: `expected one of ${['echo', ...ownCanaries.keys()].join(', ')}, got "${choice}"` });
		return found === undefined ? [] : [found];
	});
	canaries.forEach((canary, k) => {
		if (canaries.findIndex(({ name }) => name === canary.name) < k)
			problems.push({ path: [...at, 'canaries', k], message: `duplicate canary "${canary.name}"` });
	});
	return {
		id: targetId({ provider: base.id, model: model.model, operation }),
		provider: base.id,
		providerName: base.name,
		model: model.model,
		operation,
		upstreamModel: model.upstreamModel ?? model.model,
		dialect: base.dialect,
		baseUrl: base.baseUrl,
		apiKeyEnv: base.apiKeyEnv,
		headers: entry.headers ?? {},
		intervalMs,
		timeouts,
		flags: {
			maxTokensField: model.maxTokensField ?? flags.maxTokensField ?? 'max_tokens',
			sendTemperature: model.sendTemperature ?? flags.sendTemperature ?? false,
			includeUsage: model.includeUsage ?? flags.includeUsage ?? true,
			maxOutputTokens: model.maxOutputTokens ?? flags.maxOutputTokens ?? defaults.maxOutputTokens,
			bodyPatch: { ...flags.bodyPatch, ...model.body },
		},
		canaries,
		price: model.price ?? (base.apiKeyEnv === null ? { inputUsdPerMTok: 0, outputUsdPerMTok: 0 } : null),
		maxConcurrency: entry.maxConcurrency ?? defaults.maxConcurrency,
		statusPageUrl: base.statusPageUrl,
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

function checkExpectation(canary: { expect: { text: string } | { pattern: string } }, at: Path, problems: Fault[]): void {
	if (!('pattern' in canary.expect)) return;
	try {
		new RegExp(canary.expect.pattern, 'u');
	} catch (error) {
		problems.push({ path: [...at, 'expect', 'pattern'], message: `expected a regular expression: ${error instanceof Error ? error.message : String(error)}` });
	}
}

function resolveAlerts(file: ConfigFile, env: Environment, names: Names, problems: Fault[]): Config['alerts'] {
	const channels = file.alerts?.channels ?? {};
	for (const [name, settings] of Object.entries(channels)) {
		for (const envName of channelOf(settings).secretEnvs(settings)) {
			if (!env[envName])
				problems.push({
					path: ['alerts', 'channels', name],
					message: `expected the environment variable ${envName} to be set: channel "${name}" (${settings.type}) needs it`,
				});
		}
	}
	const routes = (file.alerts?.routes ?? []).map((route, i): AlertRoute => {
		const at: Path = ['alerts', 'routes', i];
		route.channels.forEach((name, k) => {
			if (!names.channels.has(name))
				problems.push({
					path: [...at, 'channels', k],
					message: `expected one of the channels (${[...names.channels].join(', ') || 'none is defined'}), got "${name}"`,
				});
		});
		route.match?.provider?.forEach((name) => {
			if (!names.providers.has(name))
				problems.push({ path: [...at, 'match', 'provider'], message: `a route that can't match: no provider "${name}" in this file` });
		});
		route.match?.model?.forEach((name) => {
			if (!names.models.has(name)) problems.push({ path: [...at, 'match', 'model'], message: `a route that can't match: no model "${name}" in this file` });
		});
		const { provider = null, model = null, impact = null, cause = null } = route.match ?? {};
		return { match: { provider, model, impact, cause }, channels: route.channels };
	});
	const routed = new Set(routes.flatMap((route) => route.channels));
	for (const name of Object.keys(channels)) {
		if (!routed.has(name))
			problems.push({ path: ['alerts', 'channels', name], message: `a channel nobody routes to: name it in \`alerts.routes\`, or remove it` });
	}
	return { channels, routes };
}
