/** Numbers and times as people read them. Null is said, never drawn as zero or as fine. */
import { formatDuration } from '#core/duration.ts';
import { type Availability, formatPercent } from '#core/sli.ts';
import { type Html, html } from './html.ts';

export const noData = 'no data';

const counts = new Intl.NumberFormat('en');

export function formatCount(count: number): string {
	// Most are small, and Intl takes forty times as long.
	return count >= 0 && count < 1_000 && Number.isInteger(count) ? String(count) : counts.format(count);
}

export function formatMs(ms: number | null): string {
	if (ms === null) return noData;
	if (ms < 1_000) return `${Math.round(ms)} ms`;
	return `${(ms / 1_000).toFixed(ms < 10_000 ? 2 : 1)} s`;
}

/** The 95 % interval of an availability, cut like every percentage: "99.61 to 99.99 %". */
export function formatInterval({ low, high }: Pick<Availability, 'low' | 'high'>): string {
	if (low === null || high === null) return noData;
	return `${formatPercent(low, 2).replace(' %', '')} to ${formatPercent(high, 2)}`;
}

/** The same for a narrow place, whose percentage stands beside it: "99.61–99.99". */
export function formatRange({ low, high }: Pick<Availability, 'low' | 'high'>): string {
	if (low === null || high === null) return noData;
	const bare = (ratio: number) => formatPercent(ratio, 2).replace(' %', '');
	return `${bare(low)}–${bare(high)}`;
}

/** "1,439 of 1,440", "all 1,440": good of valid. */
export function formatGood({ good, bad }: Pick<Availability, 'good' | 'bad'>): string {
	if (good + bad === 0) return noData;
	return bad === 0 ? `all ${formatCount(good)}` : `${formatCount(good)} of ${formatCount(good + bad)}`;
}

/** What stands beside every percentage, its counts and its interval: "1,439 of 1,440, 99.60–99.98"; with `words`, "28 of 30 served, 78.67–98.15". Null without data. */
export function formatProof(found: Pick<Availability, 'good' | 'bad' | 'low' | 'high'>, words = ''): string | null {
	return found.low === null ? null : `${formatGood(found)}${words}, ${formatRange(found)}`;
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const;

/** "2026-08-12…" → "12 Aug". */
export function shortDate(isoDate: string): string {
	return `${Number(isoDate.slice(8, 10))} ${months[Number(isoDate.slice(5, 7)) - 1] ?? ''}`;
}

/** "2026-08-12…" → "12 Aug 2026". */
export function longDate(isoDate: string): string {
	return `${shortDate(isoDate)} ${isoDate.slice(0, 4)}`;
}

/** "12 Aug 2026, 14:03 UTC". */
export function dateTime(iso: string): Html {
	return html`<time datetime="${iso}">${longDate(iso)}, ${iso.slice(11, 16)} UTC</time>`;
}

/** "14:03 UTC" on the page's own day, the date too on any other. */
export function clockTime(iso: string, now: number): Html {
	const isToday = iso.slice(0, 10) === new Date(now).toISOString().slice(0, 10);
	return html`<time datetime="${iso}">${isToday ? '' : `${shortDate(iso)}, `}${iso.slice(11, 16)} UTC</time>`;
}

/** "14 s ago": the browser keeps it true. */
export function age(iso: string, now: number): Html {
	return html`<time datetime="${iso}" data-age>${formatDuration(now - Date.parse(iso))} ago</time>`;
}

/** Only web addresses become links: a configured `javascript:` URL must not. Null when it is none. */
export function webUrl(text: string | null): string | null {
	return text !== null && URL.canParse(text) && /^https?:$/.test(new URL(text).protocol) ? text : null;
}
