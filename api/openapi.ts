/** The OpenAPI 3.1 document, from the schemas that the tests hold the answers against. */
import { z } from 'zod';
import { outcomes } from '#core/outcome.ts';
import { states } from '#core/state.ts';
import { operations } from '#core/target.ts';
import { observationSchema } from './observations.ts';
import { routeFormats } from './route-export.ts';
import { adminRoutes } from './routes/admin.ts';
import {
	checkSchema,
	drillSchema,
	foreignSchema,
	healthSchema,
	keySchema,
	livezSchema,
	problemSchema,
	readyzSchema,
	recordedSchema,
	resultsSchema,
	routeSchema,
	seriesSchema,
	shieldSchema,
	targetSchema,
	targetsSchema,
	uptimeSchema,
	verdictsSchema,
} from './schema.ts';
import { incidentSchema, incidentsSchema, officialSchema, slosSchema } from './schema-incidents.ts';
import { statuspageNames } from './statuspage-views.ts';
import { definitionNames } from './uptime-view.ts';

const components = {
	Health: healthSchema,
	Verdicts: verdictsSchema,
	Check: checkSchema,
	Targets: targetsSchema,
	Target: targetSchema,
	Series: seriesSchema,
	Results: resultsSchema,
	Incidents: incidentsSchema,
	Incident: incidentSchema,
	Official: officialSchema,
	Slos: slosSchema,
	Problem: problemSchema,
	Livez: livezSchema,
	Readyz: readyzSchema,
	Shield: shieldSchema,
	Route: routeSchema,
	RouteAnswer: z.union([routeSchema, foreignSchema]),
	Uptime: uptimeSchema,
	Drill: drillSchema,
	Key: keySchema,
	Foreign: foreignSchema,
	Observation: observationSchema,
	Recorded: recordedSchema,
} as const;

interface Parameter {
	readonly name: string;
	readonly in: 'path' | 'query';
	readonly required?: boolean;
	readonly description: string;
	readonly schema: object;
}

const id: Parameter = { name: 'id', in: 'path', required: true, description: 'provider:model:operation; slashes raw or as %2F', schema: { type: 'string' } };
const part = (name: string, description: string): Parameter => ({ name, in: 'path', required: true, description, schema: { type: 'string' } });
const text = (name: string, description: string, schema: object = { type: 'string' }): Parameter => ({ name, in: 'query', description, schema });

interface Route {
	readonly summary: string;
	readonly answer: keyof typeof components | 'text';
	readonly type?: string;
	readonly parameters?: readonly Parameter[];
	/** Status → meaning, beside 200. */
	readonly others?: Readonly<Record<number, string>>;
	/** Statuses whose body is the answer, not a problem. */
	readonly sameBody?: readonly number[];
}

