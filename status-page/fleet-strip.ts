/** Every target as one tick, in the order of the page: the whole fleet at a glance, with the counts in words beneath. */
import type { Snapshot } from '#core/snapshot.ts';
import { type State, states, stateWords } from '#core/state.ts';
import { formatCount } from './figures.ts';
import { type Html, html, trusted } from './html.ts';
import { markOf } from './state-mark.ts';

export function fleetStrip({ targets, providers }: Snapshot): Html | null {
	if (targets.length === 0) return null;
	const stateOf = new Map(targets.map((target) => [target.id, target.state]));
	const paths = new Map<State, string>();
	const drawnTo = new Map<State, number>();
	let x = 1;
	for (const provider of providers) {
		for (const id of provider.targetIds) {
			const state = stateOf.get(id);
			if (state === undefined) continue;
			// From the foot of the last tick: shorter than an absolute place.
			const from = drawnTo.get(state);
			paths.set(state, from === undefined ? `M${x} 0v1` : `${paths.get(state) ?? ''}m${x - from}-1v1`);
			drawnTo.set(state, x);
			x += 3;
		}
		x += 4;
	}
	const drawn = [...paths].map(([state, d]) => `<path class="s-${markOf[state]}" d="${d}"/>`).join('');
	const present = states.filter((state) => paths.has(state));
	const counts = present.map((state) => {
		const count = targets.filter((target) => target.state === state).length;
		return html`<li data-s="${markOf[state]}" class="st"><b>${formatCount(count)}</b> ${stateWords[state].toLowerCase()}</li>`;
	});
	const width = Math.max(1, x - 6);
	return html`<svg class="fleet" width="${4 * width}" height="22" viewBox="0 0 ${width} 1" preserveAspectRatio="none" aria-hidden="true">${trusted(drawn)}</svg><ul class="tally">${counts}</ul>`;
}
