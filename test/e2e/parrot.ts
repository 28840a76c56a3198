/** Providers and receivers that repeat what they must not: a marker, in every place of an answer, in every way that a server writes it. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { simDialects } from '#simulator/dialects/index.ts';
import { encodeFrame } from '#simulator/script-answer.ts';
import type { Frame, SimAnswer, SimDialect } from '#simulator/sim-dialect.ts';

export interface Parrot {
	readonly url: string;
	/** Where it speaks a dialect. */
	baseUrl(dialect: string): string;
	/** Answers that it gave, by what was asked: `dialect model`, `listing`, `hook`. */
	readonly asked: ReadonlyMap<string, number>;
	close(): Promise<void>;
}

type Say = (res: ServerResponse, tools: { readonly dialect: SimDialect; readonly marker: string; readonly answer: SimAnswer }) => void;

const html = (marker: string) => `<html><title>${marker}</title><p>Key ${marker.replaceAll('/', '&#x2F;').replaceAll('=', '&#x3D;')} is wrong</html>`;
/** In any of the shapes that error bodies have. */
const errorBodies = (said: string): readonly object[] => [
	{
		error: {
			message: `Incorrect key: ${said}`,
			type: said,
			code: said,
			param: said,
			status: said,
			details: [{ reason: said, fieldViolations: [{ field: said }] }],
		},
	},
	{ error: said, code: said, type: said },
	{ errors: [{ message: said, type: said, code: said }] },
	{ detail: [{ loc: ['body', said], msg: said, type: said }] },
	{ message: `${'x'.repeat(280)}${said}`, __type: said, code: said },
	{ base_resp: { status_code: 1004, status_msg: said } },
	{ title: said, status: 403 },
];
const forms = (marker: string): readonly string[] => [
	marker,
	encodeURIComponent(marker),
	Buffer.from(marker).toString('base64'),
	Buffer.from(marker).toString('hex'),
	marker.toLowerCase(),
	marker.replaceAll('/', '\\/'),
];
let turn = 0;
const nextForm = (marker: string) => forms(marker)[turn++ % 6] ?? marker;
const nextBody = (marker: string) => errorBodies(nextForm(marker))[turn % 7] ?? {};

function headersOf(marker: string): Record<string, string> {
	const said = ['x-request-id', 'request-id', 'cf-ray', 'server', 'set-cookie', 'location', 'retry-after', 'sunset', 'deprecation', 'link', 'x-error-message'];
	const limits = ['limit', 'remaining', 'reset'].flatMap((what) => [`x-ratelimit-${what}-requests`, `anthropic-ratelimit-requests-${what}`]);
	return Object.fromEntries([...said, ...limits].map((name) => [name, nextForm(marker)]));
}

const send = (res: ServerResponse, status: number, type: string, marker: string, body: string) =>
	res.writeHead(status, marker, { 'content-type': type, ...headersOf(marker) }).end(body);
const error =
	(status: number): Say =>
	(res, { marker }) =>
		send(res, status, 'application/json', marker, JSON.stringify(nextBody(marker)));
const stream =
	(frames: (dialect: SimDialect, answer: SimAnswer, marker: string) => readonly Frame[]): Say =>
	(res, { dialect, answer, marker }) => {
		res.writeHead(200, marker, { 'content-type': dialect.contentType, ...headersOf(marker) });
		for (const frame of frames(dialect, answer, marker)) res.write(dialect.encode?.(frame) ?? encodeFrame(frame));
		res.end();
	};