const routes: Readonly<Record<string, Route>> = {
	'/v1/health': {
		summary: 'The router feed: every target with its state, numbers and proof',
		answer: 'Health',
		parameters: [
			text('provider', 'one or several, by comma'),
			text('model', 'exact; repeat for several'),
			text('operation', 'one or several', { type: 'string', enum: operations }),
			text('state', 'one or several, by comma', { type: 'string', enum: states }),
		],
		others: { 304: 'unchanged', 400: 'unknown parameter or value', 503: 'nothing measured yet' },
	},
	'/v1/verdicts': {
		summary: 'The small feed: id → state, reason, since. Its ETag changes only when a verdict or an incident does; freshness is in the Linnet-… headers',
		answer: 'Verdicts',
		others: { 304: 'unchanged', 503: 'nothing measured yet' },
	},
	'/v1/health/events': {
		summary: 'Verdicts as server-sent events: `snapshot` once, then `delta` (null: the target is gone); resumes by Last-Event-ID',
		answer: 'text',
		type: 'text/event-stream',
	},
	'/check/{id}': {
		summary: 'For load balancers: 200 route, 503 do not. Fails open',
		answer: 'Check',
		parameters: [id],
		others: { 404: 'no such target', 503: 'a confirmed outage' },
		sameBody: [503],
	},
	'/v1/route': {
		summary: 'Candidates for a model in order, each with its reason; never empty because all are bad',
		answer: 'RouteAnswer',
		parameters: [
			{ ...text('model', 'canonical id, author/slug'), required: true },
			text('operation', 'default chat', { type: 'string', enum: operations }),
			text('order', 'providers to try first, by comma'),
			text('only', 'only these providers'),
			text('ignore', 'not these providers'),
			text('sort', '', { type: 'string', enum: ['price', 'throughput', 'latency'] }),
			text('max_price.prompt', 'USD per million tokens', { type: 'number' }),
			text('max_price.completion', 'USD per million tokens', { type: 'number' }),
			text('preferred_max_latency', 'seconds, of the median time to first token', { type: 'number' }),
			text('preferred_min_throughput', 'tokens a second', { type: 'number' }),
			text('format', 'the same order in the words of another router; default linnet', { type: 'string', enum: routeFormats }),
		],
		others: { 304: 'unchanged', 400: 'bad parameter', 404: 'no such model, or none fits' },
	},
	'/v1/uptime': {
		summary: 'The same record under each named definition',
		answer: 'Uptime',
		parameters: [text('definition', 'default linnet', { type: 'string', enum: definitionNames })],
		others: { 304: 'unchanged', 400: 'bad parameter' },
	},
	'/v1/targets': { summary: 'All targets', answer: 'Targets', others: { 304: 'unchanged' } },
	'/v1/targets/{id}': {
		summary: 'One target, with days and outcome mix',
		answer: 'Target',
		parameters: [id],
		others: { 304: 'unchanged', 404: 'no such target' },
	},
	'/v1/targets/{id}/series': {
		summary: 'Counts and latency over time',
		answer: 'Series',
		parameters: [
			id,
			text('from', 'ISO 8601, ms since epoch, or a duration back such as 24h'),
			text('to', 'likewise; default now'),
			text('step', 'default 5m', { type: 'string', enum: ['5m', '1h', '1d'] }),
		],
		others: { 400: 'bad parameter', 404: 'no such target', 503: 'the record is away' },
	},
	'/v1/targets/{id}/results': {
		summary: 'The raw evidence, newest first',
		answer: 'Results',
		parameters: [
			id,
			text('cursor', 'next of an earlier page'),
			text('limit', '1 to 500, default 50', { type: 'integer', minimum: 1, maximum: 500 }),
			text('outcome', 'only this code', { type: 'string', enum: outcomes }),
		],
		others: { 400: 'bad parameter', 404: 'no such target', 503: 'the record is away' },
	},
	'/v1/incidents': {
		summary: 'Incidents of the last 90 days, open ones first',
		answer: 'Incidents',
		parameters: [text('status', '', { type: 'string', enum: ['open', 'resolved'] }), text('limit', '1 to 200', { type: 'integer', minimum: 1, maximum: 200 })],
		others: { 304: 'unchanged', 400: 'bad parameter' },
	},
	'/v1/incidents/{id}': {
		summary: 'One incident with timeline and evidence',
		answer: 'Incident',
		parameters: [{ ...id, description: 'id of the incident' }],
		others: { 404: 'no such incident', 503: 'the record is away' },
	},
	'/v1/slos': {
		summary: 'The objectives of this installation: error budget, burn rate, and which of their alerts fire',
		answer: 'Slos',
		others: { 304: 'unchanged' },
	},
	'/v1/official': {
		summary: 'What the providers’ own status pages said in the last 90 days, newest first; never evidence for a number or a verdict',
		answer: 'Official',
		parameters: [text('provider', 'only of these'), text('limit', '1 to 100', { type: 'integer', minimum: 1, maximum: 100 })],
		others: { 304: 'unchanged', 400: 'bad parameter' },
	},
	'/api/v1/models/{author}/{slug}/endpoints': {
		summary: 'OpenRouter’s shape: the endpoints of a model, best first; what is ours stands in `x_linnet`',
		answer: 'Foreign',
		parameters: [part('author', 'first part of the canonical id'), part('slug', 'the rest of it')],
		others: { 304: 'unchanged', 404: 'no such model' },
		sameBody: [404],
	},
	'/api/v1/providers': { summary: 'OpenRouter’s shape: the providers', answer: 'Foreign', others: { 304: 'unchanged' } },
	...Object.fromEntries(
		statuspageNames.map((name) => [`/api/v2/${name}.json`, { summary: `Statuspage v2: ${name}`, answer: 'Foreign', others: { 304: 'unchanged' } } as const]),
	),
	'/badge/{id}.svg': {
		summary: 'A badge of a target, provider, model, or "all"',
		answer: 'text',
		type: 'image/svg+xml',
		parameters: [id],
		others: { 404: 'no such id' },
	},
	'/badge/{id}.json': { summary: 'The same for shields.io', answer: 'Shield', parameters: [id], others: { 404: 'no such id' } },
	'/history.atom': { summary: 'Incidents as Atom', answer: 'text', type: 'application/atom+xml' },
	'/history.rss': { summary: 'Incidents as RSS', answer: 'text', type: 'application/rss+xml' },
	'/metrics': { summary: 'Prometheus metrics', answer: 'text', type: 'text/plain' },
	'/v1/key': {
		summary: 'The public key of Linnet-Signature: Ed25519 over `generatedAt LF staleAfter LF` and the bytes of the plain body',
		answer: 'Key',
		others: { 404: 'this server signs nothing' },
	},
	'/v1/drill': {
		summary: 'How well this software told scenarios of faults with known truths: delays, false alarms, right blame',
		answer: 'Drill',
		others: { 404: 'no drill is known' },
	},
	'/livez': { summary: 'The process runs', answer: 'Livez' },
	'/readyz': { summary: 'The process can serve', answer: 'Readyz', others: { 503: 'not ready' }, sameBody: [503] },
};

