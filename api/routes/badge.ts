/** Badges of a target, a provider, a model or the whole page, from the same snapshot as everything else. */
import type { Express } from 'express';
import { type ApiTools, feedCache, readSnapshot } from '#api/api-tools.ts';
import { badgeOf, drawBadge, shield } from '#api/badge-view.ts';
import { sendDocument } from '#api/document.ts';
import { parsePathId, parseQuery } from '#api/parse-query.ts';
import { Problem, quote } from '#api/problem.ts';

export function addBadgeRoutes(app: Express, tools: ApiTools): void {
	app.get(/^\/badge\/.+\.(?:svg|json)$/, (req, res) => {
		parseQuery(req, []);
		const path = req.path.slice('/badge/'.length);
		const isSvg = path.endsWith('.svg');
		const id = parsePathId(path.replace(/\.(?:svg|json)$/, ''));
		const view = readSnapshot(tools, res);
		const badge = badgeOf(view, id);
		if (badge === null) throw new Problem(404, 'unknown-badge', `Expected the id of a target, a provider or a model, or "all", got ${quote(id)}`);
		const document = isSvg
			? view.documents.made(`badge.svg ${id}`, 'image/svg+xml; charset=utf-8', () => drawBadge(badge))
			: view.documents.made(`badge.json ${id}`, 'application/json; charset=utf-8', () => JSON.stringify(shield(badge)));
		sendDocument(req, res, document, feedCache);
	});
}
