/**
 * The five ways in which a result speaks against a provider, each with its own base rate and thresholds.
 * Nats: natural-log likelihood ratio of "in trouble" against "as usual". At 18.5 nats chance alone opens about one scope in e^18.5 = 10^8 looks.
 */
export const channels = ['failed', 'wrong', 'stalled', 'slow', 'refused'] as const;
export type Channel = (typeof channels)[number];

export interface ChannelRule {
	readonly bit: number;
	/** Share of bad results on a usual day before anything is learned, and how far learning may move it. */
	readonly priorRatio: number;
	readonly minRatio: number;
	readonly maxRatio: number;
	/** Weakest trouble that is looked for; a share below it is a slow ticket, not an incident. */
	readonly minShareRatio: number;
	readonly openNats: number;
	/** What must remain when the worst moments are left out: trouble that lasts, not a blip. */
	readonly lastingNats: number;
	/** Longest blip that is forgiven, and how many of them. */
	readonly horizonMs: number;
	readonly blipsForgiven: number;
	/** From so many nats and bad results on, more probes are asked for. */
	readonly probeNats: number;
	readonly probeFromBad: number;
	/** Free of bad results this long before it resolves. */
	readonly quietMs: number;
	readonly noun: string;
}

export const channelRules = {
	failed: {
		...{ bit: 1, priorRatio: 0.005, minRatio: 0.002, maxRatio: 0.05, minShareRatio: 0.1, openNats: 18.5, lastingNats: 8, horizonMs: 21_000 },
		...{ blipsForgiven: 2, probeNats: 4.2, probeFromBad: 2, quietMs: 50_000, noun: 'failed' },
	},
	wrong: {
		...{ bit: 2, priorRatio: 0.0008, minRatio: 0.0005, maxRatio: 0.02, minShareRatio: 0.08, openNats: 16.5, lastingNats: 7, horizonMs: 21_000 },
		...{ blipsForgiven: 2, probeNats: 4.5, probeFromBad: 1, quietMs: 50_000, noun: 'answered wrongly' },
	},
	stalled: {
		...{ bit: 4, priorRatio: 0.005, minRatio: 0.002, maxRatio: 0.05, minShareRatio: 0.1, openNats: 18.5, lastingNats: 8, horizonMs: 21_000 },
		...{ blipsForgiven: 2, probeNats: 5, probeFromBad: 2, quietMs: 90_000, noun: 'took more than 4.5 times the usual' },
	},
	slow: {
		...{ bit: 8, priorRatio: 0.03, minRatio: 0.01, maxRatio: 0.15, minShareRatio: 0.3, openNats: 24, lastingNats: 9, horizonMs: 125_000 },
		...{ blipsForgiven: 1, probeNats: 9, probeFromBad: 2, quietMs: 90_000, noun: 'took more than twice the usual' },
	},
	// Busy is not broken: refusals for want of capacity are judged apart, and a burst of them is the ordinary case.
	refused: {
		...{ bit: 16, priorRatio: 0.005, minRatio: 0.002, maxRatio: 0.1, minShareRatio: 0.1, openNats: 18.5, lastingNats: 8, horizonMs: 30_000 },
		...{ blipsForgiven: 2, probeNats: 5, probeFromBad: 2, quietMs: 90_000, noun: 'were refused for want of capacity' },
	},
} as const satisfies Record<Channel, ChannelRule>;

export const maxShareRatio = 0.98;

/** Nats for "this share is in trouble" after n results of which k bad; `usual` is minus the log likelihood of the same results on a usual day. */
export function natsOf(n: number, k: number, usual: number, minShareRatio: number): number {
	if (k === 0) return 0;
	const share = Math.min(maxShareRatio, Math.max(minShareRatio, k / n));
	return k * Math.log(share) + (n - k) * Math.log(1 - share) + usual;
}
