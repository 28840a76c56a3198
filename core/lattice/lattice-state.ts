/** What the lattice detector knows: plain values, versioned, so that it survives a restart at any point. Times: ms since epoch. */
import { type Channel, channelRules, channels } from './channels.ts';

export interface EndpointName {
	readonly provider: string;
	readonly model: string;
	readonly vantage: string;
}

export interface LatticeOptions {
	/** Time between two scheduled probes of an endpoint. */
	readonly baseIntervalMs: number;
	/** A probe without an answer ends after this. */
	readonly timeoutMs: number;
	/** Trouble that is over within this is a blip, no incident; what must have passed is scaled by it. Absent: 20 s, for which all was measured. */
	readonly blipMs?: number;
	/** Known from the start; others join with their first result. */
	readonly endpoints: readonly EndpointName[];
	/** Null: extra probes can't be had. */
	readonly reprobe: { readonly minSpacingMs: number; readonly perDay: number; readonly burst: number } | null;
}

export const latticeOutcomes = ['ok', 'timeout', 'connect', 'http_5xx', 'rate_limited', 'auth', 'stream_broken', 'empty', 'wrong', 'quota', 'refused'] as const;
export type LatticeOutcome = (typeof latticeOutcomes)[number];

/** One result as it is kept while it may still count. */
export interface Sample {
	readonly startedAt: number;
	/** Index in `endpoints`. */
	readonly endpoint: number;
	/** Channel bits: what it speaks about, and on which of them it is bad. */
	readonly valid: number;
	readonly bad: number;
	/** ln of the worse of TTFT and total over the endpoint's own baseline; 0 without one. */
	readonly slowLn: number;
	readonly outcome: LatticeOutcome;
	/** Null for a good one: only bad ones are shown as examples. */
	readonly id: string | null;
}

export interface LatencyBaseline {
	samples: number;
	ttftLn: number;
	ttftDeviation: number;
	totalLn: number;
	totalDeviation: number;
	/** Mean of ln total over about a week: what an hour of the week is compared with. */
	weekLn: number;
	/** The levels are those of the week's mean hour: the season is taken off. */
	seasonal: boolean;
}

/** How a model's latency moves with the hour of the week, over all vantages and canaries. */
export interface Season {
	/** Per hour of the week from Monday 00:00 UTC: ln of its latency over the week's mean, in hundredths, in the last two weeks that saw it. */
	lastCenti: (number | null)[];
	beforeCenti: (number | null)[];
	/** The hour that is being summed, counted from the epoch, and its sum. */
	hour: number;
	sumLn: number;
	count: number;
	/** Every hour was seen in two weeks: from then on it is taken off. */
	active: boolean;
}

export interface EndpointState extends EndpointName {
	/** Per channel: bad results and all results learned on usual days. */
	learnedBad: Record<Channel, number>;
	learnedAll: Record<Channel, number>;
	/** -ln of the usual share of bad, and of good, per channel. */
	badCost: Record<Channel, number>;
	goodCost: Record<Channel, number>;
	/** By canary. */
	baselines: Record<string, LatencyBaseline>;
	/** What is learned while an incident of slowness is open: the next baseline, should it last. */
	newBaselines: Record<string, LatencyBaseline>;
	/** Hashes of the newest result ids. */
	seen: number[];
	startedAt: number;
	/** When asked-for probes are due and not yet answered. */
	pendingAt: number[];
	askedForAt: number;
	deniedUntilAt: number;
	suspected: boolean;
	/** Results that started earlier have been judged: they belong to an incident that is over. */
	judgedFromAt: number;
	/** No longer measured; its place is given to the next one that joins. */
	retired: boolean;
}

export interface ScopeState {
	readonly model: string | null;
	readonly vantage: string | null;
	readonly endpoints: readonly number[];
	readonly penaltyNats: number;
}

export interface ProviderState {
	readonly name: string;
	endpoints: number[];
	/** By start. */
	samples: Sample[];
	/** Null: to be derived again from the endpoints. */
	scopes: ScopeState[] | null;
	/** Per endpoint: the scopes it is in, narrow first. */
	scopesOf: Record<string, number[]>;
	/** Watched at every tick until then. */
	hotUntilAt: number;
	/** Channels that are watched. */
	hotBits: number;
	judgedAt: number;
	/** Heard from since it was judged. */
	changed: boolean;
	/** Probes asked for lately; falls with time. */
	asked: number;
	leakedAt: number;
	chainedAt: number;
	triangulatedAt: number;
	keyEvents: { at: number; outcome: 'ok' | 'auth' | 'rate_limited' | 'quota' }[];
	/** Longest time between two scheduled probes of one of its endpoints. */
	intervalMs: number;
	/** By model. */
	seasons: Record<string, Season>;
	/** Loud, but whose fault it is is not settled. */
	doubts: LatticeDoubt[];
	/** By model: what routers report of their traffic now, in nats (weigh-reports.ts). It helps what our own results say; alone it says nothing. */
	reported: Record<string, number>;
}

