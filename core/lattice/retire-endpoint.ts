/** An endpoint that is no longer measured: the configuration dropped its target. */
import { covers, type EndpointName, endpointAt, type LatticeDecision, type LatticeState } from './lattice-state.ts';
import { resolveIncident } from './record-incident.ts';

/** Takes its results out of every judgement, and ends the incidents that spoke of nothing else: the measurement ended, not the trouble. */
export function retireEndpoint(state: LatticeState, { provider, model, vantage }: EndpointName, decisions: LatticeDecision[]): void {
	const place = state.index[provider]?.[model]?.[vantage];
	const owner = state.providers[provider];
	if (place === undefined || owner === undefined) return;
	const endpoint = endpointAt(state, place);
	endpoint.retired = true;
	state.freePlaces.push(place);
	delete state.index[provider]?.[model]?.[vantage];
	owner.endpoints = owner.endpoints.filter((other) => other !== place);
	owner.samples = owner.samples.filter((sample) => sample.endpoint !== place);
	owner.scopes = null;
	for (const one of Object.values(state.vantages)) one.samples = one.samples.filter((sample) => sample.endpoint !== place);
	if (!owner.endpoints.some((other) => endpointAt(state, other).model === model)) delete owner.seasons[model];
	for (const incident of [...state.incidents]) {
		if (incident.scope.provider !== provider || owner.endpoints.some((other) => covers(incident.scope, endpointAt(state, other)))) continue;
		resolveIncident(state, incident, 'retired', 'no longer configured: the measurement ended, not the trouble', decisions);
	}
	if (owner.endpoints.length === 0) delete state.providers[provider];
}
