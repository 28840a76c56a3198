/** When an open provider incident is over. */

import { acceptNewLevel } from './accept-new-level.ts';
import { ask, isIdle } from './ask-reprobes.ts';
import { channelRules } from './channels.ts';
import {
	covers,
	endpointAt,
	type LatticeDecision,
	type LatticeIncident,
	type LatticeState,
	type ProviderState,
	patience,
	type Sample,
} from './lattice-state.ts';
import { markRecovering, resolveIncident, updateIncident } from './record-incident.ts';
import { severityNow } from './severity.ts';

const resolveNats = 5.5;
/** Trouble that lets some through has long lucky runs, and an hour of it many chances for one; of young trouble it is not known yet. */
const hardShare = 0.85;
const youngResolveNats = 8;
const partialResolveNats = 10;
const quietMaxMs = 600_000;
/** What a probe takes beside its time-out until it is known. */
const deliveryMs = 3_000;
const recoveryAsksMax = 60;
const recoveryEveryMs = 6_000;
const smallScope = 8;

/** Counts a new result of the scope. */
export function countForIncidents(state: LatticeState, sample: Sample): void {
	const endpoint = endpointAt(state, sample.endpoint);
	for (const incident of state.incidents) {
		if (incident.channel === null || incident.cause !== 'provider' || !covers(incident.scope, endpoint)) continue;
		const { bit } = channelRules[incident.channel];
		if ((sample.valid & bit) === 0 || sample.startedAt < incident.onsetAt) continue;
		if ((sample.bad & bit) === 0) incident.goodSinceBad += 1;
		else {
			incident.badCount += 1;
			incident.judgedCount += incident.goodSinceBad + 1;
			incident.goodSinceBad = 0;
			incident.lastBadAt = Math.max(incident.lastBadAt, sample.startedAt);
			if (sample.outcome === 'timeout') incident.sawTimeout = true;
		}
	}
}

export function judgeOpenIncidents(state: LatticeState, decisions: LatticeDecision[]): void {
	for (const incident of [...state.incidents]) if (incident.cause === 'provider' && incident.channel !== null) judgeOne(state, incident, decisions);
}

function judgeOne(state: LatticeState, incident: LatticeIncident, decisions: LatticeDecision[]): void {
	const provider = state.providers[incident.scope.provider ?? ''];
	if (provider === undefined || incident.channel === null) return;
	const { channel } = incident;
	const { bit, minShareRatio, quietMs } = channelRules[channel];
	const places = provider.endpoints.filter((place) => covers(incident.scope, endpointAt(state, place)));
	const inScope = new Set(places);
	const { nowAt, options } = state;
	// The slow siblings of young good results are still out: without this a partial time-out flickers.
	const knownAt = incident.sawTimeout ? nowAt - options.timeoutMs - deliveryMs : nowAt;
	const { badCount, judgedCount } = incident;
	const share = Math.min(0.98, Math.max(minShareRatio * 0.7, (badCount - 0.7 * Math.sqrt(badCount)) / Math.max(1, judgedCount)));
	let nats = 0;
	let fromAt = incident.recoveryFromAt;
	const last = new Map<number, Sample>();
	let lastTwoGood = 0;
	for (const sample of provider.samples) {
		const { startedAt, endpoint } = sample;
		if (startedAt < incident.recoveryFromAt || (sample.valid & bit) === 0 || !inScope.has(endpoint)) continue;
		const isBad = (sample.bad & bit) !== 0;
		lastTwoGood = isBad ? 0 : lastTwoGood + 1;
		if (!isBad && startedAt > knownAt) continue;
		last.set(endpoint, sample);
		const usual = Math.exp(-endpointAt(state, endpoint).badCost[channel]);
		nats += isBad ? Math.log(usual / share) : Math.log((1 - usual) / (1 - share));
		if (nats <= 0) [nats, fromAt] = [0, startedAt];
	}
	incident.recoveryFromAt = fromAt;
	const severity = severityNow(incident);
	if (severity !== incident.severity)
		updateIncident(state, incident, { severity, reason: `${badCount} of ${judgedCount} results ${channelRules[channel].noun}` }, decisions);

	const waiting = places.filter((place) => !isWell(state, place, last.get(place), bit, incident));
	const quiet = patience(options) * Math.min(quietMaxMs, quietMs * 3 ** incident.relapses);
	const needed = natsToResolve(badCount, judgedCount, share);
	if (!incident.recovering && nats >= needed / 2 && incident.goodSinceBad >= 2)
		markRecovering(state, incident, true, `${incident.goodSinceBad} good results since the last bad one`, decisions);
	else if (incident.recovering && nats < needed / 4) markRecovering(state, incident, false, 'bad results again', decisions);
	if (nats >= needed && waiting.length === 0 && nowAt - incident.lastBadAt >= quiet) {
		const seconds = Math.round((nowAt - incident.lastBadAt) / 1_000);
		resolveIncident(
			state,
			incident,
			'recovered',
			`${incident.goodSinceBad} good results since the last bad one ${seconds} s ago, at every endpoint of the scope`,
			decisions,
		);
		forget(state, provider, places, incident.lastBadAt);
		return;
	}
	if (acceptNewLevel(state, incident, places, decisions)) {
		forget(state, provider, places, nowAt);
		return;
	}
	if (lastTwoGood >= 2 && places.length <= smallScope && incident.recoveryAsks < recoveryAsksMax) {
		const candidates = waiting.length > 0 ? waiting : places;
		const place = candidates.reduce((a, b) => (endpointAt(state, a).startedAt <= endpointAt(state, b).startedAt ? a : b));
		const endpoint = endpointAt(state, place);
		if (isIdle(state, endpoint) && nowAt - endpoint.askedForAt >= recoveryEveryMs && ask(state, place, 100, 'is it over', decisions))
			incident.recoveryAsks += 1;
	}
}

function natsToResolve(badCount: number, judgedCount: number, share: number): number {
	if (share >= hardShare || (badCount === judgedCount && badCount >= 6)) return resolveNats;
	return badCount === judgedCount ? youngResolveNats : partialResolveNats + Math.log(Math.max(1, judgedCount / 10));
}

/** What an incident was opened on must not open the next one. */
function forget(state: LatticeState, provider: ProviderState, places: readonly number[], throughAt: number): void {
	for (const place of places) {
		const endpoint = endpointAt(state, place);
		endpoint.judgedFromAt = throughAt + 1;
		endpoint.newBaselines = {};
	}
	provider.samples = provider.samples.filter(({ startedAt, endpoint }) => startedAt >= endpointAt(state, endpoint).judgedFromAt);
}

/** Heard good since its last bad result; or it can't be heard: silent, blind, in maintenance. */
function isWell(state: LatticeState, place: number, last: Sample | undefined, bit: number, incident: LatticeIncident): boolean {
	if (last !== undefined) return (last.bad & bit) === 0;
	const endpoint = endpointAt(state, place);
	if (state.vantages[endpoint.vantage]?.blindIncident) return true;
	if (state.maintenances.some(({ scope, fromAt, toAt }) => covers(scope, endpoint) && fromAt <= state.nowAt && state.nowAt < toAt)) return true;
	// Its good results are older than the evidence that is read; or none came for long.
	return (
		endpoint.startedAt < incident.recoveryFromAt ||
		state.nowAt - endpoint.startedAt > 3 * (state.providers[endpoint.provider]?.intervalMs ?? state.options.baseIntervalMs)
	);
}
