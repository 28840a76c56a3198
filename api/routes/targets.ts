/** One target, and its record. Only `/series` and `/results` read the database. */
import type { Express, Request, Response } from 'express';
import { type ApiTools, feedCache, readRecord, readSnapshot, unknownTarget } from '#api/api-tools.ts';
import { jsonDocument, sendDocument } from '#api/document.ts';
import type { SeriesPoint } from '#api/evidence.ts';
import { oneOf, parseCursor, parseInstant, parseLimit, parsePathId, parseQuery, single } from '#api/parse-query.ts';
import { Problem } from '#api/problem.ts';
import { resultView, targetView } from '#api/public-views.ts';
import { outcomes } from '#core/outcome.ts';
import { type RollupStep, rollupSteps } from '#core/rollup.ts';

const prefix = '/v1/targets/';
const steps = { '5m': 'five_minutes', '1h': 'hour', '1d': 'day' } as const satisfies Record<string, RollupStep>;
const stepNames = Object.keys(steps) as (keyof typeof steps)[];

/** Three days of five minutes, a month and more of hours: a chart can't show more, and a request can't ask for the whole record at once. */
const maxPoints = 1_000;

function knownTarget(tools: ApiTools, res: Response, path: string): string {
	const id = parsePathId(path);
	if (!readSnapshot(tools, res).targetOf.has(id)) throw unknownTarget(id);
	return id;
}

async function sendSeries(tools: ApiTools, req: Request, res: Response, path: string): Promise<void> {
	const query = parseQuery(req, ['from', 'to', 'step']);
	const id = knownTarget(tools, res, path);
	const now = tools.now();
	const step = oneOf('step', single('step', query.step) ?? '5m', stepNames);
	const toAt = parseInstant('to', query.to, now) ?? now;
	const fromAt = parseInstant('from', query.from, now) ?? toAt - 86_400_000 * { '5m': 1, '1h': 30, '1d': 365 }[step];
	if (!(fromAt < toAt)) throw new Problem(400, 'bad-parameter', 'Expected from to be before to');
	const count = (toAt - fromAt) / rollupSteps[steps[step]];
	if (count > maxPoints)
		throw new Problem(400, 'too-many-points', `Expected at most ${maxPoints} points, got ${Math.ceil(count)}: take a longer step or a shorter range`);
	const points = await readRecord(tools, 'series', () => tools.evidence.series(id, { fromAt, toAt, step: steps[step] }));
	const marks = await readRecord(tools, 'marks', () => tools.evidence.marks(id, { fromAt, toAt }));
	const iso = (at: number) => new Date(at).toISOString();
	const view = ({ at, ...point }: SeriesPoint) => ({ at: iso(at), ...point });
	const body = {
		schema: 'linnet.series/1',
		target: id,
		from: iso(fromAt),
		to: iso(toAt),
		step,
		points: points.map(view),
		marks: marks.map((mark) => ({ ...mark, at: iso(mark.at) })),
	};
	sendDocument(req, res, jsonDocument(body), 'public, max-age=15');
}

async function sendResults(tools: ApiTools, req: Request, res: Response, path: string): Promise<void> {
	const query = parseQuery(req, ['cursor', 'limit', 'outcome']);
	const id = knownTarget(tools, res, path);
	const outcome = single('outcome', query.outcome);
	const asked = {
		cursor: parseCursor(query.cursor),
		limit: parseLimit(query.limit, 50, 500),
		outcome: outcome === null ? null : oneOf('outcome', outcome, outcomes),
	};
	const page = await readRecord(tools, 'results', () => tools.evidence.results(id, asked));
	if (page === null) throw new Problem(400, 'bad-cursor', 'Expected a cursor from an earlier page of these results, got another');
	sendDocument(req, res, jsonDocument({ schema: 'linnet.results/1', target: id, results: page.results.map(resultView), next: page.next }), 'public, max-age=5');
}

export function addTargetRoutes(app: Express, tools: ApiTools): void {
	app.get('/v1/targets', (req, res) => {
		parseQuery(req, []);
		sendDocument(req, res, readSnapshot(tools, res).documents.targets(), feedCache);
	});

	// An id may hold raw slashes, so the path is cut by hand. An id ends with its operation, so the two endings are never part of one.
	app.get(/^\/v1\/targets\/./, async (req, res) => {
		const path = req.path.slice(prefix.length);
		if (path.endsWith('/series')) return sendSeries(tools, req, res, path.slice(0, -'/series'.length));
		if (path.endsWith('/results')) return sendResults(tools, req, res, path.slice(0, -'/results'.length));
		parseQuery(req, []);
		const id = parsePathId(path);
		const { snapshot, targetOf, documents } = readSnapshot(tools, res);
		const target = targetOf.get(id);
		if (target === undefined) throw unknownTarget(id);
		const observed = tools.observations?.of(id) ?? [];
		sendDocument(req, res, observed.length === 0 ? documents.target(target) : jsonDocument(targetView(snapshot, target, observed)), feedCache);
	});
}
