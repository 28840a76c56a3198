/**
 * Is it them, or is it us? Before a provider is blamed, "these providers are at fault" is compared with "this vantage can't see".
 * Unsure is an answer: then more is asked, and decided later.
 */
import { type Channel, channelRules, natsOf } from './channels.ts';
import { explainFailures, tallyEndpoints } from './explain-failures.ts';
import { endpointAt, type LatticeOutcome, type LatticeState, type ProviderState, type Sample } from './lattice-state.ts';
import { readEpisode } from './read-episode.ts';

export type Blame = { readonly verdict: 'provider' | 'unsure'; readonly reason: string } | Blindness;
export interface Blindness {
	readonly verdict: 'monitor';
	/** One, or all. */
	readonly vantages: readonly string[];
	readonly onsetAt: number;
	readonly reason: string;
}

const leadNats = 3;
const blindPenaltyNats = 6;
/** A 5xx or a broken stream came from the far end or near it; a blind network rarely makes one. Nats that each costs the blind explanation. */
const answeredNats: Readonly<Partial<Record<LatticeOutcome, number>>> = { http_5xx: 1.5, refused: 1.5, stream_broken: 0.5 };
const controlsNeeded = 5;
/** Where one vantage alone sees what our own network could be, a half-blind one may let five through by luck. */
const lonelyControlsNeeded = 9;
/** One good result where all fail is chance or a start before the trouble; two are not. */
const sparedRefutes = 4.6;
const doubtMs = 75_000;
/** One in a thousand: others that are well clear the monitor though some fail too. */
const sparedClears = 6.9;
/** Without enough controls the doubt ends here: a scope that is heard rarely must be judged too. */
const patienceMs = 120_000;

interface Count {
	n: number;
	k: number;
	usual: number;
	answered: number;
}

/** Per provider what a vantage (null: all) heard since a time. */
function countProviders(state: LatticeState, channel: Channel, sinceAt: number, vantages: ReadonlySet<string>): Map<string, Count> {
	const { bit } = channelRules[channel];
	const counts = new Map<string, Count>();
	for (const provider of Object.values(state.providers)) {
		const count: Count = { n: 0, k: 0, usual: 0, answered: 0 };
		for (let i = provider.samples.length - 1; i >= 0; i -= 1) {
			const sample = provider.samples[i] as Sample;
			if (sample.startedAt < sinceAt) break;
			const endpoint = endpointAt(state, sample.endpoint);
			if ((sample.valid & bit) === 0 || !vantages.has(endpoint.vantage)) continue;
			count.n += 1;
			if ((sample.bad & bit) === 0) count.usual += endpoint.goodCost[channel];
			else {
				count.k += 1;
				count.usual += endpoint.badCost[channel];
				count.answered += answeredNats[sample.outcome] ?? 0;
			}
		}
		if (count.n > 0 || provider.endpoints.some((place) => vantages.has(endpointAt(state, place).vantage))) counts.set(provider.name, count);
	}
	return counts;
}

const logLikelihood = (k: number, n: number) => (k > 0 ? k * Math.log(k / n) : 0) + (k < n ? (n - k) * Math.log(1 - k / n) : 0);

/** Do the providers fail at different rates? A blind vantage hits all alike. */
function differs(counts: ReadonlyMap<string, Count>): boolean {
	const heard = [...counts.values()].filter(({ n }) => n > 0);
	const n = heard.reduce((sum, count) => sum + count.n, 0);
	const k = heard.reduce((sum, count) => sum + count.k, 0);
	const pooled = logLikelihood(k, n);
	let total = -pooled;
	for (const one of heard) {
		total += logLikelihood(one.k, one.n);
		if (heard.length > 1 && logLikelihood(one.k, one.n) + logLikelihood(k - one.k, n - one.n) - pooled > 3) return true;
	}
	return total > 3 + 0.9 * (heard.length - 1);
}

/** Nats against "all fail alike" from the providers that did not fail at all, though others do. A trouble that several providers share looks so. */
function spared(counts: Iterable<Count>): number {
	let [n, k, sparedCount] = [0, 0, 0];
	for (const count of counts) {
		if (count.k === 0) sparedCount += count.n;
		else {
			n += count.n;
			k += count.k;
		}
	}
	return n === 0 ? 0 : -sparedCount * Math.log(1 - Math.min(0.98, k / n));
}

