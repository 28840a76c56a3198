/** What the evaluator knows: the lattice detector's state and what the public record wants beside it. Plain values; times are ms since epoch. */
import { createLatticeState, type LatticeOptions, type LatticeScope, type LatticeState } from '#core/lattice/lattice-state.ts';
import type { Outcome } from '#core/outcome.ts';
import type { ProbeResult } from '#core/probe-result.ts';

/** Raised when the shape changes: a stored state of another version is left, and open incidents are adopted from the record. */
export const judgeVersion = 4;

/** The numbers of an incident that the public record shows. */
export interface Tally {
	readonly incidentId: string;
	scope: LatticeScope;
	readonly since: number;
	/** Null while open. A relapse goes on with the same numbers. */
	closedAt: number | null;
	good: number;
	bad: number;
	excluded: number;
	outcomes: Partial<Record<Outcome, number>>;
	vantages: string[];
	/** Ids of bad results, newest first. */
	examples: string[];
}

/** A result that was not good, kept for the evidence of an incident that may open on it. */
export interface Remembered {
	readonly id: string;
	readonly startedAt: number;
	readonly outcome: Outcome;
	/** False: excluded. */
	readonly bad: boolean;
}

export interface ExpectedTarget {
	readonly provider: string;
	/** `model:operation`, as the lattice names it: two operations of a model are judged apart. */
	readonly model: string;
	readonly intervalMs: number;
	readonly canary: string;
}

export interface JudgeState {
	readonly version: typeof judgeVersion;
	readonly lattice: LatticeState;
	/** By id of the first incident of a chain of relapses. */
	readonly tallies: Record<string, Tally>;
	/** By target id: what is configured. */
	targets: Record<string, ExpectedTarget>;
	/** By target id and vantage: at most 20 each, of the last hour. */
	readonly remembered: Record<string, Remembered[]>;
	/** What was last heard of configuration and maintenance: the same is not said again. */
	heard: { configuration: string; maintenance: string; reports: string };
}

/** Everything that moves the state. All but the results are kept in the journal, so that a restart can hear them again in the same order. */
export type JudgeInput =
	| { readonly type: 'result'; readonly id: string; readonly result: ProbeResult; readonly at: number }
	| { readonly type: 'tick'; readonly at: number }
	/** What is measured from now on; what is missing is measured no more. */
	| { readonly type: 'configure'; readonly at: number; readonly options: JudgeOptions; readonly targets: readonly ExpectedTarget[] }
	/** All windows that are known, now or ahead. */
	| { readonly type: 'maintenance'; readonly at: number; readonly windows: readonly MaintenanceWindow[] }
	/** What routers report now: target id → nats. A target that is left out is not reported on. */
	| { readonly type: 'reports'; readonly at: number; readonly natsOf: Readonly<Record<string, number>> }
	| { readonly type: 'adopt'; readonly at: number; readonly incidents: readonly AdoptedIncident[] }
	/** Incidents of the state that the record does not have open: they open again by evidence. */
	| { readonly type: 'forget'; readonly at: number; readonly ids: readonly string[] };

export type JudgeOptions = Pick<LatticeOptions, 'baseIntervalMs' | 'timeoutMs' | 'blipMs' | 'reprobe'>;

export interface MaintenanceWindow {
	readonly id: string;
	readonly provider: string | null;
	/** Without its operation; null: all. */
	readonly model: string | null;
	readonly vantage: string | null;
	readonly fromAt: number;
	readonly toAt: number;
}

/** An incident that the record has open and the state does not know. */
export interface AdoptedIncident {
	readonly id: string;
	readonly scope: LatticeScope;
	readonly cause: LatticeState['incidents'][number]['cause'];
	readonly severity: LatticeState['incidents'][number]['severity'];
	readonly channel: LatticeState['incidents'][number]['channel'];
	readonly onsetAt: number;
	readonly good: number;
	readonly bad: number;
	readonly excluded: number;
	readonly outcomes: Readonly<Partial<Record<Outcome, number>>>;
	readonly vantages: readonly string[];
	readonly examples: readonly string[];
}

export function createJudgeState(options: JudgeOptions): JudgeState {
	return {
		version: judgeVersion,
		lattice: createLatticeState({ ...options, endpoints: [] }),
		tallies: {},
		targets: {},
		remembered: {},
		heard: { configuration: '', maintenance: '[]', reports: '{}' },
	};
}
