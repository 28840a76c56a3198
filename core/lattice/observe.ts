/**
 * The detector with a lattice of scopes: endpoint, model, provider from a vantage, provider, vantage, everything. Deterministic: the same
 * inputs in the same order give the same decisions. It reads no clock; time comes with each input.
 * How it decides, in words and numbers: docs/how-a-verdict-is-reached.md.
 */

import { askAfterBad, askReported } from './ask-reprobes.ts';
import { judgeVantage } from './attribute-blame.ts';
import { blindVantages, isVoid, judgeRecovery } from './blind-vantages.ts';
import { castVotes, learnLatency, learnNewLevel, learnRates } from './cast-votes.ts';
import { channelRules, channels } from './channels.ts';
import { insertSample } from './insert-sample.ts';
import { countForIncidents, judgeOpenIncidents } from './judge-open-incidents.ts';
import { judgeProvider } from './judge-provider.ts';
import { covers, endpointAt, endpointOf, type LatticeDecision, type LatticeInput, type LatticeState, providerOf, type Sample } from './lattice-state.ts';
import { openIncident, resolveIncident } from './record-incident.ts';
import { retireEndpoint } from './retire-endpoint.ts';
import { trimSamples } from './trim-samples.ts';
import { watchKeys } from './watch-keys.ts';

const seenKept = 24;
const trimEveryMs = 300_000;
/** Nobody is blamed without looking at the vantages, whenever that is; this is for those that nobody is blamed for. */
const vantagesEveryMs = 2_000;

/** Moves the state forward in place by one input. On a failed commit throw the state away and load it again. */
export function observe(state: LatticeState, input: LatticeInput): LatticeDecision[] {
	if (input.at > state.nowAt) state.nowAt = input.at;
	const decisions: LatticeDecision[] = [];
	switch (input.type) {
		case 'result':
			observeResult(state, input, decisions);
			break;
		case 'tick':
			observeTick(state, decisions);
			break;
		case 'maintenance':
			observeMaintenance(state, input);
			break;
		case 'retire':
			retireEndpoint(state, input, decisions);
			break;
		case 'reported': {
			const provider = providerOf(state, input.provider);
			const isNews = input.nats > 0 && provider.reported[input.model] === undefined;
			if (input.nats > 0) provider.reported[input.model] = input.nats;
			else delete provider.reported[input.model];
			provider.changed = true;
			if (isNews) askReported(state, provider, input.model, decisions);
			break;
		}
		case 'reprobe_denied': {
			const endpoint = endpointAt(state, endpointOf(state, input.provider, input.model, input.vantage));
			endpoint.pendingAt.pop();
			endpoint.deniedUntilAt = state.nowAt + 30_000;
		}
	}
	return decisions;
}

function observeResult(state: LatticeState, input: Extract<LatticeInput, { type: 'result' }>, decisions: LatticeDecision[]): void {
	const place = endpointOf(state, input.provider, input.model, input.vantage);
	const endpoint = endpointAt(state, place);
	const hash = hashOf(input.id);
	if (endpoint.seen.includes(hash)) return;
	endpoint.seen.push(hash);
	if (endpoint.seen.length > seenKept) endpoint.seen.shift();
	const { startedAt, outcome } = input;
	if (startedAt > endpoint.startedAt) endpoint.startedAt = startedAt;
	if (input.reprobe) endpoint.pendingAt.shift();

	const maintenance = state.maintenances.find(({ scope, fromAt, toAt }) => fromAt <= startedAt && startedAt < toAt && covers(scope, endpoint));
	if (maintenance !== undefined) {
		if (outcome !== 'ok' && maintenance.incident === null) {
			const reason = 'an announced maintenance; its results do not count';
			const onsetAt = maintenance.fromAt;
			maintenance.incident = openIncident(
				state,
				{ scope: maintenance.scope, severity: 'info', cause: 'maintenance', channel: null, onsetAt, reason },
				decisions,
			).id;
		}
		return;
	}
	const provider = state.providers[input.provider];
	const vantage = state.vantages[input.vantage];
	if (provider === undefined || vantage === undefined) throw new Error(`Expected a place for ${input.provider} from ${input.vantage}, got none`);
	if (outcome === 'ok' || outcome === 'auth' || outcome === 'rate_limited' || outcome === 'quota') watchKeys(state, provider, startedAt, outcome, decisions);
	const votes = castVotes(endpoint, provider, input);
	if (votes === null) return;
	if (startedAt < endpoint.judgedFromAt) return;
	const sample: Sample = { startedAt, endpoint: place, ...votes, outcome, id: votes.bad === 0 ? null : input.id };
	if (isVoid(vantage, startedAt)) {
		if (vantage.blindIncident !== null) insertSample(vantage.samples, sample);
		return;
	}
	insertSample(provider.samples, sample);
	provider.changed = true;
	const trouble = state.incidents.length === 0 ? undefined : state.incidents.find(({ cause, scope }) => cause === 'provider' && covers(scope, endpoint));
	const troubled = trouble !== undefined;
	if (trouble !== undefined) {
		countForIncidents(state, sample);
		if (trouble.channel === 'slow' || trouble.channel === 'stalled') learnNewLevel(endpoint, provider, input);
	} else if (!endpoint.suspected) {
		learnRates(endpoint, votes);
		learnLatency(endpoint, provider, input);
	}
	if (votes.bad === 0) return;
	const tookMs = input.totalMs ?? 0;
	for (const channel of channels)
		if ((votes.bad & channelRules[channel].bit) !== 0 && !troubled) askAfterBad(state, provider, sample, tookMs, channel, decisions);
	judgeProvider(state, provider, votes.bad, decisions);
}

