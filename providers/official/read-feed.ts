/** RSS and Atom: every page has one. Whole clouds have nothing else. */
import { XMLParser } from 'fast-xml-parser';
import type { OfficialStatus } from '#core/official.ts';
import { collect, draftIncident, isLoose, type Loose, type OfficialReading, readStatus } from './draft.ts';
import { plainText } from './plain-text.ts';
import { NotAPage } from './read-json.ts';

// Entities stay as they are: a feed that declares its own could grow without bound; plainText decodes the usual ones.
const parser = new XMLParser({
	ignoreAttributes: false,
	attributeNamePrefix: '@',
	processEntities: false,
	parseTagValue: false,
	isArray: (name) => name === 'item' || name === 'entry',
});

/** @throws NotAPage */
export function readFeed(text: string, base: string): OfficialReading {
	const document = parseXml(text);
	const channel = isLoose(document.rss) && isLoose(document.rss.channel) ? document.rss.channel : null;
	const feed = isLoose(document.feed) ? document.feed : null;
	if (channel === null && feed === null) throw new NotAPage('expected an RSS or Atom feed');
	const items = channel === null ? feed?.entry : channel.item;
	return collect(
		(Array.isArray(items) ? items : []).map((item) => (isLoose(item) ? draftItem(item, base) : 'expected an entry with a title, got none')),
		false,
	);
}

function parseXml(text: string): Loose {
	try {
		const document: unknown = parser.parse(text);
		return isLoose(document) ? document : {};
	} catch (error) {
		throw new NotAPage(`expected XML: ${(error as Error).message}`);
	}
}

/** Attributes make an element an object with its text inside. */
const textOf = (value: unknown): unknown => (isLoose(value) ? value['#text'] : Array.isArray(value) ? textOf(value[0]) : value);

function draftItem(item: Loose, base: string): ReturnType<typeof draftIncident> {
	const link = Array.isArray(item.link) ? item.link[0] : item.link;
	const url = isLoose(link) ? (link['@href'] ?? link['#text']) : link;
	const body = textOf(item.description ?? item['content:encoded'] ?? item.content ?? item.summary);
	const publishedAt = textOf(item.pubDate ?? item.published ?? item.updated);
	const changedAt = textOf(item.updated ?? item.pubDate ?? item.published);
	const updates = readUpdates(typeof body === 'string' ? body : '', Date.parse(String(changedAt ?? publishedAt)));
	const isOver = /\b(resolved|completed)\b/i.test(plainText(textOf(item.title), 300));
	const own = updates.length > 0 ? updates : [{ at: changedAt, status: statusIn(plainText(body, 2_000)), body }];
	const newest = own.toSorted((x, y) => Date.parse(String(y.at)) - Date.parse(String(x.at)))[0];
	return draftIncident(
		{
			id: textOf(item.guid ?? item.id) ?? url ?? `${publishedAt} ${String(textOf(item.title))}`,
			title: textOf(item.title),
			impact: /maintenance/i.test(plainText(textOf(item.title), 300)) ? 'maintenance' : 'unknown',
			status: isOver ? 'resolved' : (newest?.status ?? 'unknown'),
			url,
			startedAt: updates.length > 0 ? updates.map(({ at }) => at).sort()[0] : publishedAt,
			resolvedAt: null,
			components: [],
			updates: own,
		},
		base,
	);
}

interface FeedUpdate {
	readonly at: string;
	readonly status: OfficialStatus;
	readonly body: string;
}

/** `<p><small>Jan <var>1</var>, 00:00 UTC</small><br><strong>Investigating</strong> - text</p>`, as Statuspage and its copies write it; without a year. */
function readUpdates(body: string, changedAt: number): FeedUpdate[] {
	const decoded = body.includes('&lt;small') ? body.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&') : body;
	const updates: FeedUpdate[] = [];
	for (const part of decoded
		.slice(0, 200_000)
		.split(/<small[^>]*>/i)
		.slice(1, 101)) {
		const [head = '', rest = ''] = part.split(/<\/small>/i, 2);
		const at = feedTime(plainText(head, 80), changedAt);
		const [, word = ''] = /<strong[^>]*>([^<]{0,60})<\/strong>/i.exec(rest) ?? [];
		if (at !== null)
			updates.push({
				at: new Date(at).toISOString(),
				status: readStatus(plainText(word, 60)),
				body: plainText(rest, 2_000).replace(`${plainText(word, 60)} - `, ''),
			});
	}
	return updates;
}

/** "Nov 23, 14:05 UTC" or with a year: the newest such moment that is not a day after the entry's own time. */
function feedTime(text: string, changedAt: number): number | null {
	const match = /^([A-Z][a-z]{2})[a-z]* +(\d{1,2})(?:, (\d{4}))?,? +(\d{1,2}:\d{2})(?::\d{2})? *(UTC|GMT|[A-Z]{3,4})?/.exec(text.replace(/(\d) ,/, '$1,'));
	if (match === null) return null;
	const [, month, day, year, clock, zone = 'UTC'] = match;
	const of = (fullYear: string | number) => Date.parse(`${day} ${month} ${fullYear} ${clock} ${zone}`);
	if (year !== undefined) return Number.isNaN(of(year)) ? null : of(year);
	if (Number.isNaN(changedAt)) return null;
	const own = new Date(changedAt).getUTCFullYear();
	const at = of(own) > changedAt + 86_400_000 ? of(own - 1) : of(own);
	return Number.isNaN(at) ? null : at;
}

function statusIn(text: string): OfficialStatus {
	const [, word] = /\b(resolved|completed|monitoring|identified|investigating|scheduled)\b/i.exec(text) ?? [];
	return word === undefined ? 'unknown' : readStatus(word);
}