export interface LatticeDoubt {
	readonly scope: LatticeScope;
	readonly channel: Channel;
	readonly sinceAt: number;
	readonly reason: string;
}

export interface VantageState {
	readonly name: string;
	/** The open incident of a vantage that can't be trusted; null when it can. */
	blindIncident: string | null;
	/** Results started in a span prove nothing about providers. `toAt` is null while it lasts. */
	spans: { fromAt: number; toAt: number | null }[];
	/** What came from it while blind. */
	samples: Sample[];
}

export interface LatticeScope {
	readonly provider: string | null;
	readonly model: string | null;
	readonly vantage: string | null;
}

export const latticeCauses = ['provider', 'monitor', 'credentials', 'rate_limit', 'quota', 'maintenance'] as const;
export type LatticeCause = (typeof latticeCauses)[number];
export type Severity = 'down' | 'degraded' | 'info';

export interface LatticeIncident {
	readonly id: string;
	/** The first incident of a chain of relapses; its own id when it is none. */
	readonly firstId: string;
	scope: LatticeScope;
	severity: Severity;
	readonly cause: LatticeCause;
	/** Null where no channel speaks (credentials, limits, maintenance). */
	channel: Channel | null;
	onsetAt: number;
	readonly openedAt: number;
	lastBadAt: number;
	/** Through the last bad result. */
	badCount: number;
	judgedCount: number;
	goodSinceBad: number;
	sawTimeout: boolean;
	/** Where the evidence of recovery begins. */
	recoveryFromAt: number;
	readonly relapses: number;
	recoveryAsks: number;
	/** The run of good results is half of what resolves it. */
	recovering: boolean;
	/** Evidence for it when it was opened or moved; 0 where no channel speaks. */
	nats: number;
	/** What was compared with before it was opened; empty where nothing was. */
	control: string;
	reason: string;
}

export interface Maintenance {
	readonly id: string;
	readonly scope: LatticeScope;
	readonly fromAt: number;
	readonly toAt: number;
	incident: string | null;
}

export interface LatticeState {
	readonly version: 3;
	/** Its endpoints are in `endpoints`. */
	options: LatticeOptions;
	nowAt: number;
	trimmedAt: number;
	vantagesJudgedAt: number;
	endpoints: EndpointState[];
	/** provider → model → vantage → index. */
	index: Record<string, Record<string, Record<string, number>>>;
	providers: Record<string, ProviderState>;
	vantages: Record<string, VantageState>;
	incidents: LatticeIncident[];
	/** Resolved lately: a relapse is told from a new one. */
	resolved: { scope: LatticeScope; id: string; firstId: string; channel: Channel | null; resolvedAt: number; relapses: number }[];
	maintenances: Maintenance[];
	reprobeTokens: number;
	tokensAt: number;
	/** Places of retired endpoints. */
	freePlaces: number[];
	incidentCount: number;
}

export type LatticeInput =
	| {
			readonly type: 'result';
			readonly id: string;
			/** When it is judged, not when it ran. */
			readonly at: number;
			readonly startedAt: number;
			readonly provider: string;
			readonly model: string;
			readonly vantage: string;
			readonly outcome: LatticeOutcome;
			/** Null: did not happen. */
			readonly ttftMs: number | null;
			readonly totalMs: number | null;
			/** Latencies are compared within one canary. */
			readonly canary?: string;
			readonly reprobe: boolean;
	  }
	| { readonly type: 'tick'; readonly at: number }
	| { readonly type: 'maintenance'; readonly id: string; readonly at: number; readonly scope: LatticeScope; readonly fromAt: number; readonly toAt: number }
	| { readonly type: 'retire'; readonly at: number; readonly provider: string; readonly model: string; readonly vantage: string }
	/** Instead of what was reported of this model before; 0: nothing. */
	| { readonly type: 'reported'; readonly at: number; readonly provider: string; readonly model: string; readonly nats: number }
	| { readonly type: 'reprobe_denied'; readonly at: number; readonly provider: string; readonly model: string; readonly vantage: string };

export interface LatticeIncidentDecision {
	/** `recovering` and back: the verdict stands, its end is in sight. */
	readonly type: 'open' | 'update' | 'recovering' | 'failing_again' | 'resolve';
	readonly id: string;
	/** The incident that this one continues; its own id when it is none. */
	readonly firstId: string;
	readonly at: number;
	readonly scope: LatticeScope;
	readonly severity: Severity;
	readonly cause: LatticeCause;
	readonly channel: Channel | null;
	/** Start of the first bad result of the run that opened it. */
	readonly onsetAt: number;
	readonly nats: number;
	/** Through the last bad result, on its channel. */
	readonly badCount: number;
	readonly judgedCount: number;
	readonly control: string;
	/** Why it is over; null while it is not. */
	readonly ending: Ending | null;
	readonly reason: string;
}

/** `absorbed`: part of another one now. `withdrawn`: said on the word of a blind vantage. `retired`: no longer measured. */
export const endings = ['recovered', 'absorbed', 'withdrawn', 'new_level', 'retired'] as const;
export type Ending = (typeof endings)[number];

