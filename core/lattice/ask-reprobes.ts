/** When an extra probe is worth its money: to confirm a doubt, to tell scopes apart, to see recovery. */
import { type Channel, channelRules } from './channels.ts';
import { type EndpointState, endpointAt, type LatticeDecision, type LatticeState, type ProviderState, patience, type Sample } from './lattice-state.ts';
import type { Surveyed } from './survey-scopes.ts';

const confirmAfterMs = 5_100;
const afterHorizonMs = 21_400;
const chainEveryMs = 2_600;
/** One is forgiven this often. */
const askedLeakMs = 6_000;
const triangulateEveryMs = 15_000;
const heardLatelyMs = 12_000;
const pendingMax = 2;
/** Of one provider in a burst. */
const askedMax = 60;
const fastMs = 8_000;
/** Two bad results this near are followed together. A time-out and its confirmation start 22 s apart. */
const clusterMs = 45_000;

/** Asks unless the endpoint has enough under way, was refused lately or the budget is empty. True when asked. */
export function ask(state: LatticeState, place: number, delayMs: number, reason: string, decisions: LatticeDecision[]): boolean {
	const { reprobe } = state.options;
	if (reprobe === null) return false;
	const endpoint = endpointAt(state, place);
	const { nowAt } = state;
	endpoint.pendingAt = endpoint.pendingAt.filter((dueAt) => isUnderWay(state, dueAt));
	if (endpoint.pendingAt.length >= pendingMax || endpoint.deniedUntilAt > nowAt || isMuted(state, endpoint)) return false;
	state.reprobeTokens = Math.min(reprobe.burst, state.reprobeTokens + ((nowAt - state.tokensAt) * reprobe.perDay) / 86_400_000);
	state.tokensAt = nowAt;
	if (state.reprobeTokens < 1) return false;
	const dueAt = Math.max(nowAt + delayMs, endpoint.askedForAt + reprobe.minSpacingMs + 50);
	if (dueAt > nowAt + delayMs + 2 * reprobe.minSpacingMs) return false;
	state.reprobeTokens -= 1;
	endpoint.askedForAt = dueAt;
	endpoint.pendingAt.push(dueAt);
	const { provider, model, vantage } = endpoint;
	decisions.push({ type: 'reprobe', provider, model, vantage, delayMs: Math.round(dueAt - nowAt), reason });
	return true;
}

/** One that a crash has lost is not waited for. */
const isUnderWay = ({ nowAt, options }: LatticeState, dueAt: number) => nowAt < dueAt + options.timeoutMs + 30_000;

/** Nothing that was asked of it is under way. */
export const isIdle = (state: LatticeState, { pendingAt }: EndpointState): boolean => !pendingAt.some((dueAt) => isUnderWay(state, dueAt));

const isMuted = (state: LatticeState, endpoint: EndpointState) =>
	state.maintenances.some(({ scope, fromAt, toAt }) => fromAt <= state.nowAt && state.nowAt < toAt && scope.provider === endpoint.provider) ||
	state.incidents.some(({ cause, scope }) => (cause === 'credentials' || cause === 'quota') && scope.provider === endpoint.provider);

function leak(state: LatticeState, provider: ProviderState): void {
	provider.asked = Math.max(0, provider.asked - (state.nowAt - provider.leakedAt) / askedLeakMs);
	provider.leakedAt = state.nowAt;
}

/** After a bad result: the first of a cluster is confirmed, the second is followed beyond the longest blip and triangulated. */
export function askAfterBad(
	state: LatticeState,
	provider: ProviderState,
	sample: Sample,
	tookMs: number,
	channel: Channel,
	decisions: LatticeDecision[],
): void {
	const { bit } = channelRules[channel];
	if (channel === 'slow') return;
	const since = sample.startedAt - clusterMs;
	const cluster = provider.samples.filter(({ startedAt, bad }) => startedAt >= since && (bad & bit) !== 0);
	leak(state, provider);
	if (provider.asked >= askedMax) return;
	const count = (asked: boolean) => {
		if (asked) provider.asked += 1;
	};
	if (cluster.length < 2) {
		provider.asked = 0;
		const afterMs = confirmAfterMs * Math.min(1, patience(state.options));
		if (tookMs < fastMs) count(ask(state, sample.endpoint, afterMs, 'confirm the first bad result', decisions));
		else {
			count(ask(state, sample.endpoint, 100, 'confirm the first bad result', decisions));
			if (sample.outcome === 'timeout') count(ask(state, sample.endpoint, 100 + afterMs, 'confirm the first time-out', decisions));
		}
		return;
	}
	const scale = patience(state.options);
	const onsetAt = cluster.find(({ endpoint }) => endpoint === sample.endpoint)?.startedAt ?? sample.startedAt;
	const wait = Math.max(100, onsetAt + afterHorizonMs * scale - state.nowAt);
	// Alone in its cluster an endpoint must answer itself; beside siblings the scheduled probes help.
	const own = cluster.filter(({ endpoint }) => endpoint === sample.endpoint).length;
	if (own >= 2 || cluster.length <= 3) {
		count(ask(state, sample.endpoint, wait, 'does it outlast a blip', decisions));
		count(ask(state, sample.endpoint, wait + confirmAfterMs * scale, 'does it outlast a blip', decisions));
	}
	triangulate(state, provider, sample.endpoint, decisions);
}

