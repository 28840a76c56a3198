/** From evidence to incidents of one provider: explain, attribute, open; and re-judge the scope of what is open. */

import { ask, askInDoubt, isIdle, triangulate } from './ask-reprobes.ts';
import { attributeBlame, type Blame, judgeMilder } from './attribute-blame.ts';
import { blindVantages } from './blind-vantages.ts';
import { type Channel, channelRules, channels } from './channels.ts';
import { explainFailures, natsOfScope, tallyEndpoints } from './explain-failures.ts';
import {
	contains,
	covers,
	endpointAt,
	type LatticeDecision,
	type LatticeIncident,
	type LatticeState,
	type ProviderState,
	type ScopeState,
	sameScope,
} from './lattice-state.ts';
import { type Episode, isRipe } from './read-episode.ts';
import { openIncident, resolveIncident, updateIncident } from './record-incident.ts';
import { severityOf } from './severity.ts';
import { type Surveyed, scopeName, scopesOf, surveyScopes } from './survey-scopes.ts';

/** The scope of a young incident may still move. */
const youngMs = 600_000;
const moveNats = 5;
/** An incident this young is kin to what fails around it now; an older one is another story. */
const kinMs = 1_800_000;
const hotMs = 90_000;
/** How long a wide scope waits for the siblings that were not heard, from its onset. */
const hearSiblingsMs = 36_000;

/** @param bits the channels to look at: those of the result that came, or of what is watched. */
export function judgeProvider(state: LatticeState, provider: ProviderState, bits: number, decisions: LatticeDecision[]): void {
	provider.judgedAt = state.nowAt;
	provider.changed = false;
	for (const channel of channels) {
		const { bit } = channelRules[channel];
		if ((bits & bit) === 0) continue;
		const hot = judgeChannel(state, provider, channel, decisions);
		provider.hotBits = hot ? provider.hotBits | bit : provider.hotBits & ~bit;
	}
	if (provider.hotBits !== 0) provider.hotUntilAt = state.nowAt + hotMs;
}

/** True while it should be looked at again soon. */
function judgeChannel(state: LatticeState, provider: ProviderState, channel: Channel, decisions: LatticeDecision[]): boolean {
	const { nowAt } = state;
	const open = state.incidents.filter(({ cause, scope }) => cause === 'provider' && scope.provider === provider.name);
	const young = open.filter(({ openedAt }) => nowAt - openedAt < youngMs);
	const settled = open.filter((incident) => !young.includes(incident));
	const skip = new Set(provider.endpoints.filter((place) => settled.some(({ scope }) => covers(scope, endpointAt(state, place)))));
	const freshMs = Math.max(480_000, 4 * provider.intervalMs);
	const { probeFromBad, probeNats } = channelRules[channel];
	const surveyed = surveyScopes(state, provider, channel, { skip, badNeeded: probeFromBad, sinceAt: nowAt - freshMs });
	markSuspects(state, surveyed);
	if (surveyed.length === 0) {
		provider.doubts = provider.doubts.filter((doubt) => doubt.channel !== channel);
		return false;
	}

	const ripe = surveyed.filter(({ scope, episode }) => isRipe(episode, channel, state, freshMs, aidNats(provider, channel, scope)));
	const loudest = ripe.reduce<Surveyed | null>((best, one) => (best === null || one.episode.nats > best.episode.nats ? one : best), null);
	if (young.length > 0) moveScopes(state, provider, channel, young, skip, decisions);
	provider.doubts = provider.doubts.filter((doubt) => doubt.channel !== channel);
	if (loudest !== null) {
		const onsetAt = Math.min(loudest.episode.onsetAt, ...young.map((incident) => incident.onsetAt));
		const tallies = tallyEndpoints(state, provider.samples, channel, onsetAt, (place) => skip.has(place));
		const { scopes } = explainFailures(state, provider, tallies, channel);
		for (const scope of scopes) openScope(state, provider, channel, scope, ripe, decisions);
	}
	askInDoubt(
		state,
		provider,
		surveyed.filter(({ scope }) => !isCovered(state, provider, scope)),
		channel,
		decisions,
	);
	return surveyed.some(({ episode }) => episode.nats >= probeNats && nowAt - episode.lastBadAt < 600_000);
}

/** Of the failures that routers report of the scope: of its loudest model. */
function aidNats({ reported }: ProviderState, channel: Channel, { model }: ScopeState): number {
	if (channel !== 'failed') return 0;
	return model === null ? Math.max(0, ...Object.values(reported)) : (reported[model] ?? 0);
}

function markSuspects(state: LatticeState, surveyed: readonly Surveyed[]): void {
	for (const { scope, episode } of surveyed) {
		const only = scope.endpoints.length === 1 ? scope.endpoints[0] : undefined;
		if (only !== undefined) endpointAt(state, only).suspected = episode.nats >= 9 && state.nowAt - episode.lastBadAt < 900_000;
	}
}

