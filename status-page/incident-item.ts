/** One incident as a list entry. */
import type { IncidentView } from '#core/snapshot.ts';
import { fileSlug } from '#core/target.ts';
import { age, clockTime } from './figures.ts';
import { type Html, html } from './html.ts';
import type { PageContext } from './page-layout.ts';
import { durationWords, evidenceWords, scopeWords } from './scope-words.ts';
import { impactMark } from './state-mark.ts';

export function incidentHref(incident: Pick<IncidentView, 'id'>, root: string): string {
	return `${root}incident/${fileSlug(incident.id)}.html`;
}

export function incidentItem(incident: IncidentView, { snapshot, now }: PageContext, root: string): Html {
	const lasted = durationWords(incident);
	const isOpen = lasted === null;
	return html`<article class="inc${isOpen && ' now'}" data-s="${impactMark[incident.impact]}">
		<h3><a href="${incidentHref(incident, root)}">${incident.title}</a></h3>
		<p>${isOpen ? html`Since ${clockTime(incident.startedAt, now)}, ${age(incident.startedAt, now)}` : html`${clockTime(incident.startedAt, now)}, lasted ${lasted}`}. Impact ${incident.impact}${incident.override !== undefined && ', overridden by the operator'}. ${scopeWords(incident, snapshot)}.</p>
		<p class="q">${evidenceWords(incident)}.</p>
		</article>`;
}
