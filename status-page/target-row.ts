/** One target as a row of a board: state, availability, first token, ninety days; opened it gives reason and days in words. */
import { formatPercent } from '#core/sli.ts';
import type { TargetView } from '#core/snapshot.ts';
import { stateWords } from '#core/state.ts';
import { dayBars, dayLegend, dayWords } from './day-bars.ts';
import { formatMs, formatProof, noData } from './figures.ts';
import { type Html, html } from './html.ts';
import type { Page } from './page-layout.ts';
import { markOf } from './state-mark.ts';

export function boardHead(): Html {
	return html`<p class="cols" aria-hidden="true"><span>Model</span><span>State</span><span>Uptime, 24 h</span><span>First token</span><span>90 days</span></p>`;
}

export function targetRow(target: TargetView, { root }: Pick<Page, 'root'>): Html {
	const day = target.availability['1d'];
	const ttft = target.ttftMs ?? target.ttftMs1d;
	const days = target.days.unpack();
	// 160 of these make the page: no quotes around values that hold no space (codes, slugs), no closing tag that HTML lets out.
	// One focus stop a row, the summary; its link to the evidence comes inside, after it.
	return html`<details data-s=${markOf[target.state]}><summary><b>${target.model}${target.operation !== 'chat' && html` <small>${target.operation}</small>`}</b>
		<em>${stateWords[target.state]}</em>
		<span>${formatPercent(day.ratio)}<i>${formatProof(day)}</i></span>
		<span>${ttft === null ? noData : formatMs(ttft.p50)}<i>${ttft !== null && `p95 ${formatMs(ttft.p95)}`}</i></span>
		${dayBars(days)}</summary><p><a href=${root}target/${target.slug}.html>Proof</a>${target.state !== 'operational' && ` ${target.reason}.`}<p>${dayWords(days)}</details>`;
}

export function boardKey(): Html {
	return html`${dayLegend()}<p class="q">Under a percentage: good of valid probes, and the 95 % interval. Under a median: the slow end.</p>`;
}
