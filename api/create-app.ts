/** The HTTP face: routes over the current snapshot, errors as problem+json, the static site. */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import express, { type NextFunction, type Request, type RequestHandler, type Response } from 'express';
import type { ApiTools } from './api-tools.ts';
import { jsonDocument, sendDocument } from './document.ts';
import { answerHot } from './hot-answers.ts';
import { openapiDocument } from './openapi.ts';
import { policyHeaders } from './policy-headers.ts';
import { answerProblem, Problem, quote } from './problem.ts';
import { addAdminRoutes } from './routes/admin.ts';
import { addBadgeRoutes } from './routes/badge.ts';
import { addEventRoutes } from './routes/events.ts';
import { addFamilyRoutes } from './routes/family.ts';
import { addHealthRoutes } from './routes/health.ts';
import { addIncidentRoutes } from './routes/incidents.ts';
import { addObservationRoutes } from './routes/observations.ts';
import { addProcessRoutes } from './routes/process.ts';
import { addRouteRoutes } from './routes/route.ts';
import { addSiteRoutes, sendNotFoundPage } from './routes/site.ts';
import { addTargetRoutes } from './routes/targets.ts';

export type { ApiTools } from './api-tools.ts';

function setHeaders(headers: readonly (readonly [string, string])[]): RequestHandler {
	return (_req, res, next) => {
		for (const [name, value] of headers) res.setHeader(name, value);
		next();
	};
}

function answerPreflight(req: Request, res: Response, next: NextFunction): void {
	if (req.method === 'OPTIONS') {
		res.setHeader('Access-Control-Allow-Methods', 'GET, HEAD');
		res.setHeader('Access-Control-Allow-Headers', 'If-None-Match, Content-Type');
		res.setHeader('Access-Control-Max-Age', '86400');
		res.status(204).end();
		return;
	}
	next();
}

const apiPath = /^\/(v1|check|badge|api|livez|readyz|metrics|openapi\.json|history\.|feed\.)(\/|$|[^a-z])/;

/** Only reads from here on: no body is ever read. */
function allowOnlyReads(req: Request, res: Response, next: NextFunction): void {
	if (req.method === 'GET' || req.method === 'HEAD') {
		next();
		return;
	}
	res.setHeader('Allow', 'GET, HEAD, OPTIONS');
	throw new Problem(405, 'method-not-allowed', `Expected GET or HEAD, got ${quote(req.method)}`);
}

/** What `serve` takes. */
export interface App extends RequestListener {
	/** Ends the streams of events, which never end by themselves; their readers resume elsewhere. */
	endStreams(): void;
}

export function createApp(tools: ApiTools): App {
	const app = express();
	app.disable('x-powered-by');
	app.set('etag', false);
	app.set('query parser', false);
	app.use(setHeaders(policyHeaders), answerPreflight);
	addObservationRoutes(app, tools);
	addAdminRoutes(app, tools);
	app.use(allowOnlyReads);

	addHealthRoutes(app, tools);
	const endStreams = addEventRoutes(app, tools);
	addRouteRoutes(app, tools);
	addTargetRoutes(app, tools);
	addIncidentRoutes(app, tools);
	addProcessRoutes(app, tools);
	addBadgeRoutes(app, tools);
	addFamilyRoutes(app, tools);
	const openapi = jsonDocument(openapiDocument(tools.version, tools.signer?.publicKey ?? null));
	app.get('/openapi.json', (req, res) => sendDocument(req, res, openapi, 'public, max-age=300'));
	app.use((req: Request, _res: Response, next: NextFunction) => {
		if (apiPath.test(req.path)) throw new Problem(404, 'unknown-route', `Expected a route of /openapi.json, got ${quote(req.path)}`);
		next();
	});
	addSiteRoutes(app, tools);
	app.use(sendNotFoundPage);
	app.use(answerProblem(tools.log));
	return Object.assign(
		(req: IncomingMessage, res: ServerResponse) => {
			if (!answerHot(tools, req, res)) app(req, res);
		},
		{ endStreams },
	);
}