function observeTick(state: LatticeState, decisions: LatticeDecision[]): void {
	const { nowAt } = state;
	for (const maintenance of state.maintenances) {
		if (maintenance.incident === null || nowAt < maintenance.toAt) continue;
		const incident = state.incidents.find(({ id }) => id === maintenance.incident);
		maintenance.incident = null;
		if (incident !== undefined) resolveIncident(state, incident, 'recovered', 'the announced time is over', decisions);
	}
	state.maintenances = state.maintenances.filter(({ toAt }) => nowAt - toAt < 600_000);
	const hot = Object.values(state.providers).filter(({ hotUntilAt }) => hotUntilAt >= nowAt);
	if (hot.length >= 2 && nowAt - state.vantagesJudgedAt >= vantagesEveryMs) {
		state.vantagesJudgedAt = nowAt;
		judgeVantages(state, decisions);
	}
	for (const provider of hot) if (provider.changed || nowAt - provider.judgedAt >= 3_000) judgeProvider(state, provider, provider.hotBits, decisions);
	if (state.incidents.length > 0) {
		judgeRecovery(state, decisions);
		judgeOpenIncidents(state, decisions);
	}
	if (nowAt - state.trimmedAt >= trimEveryMs) {
		state.trimmedAt = nowAt;
		for (const provider of Object.values(state.providers)) trimSamples(state, provider);
	}
}

/** Several providers in doubt at once: before any of them is blamed, look at the vantages. */
function judgeVantages(state: LatticeState, decisions: LatticeDecision[]): void {
	for (const channel of channels) {
		const { bit, openNats } = channelRules[channel];
		const failing = new Map<string, { providers: number; firstAt: number; nats: number }>();
		for (const provider of Object.values(state.providers)) {
			const firstAt = new Map<string, { at: number; nats: number }>();
			for (let i = provider.samples.length - 1; i >= 0; i -= 1) {
				const { bad, startedAt, endpoint } = provider.samples[i] as Sample;
				if (state.nowAt - startedAt >= 180_000) break;
				if ((bad & bit) === 0) continue;
				const { vantage, badCost } = endpointAt(state, endpoint);
				firstAt.set(vantage, { at: startedAt, nats: badCost[channel] + (firstAt.get(vantage)?.nats ?? 0) });
			}
			for (const [vantage, { at, nats }] of firstAt) {
				const before = failing.get(vantage) ?? { providers: 0, firstAt: at, nats: 0 };
				failing.set(vantage, { providers: before.providers + 1, firstAt: Math.min(before.firstAt, at), nats: before.nats + nats });
			}
		}
		for (const [vantage, { providers, firstAt, nats }] of failing) {
			// Even if every one of them spoke for it in full it would not be loud enough: the weighing is the dear part.
			if (providers < 3 || nats < openNats || state.vantages[vantage]?.blindIncident) continue;
			const blame = judgeVantage(state, channel, vantage, firstAt);
			if (blame.verdict === 'monitor') blindVantages(state, blame, channel, decisions);
		}
	}
}

function observeMaintenance(state: LatticeState, { id, scope, fromAt, toAt }: Extract<LatticeInput, { type: 'maintenance' }>): void {
	if (state.maintenances.some((known) => known.id === id)) return;
	state.maintenances.push({ id, scope, fromAt, toAt, incident: null });
	for (const provider of Object.values(state.providers))
		provider.samples = provider.samples.filter(
			({ startedAt, endpoint }) => startedAt < fromAt || startedAt >= toAt || !covers(scope, endpointAt(state, endpoint)),
		);
}

/** FNV-1a over UTF-16 units: quicker than encoding, and only ever compared within one endpoint. */
function hashOf(text: string): number {
	let hash = 0x811c9dc5;
	for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
	return hash >>> 0;
}
