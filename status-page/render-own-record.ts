/** What "how we measure" tells of ourselves, out of the record: how soon we told, how often wrongly, and what it costs. */
import { detectionDelays, falseAlarms } from '#core/detection-delay.ts';
import { formatDuration } from '#core/duration.ts';
import type { Condition } from '#core/incident.ts';
import type { Snapshot } from '#core/snapshot.ts';
import { formatCount } from './figures.ts';
import { type Html, html } from './html.ts';

const conditionWords = {
	outage: 'An outage',
	slow: 'Slowness',
	capacity: 'Refusals for want of capacity',
	wrong_answers: 'Wrong answers',
	credentials: 'A refused key',
	quota: 'An empty wallet',
	rate_limit: 'A rate limit of ours',
	blind: 'A vantage that sees nothing',
	maintenance: 'Maintenance',
} as const satisfies Record<Condition, string>;

/** Few incidents make no distribution: n stands beside each figure. */
export function ownDelays({ incidents }: Snapshot): Html {
	const delays = detectionDelays(incidents);
	const alarms = falseAlarms(incidents);
	if (alarms.blamed === 0) return html`<p>In the 90 days on record here nothing was declared yet, so there is no delay of our own to tell.</p>`;
	const rows = delays.map(
		({ condition, count, p50Ms, p95Ms }) =>
			html`<tr><th scope="row">${conditionWords[condition]}</th><td>${formatCount(count)}</td><td>${formatDuration(p50Ms)}</td><td>${formatDuration(p95Ms)}</td></tr>`,
	);
	return html`<p>In this installation’s own record of 90 days: from the first bad result to the declaration. Until a probe hits the trouble, up to an interval passes before. The operator has called ${formatCount(alarms.false)} of ${formatCount(alarms.blamed)} incidents that blame a provider false alarms${alarms.false > 0 && '; they are left out'}.</p>
			<table class="num"><thead><tr><th scope="col">Declared</th><th scope="col">Incidents</th><th scope="col">Median delay</th><th scope="col">p95</th></tr></thead><tbody>${rows}</tbody></table>`;
}

const usd = (microUsd: number) => `$${(microUsd / 1e6).toFixed(microUsd !== 0 && microUsd < 1e5 ? 4 : 2)}`;

/** Null where the operator doesn't show it. */
export function spendSection({ spend, generatedAt, simulated }: Snapshot): Html | null {
	if (spend === undefined) return null;
	const { todayMicroUsd, capMicroUsdPerDay, forecastMicroUsdPerDay, forecastProbesPerDay } = spend;
	const fact = (term: string, value: string, detail: string) => html`<div><dt>${term}</dt><dd>${value}<small>${detail}</small></dd></div>`;
	return html`<h2>What it costs</h2>
			<p>Canaries are paid like any request${simulated && ' (here in simulated money)'}. The most that a probe can cost is reserved before it is sent, so a day’s spend never passes the cap; what does not fit is not sent, and counts as missed.</p>
			<dl class="figs">
			${fact('Today', usd(todayMicroUsd), `since midnight UTC, as of ${generatedAt.slice(11, 16)}`)}
			${fact('Cap a day', usd(capMicroUsdPerDay), 'never passed')}
			${fact('Forecast a day', usd(forecastMicroUsdPerDay), `${formatCount(forecastProbesPerDay)} probes at the configured cadence`)}
			</dl>`;
}
