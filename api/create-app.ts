/** The HTTP face: routes over the current snapshot, errors as problem+json, the static site. */
import express, { type Express, type NextFunction, type Request, type RequestHandler, type Response } from 'express';
import helmet from 'helmet';
import type { ApiTools } from './api-tools.ts';
import { jsonDocument, sendDocument } from './document.ts';
import { openapiDocument } from './openapi.ts';
import { answerProblem, Problem, quote } from './problem.ts';
import { addBadgeRoutes } from './routes/badge.ts';
import { addEventRoutes } from './routes/events.ts';
import { addFamilyRoutes } from './routes/family.ts';
import { addHealthRoutes } from './routes/health.ts';
import { addIncidentRoutes } from './routes/incidents.ts';
import { addProcessRoutes } from './routes/process.ts';
import { addRouteRoutes } from './routes/route.ts';
import { addSiteRoutes, sendNotFoundPage } from './routes/site.ts';
import { addTargetRoutes } from './routes/targets.ts';

export type { ApiTools } from './api-tools.ts';

const policy = helmet({
	contentSecurityPolicy: {
		useDefaults: false,
		directives: {
			defaultSrc: ["'none'"],
			scriptSrc: ["'self'"],
			styleSrc: ["'self'"],
			imgSrc: ["'self'", 'data:'],
			connectSrc: ["'self'"],
			baseUri: ["'none'"],
			formAction: ["'none'"],
			frameAncestors: ["'none'"],
		},
	},
	// Badges and feeds are meant to be embedded elsewhere.
	crossOriginResourcePolicy: { policy: 'cross-origin' },
	// Served as plain HTTP on loopback by default; whoever terminates TLS decides on HSTS.
	strictTransportSecurity: false,
});

/** The policy is the same for every answer, so helmet is asked once and not at every poll. */
function policyHeaders(): readonly (readonly [string, string])[] {
	const headers: (readonly [string, string])[] = [];
	const response = { setHeader: (name: string, value: string) => headers.push([name, value]), removeHeader() {} };
	policy({} as Request, response as unknown as Response, (error?: unknown) => {
		if (error !== undefined) throw new Error('Expected helmet to give its headers', { cause: error });
	});
	return headers;
}

function setHeaders(headers: readonly (readonly [string, string])[]): RequestHandler {
	return (_req, res, next) => {
		for (const [name, value] of headers) res.setHeader(name, value);
		next();
	};
}

const exposed = 'ETag, Linnet-Snapshot, Linnet-Generated-At, Linnet-Stale-After, Linnet-Revision, Linnet-Simulated, Retry-After';

function allowEveryOrigin(req: Request, res: Response, next: NextFunction): void {
	res.setHeader('Access-Control-Allow-Origin', '*');
	res.setHeader('Access-Control-Expose-Headers', exposed);
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

/** Only reads: nothing here takes a body, so none is ever read. */
function allowOnlyReads(req: Request, res: Response, next: NextFunction): void {
	if (req.method === 'GET' || req.method === 'HEAD') {
		next();
		return;
	}
	res.setHeader('Allow', 'GET, HEAD, OPTIONS');
	throw new Problem(405, 'method-not-allowed', `Expected GET or HEAD, got ${quote(req.method)}`);
}

export function createApp(tools: ApiTools): Express {
	const app = express();
	app.disable('x-powered-by');
	app.set('etag', false);
	app.set('query parser', false);
	app.use(setHeaders(policyHeaders()), allowEveryOrigin, allowOnlyReads);

	addHealthRoutes(app, tools);
	addEventRoutes(app, tools);
	addRouteRoutes(app, tools);
	addTargetRoutes(app, tools);
	addIncidentRoutes(app, tools);
	addProcessRoutes(app, tools);
	addBadgeRoutes(app, tools);
	addFamilyRoutes(app, tools);
	const openapi = jsonDocument(openapiDocument(tools.version));
	app.get('/openapi.json', (req, res) => sendDocument(req, res, openapi, 'public, max-age=300'));
	app.use((req: Request, _res: Response, next: NextFunction) => {
		if (apiPath.test(req.path)) throw new Problem(404, 'unknown-route', `Expected a route of /openapi.json, got ${quote(req.path)}`);
		next();
	});
	addSiteRoutes(app, tools);
	app.use(sendNotFoundPage);
	app.use(answerProblem(tools.log));
	return app;
}
