/** Thirty days of latency as a picture that needs no script, and the same as a table. */
import type { LatencyDay, TargetEvidence } from '#core/target-evidence.ts';
import { formatCount, formatMs, shortDate } from './figures.ts';
import { type Html, html, trusted } from './html.ts';

const [dayWidth, height] = [10, 100];
const dayMs = 86_400_000;

/** One block a day from the median up to p95, with a line at the median: a day is one figure, so nothing slopes between two. */
function blocks(days: readonly LatencyDay[], first: number, top: number): Html {
	const y = (ms: number) => Math.round((1 - ms / top) * height * 10) / 10;
	const placed = days.map((day) => [Math.round((Date.parse(day.date) - first) / dayMs) * dayWidth, day] as const);
	const band = placed.map(([x, { p50Ms, p95Ms }]) => `M${x + 1} ${y(p95Ms)}h${dayWidth - 2}V${y(p50Ms)}h${2 - dayWidth}z`).join('');
	const line = placed.map(([x, { p50Ms }]) => `M${x + 1} ${y(p50Ms)}h${dayWidth - 2}`).join('');
	return trusted(`<path class="tail" d="${band}"/><path class="mid" d="${line}"/>`);
}

/** Null without a day. */
export function latencyDays({ latencyDays: days, canary }: Pick<TargetEvidence, 'latencyDays' | 'canary'>): Html | null {
	const [first, last] = [days[0], days.at(-1)];
	if (first === undefined || last === undefined) return null;
	const top = Math.max(...days.map(({ p95Ms }) => p95Ms)) * 1.05;
	const count = Math.round((Date.parse(last.date) - Date.parse(first.date)) / dayMs) + 1;
	const rows = [...days]
		.reverse()
		.map(
			(day) =>
				html`<tr><th scope="row">${shortDate(day.date)}</th><td>${formatMs(day.p50Ms)}</td><td>${formatMs(day.p95Ms)}</td><td>${formatCount(day.count)}</td></tr>`,
		);
	const words = `Time to first token by day, ${shortDate(first.date)} to ${shortDate(last.date)}: median of the last day ${formatMs(last.p50Ms)}, p95 ${formatMs(last.p95Ms)}; the table below holds every day`;
	return html`<h3 class="by">By day</h3><p class="q">First token of canary ${canary ?? ''}: from the median to p95, the scale ends at ${formatMs(top)}.</p>
		<svg class="lat" role="img" aria-label="${words}" viewBox="0 0 ${count * dayWidth} ${height}" preserveAspectRatio="none">${blocks(days, Date.parse(first.date), top)}</svg>
		<p class="q ends"><span>${shortDate(first.date)}</span><span>${shortDate(last.date)} (UTC days)</span></p>
		<details class="plainly"><summary>The same as a table</summary><table class="num"><thead><tr><th scope="col">Day</th><th scope="col">Median</th><th scope="col">p95</th><th scope="col">Answers</th></tr></thead><tbody>${rows}</tbody></table></details>`;
}