/** The same model from elsewhere, another model from here, other providers from here: what tells the scopes apart, and us from them. */
export function triangulate(state: LatticeState, provider: ProviderState, place: number, decisions: LatticeDecision[]): void {
	if (state.nowAt - provider.triangulatedAt < triangulateEveryMs || provider.asked >= askedMax) return;
	provider.triangulatedAt = state.nowAt;
	const at = endpointAt(state, place);
	const quiet = (places: readonly number[], fits: (endpoint: EndpointState) => boolean) =>
		leastHeard(
			state,
			places.filter((other) => other !== place && fits(endpointAt(state, other))),
		);
	const wanted = [
		quiet(provider.endpoints, ({ model, vantage }) => model === at.model && vantage !== at.vantage),
		quiet(provider.endpoints, ({ model, vantage }) => model !== at.model && vantage === at.vantage),
		quiet(provider.endpoints, ({ model, vantage }) => model !== at.model && vantage !== at.vantage),
	];
	const others = Object.values(state.providers)
		.filter((other) => other !== provider)
		.map((other) => quiet(other.endpoints, ({ vantage }) => vantage === at.vantage))
		.filter((other) => other !== null)
		.sort((a, b) => endpointAt(state, a).startedAt - endpointAt(state, b).startedAt);
	for (const other of [...wanted, ...others.slice(0, 2)]) {
		if (other === null || state.nowAt - endpointAt(state, other).startedAt < heardLatelyMs) continue;
		if (ask(state, other, 100, 'tell the scopes apart', decisions)) provider.asked += 1;
	}
}

function leastHeard(state: LatticeState, places: readonly number[]): number | null {
	let least: number | null = null;
	let leastAt = Number.POSITIVE_INFINITY;
	for (const place of places) {
		const endpoint = endpointAt(state, place);
		const { startedAt, vantage } = endpoint;
		if (!isIdle(state, endpoint) || state.vantages[vantage]?.blindIncident) continue;
		if (startedAt < leastAt) [least, leastAt] = [place, startedAt];
	}
	return least;
}

/** Routers see failures: our own eyes decide, but need not wait for their slot. */
export function askReported(state: LatticeState, provider: ProviderState, model: string, decisions: LatticeDecision[]): void {
	const place = leastHeard(
		state,
		provider.endpoints.filter((one) => endpointAt(state, one).model === model),
	);
	if (place !== null) ask(state, place, 100, 'routers report failures', decisions);
}

/** Evidence between doubt and verdict: one more probe of the scope every few seconds until it tips. */
export function askInDoubt(state: LatticeState, provider: ProviderState, surveyed: readonly Surveyed[], channel: Channel, decisions: LatticeDecision[]): void {
	const { probeNats, probeFromBad, openNats } = channelRules[channel];
	leak(state, provider);
	if (state.nowAt - provider.chainedAt < chainEveryMs || provider.asked >= askedMax) return;
	let best: Surveyed | null = null;
	for (const one of surveyed) {
		if (state.nowAt - one.episode.lastBadAt > Math.max(300_000, 2 * provider.intervalMs)) continue;
		if (best === null || one.episode.nats - one.scope.penaltyNats > best.episode.nats - best.scope.penaltyNats) best = one;
	}
	if (best === null || best.episode.badCount < probeFromBad || best.episode.nats < probeNats || best.episode.nats > openNats + 6) return;
	const place = leastHeard(state, best.scope.endpoints);
	if (place === null || !ask(state, place, 100, `${best.episode.nats.toFixed(1)} nats in doubt: ${channelRules[channel].noun}`, decisions)) return;
	provider.asked += 1;
	provider.chainedAt = state.nowAt;
}
