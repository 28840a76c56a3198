/** The scopes of a provider that hold bad results, each with its episode. */
import { type Channel, channelRules } from './channels.ts';
import { endpointAt, type LatticeScope, type LatticeState, type ProviderState, type Sample, type ScopeState } from './lattice-state.ts';
import { type Episode, readEpisode } from './read-episode.ts';

// Nats. A wide scope must earn a little more than a narrow one, so that ties go to the narrow.
const penalties = { endpoint: 6, model: 6.2, vantage: 6.2, provider: 6.4 } as const;

/**
 * All scopes of a provider; two that hold the same endpoints are one. Its name leaves the vantage open where the provider has only one
 * (a region can't be told from the world), and names the model where there is only one.
 */
export function scopesOf(state: LatticeState, provider: ProviderState): ScopeState[] {
	if (provider.scopes !== null) return provider.scopes;
	const named = provider.endpoints.map((place) => ({ place, ...endpointAt(state, place) }));
	const models = new Set(named.map(({ model }) => model));
	const vantages = new Set(named.map(({ vantage }) => vantage));
	const onlyModel = models.size === 1 ? (named[0]?.model ?? null) : null;
	const scopes: ScopeState[] = [];
	provider.scopesOf = {};
	const add = (model: string | null, vantage: string | null, penaltyNats: number) => {
		const endpoints = named.filter((one) => (model === null || one.model === model) && (vantage === null || one.vantage === vantage)).map(({ place }) => place);
		for (const place of endpoints) (provider.scopesOf[place] ??= []).push(scopes.length);
		scopes.push({ model: model ?? onlyModel, vantage: vantages.size === 1 ? null : vantage, endpoints, penaltyNats });
	};
	for (const { model, vantage } of named) add(model, vantage, penalties.endpoint);
	if (vantages.size > 1 && models.size > 1) {
		for (const [model, rows] of Map.groupBy(named, ({ model }) => model)) if (rows.length > 1) add(model, null, penalties.model);
		for (const [vantage, rows] of Map.groupBy(named, ({ vantage }) => vantage)) if (rows.length > 1) add(null, vantage, penalties.vantage);
	}
	if (named.length > 1) add(null, null, models.size === 1 ? penalties.model : penalties.provider);
	provider.scopes = scopes;
	return scopes;
}

export function scopeName(provider: ProviderState, { model, vantage }: ScopeState): LatticeScope {
	return { provider: provider.name, model, vantage };
}

export interface Surveyed {
	readonly scope: ScopeState;
	readonly episode: Episode;
}

/** Episodes of the scopes with at least so many bad results since a time. `skip`: endpoints that don't count now. */
export function surveyScopes(
	state: LatticeState,
	provider: ProviderState,
	channel: Channel,
	{ skip = none, badNeeded = 1, sinceAt = 0 }: { skip?: ReadonlySet<number>; badNeeded?: number; sinceAt?: number } = {},
): Surveyed[] {
	const { bit } = channelRules[channel];
	const counts = new Map<number, number>();
	for (let i = provider.samples.length - 1; i >= 0; i -= 1) {
		const { bad, endpoint, startedAt } = provider.samples[i] as Sample;
		if (startedAt < sinceAt) break;
		if ((bad & bit) === 0 || skip.has(endpoint)) continue;
		if (counts.size === 0) scopesOf(state, provider);
		for (const scope of provider.scopesOf[endpoint] ?? []) counts.set(scope, (counts.get(scope) ?? 0) + 1);
	}
	const lists = new Map<number, Sample[]>();
	for (const [scope, count] of [...counts].sort(([a], [b]) => a - b)) if (count >= badNeeded) lists.set(scope, []);
	if (lists.size === 0) return [];
	const scopes = scopesOf(state, provider);
	for (const sample of provider.samples) {
		if ((sample.valid & bit) === 0 || skip.has(sample.endpoint)) continue;
		for (const scope of provider.scopesOf[sample.endpoint] ?? []) lists.get(scope)?.push(sample);
	}
	const surveyed: Surveyed[] = [];
	for (const [place, samples] of lists) {
		const scope = scopes[place] as ScopeState;
		const episode = readEpisode(state, samples, channel, scope.endpoints.length);
		if (episode !== null) surveyed.push({ scope, episode });
	}
	return surveyed;
}

const none: ReadonlySet<number> = new Set();
