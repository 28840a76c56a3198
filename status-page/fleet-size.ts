/** What stands on one page, so that no fleet makes a page that nobody can open: 5,000 targets × 90 days as rows would be 2.8 MB. */
import type { Snapshot } from '#core/snapshot.ts';
import { type State, states, stateWords } from '#core/state.ts';
import { formatCount } from './figures.ts';
import { type Html, html } from './html.ts';

/** A row of a board is about 600 bytes, a provider's head 450, a model's row 550. */
export const sizes = {
	/** A fleet of more shows only what is not well on its first page. */
	rowsOnOverview: 400,
	providersOnOverview: 800,
	/** On the page of a provider, and on a page of the list of models. */
	rowsPerPage: 1_000,
	/** On the page of a provider, a model or a target. */
	incidentsShown: 20,
} as const;

export function isLarge({ targets }: Pick<Snapshot, 'targets'>): boolean {
	return targets.length > sizes.rowsOnOverview;
}

const troubleOrder: readonly State[] = ['major_outage', 'partial_outage', 'degraded_performance', 'unknown', 'under_maintenance', 'operational'];

/** Stable: equals stay in their order. */
export function worstFirst<T extends { readonly state: State }>(entries: readonly T[]): T[] {
	return [...entries].sort((a, b) => troubleOrder.indexOf(a.state) - troubleOrder.indexOf(b.state));
}

/** "240 operational, 8 major outage". */
export function stateCounts(entries: readonly { readonly state: State }[]): string {
	return states
		.map((state) => [state, entries.filter((entry) => entry.state === state).length] as const)
		.filter(([, count]) => count > 0)
		.map(([state, count]) => `${formatCount(count)} ${stateWords[state].toLowerCase()}`)
		.join(', ');
}

export interface SitePage<T> {
	/** Relative to the site's root. */
	readonly path: string;
	readonly entries: readonly T[];
}

/** `name.html`, `name_p2.html`…: `_p` is in no slug (core/target.ts), so no page takes another's place. One page at least. */
export function pagesOf<T>(entries: readonly T[], name: string): readonly SitePage<T>[] {
	const count = Math.max(1, Math.ceil(entries.length / sizes.rowsPerPage));
	return Array.from({ length: count }, (_, index) => ({
		path: `${name}${index === 0 ? '' : `_p${index + 1}`}.html`,
		entries: entries.slice(index * sizes.rowsPerPage, (index + 1) * sizes.rowsPerPage),
	}));
}

/** Null where there is one page. */
export function pageLinks(pages: readonly SitePage<unknown>[], current: number): Html | null {
	if (pages.length === 1) return null;
	const links = pages.map(({ path }, index) =>
		index === current ? html`<b aria-current="page">${index + 1}</b> ` : html`<a href="${path.split('/').at(-1) ?? ''}">${index + 1}</a> `,
	);
	return html`<nav class="pages" aria-label="Pages"><span>Page</span> ${links}</nav>`;
}
