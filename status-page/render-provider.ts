/** One provider: what is broken there, every target, what was broken. */
import { formatPercent } from '#core/sli.ts';
import type { GroupView, Snapshot } from '#core/snapshot.ts';
import { fileSlug } from '#core/target.ts';
import { barSymbols } from './day-bars.ts';
import { formatCount, formatProof, webUrl } from './figures.ts';
import { membersOf } from './fleet-index.ts';
import { pageLinks, pagesOf, sizes, stateCounts, worstFirst } from './fleet-size.ts';
import { html } from './html.ts';
import { incidentItem } from './incident-item.ts';
import { type Page, type PageContext, renderPage, type SiteFile } from './page-layout.ts';
import { markOf } from './state-mark.ts';
import { boardHead, boardKey, targetRow } from './target-row.ts';

export function providerHref(provider: Pick<GroupView, 'id'>, root: Page['root']): string {
	return `${root}provider/${fileSlug(provider.id)}.html`;
}

/** Path and page: one, or more where the targets need them. What is not well stands on the first. Not due: paths alone. */
export function* renderProvider(context: PageContext, provider: Snapshot['providers'][number], due = true): Generator<SiteFile> {
	const { snapshot } = context;
	const members = membersOf(snapshot, provider);
	const pages = pagesOf(members.length > sizes.rowsPerPage ? worstFirst(members) : members, `provider/${fileSlug(provider.id)}`);
	if (!due) {
		for (const { path } of pages) yield [path, null];
		return;
	}
	const incidents = snapshot.incidents.filter(({ scope, cause }) => scope.provider === provider.id && cause === 'provider');
	const open = incidents.filter(({ resolvedAt }) => resolvedAt === null).slice(0, sizes.incidentsShown);
	const past = incidents.filter(({ resolvedAt }) => resolvedAt !== null).slice(0, sizes.incidentsShown);
	const official = webUrl(provider.statusPageUrl);
	const day = provider.availability1d;
	for (const [index, { path, entries }] of pages.entries()) {
		const page = renderPage(context, {
			root: '../',
			section: null,
			title: `${provider.name} – ${snapshot.title}`,
			description: `Measured reliability of ${provider.name}: ${provider.reason}.`,
			main: html`${barSymbols()}<section class="verdict"><h1 data-s="${markOf[provider.state]}"><span>${provider.name}</span></h1>
				<p>${provider.reason}. ${members.length === 0 ? 'Nothing is measured here.' : `${stateCounts(members)}.`}</p>
				<p>Uptime over 24 h ${formatPercent(day.ratio)}${day.ratio !== null && html` (${formatProof(day, ' probes good')}; ${formatCount(day.excluded)} excluded)`}.${official !== null && html` <a href="${official}" rel="noopener noreferrer">What ${provider.name} says itself</a>`}</p></section>
				${open.length > 0 && html`<section class="open"><h2>Open incidents</h2>${open.map((incident) => incidentItem(incident, context, '../'))}</section>`}
				<section class="p"><h2 class="vh">Targets</h2>${boardHead()}${entries.map((target) => targetRow(target, { root: '../' }))}${boardKey()}${pageLinks(pages, index)}</section>
				<section class="past"><h2>Past incidents</h2>${past.length === 0 ? html`<p class="q">None in 90 days.</p>` : past.map((incident) => incidentItem(incident, context, '../'))}</section>`,
		});
		yield [path, page];
	}
}
