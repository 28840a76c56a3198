/**
 * The one public document, numbered. Page, API, badges, feeds and events all render the same snapshot, so they never disagree.
 * Times are ISO 8601 in UTC, durations ms, ratios 0..1. Null always means "no data", never zero and never fine.
 */

import type { DrillReport } from './drill-report.ts';
import type { Cause, Condition, Impact, IncidentEvidence, IncidentStatus, Scope, Severity } from './incident.ts';
import type { Lifecycle } from './lifecycle.ts';
import type { ObjectiveView } from './objective-view.ts';
import type { OfficialImpact, OfficialStatus } from './official.ts';
import type { PackedDays } from './packed-days.ts';
import type { Availability } from './sli.ts';
import type { State } from './state.ts';
import type { Operation, Price } from './target.ts';

export const shortWindows = ['5m', '30m', '1h', '1d'] as const;
export const longWindows = ['7d', '30d', '90d'] as const;
export type WindowName = (typeof shortWindows)[number] | (typeof longWindows)[number];
export const windowMs = {
	'5m': 300_000,
	'30m': 1_800_000,
	'1h': 3_600_000,
	'1d': 86_400_000,
	'7d': 604_800_000,
	'30d': 2_592_000_000,
	'90d': 7_776_000_000,
} as const satisfies Record<WindowName, number>;

/** One UTC day of one target. */
export interface DayView {
	/** YYYY-MM-DD, UTC. */
	readonly date: string;
	/** Worst confirmed state of the day; `unknown` without data. */
	readonly state: State;
	/** Confirmed minutes in major or partial outage, and in degraded performance; overlaps merged. */
	readonly downMinutes: number;
	readonly degradedMinutes: number;
	readonly good: number;
	readonly bad: number;
	readonly excluded: number;
}

export interface Percentiles {
	readonly p50: number;
	readonly p90: number;
	readonly p95: number;
	readonly p99: number;
}

/** What is left of the rate limit that the provider's headers tell, of requests or tokens whichever is scarcer: the limit of the key that probes. */
export interface Headroom {
	/** Remaining / limit, 0 to 1. */
	readonly ratio: number;
	readonly of: 'requests' | 'tokens';
	/** Start of the probe that was told so. */
	readonly measuredAt: string;
}

/** `strained`: an incident of refusals for want of capacity is open. `exhausted`: hardly anything is served. */
export const capacityStates = ['available', 'strained', 'exhausted', 'unknown'] as const;
export type CapacityState = (typeof capacityStates)[number];

/** `degraded`: an incident of wrong answers is open. */
export const qualityStates = ['as_expected', 'degraded', 'unknown'] as const;
export type QualityState = (typeof qualityStates)[number];

export interface CanaryFault {
	readonly canary: string;
	/** `untested`: never accepted, and what failed may be the request; its results do not count. */
	readonly state: 'refused' | 'untested';
	/** Field that was refused, as the provider named it; null when it named none. */
	readonly field: string | null;
	/** What to change in the configuration; null when untested. */
	readonly advice: string | null;
	readonly since: string;
}

export interface TargetView {
	readonly id: string;
	/** File name of the target's page, injective (core/target fileSlug). */
	readonly slug: string;
	readonly provider: string;
	readonly model: string;
	readonly operation: Operation;
	readonly upstreamModel: string;
	readonly state: State;
	/** Why, in words for people: "4 of the last 4 results failed: server_error (HTTP 503)". */
	readonly reason: string;
	readonly since: string;
	/** Id of the open provider incident that sets the state; null when none. */
	readonly incident: string | null;
	/** Start of the newest result that ran; null before the first. */
	readonly measuredAt: string | null;
	readonly staleAfter: string;
	/** As configured. */
	readonly intervalMs: number;
	/** What it can count on now: longer than `intervalMs` while the day's budget is short. */
	readonly plannedIntervalMs: number;
	readonly availability: Readonly<Record<WindowName, Availability>>;
	/** Slots that ran of the slots that were due, last 24 h. */
	readonly coverage: { readonly ran: number; readonly due: number; readonly ratio: number | null };
	/** Last 30 min. Busy is not broken: a dimension of its own. */
	readonly capacity: {
		readonly state: CapacityState;
		readonly ratio: number | null;
		readonly served: number;
		readonly refused: number;
		readonly retryAfterMs: number | null;
		/** Of the last 10 min; null where headers tell nothing. */
		readonly headroom: Headroom | null;
	};
	/** Last 24 h. */
	readonly quality: { readonly state: QualityState; readonly ratio: number | null; readonly right: number; readonly answered: number };
	/** Last 30 min; null below 5 samples. */
	readonly ttftMs: (Percentiles & { readonly count: number }) | null;
	/** Last 24 h; p10 is the slow end. Null below 5 samples. */
	readonly outputTokensPerSecond: { readonly p50: number; readonly p10: number; readonly count: number } | null;
	/** Last 24 h; null below 5 samples. */
	readonly ttftMs1d: (Percentiles & { readonly count: number }) | null;
	readonly price: Price | null;
	readonly lifecycle: Lifecycle;
	/** Canaries that the target refuses as malformed, or has not accepted yet though it answers: ours to mend. Mostly none. */
	readonly canaryFaults: readonly CanaryFault[];
	readonly vantages: Readonly<Record<string, { readonly state: State; readonly measuredAt: string | null }>>;
	/** Results per outcome code, last 24 h, scheduled only. */
	readonly outcomes: Readonly<Record<string, number>>;
	/** 90 UTC days, oldest first, today last. */
	readonly days: PackedDays;
}

