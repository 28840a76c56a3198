/** The last probes with their outcome, and where their time went. */
import type { ShownResult } from '#core/target-evidence.ts';
import { formatMs } from './figures.ts';
import { type Html, html, trusted } from './html.ts';

type Span = readonly [code: 'dns' | 'connect' | 'tls' | 'first' | 'rest', name: string, ms: (result: ShownResult) => number | null];

const untilFirst = ({ ttftMs, ttfbMs }: ShownResult) => ttftMs ?? ttfbMs;

const spans: readonly Span[] = [
	['dns', 'DNS', ({ dnsMs }) => dnsMs],
	['connect', 'connect', ({ connectMs }) => connectMs],
	['tls', 'TLS', ({ tlsMs }) => tlsMs],
	['first', 'first token', untilFirst],
	['rest', 'rest', restMs],
];

function restMs(result: ShownResult): number | null {
	const { dnsMs, connectMs, tlsMs, totalMs } = result;
	const before = [dnsMs, connectMs, tlsMs, untilFirst(result)].reduce<number>((sum, ms) => sum + (ms ?? 0), 0);
	return totalMs === null ? null : Math.max(0, totalMs - before);
}

const width = 144;

/** On the scale of the slowest shown; the rest is thinner, since it is the answer's own length. */
function waterfall(result: ShownResult, longestMs: number): Html {
	let x = 0;
	let drawn = '';
	const words: string[] = [];
	for (const [code, name, read] of spans) {
		const ms = read(result);
		if (ms === null) continue;
		words.push(`${name} ${formatMs(ms)}`);
		const length = (ms / longestMs) * width;
		const [y, h] = code === 'rest' ? [4, 4] : [1, 10];
		drawn += `<path class="f-${code}" d="M${round(x)} ${y}h${round(Math.max(0, length - 0.5))}v${h}H${round(x)}z"/>`;
		x += length;
	}
	return html`<svg class="flow" role="img" viewBox="0 0 ${width} 12" aria-label="${words.join(', ') || 'no phase ran'}">${trusted(drawn)}</svg>`;
}

const round = (value: number) => Math.round(value * 10) / 10;

function row(result: ShownResult, longestMs: number): Html {
	const { slotAt, startedAt, outcome, sli, phase, httpStatus, ttftMs, totalMs, canary, vantage, kind, requestId } = result;
	const at = new Date(startedAt ?? slotAt).toISOString();
	const where = phase === null ? '' : `, at ${phase}${httpStatus === null ? '' : `, HTTP ${httpStatus}`}`;
	const ms = (value: number | null) => (value === null ? '–' : formatMs(value));
	return html`<tr><th scope="row"><time datetime="${at}">${at.slice(5, 10)} ${at.slice(11, 19)}</time></th>
		<td><code>${outcome}</code><small>${sli}${where}</small></td>
		<td>${waterfall(result, longestMs)}<small>first token ${ms(ttftMs)}, total ${ms(totalMs)}</small></td>
		<td>${canary}, ${vantage}${kind !== 'scheduled' && `, ${kind}`}<small>${requestId ?? 'no request id'}</small></td></tr>`;
}

export function resultsTable(results: readonly ShownResult[]): Html {
	const longestMs = Math.max(1, ...results.map(({ totalMs }) => totalMs ?? 0));
	const key = spans.map(([code, name]) => html`<span class="f-${code}">■</span> ${name} \u2002`);
	return html`<table class="num rows"><caption>${key}</caption><thead><tr><th scope="col">UTC</th><th scope="col">Outcome</th><th scope="col">Where the time went</th><th scope="col">Canary, vantage, request id</th></tr></thead><tbody>${results.map((result) => row(result, longestMs))}</tbody></table>`;
}
