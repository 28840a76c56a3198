/** Badges of a target, a provider, a model or the whole page, from the same snapshot as everything else. */
import type { Express } from 'express';
import { type ApiTools, feedCache, readSnapshot } from '#api/api-tools.ts';
import { sendDocument } from '#api/document.ts';
import { escapeXml } from '#api/escape-xml.ts';
import { parsePathId, parseQuery } from '#api/parse-query.ts';
import { Problem, quote } from '#api/problem.ts';
import type { SnapshotView } from '#api/snapshot-source.ts';
import { formatPercent } from '#core/sli.ts';
import { type State, stateWords } from '#core/state.ts';

/** White text on each reaches 4.5:1. */
const colours = {
	operational: '#1f7a55',
	degraded_performance: '#8f5902',
	partial_outage: '#9c1f3c',
	major_outage: '#7f0f2a',
	under_maintenance: '#4338ca',
	unknown: '#59636e',
} as const satisfies Record<State, string>;

interface Badge {
	readonly label: string;
	readonly state: State;
	/** State, and the day's availability where there is one. */
	readonly message: string;
}

function badgeOf({ snapshot, targetOf }: SnapshotView, id: string): Badge | null {
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

function drawBadge({ label, message, state }: Badge): string {
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
function shield({ label, message, state }: Badge): object {
	return { schemaVersion: 1, label, message, color: colours[state], isError: state === 'unknown', cacheSeconds: 60 };
}

export function addBadgeRoutes(app: Express, tools: ApiTools): void {
	app.get(/^\/badge\/.+\.(?:svg|json)$/, (req, res) => {
		parseQuery(req, []);
		const path = req.path.slice('/badge/'.length);
		const isSvg = path.endsWith('.svg');
		const id = parsePathId(path.replace(/\.(?:svg|json)$/, ''));
		const view = readSnapshot(tools, res);
		const badge = badgeOf(view, id);
		if (badge === null) throw new Problem(404, 'unknown-badge', `Expected the id of a target, a provider or a model, or "all", got ${quote(id)}`);
		const document = isSvg
			? view.documents.made(`badge.svg ${id}`, 'image/svg+xml; charset=utf-8', () => drawBadge(badge))
			: view.documents.made(`badge.json ${id}`, 'application/json; charset=utf-8', () => JSON.stringify(shield(badge)));
		sendDocument(req, res, document, feedCache);
	});
}
