/** Which scopes explain a provider's bad results best: whole explanations are compared, not scopes one by one. */
import { type Channel, channelRules, natsOf } from './channels.ts';
import { endpointAt, type LatticeState, type ProviderState, type Sample, type ScopeState } from './lattice-state.ts';
import { scopesOf } from './survey-scopes.ts';

export interface Tally {
	n: number;
	k: number;
	usual: number;
}

/** Results per endpoint since a time. `skipVantage`: one whose results are explained otherwise. */
export function tallyEndpoints(
	state: LatticeState,
	samples: readonly Sample[],
	channel: Channel,
	sinceAt: number,
	skip: (endpoint: number) => boolean = () => false,
): Map<number, Tally> {
	const { bit } = channelRules[channel];
	const tallies = new Map<number, Tally>();
	for (let i = samples.length - 1; i >= 0; i -= 1) {
		const { startedAt, endpoint, valid, bad } = samples[i] as Sample;
		if (startedAt < sinceAt) break;
		if ((valid & bit) === 0 || skip(endpoint)) continue;
		const tally = tallies.get(endpoint) ?? { n: 0, k: 0, usual: 0 };
		if (tally.n === 0) tallies.set(endpoint, tally);
		const { badCost, goodCost } = endpointAt(state, endpoint);
		tally.n += 1;
		if ((bad & bit) === 0) tally.usual += goodCost[channel];
		else {
			tally.k += 1;
			tally.usual += badCost[channel];
		}
	}
	return tallies;
}

export interface Explanation {
	readonly scopes: readonly ScopeState[];
	/** Nats over "as usual", less the penalties. */
	readonly nats: number;
}

const nothing: Explanation = { scopes: [], nats: 0 };
const scopesMax = 4;

export function natsOfScope({ endpoints }: ScopeState, tallies: ReadonlyMap<number, Tally>, channel: Channel): number {
	let [n, k, usual] = [0, 0, 0];
	for (const place of endpoints) {
		const tally = tallies.get(place);
		if (tally === undefined) continue;
		n += tally.n;
		k += tally.k;
		usual += tally.usual;
	}
	return natsOf(n, k, usual, channelRules[channel].minShareRatio);
}

/**
 * The best of: the whole provider; up to four narrower scopes of any kind; of models; of vantages. The greedy choice alone would take
 * the provider for two dead models of five. `taken`: scopes that are part of it in any case.
 */
export function explainFailures(
	state: LatticeState,
	provider: ProviderState,
	tallies: ReadonlyMap<number, Tally>,
	channel: Channel,
	taken: readonly ScopeState[] = [],
): Explanation {
	if (![...tallies.values()].some(({ k }) => k > 0)) return taken.length === 0 ? nothing : greedy(taken, tallies, channel, []);
	const failing = new Set<number>();
	for (const [place, { k }] of tallies) if (k > 0) for (const scope of provider.scopesOf[place] ?? []) failing.add(scope);
	const all = scopesOf(state, provider);
	const candidates: Candidate[] = [...failing]
		.sort((a, b) => a - b)
		.map((place) => all[place] as ScopeState)
		.map((scope) => ({ scope, worth: natsOfScope(scope, tallies, channel) - scope.penaltyNats }));
	const whole = ({ scope }: Candidate) => scope.endpoints.length === provider.endpoints.length;
	const narrow = candidates.filter((one) => !whole(one) && one.worth > 0);
	const families = [
		narrow.filter(({ scope }) => scope.endpoints.length === 1),
		narrow,
		narrow.filter(({ scope }) => scope.model !== null),
		narrow.filter(({ scope }) => scope.model === null || scope.endpoints.length === 1),
		candidates.filter(whole),
	];
	let best: Explanation | null = null;
	for (const family of families) {
		if (family.length === 0 && taken.length === 0) continue;
		const found = greedy(taken, tallies, channel, family);
		if (best === null || found.nats > best.nats) best = found;
	}
	return best ?? nothing;
}

interface Candidate {
	readonly scope: ScopeState;
	/** Nats less its penalty, with all its endpoints still free. */
	readonly worth: number;
}

function greedy(taken: readonly ScopeState[], tallies: ReadonlyMap<number, Tally>, channel: Channel, family: readonly Candidate[]): Explanation {
	const left = new Map(tallies);
	const chosen: ScopeState[] = [];
	let open = [...family];
	let nats = 0;
	const take = (scope: ScopeState, worth: number) => {
		chosen.push(scope);
		nats += worth;
		const gone = new Set(scope.endpoints);
		for (const place of gone) left.delete(place);
		// Only what overlaps the taken scope is worth less now.
		open = open.flatMap((one) => {
			if (!one.scope.endpoints.some((place) => gone.has(place))) return [one];
			const worthNow = natsOfScope(one.scope, left, channel) - one.scope.penaltyNats;
			return worthNow > 0 ? [{ scope: one.scope, worth: worthNow }] : [];
		});
	};
	for (const scope of taken) take(scope, natsOfScope(scope, left, channel) - scope.penaltyNats);
	for (let i = 0; i < scopesMax; i += 1) {
		let best: Candidate | null = null;
		for (const one of open) if (one.worth > (best?.worth ?? 0)) best = one;
		if (best === null) break;
		take(best.scope, best.worth);
	}
	return { scopes: chosen, nats };
}