const headers = Object.fromEntries(
	['Linnet-Snapshot', 'Linnet-Generated-At', 'Linnet-Stale-After', 'Linnet-Revision', 'Linnet-Simulated', 'Linnet-Signature'].map((name) => [
		name,
		{ schema: { type: 'string' } },
	]),
);

function responsesOf(route: Route): object {
	const answer =
		route.answer === 'text'
			? { [route.type ?? 'text/plain']: { schema: { type: 'string' } } }
			: { 'application/json': { schema: { $ref: `#/components/schemas/${route.answer}` } } };
	const problem = { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } };
	const others = Object.entries(route.others ?? {}).map(([status, description]) => {
		if (status === '304') return [status, { description, headers }];
		return [status, { description, content: route.sameBody?.includes(Number(status)) === true ? answer : problem }];
	});
	return { '200': { description: route.summary, headers, content: answer }, ...Object.fromEntries(others) };
}

const problemBody = { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } };
const report = { $ref: '#/components/schemas/Observation' };

/** The one route that takes a body. */
const reportPath = {
	post: {
		operationId: 'postV1Observations',
		summary: 'Reports of a router on its real traffic, at most 1,000 and 1 MiB; all are stored or none. Sent again, they are stored once',
		security: [{ admin: [] }],
		requestBody: {
			required: true,
			content: {
				'application/json': { schema: { anyOf: [report, { type: 'array', items: report }] } },
				'application/x-ndjson': { schema: { type: 'string' } },
			},
		},
		responses: {
			'200': { description: 'stored', content: { 'application/json': { schema: { $ref: '#/components/schemas/Recorded' } } } },
			...Object.fromEntries(
				Object.entries({
					400: 'a report at fault, named by its place',
					401: 'wrong token',
					404: 'no token is configured: closed',
					413: 'too large',
					415: 'another type',
					429: 'too many requests or wrong tokens',
					503: 'the record is away',
				}).map(([status, description]) => [status, { description, content: problemBody }]),
			),
		},
	},
};

/** What on-call says and asks: small bodies, described in docs/alerts.md. */
const adminPaths = Object.fromEntries(
	[...Map.groupBy(adminRoutes, ({ path }) => path)].map(([path, own]) => [
		path.replace(':id', '{id}'),
		Object.fromEntries(
			own.map(({ method, summary }) => [
				method,
				{
					operationId: `${method}${path.replace(/[^A-Za-z0-9]+(.)?/g, (_, next: string | undefined) => (next ?? '').toUpperCase())}`,
					summary,
					security: [{ admin: [] }],
					parameters: path.includes(':id') ? [part('id', 'what it is about')] : [],
					...(method === 'post' ? { requestBody: { required: true, content: { 'application/json': { schema: { type: 'object' } } } } } : {}),
					responses: {
						'200': { description: summary, content: { 'application/json': { schema: { type: 'object' } } } },
						...Object.fromEntries(
							Object.entries({
								400: 'a body at fault',
								401: 'wrong token',
								404: 'no such subject, or closed: no token is configured',
								503: 'the record is away',
							}).map(([status, description]) => [status, { description, content: problemBody }]),
						),
					},
				},
			]),
		),
	]),
);

/** @param publicKey of the feeds, base64; null when they go unsigned */
export function openapiDocument(version: string, publicKey: string | null): object {
	const schemas = Object.entries(components).map(([name, schema]) => {
		const { $schema: _, ...body } = z.toJSONSchema(schema) as Record<string, unknown>;
		return [name, body];
	});
	const paths = Object.entries(routes).map(([path, route]) => {
		const operationId = `get${path.replace(/[^A-Za-z0-9]+(.)?/g, (_, next: string | undefined) => (next ?? '').toUpperCase())}`;
		return [path, { get: { operationId, summary: route.summary, parameters: route.parameters ?? [], responses: responsesOf(route) } }];
	});
	return {
		openapi: '3.1.0',
		info: {
			title: 'Linnet',
			version,
			description: 'Measured reliability of LLM providers. Null always means no data, never zero and never fine.',
			...(publicKey === null ? {} : { 'x-linnet-public-key': publicKey }),
		},
		paths: { ...Object.fromEntries(paths), '/v1/observations': reportPath, ...adminPaths },
		components: { schemas: Object.fromEntries(schemas), securitySchemes: { admin: { type: 'http', scheme: 'bearer' } } },
	};
}
