/** The first view: the verdict, what is broken now, every provider with its targets, what was broken this week. */
import { formatDuration } from '#core/duration.ts';
import { formatPercent } from '#core/sli.ts';
import type { IncidentView, Snapshot, TargetView } from '#core/snapshot.ts';
import { stateWords } from '#core/state.ts';
import { fileSlug } from '#core/target.ts';
import { barSymbols, dayBars, dayLegend, dayWords } from './day-bars.ts';
import { age, formatCount, formatGood, formatInterval, formatMs, longDate, noData } from './figures.ts';
import { fleetStrip } from './fleet-strip.ts';
import { type Html, html } from './html.ts';
import { incidentItem } from './incident-item.ts';
import { type PageContext, renderPage, stateTitle } from './page-layout.ts';
import { markOf, stateWord } from './state-mark.ts';

const dayMs = 86_400_000;

/** In a storm the board beneath says which; the first lines must still fit a screen. */
const openShown = 6;

function verdict({ snapshot, now }: PageContext): Html {
	const vantages = snapshot.vantages.map(({ id, state }) => (state === 'trusted' ? id : `${id}, ${state}`)).join('; ');
	const places = `${snapshot.vantages.length} ${snapshot.vantages.length === 1 ? 'vantage' : 'vantages'}`;
	return html`<section class="verdict">
		<h1 data-s="${markOf[snapshot.state]}"><span id="verdict">${snapshot.sentence}</span></h1>
		<p><span id="checked">Checked ${age(snapshot.generatedAt, now)}</span> from ${places}${vantages !== '' && ` (${vantages})`}. ${formatCount(snapshot.targets.length)} targets, each probed every ${formatDuration(snapshot.intervalMs)}.</p>
		${fleetStrip(snapshot)}
		</section>`;
}

function targetRow(target: TargetView): Html {
	const day = target.availability['1d'];
	const ttft = target.ttftMs ?? target.ttftMs1d;
	const isFine = target.state === 'operational';
	// 160 of these make the page: no quotes around values that hold no space (codes, slugs), no closing tag that HTML lets out.
	// One focus stop a row, the summary; its link to the evidence comes inside, after it.
	return html`<details data-s=${markOf[target.state]}><summary><b>${target.model}${target.operation !== 'chat' && html` <small>${target.operation}</small>`}</b>
		<em>${stateWords[target.state]}</em>
		<span>${formatPercent(day.ratio)}<i>${day.ratio !== null && formatGood(day)}</i></span>
		<span>${ttft === null ? noData : formatMs(ttft.p50)}<i>${ttft !== null && `p95 ${formatMs(ttft.p95)}`}</i></span>
		${dayBars(target)}</summary><p><a href=target/${target.slug}.html>Proof</a>${!isFine && ` ${target.reason}.`}${day.ratio !== null && ` (${formatInterval(day)})`}<p>${dayWords(target.days)}</details>`;
}

function providerSection(provider: Snapshot['providers'][number], targets: ReadonlyMap<string, TargetView>): Html {
	const rows = provider.targetIds.flatMap((id) => targets.get(id) ?? []);
	return html`<section class=p id=p-${fileSlug(provider.id)}>
		<header><h2>${provider.name}</h2>${stateWord(provider.state)}<span>${formatPercent(provider.availability1d.ratio)}<i>${provider.availability1d.ratio !== null && formatGood(provider.availability1d)}</i></span>${provider.state !== 'operational' && html`<p>${provider.reason}</p>`}</header>
		${rows.map(targetRow)}
		</section>`;
}

function openIncidents(context: PageContext): Html | null {
	const open = context.snapshot.incidents.filter((incident) => incident.resolvedAt === null);
	if (open.length === 0) return null;
	const more = open.length - openShown;
	return html`<section class="open"><h2>${open.length === 1 ? 'One open incident' : `${open.length} open incidents`}</h2>${open.slice(0, openShown).map((incident) => incidentItem(incident, context, ''))}
		${more > 0 && html`<p><a href="history.html">${more} more open</a></p>`}</section>`;
}

function pastIncidents(context: PageContext): Html {
	const today = Math.floor(context.now / dayMs);
	const resolved = context.snapshot.incidents.filter((incident) => incident.resolvedAt !== null);
	const days = Array.from({ length: 7 }, (_, back) => new Date((today - back) * dayMs).toISOString().slice(0, 10));
	const entries = days.map((date) => {
		const found: readonly IncidentView[] = resolved.filter((incident) => incident.startedAt.startsWith(date));
		return html`<section><h3>${longDate(date)}</h3>${found.length === 0 ? html`<p class="q">No incident.</p>` : found.map((incident) => incidentItem(incident, context, ''))}</section>`;
	});
	return html`<section class="past"><h2>The last seven days</h2>${entries}<p><a href="history.html">All incidents of the last 90 days</a></p></section>`;
}

export function renderOverview(context: PageContext): string {
	const { snapshot } = context;
	const targets = new Map(snapshot.targets.map((target) => [target.id, target]));
	return renderPage(context, {
		root: '',
		section: 'overview',
		title: stateTitle(context),
		description: `${snapshot.sentence}. Measured reliability of LLM providers.`,
		main: html`${barSymbols()}${verdict(context)}${openIncidents(context)}
			<div><p class="cols" aria-hidden="true"><span>Model</span><span>State</span><span>Uptime, 24 h</span><span>First token</span><span>90 days</span></p>
			${snapshot.providers.map((provider) => providerSection(provider, targets))}
			${dayLegend()}<p class="q">An opened row gives the 95 % interval of the day’s uptime.</p></div>
			${pastIncidents(context)}`,
	});
}