export interface GroupView {
	readonly id: string;
	readonly name: string;
	readonly state: State;
	readonly reason: string;
	/** Ids, in display order. */
	readonly targetIds: readonly string[];
	readonly availability1d: Availability;
}

export interface IncidentUpdateView {
	readonly at: string;
	readonly status: IncidentStatus;
	readonly body: string;
	/** Who said it; left out: it was judged. */
	readonly operator?: string;
}

/** What was judged, where the operator says otherwise. */
export interface OverrideView {
	readonly judged: { readonly impact: Impact; readonly cause: Cause; readonly status: IncidentStatus; readonly resolvedAt: string | null };
	readonly falseAlarm: boolean;
	readonly at: string;
	readonly by: string;
	readonly why: string;
}

export interface IncidentView {
	readonly id: string;
	readonly title: string;
	readonly scope: Scope;
	readonly condition: Condition;
	readonly cause: Cause;
	readonly severity: Severity;
	readonly impact: Impact;
	readonly status: IncidentStatus;
	readonly reason: string;
	readonly startedAt: string;
	readonly detectedAt: string;
	readonly resolvedAt: string | null;
	readonly relapseCount: number;
	readonly targetIds: readonly string[];
	readonly evidence: IncidentEvidence;
	/** Newest first. */
	readonly updates: readonly IncidentUpdateView[];
	/** Set while impact, cause, status or end are the operator's and not what was judged. */
	readonly override?: OverrideView;
	/** What the provider's own status page said of it, nearest first: never evidence. Left out: nothing was read. */
	readonly official?: readonly OfficialWordView[];
}

/** In the provider's own words. */
export interface OfficialIncidentView {
	readonly provider: string;
	readonly id: string;
	readonly title: string;
	readonly impact: OfficialImpact;
	readonly status: OfficialStatus;
	readonly url: string | null;
	readonly startedAt: string;
	/** When they first said something. */
	readonly firstUpdateAt: string;
	readonly resolvedAt: string | null;
	readonly components: readonly string[];
	/** Of ours, those that it names; empty: the provider as a whole. */
	readonly targetIds: readonly string[];
	/** Newest first. */
	readonly updates: readonly { readonly at: string; readonly status: OfficialStatus; readonly body: string }[];
}

export interface OfficialWordView {
	readonly id: string;
	readonly title: string;
	readonly url: string | null;
	readonly firstUpdateAt: string;
	readonly resolvedAt: string | null;
	/** Their first word minus our detection, ms: above 0 we told first. */
	readonly lagMs: number;
	/** "acknowledged 14 min after we measured it" */
	readonly words: string;
}

/** What the probes of this installation cost, 1e-6 USD, every vantage. */
export interface SpendView {
	/** Of the UTC day so far, reservations of probes under way counted as spent. */
	readonly todayMicroUsd: number;
	/** Never passed: what does not fit is not sent. */
	readonly capMicroUsdPerDay: number;
	/** At the configured cadence, with answers of the usual length. */
	readonly forecastMicroUsdPerDay: number;
	readonly forecastProbesPerDay: number;
}

export interface VantageView {
	readonly id: string;
	readonly state: 'trusted' | 'late' | 'blind' | 'unknown';
	readonly measuredAt: string | null;
}

export interface Snapshot {
	readonly schema: 'linnet.snapshot/1';
	readonly number: number;
	readonly generatedAt: string;
	/** After this the reader must treat every state as `unknown`. */
	readonly staleAfter: string;
	/** True when the providers are the simulator: every view must say so. */
	readonly simulated: boolean;
	readonly title: string;
	/** Public base URL of the page, without a trailing slash; null when not configured. */
	readonly url: string | null;
	readonly state: State;
	/** The verdict in one sentence: "2 of 9 providers have problems". */
	readonly sentence: string;
	readonly intervalMs: number;
	readonly vantages: readonly VantageView[];
	readonly providers: readonly (GroupView & { readonly statusPageUrl: string | null })[];
	readonly models: readonly GroupView[];
	readonly targets: readonly TargetView[];
	/** Every open one, then those resolved within 90 days, newest first, at most 200. Cause `provider` or `monitor` only. */
	readonly incidents: readonly IncidentView[];
	/** What the providers said of themselves in the last 90 days, newest first, at most 100; left out: nothing was read. Never evidence. */
	readonly official?: readonly OfficialIncidentView[];
	/** Of the operator's file, in its order; left out by older versions. */
	readonly objectives?: readonly ObjectiveView[];
	/** Left out by older versions. */
	readonly spend?: SpendView;
	/** How well this software told scenarios with known truths; null when that is not known. */
	readonly drill: DrillReport | null;
	/** Changes only when a verdict (state, reason, since) or an incident changes: the small feed's ETag is built on it. */
	readonly verdictRevision: string;
}
