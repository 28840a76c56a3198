/** Answers for routers that want a decision, and the record under other definitions. */
import type { Express } from 'express';
import { type ApiTools, feedCache, readSnapshot } from '#api/api-tools.ts';
import { jsonDocument, sendDocument } from '#api/document.ts';
import { sendFeed } from '#api/hot-answers.ts';
import { endpointsView, providersView } from '#api/openrouter-views.ts';
import { oneOf, parsePathId, parseQuery, single } from '#api/parse-query.ts';
import { Problem, quote } from '#api/problem.ts';
import { exportRoute, routeFormats } from '#api/route-export.ts';
import { routeView } from '#api/route-view.ts';
import { definitionNames, uptimeView } from '#api/uptime-view.ts';
import { operations } from '#core/target.ts';

const json = 'application/json; charset=utf-8';

const words = [
	'model',
	'operation',
	'order',
	'only',
	'ignore',
	'sort',
	'max_price.prompt',
	'max_price.completion',
	'preferred_max_latency',
	'preferred_min_throughput',
	'format',
] as const;

const sorts = ['price', 'throughput', 'latency'] as const;

function amount(name: string, values: readonly string[]): number | null {
	const text = single(name, values);
	if (text === null) return null;
	const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
	if (!Number.isFinite(value)) throw new Problem(400, 'bad-parameter', `Expected ${name} to be a number from 0, got ${quote(text)}`);
	return value;
}

const list = (values: readonly string[]) => values.flatMap((value) => value.split(',')).filter((value) => value !== '');

export function addRouteRoutes(app: Express, tools: ApiTools): void {
	app.get('/v1/route', (req, res) => {
		const query = parseQuery(req, words);
		const model = single('model', query.model);
		if (model === null) throw new Problem(400, 'bad-parameter', 'Expected model, the canonical id author/slug, got nothing');
		const sort = single('sort', query.sort);
		const format = oneOf('format', single('format', query.format) ?? 'linnet', routeFormats);
		const wishes = {
			model,
			operation: oneOf('operation', single('operation', query.operation) ?? 'chat', operations),
			order: list(query.order),
			only: list(query.only),
			ignore: list(query.ignore),
			sort: sort === null ? null : oneOf('sort', sort, sorts),
			maxPromptUsd: amount('max_price.prompt', query['max_price.prompt']),
			maxCompletionUsd: amount('max_price.completion', query['max_price.completion']),
			preferredMaxLatencyS: amount('preferred_max_latency', query.preferred_max_latency),
			preferredMinThroughput: amount('preferred_min_throughput', query.preferred_min_throughput),
		};
		sendFeed(tools, req, res, ({ snapshot }) => {
			const view = routeView(snapshot, wishes);
			if (view === null) throw new Problem(404, 'no-candidate', `Expected a model that is measured for these wishes (see /v1/targets), got ${quote(model)}`);
			return jsonDocument(exportRoute(format, view));
		});
	});

	app.get('/v1/uptime', (req, res) => {
		const { definition } = parseQuery(req, ['definition']);
		const wanted = oneOf('definition', single('definition', definition) ?? 'linnet', definitionNames);
		sendFeed(tools, req, res, ({ documents }) => documents.made(`uptime ${wanted}`, json, (snapshot) => JSON.stringify(uptimeView(snapshot, wanted))));
	});

	app.get(/^\/api\/v1\/models\/.+\/endpoints$/, (req, res) => {
		const model = parsePathId(req.path.slice('/api/v1/models/'.length, -'/endpoints'.length));
		const view = endpointsView(readSnapshot(tools, res).snapshot, model);
		if (view === null) {
			// Their shape of an error, for their SDK reads it.
			res.status(404);
			sendDocument(req, res, jsonDocument({ error: { code: 404, message: `No endpoint is measured for ${quote(model)}` } }), 'no-store');
			return;
		}
		sendDocument(req, res, jsonDocument(view), feedCache);
	});

	app.get('/api/v1/providers', (req, res) => {
		sendFeed(tools, req, res, ({ documents }) => documents.made('providers', json, (snapshot) => JSON.stringify(providersView(snapshot))));
	});
}
