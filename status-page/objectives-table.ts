/** How the operator's objectives stand: what was promised, what was achieved, what is left of the budget. */
import { formatDuration } from '#core/duration.ts';
import type { ObjectiveView } from '#core/objective-view.ts';
import { formatPercent } from '#core/sli.ts';
import { formatCount, formatProof, noData } from './figures.ts';
import { type Html, html } from './html.ts';

/** The budget follows from the availability, and so does its interval: it is gone where the availability falls below the objective. */
function budgetLeft({ budget, availability: { low, high }, objectiveRatio }: ObjectiveView): Html | string {
	const { remainingRatio, allowedBad, bad, exhaustedInMs } = budget;
	if (remainingRatio === null || low === null || high === null || objectiveRatio >= 1) return noData;
	const minus = (text: string) => text.replace('-', '−');
	const left = (ratio: number) => minus(formatPercent(1 - (1 - ratio) / (1 - objectiveRatio), 1).replace(' %', ''));
	const end = exhaustedInMs === null ? '' : exhaustedInMs === 0 ? '; used up' : `; used up in ${formatDuration(exhaustedInMs)} at the rate of the last hour`;
	return html`${minus(formatPercent(remainingRatio, 1))}<small>${formatCount(bad)} of ${formatCount(Math.floor(allowedBad * 10) / 10)} allowed bad used, ${left(low)} to ${left(high)}${end}</small>`;
}

function row(objective: ObjectiveView): Html {
	const { title, availability, burnRate1h, rules } = objective;
	const firing = rules.filter((rule) => rule.firing).map(({ name }) => name);
	return html`<tr><th scope="row">${title}</th>
		<td>${formatPercent(availability.ratio)}<small>${formatProof(availability)}</small></td>
		<td>${budgetLeft(objective)}</td>
		<td>${burnRate1h === null ? noData : `${burnRate1h.toFixed(1)}×`}<small>${firing.length > 0 && `alerting: ${firing.join(', ')}`}</small></td></tr>`;
}

export function objectivesTable(objectives: readonly ObjectiveView[]): Html {
	return html`<table class="num"><caption>Of the operator. A budget below zero is a missed objective; a burn of 1× spends exactly the budget.</caption><thead><tr><th scope="col">Objective</th><th scope="col">Achieved</th><th scope="col">Budget left</th><th scope="col">Burn, 1 h</th></tr></thead><tbody>${objectives.map(row)}</tbody></table>`;
}