const milderOf = { failed: ['stalled', 'slow'], stalled: ['slow'] } as const satisfies Partial<Record<Channel, readonly Channel[]>>;

const openFor = (state: LatticeState, provider: ProviderState) =>
	state.incidents.filter(({ cause, scope }) => cause === 'provider' && scope.provider === provider.name);

/** Some endpoint of the scope is in an open incident already. */
function isCovered(state: LatticeState, provider: ProviderState, { endpoints }: ScopeState): boolean {
	const open = openFor(state, provider);
	return open.length > 0 && endpoints.some((place) => open.some(({ scope }) => covers(scope, endpointAt(state, place))));
}

function openScope(
	state: LatticeState,
	provider: ProviderState,
	channel: Channel,
	scope: ScopeState,
	ripe: readonly Surveyed[],
	decisions: LatticeDecision[],
): void {
	const covered = openFor(state, provider).filter((incident) => scope.endpoints.some((place) => covers(incident.scope, endpointAt(state, place))));
	// A young one moves by moveScopes; one that the new scope would only cut across stands.
	const name = scopeName(provider, scope);
	if (covered.some((incident) => state.nowAt - incident.openedAt < youngMs || !contains(name, incident.scope) || sameScope(name, incident.scope))) return;
	const inside = ripe.filter((one) => one.scope === scope || one.scope.endpoints.every((place) => scope.endpoints.includes(place)));
	const shown = inside.find((one) => one.scope === scope) ?? inside[0];
	if (shown === undefined) return;
	const { episode } = shown;
	const { options } = state;
	const { bit } = channelRules[channel];
	const bad = episode.samples.filter((sample) => (sample.bad & bit) !== 0);
	const vantages = [...new Set(bad.map(({ endpoint }) => endpointAt(state, endpoint).vantage))];
	const networkLike = channel === 'failed' && bad.every(({ outcome }) => outcome === 'timeout' || outcome === 'connect');
	const answered = channel === 'failed' && bad.filter(({ outcome }) => outcome === 'http_5xx' || outcome === 'refused').length * 2 > bad.length;
	const suspect = { provider, channel, onsetAt: episode.onsetAt, secondAt: episode.secondAt, vantages, networkLike, answered };
	let blame: Blame = attributeBlame(state, suspect);
	// A slow monitor makes some answers time out, others very slow and the rest slow: ask those channels too.
	const milder = channel === 'stalled' || (channel === 'failed' && bad.every(({ outcome }) => outcome === 'timeout')) ? milderOf[channel] : [];
	for (const other of milder) if (blame.verdict === 'provider') blame = judgeMilder(state, suspect, other) ?? blame;
	if (blame.verdict === 'monitor') return blindVantages(state, blame, channel, decisions);
	if (blame.verdict === 'unsure') {
		provider.doubts.push({ scope: name, channel, sinceAt: episode.onsetAt, reason: blame.reason });
		const last = bad.at(-1);
		if (last !== undefined) triangulate(state, provider, last.endpoint, decisions);
		return;
	}
	const aid = aidNats(provider, channel, scope);
	const control = aid === 0 ? blame.reason : `${blame.reason}; routers report failures too (+${aid.toFixed(1)} nats)`;
	const waitMs = bad.some(({ outcome }) => outcome === 'timeout') ? options.timeoutMs + hearSiblingsMs : hearSiblingsMs;
	if (state.nowAt - episode.onsetAt < waitMs && askUnheard(state, scope, episode, decisions)) return;
	// What is left of a wider scope fails too: the old incident was part of it.
	const heir = covered.find((incident) => incident.channel === channel && state.nowAt - incident.openedAt < kinMs);
	for (const incident of covered) if (incident !== heir) resolveIncident(state, incident, 'absorbed', 'part of a wider one', decisions);
	if (heir !== undefined) {
		recount(state, provider, heir, scope);
		updateIncident(state, heir, { scope: name, nats: episode.nats, control, reason: reasonOf(channel, heir, episode, control) }, decisions);
		return;
	}
	const counts = countScope(provider, scope, bit, episode.onsetAt);
	openIncident(
		state,
		{
			...{ scope: name, severity: severityOf(channel, counts), cause: 'provider', channel, onsetAt: episode.onsetAt },
			...{ lastBadAt: episode.lastBadAt, ...counts, goodSinceBad: 0 },
			...{ sawTimeout: bad.some(({ outcome }) => outcome === 'timeout'), nats: episode.nats, control },
			reason: reasonOf(channel, counts, episode, control),
		},
		decisions,
	);
}