/** Model → what it does. */
export const ways = {
	answers: stream((dialect, answer, marker) => [
		...dialect.opening(answer),
		dialect.content(answer, marker, 0),
		...dialect.closing(answer, 'stop'),
		...dialect.terminator(),
	]),
	'fails-inside': stream((dialect, answer, marker) => [
		...dialect.opening(answer),
		dialect.errorFrame({ status: 500, headers: {}, body: nextBody(marker) }),
		...dialect.terminator(),
	]),
	'ends-oddly': stream((dialect, answer, marker) => [
		...dialect.opening(answer),
		dialect.content(answer, 'a word', 0),
		...dialect.closing(answer, marker as 'stop'),
		...dialect.terminator(),
	]),
	'breaks-json': stream((_, __, marker) => [{ event: null, data: `{"id": "${marker}", ${marker}` }]),
	'speaks-html': (res, { marker }) => send(res, 200, 'text/html', marker, html(marker)),
	'errs-in-200': (res, { marker }) => send(res, 200, 'application/json', marker, JSON.stringify(nextBody(marker))),
	redirects: (res, { marker }) => send(res, 302, 'text/html', marker, html(marker)),
	'refuses-key': error(401),
	'refuses-request': error(400),
	'is-busy': error(429),
	'is-down': error(503),
	'is-no-http': (res, { marker }) => void res.socket?.end(`HTTP/1.1 200 OK\r\n${marker} ${marker}\r\n\r\n${marker}`),
} as const satisfies Record<string, Say>;

const startedAt = new Date().toISOString();
/** Official status pages: one in Statuspage's shape, one that is none. */
const pages: Readonly<Record<string, (marker: string) => string>> = {
	'status-page': (marker) =>
		JSON.stringify({
			incidents: forms(marker).flatMap((said, index) =>
				[`i${index}`, said].map((id) => ({
					...{
						id,
						name: `Key ${said} refused`,
						status: 'investigating',
						impact: 'major',
						started_at: startedAt,
						shortlink: `https://status.example.org/${said}`,
					},
					components: [{ name: said }],
					incident_updates: [{ status: said, body: `${'x'.repeat(1_990)} ${said}`, created_at: startedAt, affected_components: [{ name: said }] }],
				})),
			),
		}),
	'no-page': (marker) => `not a page: ${marker} ${marker}`,
};

export async function startParrot(marker: string): Promise<Parrot> {
	const asked = new Map<string, number>();
	const answer = (req: IncomingMessage, res: ServerResponse, body: string) => {
		const [, id = '', ...rest] = (req.url ?? '').split('/');
		const note = (what: string) => asked.set(what, (asked.get(what) ?? 0) + 1);
		const dialect = simDialects[id];
		const page = pages[id];
		if (page !== undefined) {
			note(id);
			return res.writeHead(200, { 'content-type': 'application/json', etag: nextForm(marker), 'last-modified': marker }).end(page(marker));
		}
		if (dialect === undefined) {
			note(id);
			return send(res, 500, 'text/plain', marker, `${req.url} ${JSON.stringify(req.headers)} ${marker}`);
		}
		const path = `/${rest.join('/')}`.replace(/\?.*$/, '').slice(dialect.basePath.length);
		if (req.method === 'GET') {
			note('listing');
			const names = [marker, `org/${marker}`, ...Object.keys(ways)];
			return res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(dialect.listModels(names)));
		}
		const model = dialect.readAsk(JSON.parse(body), dialect.matchAsk(path) ?? '')?.upstreamModel ?? '';
		note(`${id} ${model}`);
		const said: SimAnswer = {
			id: nextForm(marker),
			servedModel: nextForm(marker),
			includeUsage: true,
			inputTokens: 9,
			outputTokens: 3,
			reasoningTokens: 0,
			created: 1,
		};
		// A refused key ends the probes of all that have it: the others first.
		const heardAll = Object.keys(ways).every((way) => asked.has(`${id} ${way}`));
		const way = model === 'refuses-key' && !heardAll ? 'is-down' : model;
		ways[way as keyof typeof ways]?.(res, { dialect, marker, answer: said });
	};
	const server = createServer((req, res) => {
		let body = '';
		req.on('data', (chunk) => (body += chunk));
		req.on('end', () => answer(req, res, body));
	});
	server.on('connection', (socket) => socket.on('error', () => socket.destroy()));
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
	return {
		url,
		baseUrl: (dialect) => `${url}/${dialect}${simDialects[dialect]?.basePath}`,
		asked,
		close: () =>
			new Promise((resolve) => {
				server.close(() => resolve());
				server.closeAllConnections();
			}),
	};
}
