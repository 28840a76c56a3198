/** What routers report of their real traffic. */
import type { Express } from 'express';
import { type ApiTools, readRecord } from '#api/api-tools.ts';
import { guardAdmin } from '#api/guard-admin.ts';
import { parseObservations } from '#api/observations.ts';
import { parseQuery } from '#api/parse-query.ts';
import { Problem } from '#api/problem.ts';
import { readBody } from '#api/read-body.ts';

const maxBytes = 1_048_576;

export function addObservationRoutes(app: Express, tools: ApiTools): void {
	app.post('/v1/observations', guardAdmin(tools), async (req, res) => {
		parseQuery(req, []);
		const { observations } = tools;
		if (observations === undefined) throw new Problem(404, 'unknown-route', 'This server takes no reports');
		const { type, text } = await readBody(req, ['application/json', 'application/x-ndjson'], maxBytes);
		const reports = parseObservations(type, text, tools.now());
		const { accepted, duplicates, unknownTargets } = await readRecord(tools, 'observations', () => observations.record(reports));
		res.setHeader('Cache-Control', 'no-store');
		res.json({ schema: 'linnet.recorded/1', accepted, duplicates, unknownTargets: unknownTargets.slice(0, 20) });
	});
}
