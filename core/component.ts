/** States derived from states: a provider or a model from its targets, the page from its providers. */
import type { State } from './state.ts';

export interface Derived {
	readonly state: State;
	readonly reason: string;
}

/**
 * One bad target is not a bad group: up to half of the known ones down is degraded, more is partial, all is major.
 * A target that we can't see neither helps nor harms; when none is seen, the group is unknown.
 * @param noun what the members are, for the reason: "models", "providers"
 */
export function deriveGroup(members: readonly State[], noun: string): Derived {
	const known = members.filter((state) => state !== 'unknown');
	const count = (...wanted: State[]) => known.filter((state) => wanted.includes(state)).length;
	if (known.length === 0) return { state: 'unknown', reason: members.length === 0 ? `no ${noun}` : `no verdict on any of ${members.length} ${noun}` };
	const down = count('major_outage', 'partial_outage');
	const degraded = count('degraded_performance');
	const maintained = count('under_maintenance');
	const unseen = members.length > known.length ? `, ${members.length - known.length} unknown` : '';
	if (count('major_outage') === known.length) return { state: 'major_outage', reason: `all ${known.length} ${noun} down${unseen}` };
	if (maintained === known.length) return { state: 'under_maintenance', reason: `all ${known.length} ${noun} under maintenance${unseen}` };
	if (down > 0)
		return { state: down * 2 > known.length ? 'partial_outage' : 'degraded_performance', reason: `${down} of ${known.length} ${noun} down${unseen}` };
	if (degraded > 0) return { state: 'degraded_performance', reason: `${degraded} of ${known.length} ${noun} degraded${unseen}` };
	return { state: 'operational', reason: `${known.length - maintained} of ${known.length} ${noun} well${unseen}` };
}

/** The page's state and its one sentence. `providers` in display order. */
export function derivePage(providers: readonly { readonly name: string; readonly state: State }[]): { state: State; sentence: string } {
	const named = (wanted: (state: State) => boolean) => providers.filter(({ state }) => wanted(state)).map(({ name }) => name);
	const troubled = named((state) => state === 'major_outage' || state === 'partial_outage' || state === 'degraded_performance');
	const unknown = named((state) => state === 'unknown');
	const seen = providers.length - unknown.length;
	if (providers.length === 0 || seen === 0) return { state: 'unknown', sentence: 'No verdict yet: not enough has been measured' };
	const unseen = unknown.length > 0 ? `; no verdict on ${listed(unknown)}` : '';
	if (troubled.length === 0) {
		return {
			state: 'operational',
			sentence: `${unknown.length === 0 ? `All ${providers.length}` : `${seen} of ${providers.length}`} providers operational${unseen}`,
		};
	}
	const down = named((state) => state === 'major_outage');
	const worst: State =
		down.length === seen
			? 'major_outage'
			: down.length > 0 || providers.some(({ state }) => state === 'partial_outage')
				? 'partial_outage'
				: 'degraded_performance';
	const verb = down.length === troubled.length ? (down.length === 1 ? 'is down' : 'are down') : troubled.length === 1 ? 'has problems' : 'have problems';
	return { state: worst, sentence: `${troubled.length} of ${providers.length} providers ${verb}: ${listed(troubled)}${unseen}` };
}

function listed(names: readonly string[]): string {
	const shown = names.slice(0, 4);
	return names.length > shown.length ? `${shown.join(', ')} and ${names.length - shown.length} more` : shown.join(', ');
}
