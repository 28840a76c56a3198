import type { Outcome } from './outcome.ts';

export const incidentStatuses = ['investigating', 'identified', 'monitoring', 'resolved'] as const;
export type IncidentStatus = (typeof incidentStatuses)[number];

export const impacts = ['none', 'minor', 'major', 'critical'] as const;
export type Impact = (typeof impacts)[number];

/** Whose trouble it is. Only `provider` incidents change a target's state; the others tell the operator. */
export const causes = ['provider', 'monitor', 'credentials', 'quota', 'rate_limit', 'maintenance'] as const;
export type Cause = (typeof causes)[number];

/** What is wrong, each judged on its own evidence. A scope has at most one open incident of a condition. */
export const conditions = ['outage', 'slow', 'wrong_answers', 'capacity', 'credentials', 'quota', 'rate_limit', 'blind', 'maintenance'] as const;
export type Condition = (typeof conditions)[number];

/** How bad it is where it is: nobody can use it, some of it or slowly, or nothing that concerns a provider's users. */
export const severities = ['down', 'degraded', 'info'] as const;
export type Severity = (typeof severities)[number];

/** Null means "all": `{provider: 'groq', model: null, vantage: null}` is the provider everywhere. */
export interface Scope {
	readonly provider: string | null;
	readonly model: string | null;
	readonly operation: string | null;
	readonly vantage: string | null;
}

/** The numbers behind a verdict. */
export interface IncidentEvidence {
	/** Results since the onset, in the scope. */
	readonly good: number;
	readonly bad: number;
	readonly excluded: number;
	readonly outcomes: Readonly<Partial<Record<Outcome, number>>>;
	readonly vantages: readonly string[];
	/** Public result ids, newest first, at most 10. */
	readonly exampleResultIds: readonly string[];
	/** Natural-log likelihood ratio of "in trouble" against "as usual" when it was opened or last moved; null where it is not judged so. */
	readonly nats: number | null;
	/** What else was looked at since the onset; null where that says nothing. */
	readonly checked: CheckedWell | null;
}

/** Outside the incident's scope: other models of the provider, other vantages, other providers. */
export interface CheckedWell {
	readonly models: Checked;
	readonly vantages: Checked;
	readonly providers: Checked;
}

export interface Checked {
	/** Had a result since the onset. */
	readonly heard: number;
	/** Had no bad one. */
	readonly well: number;
	/** Of the well ones, at most 8. */
	readonly names: readonly string[];
}

export interface IncidentUpdate {
	readonly at: number;
	readonly status: IncidentStatus;
	readonly body: string;
	/** Who said it; left out: it was judged. */
	readonly operator?: string;
}

/** `false_alarm` closes, `withdrawn` takes back every override before it. */
export const operatorEntryKinds = ['note', 'impact', 'cause', 'false_alarm', 'withdrawn'] as const;
export type OperatorEntryKind = (typeof operatorEntryKinds)[number];

/** What a person said of an incident. Kept for ever; what was judged is never changed by it. */
export interface OperatorEntry {
	readonly incidentId: string;
	readonly at: number;
	readonly by: string;
	readonly kind: OperatorEntryKind;
	/** The impact or cause that it is set to; null of other kinds. */
	readonly value: string | null;
	/** The note, or why. */
	readonly body: string;
	/** Of the incident when it was said. */
	readonly relapseCount: number;
}

/** Where the operator overrides an incident: what was judged, and who says otherwise. */
export interface OperatorOverride {
	readonly judged: Pick<Incident, 'impact' | 'cause' | 'status' | 'resolvedAt'>;
	readonly falseAlarm: boolean;
	/** Of the newest entry that holds. */
	readonly at: number;
	readonly by: string;
	readonly why: string;
}

export interface Incident {
	readonly id: string;
	readonly scope: Scope;
	readonly condition: Condition;
	readonly cause: Cause;
	readonly severity: Severity;
	readonly impact: Impact;
	readonly status: IncidentStatus;
	readonly title: string;
	/** Estimated onset (first bad result), not the time of detection. ms since epoch. */
	readonly startedAt: number;
	readonly detectedAt: number;
	/** Null while open. */
	readonly resolvedAt: number | null;
	/** Typed reason of the decision that opened it, in words: "3 of the last 3 results bad: server_error". */
	readonly reason: string;
	readonly evidence: IncidentEvidence;
	/** Oldest first. */
	readonly updates: readonly IncidentUpdate[];
	/** Times it was re-opened within the hold-down. */
	readonly relapseCount: number;
	/** Ids of the affected targets. */
	readonly targetIds: readonly string[];
	/** Set where the operator overrides it: impact, cause, status and end are then the operator's, and what was judged is kept here. */
	readonly override?: OperatorOverride;
}
