/** Incidents that the record has open and the state does not know: it was lost, or an older version wrote it. They end by evidence, like all others. */
import { covers, endpointAt } from '#core/lattice/lattice-state.ts';
import type { AdoptedIncident, JudgeState } from './judge-state.ts';

export function adopt(state: JudgeState, incidents: readonly AdoptedIncident[], at: number): void {
	const { lattice } = state;
	for (const { id, scope, cause, severity, channel, onsetAt, good, bad, excluded, outcomes, vantages, examples } of incidents) {
		if (lattice.incidents.some(({ firstId }) => firstId === id)) continue;
		const valid = cause === 'provider' ? { badCount: Math.max(3, bad), judgedCount: Math.max(3, bad + good) } : { badCount: 0, judgedCount: 0 };
		lattice.incidents.push({
			...{ id, firstId: id, scope, severity, cause, channel, onsetAt, openedAt: onsetAt, lastBadAt: at, ...valid, goodSinceBad: 0 },
			...{ sawTimeout: true, recoveryFromAt: at, relapses: 0, recoveryAsks: 0, recovering: false, nats: 0, control: '', reason: 'known from the record' },
		});
		state.tallies[id] = {
			...{ incidentId: id, scope, since: onsetAt, closedAt: null, good, bad, excluded },
			...{ outcomes: { ...outcomes }, vantages: [...vantages], examples: [...examples] },
		};
		if (cause !== 'monitor') continue;
		for (const vantage of Object.values(lattice.vantages)) {
			if (scope.vantage !== null && scope.vantage !== vantage.name) continue;
			vantage.blindIncident = id;
			vantage.spans.push({ fromAt: at, toAt: null });
			for (const provider of Object.values(lattice.providers))
				provider.samples = provider.samples.filter(
					(sample) => sample.startedAt < at || !covers({ ...scope, vantage: vantage.name }, endpointAt(lattice, sample.endpoint)),
				);
		}
	}
}

/** Takes back incidents that were never committed; what they stood on stays. */
export function forget(state: JudgeState, ids: readonly string[]): void {
	const { lattice } = state;
	const gone = new Set(lattice.incidents.filter(({ firstId }) => ids.includes(firstId)).map(({ id }) => id));
	lattice.incidents = lattice.incidents.filter(({ id }) => !gone.has(id));
	for (const id of ids) delete state.tallies[id];
	for (const vantage of Object.values(lattice.vantages)) {
		if (vantage.blindIncident === null || !gone.has(vantage.blindIncident)) continue;
		vantage.blindIncident = null;
		vantage.spans = vantage.spans.filter(({ toAt }) => toAt !== null);
	}
}
