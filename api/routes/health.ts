/** What routers poll. Memory only. */

import type { Express } from 'express';
import { type ApiTools, readSnapshot, unknownTarget } from '#api/api-tools.ts';
import { sendFeed, sendVerdict } from '#api/hot-answers.ts';
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
		sendFeed(tools, req, res, ({ documents }) => documents.health(isWhole ? everything : filter));
	});

	app.get('/v1/verdicts', (req, res) => {
		parseQuery(req, []);
		sendFeed(tools, req, res, ({ documents }) => documents.verdicts());
	});

	app.get(/^\/check\/./, (req, res) => {
		parseQuery(req, []);
		const id = parsePathId(req.path.slice('/check/'.length));
		if (tools.snapshots.current() === null) {
			res.setHeader('Cache-Control', 'no-store');
			res.json({ id, route: true, state: 'unknown', reason: 'nothing has been measured yet', since: null, measuredAt: null, failOpen: true });
			return;
		}
		const view = readSnapshot(tools, res);
		const target = view.targetOf.get(id);
		if (target === undefined) throw unknownTarget(id);
		const { state, reason, since, measuredAt } = target;
		const failOpen = state === 'unknown';
		sendVerdict(view, req, res, routes[state] ? 200 : 503, { id, route: routes[state], state, reason, since, measuredAt, failOpen });
	});
}
