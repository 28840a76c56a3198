/** How we measure: definitions, formula, interval, coverage; the table of outcomes is the code's own. */
import type { DrillFigures } from '#core/drill-report.ts';
import { formatDuration } from '#core/duration.ts';
import { outcomes, ruleOf } from '#core/outcome.ts';
import { availability, formatPercent } from '#core/sli.ts';
import { formatCount, formatProof } from './figures.ts';
import { type Html, html } from './html.ts';
import { objectivesTable } from './objectives-table.ts';
import { type PageContext, renderPage } from './page-layout.ts';
import { ownDelays, spendSection } from './render-own-record.ts';
import { dayLimits } from './state-mark.ts';

/** Our own error rate, measured on faults whose truth is known. */
function drill(snapshot: PageContext['snapshot']): Html | string {
	const { drill: report } = snapshot;
	if (report === null) return ownDelays(snapshot);
	const seconds = (figures: DrillFigures | null) =>
		figures === null ? '–' : `${Math.round(figures.meanMs / 1_000)}${report.seeds > 1 ? ` ± ${Math.round(figures.sigmaMs / 1_000)}` : ''} s`;
	const rows = report.scenarios.map(
		({ name, description, detect, scope, clear, missed, falseAlarms, misblamed, messages }) =>
			html`<tr><th scope="row">${name}<small>${description}</small></th><td>${missed > 0 ? `missed ${missed}` : seconds(detect)}</td><td>${seconds(scope)}</td><td>${seconds(clear)}</td><td>${formatCount(falseAlarms)}</td><td>${formatCount(misblamed)}</td><td>${messages.toFixed(1)}</td></tr>`,
	);
	return html`${ownDelays(snapshot)}
			<p>Simulated providers with faults of known truth, played ${report.seeds === 1 ? 'once' : `${formatCount(report.seeds)} times`} each against the same code that judges here (version ${report.version}, ${report.at.slice(0, 10)}): until the trouble was told, until its scope was right, and from its end until it was told to be over${report.seeds > 1 ? ', mean ± σ' : ''}. A dash: there was nothing to tell.</p>
			<table class="num mix"><thead><tr><th scope="col">Scenario</th><th scope="col">Told</th><th scope="col">Scope</th><th scope="col">Over</th><th scope="col">False alarms</th><th scope="col">Misblamed</th><th scope="col">Messages</th></tr></thead><tbody>${rows}</tbody></table>`;
}

/** More stand at `/v1/slos`. */
const objectivesShown = 200;

export function renderHow(context: PageContext): string {
	const { snapshot } = context;
	const objectives = (snapshot.objectives ?? []).slice(0, objectivesShown);
	const ran = snapshot.targets.reduce((sum, target) => sum + target.coverage.ran, 0);
	const due = snapshot.targets.reduce((sum, target) => sum + target.coverage.due, 0);
	const coverage = availability(ran, due - ran, 0);
	const rows = outcomes.map((code) => {
		const rule = ruleOf(code);
		return html`<tr><th scope="row"><code>${code}</code></th><td>${rule.sli === 'bad_if_confirmed' ? 'bad if confirmed' : rule.sli}</td><td>${rule.group}</td><td>${rule.meaning}</td></tr>`;
	});
	return renderPage(context, {
		root: '',
		section: 'how',
		title: `How we measure – ${snapshot.title}`,
		description: 'Definitions, formulas and coverage of the published numbers.',
		styles: ['detail.css'],
		main: html`<section class="verdict"><h1>How we measure</h1><p>Every number here can be recomputed from the raw results. Where evidence is missing the state is unknown, never green.</p></section>
			<div class="prose">
			<h2>The probe</h2>
			<p>A small prompt with a known answer goes to each target, a provider × model × operation, every ${formatDuration(snapshot.intervalMs)}, from ${snapshot.vantages.map(({ id }) => id).join(', ') || 'no vantage yet'}. Each probe opens its own connection, so that DNS, TCP and TLS are seen, and is sent once: a retry would hide the failure.</p>
			<h2>Availability</h2>
			<p class="formula">availability = good ÷ (good + bad)</p>
			<p>Only scheduled probes count. Confirmations, which are sent because something looked wrong, do not: they would weigh bad minutes more. Our key, our plan, our network and our bugs are excluded, and the excluded are counted in public. Percentages are cut, never rounded up: 99.9999 % does not become 100 %.</p>
			<p>The range beside a number is the 95 % Wilson interval. With few probes it is wide, and says so.</p>
			<h2>Capacity and quality</h2>
			<p>“Busy” is not “broken”: capacity = served ÷ (served + refused). “Wrong” is not “down”: quality = right ÷ answered. Each stands on its own.</p>
			<h2>Latency</h2>
			<p>First token is the time from the request sent to the first visible content, on a monotonic clock. A role chunk, a comment or a ping is not content. Only complete answers enter the percentiles: errors never improve latency. Histograms with 5 % buckets give each percentile within 2.5 %.</p>
			<h2>State</h2>
			<p>A bad result asks for another probe within seconds. Evidence is added up over every scope it speaks about, a target, a model, a provider, a vantage, and the explanation that fits best names the incident. It opens when chance would need longer than a lifetime and the trouble outlasts a blip; it ends by evidence too. Several vantages vote by strict majority; fewer are a regional issue. When unrelated providers fail alike from one vantage, that is our network, and those results are excluded. Loud evidence whose blame is not settled reads unknown.</p>
			<p>A bar of a day shows its confirmed minutes of outage: up to ${dayLimits.minorMinutes} min, up to ${dayLimits.majorMinutes} min, or more. Days are UTC days.</p>
			<h2>How quickly and how wrongly we judge</h2>
			${drill(snapshot)}
			${spendSection(snapshot)}
			<h2>Coverage</h2>
			<p>In the last 24 hours ${formatPercent(coverage.ratio, 2)}${coverage.ratio !== null && ` (${formatProof(coverage, ' due slots')})`} ran. A slot that could not run is recorded as missed.</p>
			${objectives.length > 0 && html`<h2>Objectives</h2>${objectivesTable(objectives)}`}
			<h2>Outcomes</h2>
			<table class="num mix"><thead><tr><th scope="col">Code</th><th scope="col">Counts as</th><th scope="col">Trouble of</th><th scope="col">Meaning</th></tr></thead><tbody>${rows}</tbody></table>
			</div>`,
	});
}
