/** Forgets results that no live episode and no open incident can need. */
import { channels } from './channels.ts';
import { covers, endpointAt, type LatticeState, type ProviderState } from './lattice-state.ts';
import { surveyScopes } from './survey-scopes.ts';

export function trimSamples(state: LatticeState, provider: ProviderState): void {
	const { nowAt } = state;
	const lonelyMs = Math.max(900_000, 15 * provider.intervalMs);
	const recentAt = nowAt - Math.max(360_000, 6 * provider.intervalMs);
	const first = provider.samples[0];
	if (first === undefined || first.startedAt >= recentAt) return;
	const keepFrom = new Map<number, number>();
	const keep = (place: number, fromAt: number) => keepFrom.set(place, Math.min(fromAt, keepFrom.get(place) ?? recentAt));
	if (provider.samples.some(({ bad }) => bad !== 0)) {
		for (const channel of channels)
			for (const { scope, episode } of surveyScopes(state, provider, channel)) {
				// One old bad result keeps nothing but itself alive.
				if (nowAt - episode.lastBadAt > (episode.badCount === 1 ? lonelyMs : 3_600_000)) continue;
				for (const place of scope.endpoints) keep(place, episode.fromAt);
			}
	}
	for (const { cause, scope, recoveryFromAt } of state.incidents) {
		if (cause !== 'provider' || scope.provider !== provider.name) continue;
		for (const place of provider.endpoints) if (covers(scope, endpointAt(state, place))) keep(place, recoveryFromAt);
	}
	provider.samples = provider.samples.filter(({ startedAt, endpoint }) => startedAt >= (keepFrom.get(endpoint) ?? recentAt));
	for (const place of provider.endpoints) {
		const endpoint = endpointAt(state, place);
		if (endpoint.suspected && !provider.samples.some((sample) => sample.endpoint === place && sample.bad !== 0)) endpoint.suspected = false;
	}
}
