/** How bad it is where it is. */
import type { Channel } from './channels.ts';
import type { LatticeIncident, Severity } from './lattice-state.ts';

/** Share of bad results from which nobody can use it; null: never so by this channel. Who sheds half of its load still serves the other half. */
const downFrom = { failed: 0.5, refused: 0.85, wrong: null, stalled: null, slow: null } as const satisfies Record<Channel, number | null>;

export function severityOf(channel: Channel, { badCount, judgedCount }: { readonly badCount: number; readonly judgedCount: number }): Severity {
	const share = downFrom[channel];
	return share !== null && badCount >= judgedCount * share ? 'down' : 'degraded';
}

/** How far the share must have moved past the line, either way, before an open incident changes its word: chance alone must not swing it. */
const clearlyMore = 1.15;
const clearlyLess = 0.7;
const resultsNeeded = 12;

/** What an open incident turned out to be; its own severity while that is not clear. */
export function severityNow({ channel, severity, badCount, judgedCount, goodSinceBad }: LatticeIncident): Severity {
	const share = channel === null ? null : downFrom[channel];
	if (share === null) return severity;
	if (severity === 'degraded') return goodSinceBad === 0 && badCount >= 6 && badCount >= judgedCount * Math.min(0.95, share * clearlyMore) ? 'down' : severity;
	return judgedCount >= resultsNeeded && badCount < judgedCount * share * clearlyLess ? 'degraded' : severity;
}
