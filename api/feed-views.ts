/** Incidents as RSS and Atom. One entry an incident, its id for ever the same, its updates newest first. */
import type { IncidentView, Snapshot } from '#core/snapshot.ts';
import { fileSlug } from '#core/target.ts';
import { escapeXml } from './escape-xml.ts';

const listed = 50;

const words = (status: string) => status.charAt(0).toUpperCase() + status.slice(1);

/** As Statuspage writes it: readers split on exactly these tags. */
function bodyOf(incident: IncidentView): string {
	const line = (at: string, status: string, text: string) =>
		`<p><small>${new Date(at).toLocaleDateString('en-US', { month: 'short', day: 'numeric', timeZone: 'UTC' })}, ${at.slice(11, 16)} UTC</small><br><strong>${words(status)}</strong> - ${escapeXml(text)}</p>`;
	return incident.updates.map((update) => line(update.at, update.status, update.body)).join('');
}

interface Entry {
	readonly id: string;
	readonly title: string;
	readonly link: string;
	readonly body: string;
	readonly startedAt: string;
	readonly updatedAt: string;
}

function entriesOf(snapshot: Snapshot, origin: string): readonly Entry[] {
	const base = (snapshot.url ?? origin).replace(/\/$/, '');
	const host = new URL(base).host;
	const mark = snapshot.simulated ? '[simulated] ' : '';
	return snapshot.incidents.slice(0, listed).map((incident) => ({
		id: `tag:${host},2026:incident/${encodeURIComponent(incident.id)}`,
		title: mark + incident.title,
		link: `${base}/incident/${fileSlug(incident.id)}.html`,
		body: bodyOf(incident),
		startedAt: incident.startedAt,
		updatedAt: incident.updates[0]?.at ?? incident.detectedAt,
	}));
}

const lastChange = (entries: readonly Entry[]) =>
	entries.reduce((latest, entry) => (entry.updatedAt > latest ? entry.updatedAt : latest), '1970-01-01T00:00:00.000Z');

export function atomFeed(snapshot: Snapshot, origin: string): string {
	const base = (snapshot.url ?? origin).replace(/\/$/, '');
	const entries = entriesOf(snapshot, origin);
	const items = entries.map(
		(entry) =>
			`<entry><id>${escapeXml(entry.id)}</id><title>${escapeXml(entry.title)}</title><link rel="alternate" type="text/html" href="${escapeXml(entry.link)}"/><published>${entry.startedAt}</published><updated>${entry.updatedAt}</updated><content type="html">${escapeXml(entry.body)}</content></entry>`,
	);
	return `<?xml version="1.0" encoding="UTF-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom"><id>tag:${escapeXml(new URL(base).host)},2026:history</id><title>${escapeXml(snapshot.title)}: incidents</title><link rel="alternate" type="text/html" href="${escapeXml(base)}/"/><link rel="self" type="application/atom+xml" href="${escapeXml(base)}/history.atom"/><updated>${lastChange(entries)}</updated><author><name>${escapeXml(snapshot.title)}</name></author>${items.join('')}</feed>\n`;
}

export function rssFeed(snapshot: Snapshot, origin: string): string {
	const base = (snapshot.url ?? origin).replace(/\/$/, '');
	const entries = entriesOf(snapshot, origin);
	const date = (iso: string) => new Date(iso).toUTCString();
	const items = entries.map(
		(entry) =>
			`<item><guid isPermaLink="false">${escapeXml(entry.id)}</guid><title>${escapeXml(entry.title)}</title><link>${escapeXml(entry.link)}</link><pubDate>${date(entry.startedAt)}</pubDate><description>${escapeXml(entry.body)}</description></item>`,
	);
	return `<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0"><channel><title>${escapeXml(snapshot.title)}: incidents</title><link>${escapeXml(base)}/</link><description>Measured incidents of LLM providers</description><lastBuildDate>${date(lastChange(entries))}</lastBuildDate>${items.join('')}</channel></rss>\n`;
}