export interface LatticeReprobe {
	readonly type: 'reprobe';
	readonly provider: string;
	readonly model: string;
	readonly vantage: string;
	readonly delayMs: number;
	readonly reason: string;
}

export type LatticeDecision = LatticeIncidentDecision | LatticeReprobe;

/** Times of the detector are stated for blips of 20 s. */
export const patience = ({ blipMs }: Pick<LatticeOptions, 'blipMs'>): number => (blipMs ?? 20_000) / 20_000;

export function createLatticeState(options: LatticeOptions): LatticeState {
	const state: LatticeState = {
		version: 3,
		options: { ...options, endpoints: [] },
		...{ nowAt: 0, trimmedAt: 0, vantagesJudgedAt: 0, endpoints: [], index: {}, providers: {}, vantages: {}, incidents: [], resolved: [], maintenances: [] },
		...{ reprobeTokens: options.reprobe?.burst ?? 0, tokensAt: 0, incidentCount: 0, freePlaces: [] },
	};
	for (const endpoint of options.endpoints) endpointOf(state, endpoint.provider, endpoint.model, endpoint.vantage);
	return state;
}

/** The place of an endpoint; a new one joins. */
export function endpointOf(state: LatticeState, provider: string, model: string, vantage: string): number {
	const known = state.index[provider]?.[model]?.[vantage];
	if (known !== undefined) return known;
	const place = state.freePlaces.pop() ?? state.endpoints.length;
	state.endpoints[place] = freshEndpoint(provider, model, vantage);
	((state.index[provider] ??= {})[model] ??= {})[vantage] = place;
	const ofProvider = providerOf(state, provider);
	ofProvider.endpoints.push(place);
	ofProvider.scopes = null;
	state.vantages[vantage] ??= { name: vantage, blindIncident: null, spans: [], samples: [] };
	return place;
}

/** A new one joins. */
export function providerOf(state: LatticeState, name: string): ProviderState {
	return (state.providers[name] ??= freshProvider(name, state.options.baseIntervalMs));
}

export function endpointAt(state: LatticeState, place: number): EndpointState {
	const endpoint = state.endpoints[place];
	if (endpoint === undefined) throw new RangeError(`Expected an endpoint below ${state.endpoints.length}, got ${place}`);
	return endpoint;
}

const freshProvider = (name: string, intervalMs: number): ProviderState => ({
	...{
		name,
		intervalMs,
		seasons: {},
		doubts: [],
		endpoints: [],
		samples: [],
		scopes: null,
		scopesOf: {},
		hotUntilAt: 0,
		hotBits: 0,
		judgedAt: 0,
		changed: false,
		asked: 0,
		leakedAt: 0,
		chainedAt: 0,
		triangulatedAt: 0,
		keyEvents: [],
		reported: {},
	},
});

const costs = (cost: (priorRatio: number) => number) =>
	Object.fromEntries(channels.map((channel) => [channel, cost(channelRules[channel].priorRatio)])) as Record<Channel, number>;

function freshEndpoint(provider: string, model: string, vantage: string): EndpointState {
	return {
		...{ provider, model, vantage, baselines: {}, newBaselines: {}, seen: [], startedAt: 0, pendingAt: [], askedForAt: 0, deniedUntilAt: 0 },
		...{ suspected: false, judgedFromAt: 0, retired: false },
		learnedBad: { failed: 0, wrong: 0, stalled: 0, slow: 0, refused: 0 },
		learnedAll: { failed: 0, wrong: 0, stalled: 0, slow: 0, refused: 0 },
		badCost: costs((priorRatio) => -Math.log(priorRatio)),
		goodCost: costs((priorRatio) => -Math.log1p(-priorRatio)),
	};
}

// Names come from outside: a provider called `__proto__` must not reach Object.prototype; see parse in bin/detect.ts and the configuration's id rule.
export const covers = (scope: LatticeScope, { provider, model, vantage }: EndpointName): boolean =>
	(scope.provider === null || scope.provider === provider) &&
	(scope.model === null || scope.model === model) &&
	(scope.vantage === null || scope.vantage === vantage);

/** Is every endpoint of the inner scope in the outer one, going by names. */
export const contains = (outer: LatticeScope, inner: LatticeScope): boolean =>
	(outer.provider === null || outer.provider === inner.provider) &&
	(outer.model === null || outer.model === inner.model) &&
	(outer.vantage === null || outer.vantage === inner.vantage);

export const sameScope = (a: LatticeScope, b: LatticeScope): boolean => a.provider === b.provider && a.model === b.model && a.vantage === b.vantage;

/** In words: "gpt on openai from fra", "groq", "vantage fra", "everything". */
export function scopeWords({ provider, model, vantage }: LatticeScope): string {
	if (provider === null) return vantage === null ? 'everything' : `vantage ${vantage}`;
	return `${model === null ? provider : `${model} on ${provider}`}${vantage === null ? '' : ` from ${vantage}`}`;
}
