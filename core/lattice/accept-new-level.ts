/** Slowness that lasts is told once, and then it is the usual. */
import { formatDuration } from '#core/duration.ts';
import { usableFrom } from './cast-votes.ts';
import { endpointAt, type LatencyBaseline, type LatticeDecision, type LatticeIncident, type LatticeState } from './lattice-state.ts';
import { resolveIncident } from './record-incident.ts';

/** Longer than a working day's peak, shorter than a night: trouble that outlasts it is a new level. */
const newLevelMs = 6 * 3_600_000;
/** A level that still jumps about is none: deviation of ln latency. */
const steadyDeviation = 0.6;

/** Ends an incident of slowness whose level has stood for six hours, and makes that level the baseline. True when it did. */
export function acceptNewLevel(state: LatticeState, incident: LatticeIncident, places: readonly number[], decisions: LatticeDecision[]): boolean {
	const lastedMs = state.nowAt - incident.openedAt;
	if ((incident.channel !== 'slow' && incident.channel !== 'stalled') || incident.recovering || lastedMs < newLevelMs) return false;
	const endpoints = places.map((place) => endpointAt(state, place));
	const levels = endpoints.flatMap(({ baselines, newBaselines }) => Object.entries(newBaselines).map(([canary, level]) => ({ level, old: baselines[canary] })));
	if (levels.length === 0 || !levels.every(({ level }) => isSteady(level))) return false;
	const ratios = levels.flatMap(({ level, old }) => (old === undefined ? [] : Math.exp(level.totalLn - old.totalLn))).sort((a, b) => a - b);
	for (const endpoint of endpoints) {
		// The mean of the week goes on: the hours are compared with it.
		for (const [canary, level] of Object.entries(endpoint.newBaselines))
			endpoint.baselines[canary] = { ...level, weekLn: endpoint.baselines[canary]?.weekLn ?? level.weekLn };
		endpoint.newBaselines = {};
	}
	const factor = ratios[ratios.length >> 1];
	const much = factor === undefined ? '' : `, about ${factor.toFixed(1)} times the old usual`;
	resolveIncident(state, incident, 'new_level', `a new level: steady for ${formatDuration(lastedMs)}${much}; from now on this is what is usual`, decisions);
	return true;
}

const isSteady = ({ samples, ttftDeviation, totalDeviation }: LatencyBaseline) =>
	samples >= usableFrom && ttftDeviation <= steadyDeviation && totalDeviation <= steadyDeviation;
