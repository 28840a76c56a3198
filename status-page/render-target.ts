/** One target: its state, and everything that the state rests on. */
import { formatDuration } from '#core/duration.ts';
import { isOutcome, ruleOf } from '#core/outcome.ts';
import { formatPercent } from '#core/sli.ts';
import { longWindows, shortWindows, type TargetView } from '#core/snapshot.ts';
import { barSymbols, dayBars, dayLegend, dayWords } from './day-bars.ts';
import { age, clockTime, formatCount, formatInterval, formatMs, noData } from './figures.ts';
import { fleetIndex } from './fleet-index.ts';
import { sizes } from './fleet-size.ts';
import { type Html, html } from './html.ts';
import { incidentItem } from './incident-item.ts';
import { apiRoot, type PageContext, renderPage } from './page-layout.ts';
import { modelHref } from './render-models.ts';
import { providerHref } from './render-provider.ts';
import { markOf, stateWord } from './state-mark.ts';

function windowsTable({ availability }: TargetView): Html {
	const rows = [...shortWindows, ...longWindows].map((name) => {
		const found = availability[name];
		return html`<tr><th scope="row">${name}</th><td>${formatPercent(found.ratio)}</td><td>${formatInterval(found)}</td><td>${formatCount(found.good)}</td><td>${formatCount(found.bad)}</td><td>${formatCount(found.excluded)}</td></tr>`;
	});
	return html`<table class="num"><caption>Availability: good of good and bad</caption><thead><tr><th scope="col">Window</th><th scope="col">Ratio</th><th scope="col">95 % interval</th><th scope="col">Good</th><th scope="col">Bad</th><th scope="col">Excluded</th></tr></thead><tbody>${rows}</tbody></table>`;
}

function outcomesTable({ outcomes }: TargetView): Html {
	const entries = Object.entries(outcomes).sort(([, a], [, b]) => b - a);
	if (entries.length === 0) return html`<p class="q">No result in the last 24 hours.</p>`;
	const rows = entries.map(([code, count]) => {
		const rule = isOutcome(code) ? ruleOf(code) : null;
		const effect = rule === null ? 'unknown' : rule.sli === 'bad_if_confirmed' ? 'bad if confirmed' : rule.sli;
		return html`<tr><th scope="row"><code>${code}</code></th><td>${formatCount(count)}</td><td>${effect}</td><td>${rule?.meaning ?? 'not in this version’s list'}</td></tr>`;
	});
	return html`<table class="num mix"><caption>Outcomes, last 24 h</caption><thead><tr><th scope="col">Code</th><th scope="col">Count</th><th scope="col">Counts as</th><th scope="col">Meaning</th></tr></thead><tbody>${rows}</tbody></table>`;
}

function figure(label: string, value: string, detail: string): Html {
	return html`<div><dt>${label}</dt><dd>${value}<small>${detail}</small></dd></div>`;
}

function figures(target: TargetView): Html {
	const { ttftMs, ttftMs1d, outputTokensPerSecond: speed, coverage, capacity, quality, price } = target;
	const tail = (found: typeof ttftMs, window: string) =>
		found === null
			? `fewer than 5 in ${window}`
			: `p90 ${formatMs(found.p90)}, p95 ${formatMs(found.p95)}, p99 ${formatMs(found.p99)}; ${formatCount(found.count)} in ${window}`;
	return html`<dl class="figs">
		${figure('First token, median', ttftMs === null ? noData : formatMs(ttftMs.p50), tail(ttftMs, '30 min'))}
		${figure('First token, a day', ttftMs1d === null ? noData : formatMs(ttftMs1d.p50), tail(ttftMs1d, '24 h'))}
		${figure('Tokens a second', speed === null ? noData : String(Math.round(speed.p50)), speed === null ? 'fewer than 5 in 24 h' : `slow end (p10) ${Math.round(speed.p10)}`)}
		${figure('Coverage, 24 h', formatPercent(coverage.ratio, 2), `${formatCount(coverage.ran)} of ${formatCount(coverage.due)} slots ran`)}
		${figure('Capacity, 30 min', formatPercent(capacity.ratio, 2), `${formatCount(capacity.served)} served, ${formatCount(capacity.refused)} refused${capacity.retryAfterMs === null ? '' : `, asks to wait ${formatMs(capacity.retryAfterMs)}`}`)}
		${figure('Quality, 24 h', formatPercent(quality.ratio, 2), `${formatCount(quality.right)} of ${formatCount(quality.answered)} answers right`)}
		${figure('Price', price === null ? 'unknown' : `$${price.inputUsdPerMTok.toFixed(2)} in`, price === null ? 'in no price list' : `$${price.outputUsdPerMTok.toFixed(2)} out, per million tokens`)}
		</dl>`;
}

