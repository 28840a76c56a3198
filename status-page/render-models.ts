/** By model: the providers that serve it side by side, best first. */
import { rankTargets } from '#core/rank-targets.ts';
import { formatPercent } from '#core/sli.ts';
import type { GroupView, Snapshot, TargetView } from '#core/snapshot.ts';
import { fileSlug, type Price } from '#core/target.ts';
import { formatCount, formatMs, formatProof, noData } from './figures.ts';
import { fleetIndex, membersOf, providerName } from './fleet-index.ts';
import { isLarge, pageLinks, pagesOf, sizes } from './fleet-size.ts';
import { type Html, html } from './html.ts';
import { incidentItem } from './incident-item.ts';
import { type Page, type PageContext, renderPage, type SiteFile } from './page-layout.ts';
import { markOf, stateWord } from './state-mark.ts';

export function modelHref(model: Pick<GroupView, 'id'>, root: Page['root']): string {
	return `${root}model/${fileSlug(model.id)}.html`;
}

/** The first page of the list; a large fleet has more of them. */
export function modelsHref(root: Page['root']): string {
	return `${root}models.html`;
}

const order =
	'Ordered by state, then by the lower end of the 24 h availability interval in steps of half a percent, then by p95 time to first token, then by price. A provider without data stands after a slow one and before one that is seen failing.';

function formatUsd(price: Price | null): Html | string {
	if (price === null) return 'unknown';
	return html`$${price.inputUsdPerMTok.toFixed(2)}<small>out $${price.outputUsdPerMTok.toFixed(2)}</small>`;
}

/** Measured of one target: five cells. */
function cells(target: TargetView): Html {
	const day = target.availability['1d'];
	const ttft = target.ttftMs ?? target.ttftMs1d;
	const speed = target.outputTokensPerSecond;
	return html`<td>${stateWord(target.state)}</td>
		<td data-l="Uptime, 24 h">${formatPercent(day.ratio)}<small>${formatProof(day)}</small></td>
		<td data-l="First token">${ttft === null ? noData : formatMs(ttft.p50)}<small>${ttft !== null && `p95 ${formatMs(ttft.p95)}`}</small></td>
		<td data-l="Tokens/s">${speed === null ? noData : Math.round(speed.p50)}<small>${speed !== null && `slow end ${Math.round(speed.p10)}`}</small></td>
		<td data-l="USD per M tokens">${formatUsd(target.price)}</td>`;
}

const heads = html`<th scope="col">State</th><th scope="col">Uptime, 24 h</th><th scope="col">First token</th><th scope="col">Tokens/s</th><th scope="col">USD per M tokens</th>`;

function row(target: TargetView, why: string, place: number, providerName: string, root: Page['root']): Html {
	return html`<tr data-s=${markOf[target.state]}>
		<th scope="row"><span>${place}</span> <a href="${root}target/${target.slug}.html">${providerName}</a>${target.operation !== 'chat' && html` <small>${target.operation}</small>`}${target.lifecycle !== 'active' && html` <small>${target.lifecycle}</small>`}</th>
		${cells(target)}
		<td class="why">${why}</td></tr>`;
}

function comparison(model: GroupView, snapshot: Snapshot, root: Page['root']): Html {
	const rows = rankTargets(membersOf(snapshot, model))
		.slice(0, sizes.rowsPerPage)
		.map(({ target, why }, index) => row(target, why, index + 1, providerName(snapshot, target.provider), root));
	return html`<table><thead><tr><th scope="col">Provider</th>${heads}<th scope="col">Why here</th></tr></thead><tbody>${rows}</tbody></table>`;
}

function modelSection(model: GroupView, snapshot: Snapshot): Html {
	return html`<section class="m"><header><h2><a href="${modelHref(model, '')}">${model.name}</a></h2>${stateWord(model.state)}</header>
		${comparison(model, snapshot, '')}</section>`;
}

/** Of a large fleet a row a model, with the best provider alone; all of them stand on the model's own page. */
function bestTable(models: readonly GroupView[], snapshot: Snapshot): Html {
	const rows = models.flatMap((model) => {
		const best = rankTargets(membersOf(snapshot, model))[0]?.target;
		if (best === undefined) return [];
		const count = model.targetIds.length;
		return html`<tr data-s=${markOf[best.state]}><th scope="row"><a href="${modelHref(model, '')}">${model.name}</a></th>${cells(best)}<td class="why">${providerName(snapshot, best.provider)}<small>${count === 1 ? 'the only one' : `of ${formatCount(count)}`}</small></td></tr>`;
	});
	return html`<section class="m"><table><thead><tr><th scope="col">Model</th>${heads}<th scope="col">Best now</th></tr></thead><tbody>${rows}</tbody></table></section>`;
}

/** Path and page of the list, or several where the models need them; not due: paths alone. */
export function* renderModels(context: PageContext, due = true): Generator<SiteFile> {
	const { snapshot } = context;
	const models = [...snapshot.models].sort((a, b) => b.targetIds.length - a.targetIds.length || (a.id < b.id ? -1 : 1));
	const pages = isLarge(snapshot) ? pagesOf(models, 'models') : [{ path: modelsHref(''), entries: models }];
	for (const [index, { path, entries }] of pages.entries()) {
		const page = () =>
			renderPage(context, {
				root: '',
				section: 'models',
				title: `Models – ${snapshot.title}`,
				styles: ['detail.css'],
				description: 'Which provider serves each model best now, and why.',
				main: html`<section class="verdict"><h1>Who serves each model best now</h1><p>${order}</p></section>
					${isLarge(snapshot) ? bestTable(entries, snapshot) : entries.map((model) => modelSection(model, snapshot))}
					${pageLinks(pages, index)}`,
			});
		yield [path, due ? page() : null];
	}
}

/** Everyone who serves one model: the page to open while choosing where to send its traffic. */
export function renderModel(context: PageContext, model: GroupView): string {
	const { snapshot } = context;
	const { incidentsOf } = fleetIndex(snapshot);
	const incidents = [...new Set(model.targetIds.flatMap((id) => incidentsOf.get(id) ?? []))].filter(({ cause }) => cause === 'provider');
	const open = incidents.filter(({ resolvedAt }) => resolvedAt === null).slice(0, sizes.incidentsShown);
	const past = incidents.filter(({ resolvedAt }) => resolvedAt !== null).slice(0, sizes.incidentsShown);
	return renderPage(context, {
		root: '../',
		section: null,
		title: `${model.name} – ${snapshot.title}`,
		styles: ['detail.css'],
		description: `Which provider serves ${model.name} best now, and why.`,
		main: html`<section class="verdict"><h1 data-s="${markOf[model.state]}"><span>${model.name}</span></h1><p>${model.reason}. Served by ${formatCount(model.targetIds.length)} ${model.targetIds.length === 1 ? 'target' : 'targets'}, best first. ${order}</p></section>
			<section class="m">${comparison(model, snapshot, '../')}</section>
			${open.length > 0 && html`<section class="open"><h2>Open incidents</h2>${open.map((incident) => incidentItem(incident, context, '../'))}</section>`}
			<section class="past"><h2>Past incidents</h2>${past.length === 0 ? html`<p class="q">None in 90 days.</p>` : past.map((incident) => incidentItem(incident, context, '../'))}</section>`,
	});
}
