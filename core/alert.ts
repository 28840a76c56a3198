/** What an alert says and who hears of it: shapes and pure routing. When it is sent is decided in alert-plan.ts, how often it is tried in alert-delivery.ts. */
import type { Cause, Impact, IncidentStatus, Scope } from './incident.ts';
import type { QuietHours } from './quiet-hours.ts';

export const transitions = ['opened', 'updated', 'reopened', 'resolved'] as const;
export type Transition = (typeof transitions)[number];

/** `provider`: somebody else's trouble. `operator`: our own key, wallet, network or service. `slo`: an error budget that burns. Never in one message. */
export const alertClasses = ['provider', 'operator', 'slo'] as const;
export type AlertClass = (typeof alertClasses)[number];

const classByCause = {
	provider: 'provider',
	maintenance: 'provider',
	monitor: 'operator',
	credentials: 'operator',
	quota: 'operator',
	rate_limit: 'operator',
} as const satisfies Record<Cause, AlertClass>;

/** Of an incident of the detector. */
export function classOfCause(cause: Cause): AlertClass {
	return classByCause[cause];
}

const eventNames = { provider: 'incident', operator: 'operator', slo: 'slo' } as const satisfies Record<AlertClass, string>;

export function eventType<T extends string>(alertClass: AlertClass, what: T): `${(typeof eventNames)[AlertClass]}.${T}` {
	return `${eventNames[alertClass]}.${what}`;
}

/** One transition of one subject, as it was when it was decided; stored with the promise to tell it. Times are ISO 8601 UTC. */
export interface AlertEvent {
	readonly type: `${'incident' | 'operator' | 'slo'}.${Transition}`;
	readonly class: AlertClass;
	/** When the transition was decided, not when it is sent. */
	readonly at: string;
	readonly simulated: boolean;
	/** The subject: an incident, an alert of the operator's own, or a burning budget. */
	readonly incident: {
		readonly id: string;
		readonly title: string;
		readonly scope: Scope;
		readonly cause: Cause;
		readonly impact: Impact;
		readonly status: IncidentStatus;
		readonly startedAt: string;
		readonly detectedAt: string;
		readonly resolvedAt: string | null;
		readonly reason: string;
		readonly targetIds: readonly string[];
		/** Null: it does not rest on results. */
		readonly evidence: {
			readonly good: number;
			readonly bad: number;
			readonly excluded: number;
			readonly outcomes: Readonly<Record<string, number>>;
			readonly vantages: readonly string[];
		} | null;
	};
	/** Other providers of the same model that are operational now; empty when there are none. */
	readonly useInstead: readonly string[];
	/** What to do about it; null: nothing that we know better than its reader. */
	readonly advice: string | null;
	/** The subject's public page; null when there is none. */
	readonly link: string | null;
}

export const messageKinds = ['opened', 'updated', 'reopened', 'resolved', 'reminder', 'escalated', 'test'] as const;
export type MessageKind = (typeof messageKinds)[number];

/** What a member brings: `same` is told to complete the picture. */
export type News = 'new' | 'again' | 'changed' | 'resolved' | 'same';

/** What a channel words: one message about one or several subjects of one class. The same at every attempt. */
export interface AlertMessage {
	readonly kind: MessageKind;
	readonly class: AlertClass;
	/** The same for every message about this trouble: dedup key of a pager, root of a mail thread. */
	readonly groupId: string;
	/** When the oldest of its news was decided, ISO 8601 UTC: what is told later than that says so. */
	readonly at: string;
	readonly simulated: boolean;
	/** News first, worst first; never empty. */
	readonly members: readonly { readonly news: News; readonly event: AlertEvent }[];
}

/** A null or absent field matches all. */
export interface RouteMatch {
	readonly class?: readonly AlertClass[] | null | undefined;
	readonly provider?: readonly string[] | null | undefined;
	readonly model?: readonly string[] | null | undefined;
	readonly operation?: readonly string[] | null | undefined;
	readonly vantage?: readonly string[] | null | undefined;
	/** How far it reaches. */
	readonly scope?: readonly ScopeKind[] | null | undefined;
	readonly impact?: readonly Impact[] | null | undefined;
	readonly cause?: readonly Cause[] | null | undefined;
}