function vantagesTable({ vantages }: TargetView, now: number): Html | null {
	const rows = Object.entries(vantages).map(
		([id, seen]) =>
			html`<tr><th scope="row">${id}</th><td>${stateWord(seen.state)}</td><td>${seen.measuredAt === null ? 'never' : age(seen.measuredAt, now)}</td></tr>`,
	);
	if (rows.length === 0) return null;
	return html`<table class="num"><caption>Vantages</caption><thead><tr><th scope="col">From</th><th scope="col">State</th><th scope="col">Last measured</th></tr></thead><tbody>${rows}</tbody></table>`;
}

function objectivesTable(target: TargetView, { snapshot }: PageContext): Html | null {
	const own = (snapshot.objectives ?? []).filter(({ targetIds }) => targetIds.includes(target.id));
	if (own.length === 0) return null;
	const rows = own.map(({ title, availability, budget, burnRate1h, rules }) => {
		const firing = rules.filter((rule) => rule.firing).map(({ name }) => name);
		const rate = burnRate1h === null ? noData : `${burnRate1h.toFixed(1)}×`;
		return html`<tr><th scope="row">${title}</th><td>${formatPercent(availability.ratio)}</td><td>${formatPercent(budget.remainingRatio, 1)}</td><td>${rate}${firing.length > 0 && `, alerting (${firing.join(', ')})`}</td></tr>`;
	});
	return html`<section><h2>Objectives</h2><table class="num"><caption>Of the operator; a budget below zero is a missed objective</caption><thead><tr><th scope="col">Objective</th><th scope="col">Measured</th><th scope="col">Budget left</th><th scope="col">Burn, 1 h</th></tr></thead><tbody>${rows}</tbody></table></section>`;
}

export function renderTarget(context: PageContext, target: TargetView): string {
	const { snapshot, now } = context;
	const { providerOf, modelOf, incidentsOf } = fleetIndex(snapshot);
	const [provider, model] = [providerOf.get(target.provider), modelOf.get(target.model)];
	const providerName = provider?.name ?? target.provider;
	const incidents = (incidentsOf.get(target.id) ?? []).slice(0, sizes.incidentsShown);
	const others = (model?.targetIds.length ?? 1) - 1;
	const api = `${apiRoot(context, { root: '../' })}v1/targets/${encodeURIComponent(target.id)}`;
	const title = `${target.model} on ${providerName}`;
	return renderPage(context, {
		root: '../',
		section: null,
		title: `${title} – ${snapshot.title}`,
		description: `Measured reliability of ${title}.`,
		scripts: ['target.js'],
		styles: ['detail.css', 'uplot.css'],
		main: html`${barSymbols()}<section class="verdict"><h1>${target.model}</h1><p>on ${provider === undefined ? providerName : html`<a href="${providerHref(provider, '../')}">${providerName}</a>`}, ${target.operation}, asked for as <code>${target.upstreamModel}</code>${target.lifecycle !== 'active' && `, ${target.lifecycle}`}${model !== undefined && others > 0 && html`. <a href="${modelHref(model, '../')}">${formatCount(others)} other ${others === 1 ? 'target serves' : 'targets serve'} it</a>`}</p>
			<p class="say" data-s="${markOf[target.state]}">${stateWord(target.state)} since ${clockTime(target.since, now)}, ${age(target.since, now)}</p>
			<p>${target.reason}. ${target.measuredAt === null ? 'Never measured.' : html`Last measured ${age(target.measuredAt, now)}.`}</p></section>
			${figures(target)}
			<section class="p one"><h2>90 days</h2><details open><summary><b>${formatPercent(target.availability['90d'].ratio)}</b>${dayBars(target)}</summary><p>${dayWords(target.days)}</p></details>${dayLegend()}</section>
			<section><h2>Latency</h2><div id="chart" data-keep data-series="${api}/series"><p class="q">The chart is drawn in the browser from <a href="${api}/series">the time series</a>.</p></div></section>
			<section class="duo">${windowsTable(target)}${vantagesTable(target, now)}</section>
			${objectivesTable(target, context)}
			<section>${outcomesTable(target)}</section>
			<section><h2>The last 20 results</h2><div id="results" data-keep data-results="${api}/results?limit=20"><p class="q">The list is drawn in the browser from <a href="${api}/results?limit=20">the raw results</a>, each with its timings and the provider’s request id.</p></div></section>
			<section class="past"><h2>Incidents</h2>${incidents.length === 0 ? html`<p class="q">None in 90 days.</p>` : incidents.map((incident) => incidentItem(incident, context, '../'))}</section>
			<p class="q">Probed every ${formatDuration(snapshot.intervalMs)}. <a href="${api}">This page as JSON</a></p>`,
	});
}