/** How much better "providers are at fault" is than "these vantages are blind", in nats; positive infinity when blindness is refuted. */
function leadOver(state: LatticeState, channel: Channel, sinceAt: number, vantages: ReadonlySet<string>) {
	const counts = countProviders(state, channel, sinceAt, vantages);
	let [n, k, usual, answered, failing, unheard, theirs] = [0, 0, 0, 0, 0, 0, 0];
	for (const count of counts.values()) {
		n += count.n;
		k += count.k;
		usual += count.usual;
		answered += count.answered;
		if (count.k > 0) failing += 1;
		if (count.n === 0) unheard += 1;
	}
	const blindNats = natsOf(n, k, usual, channelRules[channel].minShareRatio) - blindPenaltyNats - Math.min(answered, 24);
	if (failing < 2 || differs(counts))
		return { lead: Number.POSITIVE_INFINITY, blindNats, failing, unheard, providers: counts.size, sparedNats: spared(counts.values()) };
	for (const [name, count] of counts) {
		if (count.k === 0) continue;
		const provider = state.providers[name] as ProviderState;
		const here = explainFailures(state, provider, tallyEndpoints(state, provider.samples, channel, sinceAt), channel).nats;
		const elsewhere = tallyEndpoints(state, provider.samples, channel, sinceAt, (place) => vantages.has(endpointAt(state, place).vantage));
		theirs += here - explainFailures(state, provider, elsewhere, channel).nats;
	}
	return { lead: theirs - blindNats, blindNats, failing, unheard, providers: counts.size, sparedNats: spared(counts.values()) };
}

export interface Suspect {
	readonly provider: ProviderState;
	readonly channel: Channel;
	readonly onsetAt: number;
	/** Start of the second bad result: a control that ended before it may be from before the trouble. */
	readonly secondAt: number;
	readonly vantages: readonly string[];
	/** Only time-outs and missing connections: a broken network of ours looks just so. */
	readonly networkLike: boolean;
	/** Most of its failures are an error that somebody sent: a network of ours that is half blind sends none. */
	readonly answered: boolean;
}

export function attributeBlame(state: LatticeState, suspect: Suspect): Blame {
	const { provider, channel, onsetAt, secondAt, vantages, networkLike, answered } = suspect;
	const others = Object.values(state.providers).filter(
		(other) => other !== provider && other.endpoints.some((place) => vantages.includes(endpointAt(state, place).vantage)),
	);
	if (others.length === 0) return judgeAlone(state, suspect);
	for (const vantage of vantages) {
		const blind = judgeVantage(state, channel, vantage, onsetAt);
		if (blind.verdict !== 'provider') return blind;
	}
	const controls = countProviders(state, channel, secondAt, new Set(vantages));
	const own = controls.get(provider.name) ?? { n: 0, k: 0, usual: 0, answered: 0 };
	controls.delete(provider.name);
	let [n, k, usual, well] = [0, 0, 0, 0];
	for (const count of controls.values()) {
		n += count.n;
		k += count.k;
		usual += count.usual;
		// Of hundreds of models some always fail: a provider is well while "as usual" explains it better than trouble does.
		if (natsOf(count.n, count.k, count.usual, channelRules[channel].minShareRatio) <= 0) well += count.n - count.k;
	}
	const elevated = natsOf(n, k, usual, channelRules[channel].minShareRatio) >= 4;
	const wanted = networkLike && vantages.length === 1 ? lonelyControlsNeeded : controlsNeeded;
	const enough = well >= Math.min(wanted, 2 * others.length + 2);
	const words = `${n - k} of ${n} results of other providers were well meanwhile`;
	const sparedNats = spared([own, ...controls.values()]);
	// Seen from one vantage alone, others failing beside it is what a half-blind vantage looks like in its first minute; but for errors that were sent.
	const pastDoubt = answered || state.nowAt - onsetAt > doubtMs;
	const clears = enough && (vantages.length > 1 ? well * 2 > n || sparedNats > sparedClears : sparedNats > sparedClears && pastDoubt);
	if (elevated && !clears) return { verdict: 'unsure', reason: 'other providers fail too' };
	if (enough || (state.nowAt - onsetAt > patienceMs && well > 0)) return { verdict: 'provider', reason: words };
	return { verdict: 'unsure', reason: 'too few other providers were heard since' };
}

/** What the same moment looks like on a milder channel: blind, or others are slow too. Null: nothing against the provider's blame. */
export function judgeMilder(state: LatticeState, { provider, onsetAt, vantages }: Suspect, channel: Channel): Blame | null {
	for (const vantage of vantages) {
		const blame = judgeVantage(state, channel, vantage, onsetAt);
		if (blame.verdict === 'monitor') return blame;
	}
	const controls = countProviders(state, channel, onsetAt, new Set(vantages));
	controls.delete(provider.name);
	let [n, k, usual] = [0, 0, 0];
	for (const count of controls.values()) {
		n += count.n;
		k += count.k;
		usual += count.usual;
	}
	// More than one in three: what a slow monitor does to all, and chance does not.
	const elevated = k * 3 > n && natsOf(n, k, usual, channelRules[channel].minShareRatio) >= 4;
	return elevated ? { verdict: 'unsure', reason: 'other providers are slow too' } : null;
}

