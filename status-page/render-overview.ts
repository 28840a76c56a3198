/** The first view: the verdict, what is broken now, every provider with its targets, what was broken this week. */
import { formatDuration } from '#core/duration.ts';
import type { Impact } from '#core/incident.ts';
import { formatPercent } from '#core/sli.ts';
import type { IncidentView, Snapshot, TargetView } from '#core/snapshot.ts';
import { barSymbols } from './day-bars.ts';
import { age, formatCount, formatProof, longDate } from './figures.ts';
import { membersOf } from './fleet-index.ts';
import { isLarge, sizes, stateCounts, worstFirst } from './fleet-size.ts';
import { fleetStrip } from './fleet-strip.ts';
import { type Html, html } from './html.ts';
import { incidentItem } from './incident-item.ts';
import { type PageContext, renderPage, stateTitle } from './page-layout.ts';
import { providerHref } from './render-provider.ts';
import { markOf, stateWord } from './state-mark.ts';
import { boardHead, boardKey, targetRow } from './target-row.ts';

const dayMs = 86_400_000;

/** In a storm the board beneath says which; its first rows must still fit the screen. */
const openShown = 4;

const impactOrder = { critical: 0, major: 1, minor: 2, none: 3 } as const satisfies Record<Impact, number>;

function verdict({ snapshot, now }: PageContext): Html {
	const vantages = snapshot.vantages.map(({ id, state }) => (state === 'trusted' ? id : `${id}, ${state}`)).join('; ');
	const places = `${snapshot.vantages.length} ${snapshot.vantages.length === 1 ? 'vantage' : 'vantages'}`;
	return html`<section class="verdict">
		<h1 data-s="${markOf[snapshot.state]}"><span id="verdict">${snapshot.sentence}</span></h1>
		<p>${formatCount(snapshot.targets.length)} targets, each probed every ${formatDuration(snapshot.intervalMs)} from ${places}${vantages !== '' && ` (${vantages})`}. <span id="checked">Checked ${age(snapshot.generatedAt, now)}</span></p>
		${fleetStrip(snapshot)}
		</section>`;
}

function providerHead(provider: Snapshot['providers'][number]): Html {
	const day = provider.availability1d;
	return html`<header><h2><a href=${providerHref(provider, '')}>${provider.name}</a></h2>${stateWord(provider.state)}<span>${formatPercent(day.ratio)}<i>${formatProof(day)}</i></span>${provider.state !== 'operational' && html`<p>${provider.reason}</p>`}</header>`;
}

function wholeSection(provider: Snapshot['providers'][number], members: readonly TargetView[]): Html {
	return html`<section class=p>${providerHead(provider)}${members.map((target) => targetRow(target, { root: '' }))}</section>`;
}

/** Of a large fleet only what is not well stands here; the rest is a strip, with its counts, and a page of its own. */
function shortSection(provider: Snapshot['providers'][number], members: readonly TargetView[], troubleShown: number): Html {
	const trouble = worstFirst(members.filter((target) => target.state !== 'operational'));
	const all = members.length === 1 ? 'The one target' : `All ${formatCount(members.length)} targets`;
	return html`<section class=p>${providerHead(provider)}${trouble.slice(0, troubleShown).map((target) => targetRow(target, { root: '' }))}<p class="rest"><a href=${providerHref(provider, '')}>${all}</a> <span>${stateCounts(members)}</span></p></section>`;
}

function board({ snapshot }: PageContext): Html {
	if (!isLarge(snapshot)) return html`${snapshot.providers.map((provider) => wholeSection(provider, membersOf(snapshot, provider)))}`;
	const shown = worstFirst(snapshot.providers).slice(0, sizes.providersOnOverview);
	const troubleShown = Math.max(1, Math.floor(sizes.rowsOnOverview / Math.max(1, shown.length)));
	const hidden = snapshot.providers.length - shown.length;
	return html`${shown.map((provider) => shortSection(provider, membersOf(snapshot, provider), troubleShown))}${hidden > 0 && html`<p class="q">${formatCount(hidden)} more providers, none of them worse than these, are found by name.</p>`}`;
}

function openIncidents(context: PageContext): Html | null {
	const open = context.snapshot.incidents.filter((incident) => incident.resolvedAt === null).toSorted((a, b) => impactOrder[a.impact] - impactOrder[b.impact]);
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
	return renderPage(context, {
		root: '',
		section: 'overview',
		inlineStyle: true,
		title: stateTitle(context),
		description: `${snapshot.sentence}. Measured reliability of LLM providers.`,
		main: html`${barSymbols()}${verdict(context)}${openIncidents(context)}
			<div>${boardHead()}${board(context)}${boardKey()}</div>
			${pastIncidents(context)}`,
	});
}
