/** Statuspage's words for the state of a target, model, provider or page, and `unknown`. */
export const states = ['operational', 'degraded_performance', 'partial_outage', 'major_outage', 'under_maintenance', 'unknown'] as const;
export type State = (typeof states)[number];

export const stateWords = {
	operational: 'Operational',
	degraded_performance: 'Degraded performance',
	partial_outage: 'Partial outage',
	major_outage: 'Major outage',
	under_maintenance: 'Under maintenance',
	unknown: 'Unknown',
} as const satisfies Record<State, string>;