/** A scope that spans several models is named only when each was heard: true while one was not, and is asked. */
function askUnheard(state: LatticeState, { endpoints, model }: ScopeState, { samples }: Episode, decisions: LatticeDecision[]): boolean {
	if (model !== null || state.options.reprobe === null) return false;
	const heard = new Set(samples.map(({ endpoint }) => endpointAt(state, endpoint).model));
	const unheard = Map.groupBy(
		endpoints.filter((place) => !heard.has(endpointAt(state, place).model)),
		(place) => endpointAt(state, place).model,
	);
	for (const places of [...unheard.values()].slice(0, 3))
		if (places.every((place) => isIdle(state, endpointAt(state, place)))) ask(state, places[0] as number, 100, 'hear every model of the scope', decisions);
	return unheard.size > 0;
}

interface Counts {
	readonly badCount: number;
	/** Through the last bad one. */
	readonly judgedCount: number;
}

/** Over the whole scope: the part that speaks loudest may be worse than the rest. */
function countScope(provider: ProviderState, { endpoints }: ScopeState, bit: number, sinceAt: number): Counts {
	let [badCount, judgedCount, good] = [0, 0, 0];
	for (const { startedAt, endpoint, valid, bad } of provider.samples) {
		if (startedAt < sinceAt || (valid & bit) === 0 || !endpoints.includes(endpoint)) continue;
		good += 1;
		if ((bad & bit) === 0) continue;
		badCount += 1;
		judgedCount += good;
		good = 0;
	}
	return { badCount, judgedCount };
}

function reasonOf(channel: Channel, { badCount, judgedCount }: Counts, { nats, samples }: Episode, control: string): string {
	const { bit, noun } = channelRules[channel];
	const counts = new Map<string, number>();
	for (const { bad, outcome } of samples) if ((bad & bit) !== 0 && outcome !== 'ok') counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
	const codes = [...counts].map(([code, times]) => `${code} ×${times}`).join(', ');
	return `${badCount} of ${judgedCount} results ${noun}${codes === '' ? '' : `: ${codes}`} (${nats.toFixed(1)} nats against a usual day); ${control}`;
}

/** Siblings were heard since: the scope grows or shrinks when that explains clearly more, and what it covers is absorbed. */
function moveScopes(
	state: LatticeState,
	provider: ProviderState,
	channel: Channel,
	young: readonly LatticeIncident[],
	skip: ReadonlySet<number>,
	decisions: LatticeDecision[],
): void {
	const sinceAt = Math.min(...young.map(({ onsetAt }) => onsetAt));
	const tallies = tallyEndpoints(state, provider.samples, channel, sinceAt, (place) => skip.has(place));
	const taken = young.flatMap(({ scope }) => scopesOf(state, provider).find((one) => one.model === scope.model && one.vantage === scope.vantage) ?? []);
	const best = explainFailures(state, provider, tallies, channel);
	if (best.nats < explainFailures(state, provider, tallies, channel, taken).nats + moveNats) return;
	const heirs = new Map<ScopeState, LatticeIncident>();
	for (const incident of young) {
		const mine = provider.endpoints.filter((place) => covers(incident.scope, endpointAt(state, place)));
		const shared = ({ endpoints }: ScopeState) => endpoints.filter((place) => mine.includes(place)).length;
		const target = best.scopes.reduce<ScopeState | null>(
			(most, scope) => (shared(scope) > 0 && (most === null || shared(scope) > shared(most)) ? scope : most),
			null,
		);
		if (target === null) continue;
		const heir = heirs.get(target);
		if (heir !== undefined) {
			resolveIncident(state, incident, 'absorbed', `part of ${heir.id}`, decisions);
			continue;
		}
		heirs.set(target, incident);
		const scope = scopeName(provider, target);
		if (scope.model === incident.scope.model && scope.vantage === incident.scope.vantage) continue;
		// Another channel's evidence may widen an incident, never shrink it: few time-outs among many slow answers would.
		if (incident.channel !== channel && !contains(scope, incident.scope)) continue;
		const nats = natsOfScope(target, tallies, channel);
		incident.channel = channel;
		recount(state, provider, incident, target);
		updateIncident(state, incident, { scope, nats, reason: `${nats.toFixed(1)} nats: this scope explains what was heard since` }, decisions);
	}
}

function recount(state: LatticeState, provider: ProviderState, incident: LatticeIncident, { endpoints }: ScopeState): void {
	const { bit } = channelRules[incident.channel ?? 'failed'];
	const counts = { badCount: 0, judgedCount: 0, goodSinceBad: 0 };
	for (const { startedAt, endpoint, valid, bad, outcome } of provider.samples) {
		if (startedAt < incident.onsetAt || (valid & bit) === 0 || !endpoints.includes(endpoint)) continue;
		counts.goodSinceBad += 1;
		if ((bad & bit) === 0) continue;
		counts.badCount += 1;
		counts.judgedCount += counts.goodSinceBad;
		counts.goodSinceBad = 0;
		incident.lastBadAt = startedAt;
		if (outcome === 'timeout') incident.sawTimeout = true;
	}
	Object.assign(incident, counts, { recoveryFromAt: incident.onsetAt });
}
