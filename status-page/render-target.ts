/** One target: its state, and everything that the state rests on. */
import { formatDuration } from '#core/duration.ts';
import { isOutcome, ruleOf } from '#core/outcome.ts';
import { availability, formatPercent } from '#core/sli.ts';
import { longWindows, shortWindows, type TargetView } from '#core/snapshot.ts';
import type { TargetEvidence } from '#core/target-evidence.ts';
import { barSymbols, dayBars, dayLegend, dayWords } from './day-bars.ts';
import { age, clockTime, formatCount, formatInterval, formatMs, formatProof, noData } from './figures.ts';
import { fleetIndex } from './fleet-index.ts';
import { sizes } from './fleet-size.ts';
import { type Html, html } from './html.ts';
import { incidentItem } from './incident-item.ts';
import { latencyDays } from './latency-days.ts';
import { objectivesTable } from './objectives-table.ts';
import { apiRoot, type Page, type PageContext, renderPage } from './page-layout.ts';
import { modelHref } from './render-models.ts';
import { providerHref } from './render-provider.ts';
import { resultsTable } from './results-table.ts';
import { markOf, stateWord } from './state-mark.ts';

function windowsTable({ availability: measured }: TargetView): Html {
	const rows = [...shortWindows, ...longWindows].map((name) => {
		const found = measured[name];
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

function figure(label: string, value: string, detail: string, more: string | null = null): Html {
	return html`<div><dt>${label}</dt><dd>${value}<small>${detail}</small>${more !== null && html`<small>${more}</small>`}</dd></div>`;
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
		${figure('Coverage, 24 h', formatPercent(coverage.ratio, 2), formatProof(availability(coverage.ran, coverage.due - coverage.ran, 0), ' slots ran') ?? 'no slot was due')}
		${figure('Capacity, 30 min', formatPercent(capacity.ratio, 2), formatProof(availability(capacity.served, capacity.refused, 0), ' served') ?? 'nothing was asked', capacity.retryAfterMs === null ? null : `asks to wait ${formatMs(capacity.retryAfterMs)}`)}
		${figure('Quality, 24 h', formatPercent(quality.ratio, 2), formatProof(availability(quality.right, quality.answered - quality.right, 0), ' answers right') ?? 'nothing was answered')}
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

function objectives({ id }: TargetView, { snapshot }: PageContext): Html | null {
	const own = (snapshot.objectives ?? []).filter(({ targetIds }) => targetIds.includes(id));
	return own.length === 0 ? null : html`<section><h2>Objectives</h2>${objectivesTable(own)}</section>`;
}

function lastResults(evidence: TargetEvidence | undefined, context: PageContext): Html {
	if (context.evidence === null) return html`<p class="q">They could not be read when this page was made.</p>`;
	if (evidence === undefined || evidence.results.length === 0) return html`<p class="q">None in the last 24 hours.</p>`;
	return resultsTable(evidence.results);
}

/** A snapshot that an older version wrote knows of no interval of the target's own. */
function cadenceWords({ intervalMs, plannedIntervalMs }: Partial<TargetView>, usualMs: number): string {
	const configured = formatDuration(intervalMs ?? usualMs);
	if (intervalMs === undefined || plannedIntervalMs === undefined || plannedIntervalMs <= intervalMs) return `Probed every ${configured}.`;
	return `Probed every ${formatDuration(plannedIntervalMs)} instead of every ${configured}: the day’s budget is short, and what is left is spread until midnight UTC.`;
}

export function targetHref({ slug }: Pick<TargetView, 'slug'>, root: Page['root']): string {
	return `${root}target/${slug}.html`;
}

export function renderTarget(context: PageContext, target: TargetView): string {
	const { snapshot, now } = context;
	const { providerOf, modelOf, incidentsOf } = fleetIndex(snapshot);
	const [provider, model] = [providerOf.get(target.provider), modelOf.get(target.model)];
	const providerName = provider?.name ?? target.provider;
	const incidents = (incidentsOf.get(target.id) ?? []).slice(0, sizes.incidentsShown);
	const evidence = context.evidence?.get(target.id);
	const whole = target.availability['90d'];
	const days = target.days.unpack();
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
			<section class="p one"><h2>90 days</h2><details open><summary><b>${formatPercent(whole.ratio)} <small>${formatProof(whole)}</small></b>${dayBars(days)}</summary><p>${dayWords(days)}</p></details>${dayLegend()}</section>
			<section><h2>Latency</h2><div id="chart" data-keep data-series="${api}/series"><p class="q">A finer chart of the last 24 hours is drawn in the browser from <a href="${api}/series">the time series</a>.</p></div>${evidence !== undefined && latencyDays(evidence)}</section>
			<section class="duo">${windowsTable(target)}${vantagesTable(target, now)}</section>
			${objectives(target, context)}
			<section>${outcomesTable(target)}</section>
			<section><h2>The last results</h2>${lastResults(evidence, context)}<p class="q">All of them, each with its timings and the provider’s request id: <a href="${api}/results">the raw results</a></p></section>
			<section class="past"><h2>Incidents</h2>${incidents.length === 0 ? html`<p class="q">None in 90 days.</p>` : incidents.map((incident) => incidentItem(incident, context, '../'))}</section>
			<p class="q">${cadenceWords(target, snapshot.intervalMs)} <a href="${api}">This page as JSON</a></p>`,
	});
}
