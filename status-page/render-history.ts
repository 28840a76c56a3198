/** Past incidents by month. */
import { dateTime, webUrl } from './figures.ts';
import { type Html, html } from './html.ts';
import { incidentItem } from './incident-item.ts';
import { type PageContext, renderPage } from './page-layout.ts';

const monthNames = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December'] as const;

export function renderHistory(context: PageContext): string {
	const { snapshot } = context;
	const months = [...new Set(snapshot.incidents.map((incident) => incident.startedAt.slice(0, 7)))].sort().reverse();
	const sections = months.map((month) => {
		const found = snapshot.incidents.filter((incident) => incident.startedAt.startsWith(month)).sort((a, b) => (a.startedAt < b.startedAt ? 1 : -1));
		return html`<section><h2>${monthNames[Number(month.slice(5)) - 1] ?? ''} ${month.slice(0, 4)}</h2>${found.map((incident) => incidentItem(incident, context, ''))}</section>`;
	});
	return renderPage(context, {
		root: '',
		section: 'history',
		title: `History – ${snapshot.title}`,
		description: 'Incidents of the last 90 days.',
		styles: ['detail.css'],
		main: html`<section class="verdict"><h1>Incidents of the last 90 days</h1><p>By the day they started, newest first. Our own monitor’s troubles are listed too; they never count against a provider.</p></section>
			<div class="past">${sections.length === 0 ? html`<p class="q">None on record.</p>` : sections}</div>
			${officialHistory(context)}`,
	});
}

/** A layer of its own: it came from their status pages and stands in no number of ours. */
function officialHistory({ snapshot }: PageContext): Html | null {
	const found = snapshot.official ?? [];
	if (found.length === 0) return null;
	const names = new Map(snapshot.providers.map(({ id, name }) => [id, name]));
	const items = found.map((incident) => {
		const url = webUrl(incident.url);
		const title = url === null ? html`${incident.title}` : html`<a href="${url}" rel="noopener noreferrer">${incident.title}</a>`;
		const end = incident.resolvedAt === null ? html`${incident.status}` : html`resolved ${dateTime(incident.resolvedAt)}`;
		return html`<li><p><b>${names.get(incident.provider) ?? incident.provider}</b> ${title}</p><p class="q">${dateTime(incident.startedAt)}, ${end}. Impact as they say: ${incident.impact}.</p></li>`;
	});
	return html`<section><h2>In the providers’ own words</h2><p class="q">From their official status pages. Shown for context; none of it enters a number or a verdict here.</p><ol class="line">${items}</ol></section>`;
}
