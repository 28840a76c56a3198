/** What routers poll. Memory only. */

import type { Express } from 'express';
import { type ApiTools, feedCache, readSnapshot, unknownTarget } from '#api/api-tools.ts';
import { sendDocument } from '#api/document.ts';
import { oneOf, parsePathId, parseQuery } from '#api/parse-query.ts';
import { everything } from '#api/public-views.ts';
import { type State, states } from '#core/state.ts';
import { operations } from '#core/target.ts';

/** Only a confirmed outage turns a router away. A partial one is failing from a minority of vantages, and what we don't know is no reason: both leave it free. */
const routes = {
	operational: true,
	degraded_performance: true,
	partial_outage: true,
	major_outage: false,
	under_maintenance: true,
	unknown: true,
} as const satisfies Record<State, boolean>;

const split = (values: readonly string[]) => [...new Set(values.flatMap((value) => value.split(',')))].filter((value) => value !== '').sort();

export function addHealthRoutes(app: Express, tools: ApiTools): void {
	app.get('/v1/health', (req, res) => {
		const query = parseQuery(req, ['provider', 'model', 'operation', 'state']);
		const filter = {
			provider: split(query.provider),
			// A model's name may hold a comma.
			model: [...new Set(query.model)].sort(),
			operation: split(query.operation).map((value) => oneOf('operation', value, operations)),
			state: split(query.state).map((value) => oneOf('state', value, states)),
		};
		const isWhole = Object.values(filter).every((values) => values.length === 0);
		const { documents } = readSnapshot(tools, res);
		sendDocument(req, res, documents.health(isWhole ? everything : filter), feedCache);
	});

	app.get('/v1/verdicts', (req, res) => {
		parseQuery(req, []);
		sendDocument(req, res, readSnapshot(tools, res).documents.verdicts(), feedCache);
	});

	app.get(/^\/check\/./, (req, res) => {
		parseQuery(req, []);
		const id = parsePathId(req.path.slice('/check/'.length));
		// Not conditional, so it needs no ETag.
		const send = (status: 200 | 503, body: object) => {
			const text = JSON.stringify({ id, ...body });
			res.writeHead(status, { 'Content-Type': 'application/json; charset=utf-8', 'Cache-Control': 'no-store', 'Content-Length': Buffer.byteLength(text) });
			res.end(req.method === 'HEAD' ? undefined : text);
		};
		if (tools.snapshots.current() === null) {
			send(200, { route: true, state: 'unknown', reason: 'nothing has been measured yet', since: null, measuredAt: null, failOpen: true });
			return;
		}
		const target = readSnapshot(tools, res).targetOf.get(id);
		if (target === undefined) throw unknownTarget(id);
		const { state, reason, since, measuredAt } = target;
		const failOpen = state === 'unknown';
		send(routes[state] ? 200 : 503, { route: routes[state], state, reason, since, measuredAt, failOpen });
	});
}
