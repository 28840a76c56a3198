/** How a state looks: a short code for markup and style sheet, always beside its word. */
import type { Impact } from '#core/incident.ts';
import type { DayView } from '#core/snapshot.ts';
import { type State, stateWords } from '#core/state.ts';
import { type Html, html } from './html.ts';

export type MarkCode = 'up' | 'slow' | 'part' | 'down' | 'care' | 'none';

export const markOf = {
	operational: 'up',
	degraded_performance: 'slow',
	partial_outage: 'part',
	major_outage: 'down',
	under_maintenance: 'care',
	unknown: 'none',
} as const satisfies Record<State, MarkCode>;

export const impactMark = { none: 'none', minor: 'slow', major: 'part', critical: 'down' } as const satisfies Record<Impact, MarkCode>;

/** The state's shape, and its word. */
export function stateWord(state: State): Html {
	return html`<em data-s=${markOf[state]}>${stateWords[state]}</em>`;
}

/** Confirmed minutes of outage above which a day is marked worse: status-page specification, point 4. */
export const dayLimits = { minorMinutes: 5, majorMinutes: 30 } as const;

/** A day is judged by its confirmed minutes, not by whether anything failed. */
export function dayMark(day: Pick<DayView, 'state' | 'downMinutes' | 'degradedMinutes'>): MarkCode {
	if (day.state === 'unknown') return 'none';
	if (day.downMinutes > dayLimits.majorMinutes) return 'down';
	if (day.downMinutes > dayLimits.minorMinutes) return 'part';
	if (day.downMinutes > 0 || day.degradedMinutes > 0) return 'slow';
	if (day.state === 'under_maintenance') return 'care';
	return day.state === 'operational' ? 'up' : 'slow';
}
