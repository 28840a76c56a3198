/** The static site, and what is said where there is none. */
import type { Express, NextFunction, Request, Response } from 'express';
import type { ApiTools } from '#api/api-tools.ts';
import { createDocument, type Document, sendDocument } from '#api/document.ts';
import { parsePathId } from '#api/parse-query.ts';
import { notFoundPage, waitingPage } from '#api/plain-pages.ts';
import { pagePolicy } from '#api/policy-headers.ts';
import { openStaticSite } from '#api/static-site.ts';

const html = 'text/html; charset=utf-8';

/** `no-cache` is "ask each time": a 304 is cheap, and an old verdict is not. When we are down a cache may show what it has; the page says its age. */
const pageCache = 'public, no-cache, stale-if-error=86400';
const assetCache = 'public, max-age=300, stale-if-error=86400';

export function addSiteRoutes(app: Express, { siteDir }: ApiTools): void {
	if (siteDir === null) return;
	const site = openStaticSite(siteDir);
	// A page keeps the policy that it was read with: its sheet is written before it, and is replaced only by a later version of the software.
	const policies = new WeakMap<Document, ReturnType<typeof pagePolicy>>();
	const policyOf = async (document: Document) => {
		const known = policies.get(document) ?? pagePolicy((await site.read('assets/site.css'))?.body ?? new Uint8Array());
		policies.set(document, known);
		return known;
	};
	app.use(async (req: Request, res: Response, next: NextFunction) => {
		const path = parsePathId(req.path.slice(1));
		const document = await site.read(path);
		if (document !== null) {
			if (document.type === html) res.setHeader(...(await policyOf(document)));
			sendDocument(req, res, document, path.startsWith('assets/') ? assetCache : pageCache);
			return;
		}
		if (path !== '' && path !== 'index.html') {
			next();
			return;
		}
		res.status(503).setHeader('Retry-After', '5');
		sendDocument(req, res, createDocument(html, waitingPage), 'no-store');
	});
}

export function sendNotFoundPage(req: Request, res: Response): void {
	res.status(404);
	sendDocument(req, res, createDocument(html, notFoundPage(req.path)), 'no-store');
}
