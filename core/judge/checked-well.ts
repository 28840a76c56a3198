/** What else was looked at while an incident lasted, and found well: the reason why it is this scope and no wider one. */
import type { Checked, CheckedWell } from '#core/incident.ts';
import { covers, endpointAt, type LatticeScope, type LatticeState } from '#core/lattice/lattice-state.ts';

interface Count {
	heard: Set<string>;
	failing: Set<string>;
}

const namesShown = 8;

/** Counts names (models, vantages, providers) that were heard since, and those of them without any bad result. */
export function checkedWell(state: LatticeState, scope: LatticeScope, sinceAt: number): CheckedWell {
	const counts = { models: fresh(), vantages: fresh(), providers: fresh() };
	for (const provider of Object.values(state.providers)) {
		const own = provider.name === scope.provider;
		for (let i = provider.samples.length - 1; i >= 0; i -= 1) {
			const sample = provider.samples[i];
			if (sample === undefined || sample.startedAt < sinceAt) break;
			const endpoint = endpointAt(state, sample.endpoint);
			if (covers(scope, endpoint)) continue;
			const [count, name] = !own
				? [counts.providers, provider.name]
				: scope.vantage !== null && endpoint.vantage !== scope.vantage && (scope.model === null || endpoint.model === scope.model)
					? [counts.vantages, endpoint.vantage]
					: [counts.models, endpoint.model];
			count.heard.add(name);
			if (sample.bad !== 0) count.failing.add(name);
		}
	}
	return { models: told(counts.models), vantages: told(counts.vantages), providers: told(counts.providers) };
}

const fresh = (): Count => ({ heard: new Set(), failing: new Set() });

function told({ heard, failing }: Count): Checked {
	const well = [...heard].filter((name) => !failing.has(name)).sort();
	return { heard: heard.size, well: well.length, names: well.slice(0, namesShown) };
}