export const scopeKinds = ['target', 'model', 'provider', 'vantage', 'everything'] as const;
export type ScopeKind = (typeof scopeKinds)[number];

/** `model`: one model of a provider with all its operations, or of all providers. A vantage of a narrower scope is a region of that scope. */
export function scopeKindOf({ provider, model, operation, vantage }: Scope): ScopeKind {
	if (model !== null) return operation === null || provider === null ? 'model' : 'target';
	if (provider !== null) return 'provider';
	return vantage === null ? 'everything' : 'vantage';
}

export const groupings = ['provider', 'model', 'incident'] as const;
export type Grouping = (typeof groupings)[number];

export interface RoutePolicy {
	/** What becomes one message. */
	readonly groupBy: Grouping;
	/** Wait for more of the same before the first message, ms. */
	readonly groupWaitMs: number;
	/** Between messages of a group that is no worse than told, ms; the end of all of it is told at once. */
	readonly groupIntervalMs: number;
	/** Null: no reminders. */
	readonly repeatEveryMs: number | null;
	/** Null: no escalation. Counted from the transition, also when its first message did not get through. */
	readonly escalate: { readonly afterMs: number; readonly channels: readonly string[] } | null;
	/** While one holds, what this route would tell waits; empty: never. */
	readonly quiet: readonly QuietHours[];
}

export interface AlertRoute {
	readonly match: RouteMatch;
	readonly channels: readonly string[];
	/** Absent: the defaults. */
	readonly policy?: RoutePolicy;
}

// Alertmanager's are 30 s, 5 min, 4 h; a transition here is confirmed already, so the wait is only for its siblings.
export const defaultPolicy: RoutePolicy = {
	groupBy: 'provider',
	groupWaitMs: 10_000,
	groupIntervalMs: 300_000,
	repeatEveryMs: null,
	escalate: null,
	quiet: [],
};

/** What routes and silences look at. */
export interface Routed {
	readonly class?: AlertClass;
	readonly scope: Scope;
	readonly impact: Impact;
	readonly cause: Cause;
}

/** True when every field that is named has the subject's value. A subject that is about all providers is matched by no named one. */
export function matchesSubject(match: RouteMatch, subject: Routed): boolean {
	const matches = <T>(allowed: readonly T[] | null | undefined, value: T | null) =>
		allowed === null || allowed === undefined || (value !== null && allowed.includes(value));
	const { scope } = subject;
	return (
		matches(match.class, subject.class ?? classOfCause(subject.cause)) &&
		matches(match.provider, scope.provider) &&
		matches(match.model, scope.model) &&
		matches(match.operation, scope.operation) &&
		matches(match.vantage, scope.vantage) &&
		matches(match.scope, scopeKindOf(scope)) &&
		matches(match.impact, subject.impact) &&
		matches(match.cause, subject.cause)
	);
}

/** Channels that hear of a subject: every matching route adds its own, each once, in the file's order. */
export function channelsFor(routes: readonly AlertRoute[], subject: Routed): string[] {
	return [...new Set(routes.filter(({ match }) => matchesSubject(match, subject)).flatMap((route) => route.channels))];
}

/** The policy of the first route that leads a subject to a channel; the defaults when none does any more. */
export function policyFor(routes: readonly AlertRoute[], subject: Routed, channel: string): RoutePolicy {
	const route =
		routes.find(({ match, channels }) => channels.includes(channel) && matchesSubject(match, subject)) ??
		routes.find(({ match, policy }) => policy?.escalate?.channels.includes(channel) && matchesSubject(match, subject));
	return route?.policy ?? defaultPolicy;
}

/** Subject of an event, as routes see it. */
export function routedOf({ class: alertClass, incident }: AlertEvent): Routed {
	return { class: alertClass, scope: incident.scope, impact: incident.impact, cause: incident.cause };
}
