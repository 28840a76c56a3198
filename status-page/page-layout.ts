/** The frame that every page shares. */
import { formatDuration } from '#core/duration.ts';
import type { Snapshot } from '#core/snapshot.ts';
import { stateWords } from '#core/state.ts';
import type { FleetEvidence } from '#core/target-evidence.ts';
import { dateTime } from './figures.ts';
import { type Html, html, renderHtml, trusted } from './html.ts';
import { siteAssets, siteSheet } from './site-assets.ts';
import { markOf } from './state-mark.ts';

export interface PageContext {
	/** Already rewritten by core/freshness when it is stale. */
	readonly snapshot: Snapshot;
	/** ms since epoch. */
	readonly now: number;
	readonly stale: boolean;
	/** Null: it could not be read when the page was made. */
	readonly evidence: FleetEvidence | null;
	/** Where the API answers, relative to the site's root; empty when it is the same place. */
	readonly apiBase: string;
}

/** Path relative to the site's root, and the content; null where what is there stays. */
export type SiteFile = readonly [path: string, content: string | null];

export interface Page {
	/** Way back to the site's root: empty, or `../`. */
	readonly root: '' | '../';
	readonly section: 'overview' | 'models' | 'history' | 'how' | null;
	readonly title: string;
	readonly description: string;
	readonly main: Html;
	/** Module scripts in `assets/` beside live.js, which is none: a browser runs no module from a folder, and a page there must still see that it is old. */
	readonly scripts?: readonly string[];
	readonly styles?: readonly string[];
	/** The common sheet in the page itself: what is looked at first, and in a hurry, is painted from one answer. */
	readonly inlineStyle?: boolean;
}

/** Relative to the page, except where the API lives elsewhere. */
export function apiRoot({ apiBase }: PageContext, { root }: Pick<Page, 'root'>): string {
	return /^https?:/.test(apiBase) ? `${apiBase.replace(/\/$/, '')}/` : `${root}${apiBase}`;
}

const sections = [
	['overview', 'index.html', 'Providers'],
	['models', 'models.html', 'Models'],
	['history', 'history.html', 'History'],
	['how', 'how.html', 'How we measure'],
] as const;

// Three bars, as on the page: the bird is the name, the bars are the work.
const brandMark = trusted('<svg class="mark" viewBox="0 0 20 20" aria-hidden="true"><path d="M2 3v14M7 7v10M12 3v14M17 10v7"/></svg>');

function renderStale({ snapshot, now }: PageContext): Html {
	const howOld = formatDuration(now - Date.parse(snapshot.generatedAt));
	return html`<p class="note stale" role="status"><b>This record has stopped.</b> It is ${howOld} old, from ${dateTime(snapshot.generatedAt)}. Every state is unknown until fresh data comes.</p>`;
}

export function renderPage(context: PageContext, page: Page): string {
	const { snapshot, stale } = context;
	const { root } = page;
	const mark = markOf[snapshot.state];
	const api = apiRoot(context, page);
	const nav = sections.map(([id, file, label]) => html`<a href="${root}${file}"${trusted(id === page.section ? ' aria-current="page"' : '')}>${label}</a>`);
	const document = html`<!doctype html>
		<html lang="en" data-s="${mark}"${trusted(stale ? ' data-stale' : '')}>
		<head>
		<meta charset="utf-8">
		<meta name="viewport" content="width=device-width,initial-scale=1">
		<meta name="color-scheme" content="light dark">
		<meta name="description" content="${page.description}">
		<title>${page.title}</title>
		${page.inlineStyle === true ? trusted(`<style>${siteAssets().get(siteSheet) ?? ''}</style>`) : html`<link rel="stylesheet" href="${root}${siteSheet}">`}
		${(page.styles ?? []).map((file) => html`<link rel="stylesheet" href="${root}assets/${file}">`)}
		<link rel="icon" type="image/svg+xml" href="${root}assets/favicon-${mark}.svg">
		<link rel="alternate" type="application/atom+xml" title="Incidents" href="${api}history.atom">
		<noscript><meta http-equiv="refresh" content="60"></noscript>
		<script defer src="${root}assets/live.js"></script>
		${(page.scripts ?? []).map((file) => html`<script type="module" src="${root}assets/${file}"></script>`)}
		</head>
		<body>
		<a class="skip" href="#main">Skip to content</a>
		<header class="top"><a class="brand" href="${root}index.html">${brandMark}${snapshot.title}</a><search><input id="find" type="search" data-root="${root}" placeholder="Find a provider or model" aria-label="Find a provider or model" autocomplete="off"></search><nav aria-label="Views">${nav}</nav></header>
		${snapshot.simulated && html`<aside class="note sim" aria-label="Simulated data"><b>Simulated fleet.</b> These providers are played by a simulator on this machine; no real provider is measured here.</aside>`}
		<p class="note net" id="net" role="status" hidden></p>
		<p class="vh" id="say" aria-live="polite"></p>
		<main id="main" tabindex="-1" data-api="${api}" data-generated="${snapshot.generatedAt}" data-stale-after="${snapshot.staleAfter}" data-revision="${snapshot.verdictRevision}">
		${stale && renderStale(context)}${page.main}
		</main>
		<footer>
		<p>${snapshot.simulated && 'Simulated data. '}Snapshot ${snapshot.number}, made ${dateTime(snapshot.generatedAt)}, good for ${formatDuration(Date.parse(snapshot.staleAfter) - Date.parse(snapshot.generatedAt))}. Every date and time is UTC.</p>
		<p><a href="${root}how.html">How we measure</a> <a href="${api}v1/health">Health API</a> <a href="${api}openapi.json">OpenAPI</a> <a href="${api}history.atom">Atom</a> <a href="${api}history.rss">RSS</a> <a href="${api}metrics">Metrics</a></p>
		</footer>
		</body>
		</html>`;
	return renderHtml(document);
}

/** "Partial outage – Linnet": the state leads, so that a row of tabs can be read. */
export function stateTitle({ snapshot }: PageContext): string {
	return `${stateWords[snapshot.state]} – ${snapshot.title}`;
}
