/** The same snapshot in shapes that others already read: Statuspage v2, RSS, Atom. */
import type { Express, Request } from 'express';
import { type ApiTools, feedCache, readSnapshot } from '#api/api-tools.ts';
import { sendDocument } from '#api/document.ts';
import { atomFeed, rssFeed } from '#api/feed-views.ts';
import { parseQuery } from '#api/parse-query.ts';
import { statuspageNames, statuspageView } from '#api/statuspage-views.ts';

/** Used only where no public URL is configured; a Host that makes no URL falls back to a name that is none. */
function originOf(req: Request): string {
	const origin = `${req.protocol}://${req.headers.host ?? ''}`;
	return URL.canParse(origin) ? new URL(origin).origin : 'http://localhost';
}

export function addFamilyRoutes(app: Express, tools: ApiTools): void {
	for (const name of statuspageNames) {
		app.get(`/api/v2/${name}.json`, (req, res) => {
			parseQuery(req, []);
			const origin = originOf(req);
			const make = readSnapshot(tools, res).documents.made;
			const document = make(`statuspage ${name} ${origin}`, 'application/json; charset=utf-8', (snapshot) =>
				JSON.stringify(statuspageView(name, snapshot, origin)),
			);
			sendDocument(req, res, document, feedCache);
		});
	}
	for (const [paths, type, write] of [
		[['/history.rss', '/feed.rss'], 'application/rss+xml; charset=utf-8', rssFeed],
		[['/history.atom', '/feed.atom'], 'application/atom+xml; charset=utf-8', atomFeed],
	] as const) {
		app.get([...paths], (req, res) => {
			const origin = originOf(req);
			const make = readSnapshot(tools, res).documents.made;
			sendDocument(
				req,
				res,
				make(`${type} ${origin}`, type, (snapshot) => write(snapshot, origin)),
				feedCache,
			);
		});
	}
}
