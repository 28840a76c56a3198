/** What the evaluator decides of recorded results. The words are the record's: incidents of core/incident.ts, targets of core/target.ts. */
import type { Cause, Condition, Impact, IncidentEvidence, IncidentStatus, Scope, Severity } from '#core/incident.ts';

export interface IncidentDecision {
	/** `update`: scope, severity or condition moved. `recovering` and `failing_again`: only the status moves; nobody is alerted. */
	readonly type: 'open' | 'update' | 'recovering' | 'failing_again' | 'reopen' | 'resolve';
	readonly incidentId: string;
	readonly condition: Condition;
	readonly scope: Scope;
	readonly cause: Cause;
	readonly severity: Severity;
	readonly impact: Impact;
	readonly status: IncidentStatus;
	readonly title: string;
	/** Onset: start of the first bad result of the run that opened it. ms since epoch. */
	readonly startedAt: number;
	readonly at: number;
	readonly reason: string;
	/** A resolve that makes slowness the new usual: charts show a step there. */
	readonly newLevel: boolean;
	readonly evidence: IncidentEvidence;
	readonly targetIds: readonly string[];
}

/** An extra probe that is worth its money. */
export interface ReprobeDecision {
	readonly type: 'reprobe';
	readonly targetId: string;
	readonly vantage: string;
	readonly canary: string;
	readonly delayMs: number;
	readonly reason: string;
}

/** More results on an open incident: its numbers move, its verdict does not. */
export interface EvidenceDecision {
	readonly type: 'evidence';
	readonly incidentId: string;
	readonly evidence: IncidentEvidence;
	readonly targetIds: readonly string[];
}

export type Decision = IncidentDecision | ReprobeDecision | EvidenceDecision;
