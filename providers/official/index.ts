/** Official status pages: where each kind is read, and how. */
import type { OfficialIncident, OfficialPage } from '#core/official.ts';
import type { OfficialReading } from './draft.ts';
import { readFeed } from './read-feed.ts';
import { readBetterStack, readGoogleCloud, readInstatus, readStatuspage } from './read-json.ts';

interface PageKind {
	/** Under the page's address; null: the address itself. */
	readonly path: string | null;
	/** @throws Error when it is no such page; one bad incident is left out with its reason */
	read(text: string, base: string): OfficialReading;
}

export const pageKinds = {
	statuspage: { path: '/api/v2/incidents.json', read: readStatuspage },
	'incident-io': { path: '/api/v2/incidents.json', read: readStatuspage },
	'better-stack': { path: '/index.json', read: readBetterStack },
	instatus: { path: '/summary.json', read: readInstatus },
	'google-cloud': { path: null, read: readGoogleCloud },
	rss: { path: null, read: readFeed },
} as const satisfies Record<string, PageKind>;

export function isPageKind(kind: string): kind is keyof typeof pageKinds {
	return Object.hasOwn(pageKinds, kind);
}

/** What is fetched for a page; null when no reader knows its kind. */
export function officialAddress({ url, kind }: OfficialPage): string | null {
	if (!isPageKind(kind)) return null;
	const { path } = pageKinds[kind];
	return path === null ? url : `${url.replace(/\/+$/, '')}${path}`;
}

/** @throws Error that says what was expected and what came */
export function readOfficialPage(page: OfficialPage, text: string): OfficialReading {
	if (!isPageKind(page.kind)) throw new Error(`expected a page of ${Object.keys(pageKinds).join(', ')}, got "${page.kind}"`);
	const reading = pageKinds[page.kind].read(text, page.url);
	if (page.only === null) return reading;
	const only = new RegExp(page.only, 'i');
	const concerns = ({ title, components }: OfficialIncident) => [title, ...components].some((words) => only.test(words));
	return { ...reading, incidents: reading.incidents.filter(concerns) };
}
