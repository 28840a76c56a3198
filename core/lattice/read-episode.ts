/** Sequential evidence of one scope on one channel, read from its results in the order of their starts. */
import { type Channel, channelRules, maxShareRatio, natsOf } from './channels.ts';
import { type EndpointState, type LatticeState, patience, type Sample } from './lattice-state.ts';

export interface Episode {
	/** Start of its first bad result. */
	readonly fromAt: number;
	/** Start of the suffix that speaks loudest, and of the second bad result in it. */
	readonly onsetAt: number;
	readonly secondAt: number;
	readonly lastBadAt: number;
	readonly judgedCount: number;
	readonly badCount: number;
	readonly nats: number;
	/** Results since the onset, by start. */
	readonly samples: readonly Sample[];
}

const longestSilenceMs = 50 * 60_000;
/** From the end of a probe to its judgement, nearly always. */
const deliveryMs = 5_000;
/** One in a hundred: a run of good results that trouble makes as seldom ends it. */
const implausibleNats = 4.6;
/** A scope of more endpoints is looked at so much oftener that chance would end its trouble every minute. */
const usualBreadth = 20;

/**
 * The live episode at the end of these results; null when none lives. It dies when its run of good results is implausible under trouble. Of the last
 * seconds only the good results have come while others run into their time-out: after a time-out they end nothing.
 * @param breadth endpoints of the scope
 */
export function readEpisode({ endpoints, nowAt, options }: LatticeState, samples: readonly Sample[], channel: Channel, breadth: number): Episode | null {
	const { bit, minShareRatio } = channelRules[channel];
	const heardThroughAt = nowAt - options.timeoutMs - deliveryMs;
	const endNats = implausibleNats + Math.max(0, Math.log(breadth / usualBreadth));
	let sawTimeout = false;
	let n = 0;
	let k = 0;
	let usual = 0;
	let run = 0;
	let lastBadAt = 0;
	let marks: { place: number; n: number; usual: number }[] = [];
	for (let place = 0; place < samples.length; place += 1) {
		const sample = samples[place] as Sample;
		if ((sample.valid & bit) === 0) continue;
		const endpoint = endpoints[sample.endpoint] as EndpointState;
		if ((sample.bad & bit) !== 0) {
			if (k > 0 && sample.startedAt - lastBadAt > longestSilenceMs) {
				n = k = usual = 0;
				sawTimeout = false;
				marks = [];
			}
			sawTimeout ||= sample.outcome === 'timeout';
			marks.push({ place, n, usual });
			n += 1;
			k += 1;
			usual += endpoint.badCost[channel];
			run = 0;
			lastBadAt = sample.startedAt;
		} else if (k > 0) {
			n += 1;
			usual += endpoint.goodCost[channel];
			if (sawTimeout && sample.startedAt > heardThroughAt) continue;
			run += 1;
			if (run >= 2) {
				const low = Math.min(0.9, Math.max(0.07, (k - Math.sqrt(k)) / (n - run)));
				if (-run * Math.log1p(-low) >= endNats) {
					n = k = usual = run = 0;
					sawTimeout = false;
					marks = [];
				}
			}
		}
	}
	if (k === 0) return null;
	let best = 0;
	let nats = Number.NEGATIVE_INFINITY;
	for (let i = 0; i < marks.length; i += 1) {
		const mark = marks[i] as (typeof marks)[number];
		const here = natsOf(n - mark.n, k - i, usual - mark.usual, minShareRatio);
		if (here > nats) [best, nats] = [i, here];
	}
	const onset = marks[best] as (typeof marks)[number];
	const startOf = (mark: { place: number } | undefined) => (mark === undefined ? Number.MAX_SAFE_INTEGER : (samples[mark.place]?.startedAt ?? 0));
	return {
		fromAt: startOf(marks[0]),
		onsetAt: startOf(onset),
		secondAt: startOf(marks[best + 1]),
		...{ lastBadAt, nats, judgedCount: n - onset.n, badCount: k - best, samples: samples.slice(onset.place) },
	};
}

/**
 * Loud, of at least three bad results of which two are fresh, and lasting.
 * @param aidNats what is said by others: it makes our own results louder, and replaces none
 */
export function isRipe(episode: Episode, channel: Channel, { endpoints, nowAt, options }: LatticeState, freshMs: number, aidNats = 0): boolean {
	const { bit, openNats } = channelRules[channel];
	if (episode.nats + aidNats < openNats || episode.badCount < 3) return false;
	let fresh = 0;
	for (const { bad, startedAt } of episode.samples) if ((bad & bit) !== 0 && nowAt - startedAt <= freshMs) fresh += 1;
	if (fresh < 2) return false;
	if (channel === 'slow' && !isSlowInTheMiddle(episode)) return false;
	return isLasting(episode.samples, channel, endpoints, channelRules[channel].horizonMs * patience(options));
}

const medianSlowLn = Math.log(2.05);

function isSlowInTheMiddle({ samples }: Episode): boolean {
	const ratios = samples.filter(({ valid }) => (valid & 8) !== 0).map(({ slowLn }) => slowLn);
	return ratios.length >= 8 && (ratios.sort((a, b) => a - b)[ratios.length >> 1] ?? 0) > medianSlowLn;
}

/** An unbroken streak that goes on after the longest blip, or enough evidence without its worst moments. */
export function isLasting(all: readonly Sample[], channel: Channel, endpoints: readonly EndpointState[], horizonMs: number): boolean {
	const { bit, lastingNats, blipsForgiven } = channelRules[channel];
	let samples = all.filter(({ valid }) => (valid & bit) !== 0);
	const lastGood = samples.findLastIndex(({ bad }) => (bad & bit) === 0);
	const streak = samples.slice(lastGood + 1);
	const streakAt = streak[0]?.startedAt ?? 0;
	if (streak.filter(({ startedAt }) => startedAt - streakAt > horizonMs).length >= 2) {
		const usual = streak.reduce((sum, { endpoint }) => sum + (endpoints[endpoint] as EndpointState).badCost[channel], 0);
		if (streak.length * Math.log(maxShareRatio) + usual >= lastingNats) return true;
	}
	for (let i = 0; i < blipsForgiven; i += 1) samples = withoutWorstWindow(samples, bit, horizonMs);
	let k = 0;
	let usual = 0;
	for (const { bad, endpoint } of samples) {
		const { badCost, goodCost } = endpoints[endpoint] as EndpointState;
		const isBad = (bad & bit) !== 0;
		if (isBad) k += 1;
		usual += (isBad ? badCost : goodCost)[channel];
	}
	return k >= 2 && natsOf(samples.length, k, usual, channelRules[channel].minShareRatio) >= lastingNats - 1;
}

function withoutWorstWindow(samples: readonly Sample[], bit: number, horizonMs: number): Sample[] {
	let worst = { fromAt: 0, count: 0 };
	let tail = 0;
	let count = 0;
	for (const sample of samples) {
		if ((sample.bad & bit) === 0) continue;
		count += 1;
		for (; sample.startedAt - (samples[tail]?.startedAt ?? 0) > horizonMs; tail += 1) if (((samples[tail]?.bad ?? 0) & bit) !== 0) count -= 1;
		if (count > worst.count) worst = { fromAt: sample.startedAt - horizonMs, count };
	}
	return samples.filter(({ startedAt }) => startedAt < worst.fromAt || startedAt > worst.fromAt + horizonMs);
}
