/** A badge of a target, a provider, a model or the whole page. Pure. */
import { formatPercent } from '#core/sli.ts';
import { type State, stateWords } from '#core/state.ts';
import { escapeXml } from './escape-xml.ts';
import type { SnapshotView } from './snapshot-source.ts';

/** White text on each reaches 4.5:1. */
const colours = {
	operational: '#1f7a55',
	degraded_performance: '#8f5902',
	partial_outage: '#9c1f3c',
	major_outage: '#7f0f2a',
	under_maintenance: '#4338ca',
	unknown: '#59636e',
} as const satisfies Record<State, string>;

export interface Badge {
	readonly label: string;
	readonly state: State;
	/** State, and the day's availability where there is one. */
	readonly message: string;
}

/** Null: no such id. */
export function badgeOf({ snapshot, targetOf }: SnapshotView, id: string): Badge | null {
	const simulated = snapshot.simulated ? ' (simulated)' : '';
	const made = (label: string, state: State, ratio: number | null): Badge => ({
		label: label + simulated,
		state,
		message: stateWords[state].toLowerCase() + (ratio === null || state === 'unknown' ? '' : `, ${formatPercent(ratio, 2)}`),
	});
	if (id === 'all') return made(snapshot.title, snapshot.state, null);
	const target = targetOf.get(id);
	if (target !== undefined) return made(`${target.model} on ${target.provider}`, target.state, target.availability['1d'].ratio);
	const group = snapshot.providers.find((provider) => provider.id === id) ?? snapshot.models.find((model) => model.id === id);
	return group === undefined ? null : made(group.name, group.state, group.availability1d.ratio);
}

// Without a font at hand the width is guessed: 6.2 px a character at 11 px, wide scripts twice that; textLength makes the text fit the guess.
function widthOf(text: string): number {
	return Math.ceil([...text].reduce((sum, char) => sum + ((char.codePointAt(0) ?? 0) > 0x2e7f ? 12 : 6.2), 0));
}

export function drawBadge({ label, message, state }: Badge): string {
	const cut = [...label].length > 80 ? `${[...label].slice(0, 80).join('')}…` : label;
	const left = widthOf(cut) + 12;
	const right = widthOf(message) + 12;
	const text = (content: string, x: number, width: number) => `<text x="${x}" y="14" textLength="${width}">${escapeXml(content)}</text>`;
	const title = escapeXml(`${cut}: ${message}`);
	return (
		`<svg xmlns="http://www.w3.org/2000/svg" width="${left + right}" height="20" role="img" aria-label="${title}"><title>${title}</title>` +
		`<rect width="${left}" height="20" fill="#333a42"/><rect x="${left}" width="${right}" height="20" fill="${colours[state]}"/>` +
		`<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">${text(cut, 6, left - 12)}${text(message, left + 6, right - 12)}</g></svg>`
	);
}

/** The shields.io endpoint shape; it refuses any further field. */
export function shield({ label, message, state }: Badge): object {
	return { schemaVersion: 1, label, message, color: colours[state], isError: state === 'unknown', cacheSeconds: 60 };
}

/** Every badge that there is, by id. */
export function badgeFiles(view: SnapshotView): Map<string, { readonly svg: string; readonly json: string }> {
	const { targets, providers, models } = view.snapshot;
	const files = new Map<string, { svg: string; json: string }>();
	for (const id of ['all', ...[...providers, ...models, ...targets].map((one) => one.id)]) {
		const badge = badgeOf(view, id);
		if (badge !== null) files.set(id, { svg: drawBadge(badge), json: JSON.stringify(shield(badge)) });
	}
	return files;
}