/** Nobody to compare with: other vantages are the witness that our network works; without them only time is, and the reason says so. */
function judgeAlone(state: LatticeState, { provider, channel, onsetAt, vantages }: Suspect): Blame {
	if (vantages.length > 1) return { verdict: 'provider', reason: `seen from ${vantages.length} vantages; no other provider is measured there` };
	const elsewhere = tallyEndpoints(state, provider.samples, channel, onsetAt, (place) => vantages.includes(endpointAt(state, place).vantage));
	if (elsewhere.size === 0 && state.nowAt - onsetAt <= patienceMs) return { verdict: 'unsure', reason: 'nothing else is measured from there' };
	return { verdict: 'provider', reason: 'nothing else is measured from there, so our own network can not be ruled out' };
}

/** Of one vantage, and of all: `monitor` when blind, `unsure`, or `provider` when blindness does not explain what is seen. */
export function judgeVantage(state: LatticeState, channel: Channel, vantage: string, onsetAt: number): Blame {
	if (state.vantages[vantage]?.blindIncident) return { verdict: 'unsure', reason: `vantage ${vantage} is blind` };
	const breadth = state.endpoints.filter((endpoint) => endpoint.vantage === vantage).length;
	const own = readEpisode(state, samplesFrom(state, vantage, onsetAt - 600_000), channel, breadth);
	const windows = own === null || own.onsetAt === onsetAt ? [onsetAt] : [onsetAt, own.onsetAt];
	const all = Object.values(state.vantages).filter(({ blindIncident }) => blindIncident === null);
	const hypotheses = all.length > 1 ? [[vantage], all.map(({ name }) => name)] : [[vantage]];
	let worst = Number.POSITIVE_INFINITY;
	for (const sinceAt of windows) {
		for (const vantages of hypotheses) {
			const { lead, blindNats, failing, unheard, providers, sparedNats } = leadOver(state, channel, sinceAt, new Set(vantages));
			worst = Math.min(worst, lead);
			const needed = Math.min(3, providers);
			if (lead > -leadNats || needed < 2 || failing < needed || unheard > 0 || sparedNats > sparedRefutes) continue;
			if (blindNats + blindPenaltyNats < channelRules[channel].openNats) continue;
			// What one vantage sees is not said of all: each that was heard must fail, and more than one clearly.
			if (vantages.length > 1 && !failEverywhere(state, channel, sinceAt, vantages)) continue;
			const where = vantages.length === 1 ? vantage : 'every vantage';
			return {
				verdict: 'monitor',
				vantages,
				onsetAt: Math.min(sinceAt, own?.onsetAt ?? sinceAt),
				reason: `${failing} of ${providers} unrelated providers fail alike from ${where}`,
			};
		}
	}
	return worst >= leadNats ? { verdict: 'provider', reason: '' } : { verdict: 'unsure', reason: `vantage ${vantage} may be blind` };
}

function failEverywhere(state: LatticeState, channel: Channel, sinceAt: number, vantages: readonly string[]): boolean {
	const counts = vantages.map((vantage) => {
		let [n, k] = [0, 0];
		for (const count of countProviders(state, channel, sinceAt, new Set([vantage])).values()) {
			n += count.n;
			k += count.k;
		}
		return { n, k };
	});
	return counts.every(({ n, k }) => n === 0 || k > 0) && counts.filter(({ k }) => k >= 2).length >= 2;
}

/** Everything heard from a vantage since a time, by start: the providers' lists are sorted, so they are merged. */
export function samplesFrom(state: LatticeState, vantage: string, sinceAt: number): Sample[] {
	let merged: Sample[] = [];
	for (const provider of Object.values(state.providers)) {
		const own: Sample[] = [];
		for (let i = provider.samples.length - 1; i >= 0; i -= 1) {
			const sample = provider.samples[i] as Sample;
			if (sample.startedAt < sinceAt) break;
			if (endpointAt(state, sample.endpoint).vantage === vantage) own.push(sample);
		}
		if (own.length > 0) merged = mergeByStart(merged, own.reverse());
	}
	return merged;
}

function mergeByStart(a: readonly Sample[], b: readonly Sample[]): Sample[] {
	const merged: Sample[] = [];
	let [i, j] = [0, 0];
	while (i < a.length && j < b.length) {
		const [left, right] = [a[i] as Sample, b[j] as Sample];
		const leftFirst = left.startedAt < right.startedAt || (left.startedAt === right.startedAt && left.endpoint <= right.endpoint);
		merged.push(leftFirst ? left : right);
		if (leftFirst) i += 1;
		else j += 1;
	}
	while (i < a.length) merged.push(a[i++] as Sample);
	while (j < b.length) merged.push(b[j++] as Sample);
	return merged;
}
