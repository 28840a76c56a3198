/** One incident: what, whose, since when, and the evidence for saying so. */
import { isOutcome, ruleOf } from '#core/outcome.ts';
import type { IncidentView } from '#core/snapshot.ts';
import { age, dateTime, formatCount, webUrl } from './figures.ts';
import { fleetIndex } from './fleet-index.ts';
import { type Html, html } from './html.ts';
import { apiRoot, type PageContext, renderPage } from './page-layout.ts';
import { causeWords, confidenceWords, durationWords, evidenceWords, foundWellWords, scopeWords } from './scope-words.ts';
import { impactMark, stateWord } from './state-mark.ts';

/** The operator's word is never shown as ours. */
function override({ override: said }: IncidentView): Html | null {
	if (said === undefined) return null;
	const { judged, falseAlarm, by, at, why } = said;
	return html`<p role="note"><b>Overridden by the operator</b> (${by}, ${dateTime(at)})${falseAlarm && ', closed as a false alarm'}: ${why}. What was measured: impact ${judged.impact}, cause ${causeWords[judged.cause]}, ${judged.resolvedAt === null ? 'not over' : html`over since ${dateTime(judged.resolvedAt)}`}. Evidence and numbers are as measured.</p>`;
}

const affectedShown = 200;

function evidence({ evidence: found }: IncidentView): Html {
	const rows = Object.entries(found.outcomes)
		.sort(([, a], [, b]) => (b ?? 0) - (a ?? 0))
		.map(
			([code, count]) =>
				html`<tr><th scope="row"><code>${code}</code></th><td>${formatCount(count ?? 0)}</td><td>${isOutcome(code) && ruleOf(code).meaning}</td></tr>`,
		);
	const examples =
		found.exampleResultIds.length === 0 ? null : html`<p class="q">Example results: ${found.exampleResultIds.map((id) => html`<code>${id}</code> `)}</p>`;
	return html`<table class="num mix"><caption>Results since the onset: ${formatCount(found.good)} good, ${formatCount(found.bad)} bad, ${formatCount(found.excluded)} excluded</caption><thead><tr><th scope="col">Code</th><th scope="col">Count</th><th scope="col">Meaning</th></tr></thead><tbody>${rows}</tbody></table>${examples}`;
}

function affected(incident: IncidentView, { snapshot }: PageContext): Html {
	const { targetOf } = fleetIndex(snapshot);
	const shown = incident.targetIds.slice(0, affectedShown).map((id) => {
		const target = targetOf.get(id);
		if (target === undefined) return html`<li>${id} <span class="q">no longer measured</span></li>`;
		return html`<li><a href="../target/${target.slug}.html">${id}</a> ${stateWord(target.state)}</li>`;
	});
	const more = incident.targetIds.length - shown.length;
	return html`<ul class="plain">${shown}</ul>${more > 0 && html`<p class="q">and ${formatCount(more)} more</p>`}`;
}

/** Beside what was measured, never part of it. */
function officialWords({ official }: IncidentView): Html | null {
	if (official === undefined || official.length === 0) return null;
	const items = official.map((word) => {
		const url = webUrl(word.url);
		const title = url === null ? html`${word.title}` : html`<a href="${url}" rel="noopener noreferrer">${word.title}</a>`;
		const end = word.resolvedAt === null ? 'not resolved by them yet' : html`resolved by them ${dateTime(word.resolvedAt)}`;
		return html`<li><p><b>${word.words}</b></p><p>${title}</p><p class="q">First said ${dateTime(word.firstUpdateAt)}, ${end}</p></li>`;
	});
	return html`<section><h2>In the provider’s own words</h2><p class="q">From its official status page. It is shown beside what we measured and is no evidence for it.</p><ol class="line">${items}</ol></section>`;
}

export function renderIncident(context: PageContext, incident: IncidentView): string {
	const { snapshot, now } = context;
	const lasted = durationWords(incident);
	const provider = snapshot.providers.find((found) => found.id === incident.scope.provider);
	const official = webUrl(provider?.statusPageUrl ?? null);
	const [chance, well] = [confidenceWords(incident), foundWellWords(incident)];
	const fact = (term: string, value: Html | string) => html`<div><dt>${term}</dt><dd>${value}</dd></div>`;
	return renderPage(context, {
		root: '../',
		section: null,
		title: `${incident.title} – ${snapshot.title}`,
		description: `${incident.title}. ${evidenceWords(incident)}.`,
		styles: ['detail.css'],
		main: html`<section class="verdict"><h1 data-s="${incident.resolvedAt === null ? impactMark[incident.impact] : 'past'}"><span>${incident.title}</span></h1>
			<p>${lasted === null ? html`Open since ${dateTime(incident.startedAt)}, ${age(incident.startedAt, now)}` : html`Resolved after ${lasted}`}. ${incident.reason}.</p>${override(incident)}</section>
			<dl class="facts">
			${fact('Scope', scopeWords(incident, snapshot))}
			${fact('Cause', causeWords[incident.cause])}
			${fact('Impact', html`${incident.impact}<small>${incident.severity === 'info' ? 'of no user' : `${incident.severity} where it holds`}</small>`)}
			${fact('Status', incident.status)}
			${fact('Started', html`${dateTime(incident.startedAt)}<small>first bad result</small>`)}
			${fact('Detected', html`${dateTime(incident.detectedAt)}`)}
			${fact('Resolved', incident.resolvedAt === null ? 'not yet' : html`${dateTime(incident.resolvedAt)}`)}
			${chance === null ? '' : fact('By chance', html`${chance}<small>${String(incident.evidence.nats)} nats against a usual day</small>`)}
			${well === null ? '' : fact('Found well', html`${well}<small>heard since the onset, without a bad result</small>`)}
			${fact('Relapses', incident.relapseCount === 0 ? 'none' : String(incident.relapseCount))}
			</dl>
			<section><h2>Timeline</h2><ol class="line">${incident.updates.map((update) => html`<li><p><b>${update.status}</b> ${dateTime(update.at)}${update.operator !== undefined && html` <i>operator</i>`}</p><p>${update.body}</p></li>`)}</ol></section>
			${officialWords(incident)}
			<section><h2>Evidence</h2><p>Seen from ${incident.evidence.vantages.length === 0 ? 'no vantage on record' : incident.evidence.vantages.join(', ')}.</p>${evidence(incident)}</section>
			<section><h2>Affected targets</h2>${affected(incident, context)}</section>
			<p class="q"><a href="${apiRoot(context, { root: '../' })}v1/incidents/${encodeURIComponent(incident.id)}">This page as JSON</a>${official !== null && html` <a href="${official}" rel="noopener noreferrer">The provider’s own status page</a>`}</p>`,
	});
}
