/** By model: the providers that serve it side by side, best first. */
import { rankTargets } from '#core/rank-targets.ts';
import { formatPercent } from '#core/sli.ts';
import type { GroupView, TargetView } from '#core/snapshot.ts';
import type { Price } from '#core/target.ts';
import { formatGood, formatInterval, formatMs, noData } from './figures.ts';
import { type Html, html } from './html.ts';
import { type PageContext, renderPage } from './page-layout.ts';
import { markOf, stateWord } from './state-mark.ts';

function formatUsd(price: Price | null): Html | string {
	if (price === null) return 'unknown';
	return html`$${price.inputUsdPerMTok.toFixed(2)}<small>out $${price.outputUsdPerMTok.toFixed(2)}</small>`;
}

function row(target: TargetView, why: string, place: number, providerName: string): Html {
	const day = target.availability['1d'];
	const ttft = target.ttftMs ?? target.ttftMs1d;
	const speed = target.outputTokensPerSecond;
	return html`<tr data-s="${markOf[target.state]}">
		<th scope="row"><span>${place}</span> <a href="target/${target.slug}.html">${providerName}</a>${target.operation !== 'chat' && html` <small>${target.operation}</small>`}${target.lifecycle !== 'active' && html` <small>${target.lifecycle}</small>`}</th>
		<td>${stateWord(target.state)}</td>
		<td data-l="Uptime, 24 h">${formatPercent(day.ratio)}<small>${day.ratio !== null && `${formatGood(day)}, ${formatInterval(day)}`}</small></td>
		<td data-l="First token">${ttft === null ? noData : formatMs(ttft.p50)}<small>${ttft !== null && `p95 ${formatMs(ttft.p95)}`}</small></td>
		<td data-l="Tokens/s">${speed === null ? noData : Math.round(speed.p50)}<small>${speed !== null && `slow end ${Math.round(speed.p10)}`}</small></td>
		<td data-l="USD per M tokens">${formatUsd(target.price)}</td>
		<td class="why">${why}</td></tr>`;
}

function modelSection(model: GroupView, targets: ReadonlyMap<string, TargetView>, names: ReadonlyMap<string, string>): Html {
	const members = model.targetIds.flatMap((id) => targets.get(id) ?? []);
	const rows = rankTargets(members).map(({ target, why }, index) => row(target, why, index + 1, names.get(target.provider) ?? target.provider));
	return html`<section class="m"><header><h2>${model.name}</h2>${stateWord(model.state)}</header>
		<table><thead><tr><th scope="col">Provider</th><th scope="col">State</th><th scope="col">Uptime, 24 h</th><th scope="col">First token</th><th scope="col">Tokens/s</th><th scope="col">USD per M tokens</th><th scope="col">Why here</th></tr></thead><tbody>${rows}</tbody></table></section>`;
}

export function renderModels(context: PageContext): string {
	const { snapshot } = context;
	const targets = new Map(snapshot.targets.map((target) => [target.id, target]));
	const names = new Map(snapshot.providers.map((provider) => [provider.id, provider.name]));
	const models = [...snapshot.models].sort((a, b) => b.targetIds.length - a.targetIds.length || (a.id < b.id ? -1 : 1));
	return renderPage(context, {
		root: '',
		section: 'models',
		title: `Models – ${snapshot.title}`,
		description: 'Which provider serves each model best now, and why.',
		main: html`<section class="verdict"><h1>Who serves each model best now</h1>
			<p>Ordered by state, then by the lower end of the 24 h availability interval in steps of half a percent, then by p95 time to first token, then by price. A provider without data stands after a slow one and before one that is seen failing.</p></section>
			${models.map((model) => modelSection(model, targets, names))}`,
	});
}
