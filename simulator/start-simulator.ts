import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { parseJson } from '#core/error-body.ts';
import type { Operation } from '#core/target.ts';
import { simDialects } from './dialects/index.ts';
import type { ErrorKind, Fault, FaultMode } from './faults.ts';
import { createRandom, type Fleet, type SimModel, type SimProvider } from './fleet.ts';
import { playRaw, playScript } from './play-script.ts';
import { answerTokens, scriptAnswer } from './script-answer.ts';
import type { SimDialect, SimError } from './sim-dialect.ts';

export interface SimulatorOptions {
	readonly host?: string;
	/** 0 (default): any free port. */
	readonly port?: number;
	readonly fleet: Fleet;
	/** Asked at every request; a fault set by hand goes before it. */
	readonly faultAt?: (provider: string, model: string, operation: Operation) => Fault | null;
	readonly seed?: number;
	/** Key by provider; a provider without one takes any key. */
	readonly apiKeys?: Readonly<Record<string, string>>;
	/** Body of a provider's official page, `/{provider}/status/api/v2/incidents.json`; null: it has none. */
	readonly statusPage?: (provider: string) => object | null;
	/** 1 (default) = as slow as the models are; 0 = at once. */
	readonly timeScale?: number;
	/** PEM; with it the simulator speaks HTTPS. */
	readonly tls?: { readonly key: string; readonly cert: string };
	/** How many requests are remembered, default 1,000. */
	readonly longestLog?: number;
	/** ms since epoch; for `created` fields and the log only. */
	readonly now?: () => number;
}

export interface RequestNote {
	readonly provider: string;
	readonly model: string | null;
	readonly path: string;
	readonly mode: FaultMode | null;
	/** Header names as they came, lower case. */
	readonly headerNames: readonly string[];
	readonly body: string;
	/** Of the answer to an ask, as its headers tell it; null: nothing was asked of a model. */
	readonly requestId: string | null;
	/** When it was read, ms since epoch. */
	readonly at: number;
}

export interface Simulator {
	readonly url: string;
	readonly port: number;
	/** The newest, oldest first. */
	readonly requestLog: readonly RequestNote[];
	/** How many connections were accepted. */
	connectionCount(): number;
	/** Base URL of a provider, ready for a target. */
	baseUrl(providerId: string): string;
	/** Null model: all of the provider's. Null fault: well again, also against `faultAt`'s wish only until cleared by `undefined`. */
	setFault(providerId: string, model: string | null, fault: Fault | null | undefined): void;
	close(): Promise<void>;
}

const statusPagePath = '/status/api/v2/incidents.json';
const longestRequestBytes = 1_000_000;

/** Where a provider's paths begin. */
export function simulatedBaseUrl(simulatorUrl: string, provider: SimProvider): string {
	return `${simulatorUrl}/${provider.id}${dialectOf(provider).basePath}`;
}

function dialectOf(provider: SimProvider): SimDialect {
	const dialect = simDialects[provider.dialect];
	if (dialect === undefined) throw new Error(`Expected a simulated dialect of ${Object.keys(simDialects).join(', ')}, got \`${provider.dialect}\``);
	return dialect;
}

/** Starts a fleet of providers on one loopback port: `/{provider}/…` speaks that provider's protocol. */
export async function startSimulator(options: SimulatorOptions): Promise<Simulator> {
	const { host = '127.0.0.1', port = 0, fleet, seed = 1, timeScale = 1, longestLog = 1_000, now = Date.now } = options;
	const random = createRandom(seed);
	const providers = new Map(fleet.providers.map((provider) => [provider.id, provider]));
	const byHand = new Map<string, Fault | null>();
	const requestLog: RequestNote[] = [];
	let connections = 0;
	let served = 0;

	const faultFor = (provider: string, model: SimModel): Fault | null => {
		for (const key of [`${provider}\n${model.model}`, `${provider}\n`]) {
			const fault = byHand.get(key);
			if (fault !== undefined) return settle(fault);
		}
		return settle(options.faultAt?.(provider, model.model, model.operation) ?? null);
	};
	const settle = (fault: Fault | null): Fault | null => (fault?.mode === 'flapping' ? (random() < fault.ratio ? settle(fault.fault) : null) : fault);

	const handle = (req: IncomingMessage, res: ServerResponse, body: string) => {
		const [path = '', query = ''] = (req.url ?? '').split('?', 2);
		const [, providerId = '', ...rest] = path.split('/');
		const provider = providers.get(providerId);
		const note = (model: string | null, mode: FaultMode | null, requestId: string | null = null) => {
			requestLog.push({ provider: providerId, model, path: req.url ?? '', mode, headerNames: Object.keys(req.headers), body, requestId, at: now() });
			if (requestLog.length > longestLog) requestLog.shift();
		};
		if (provider === undefined) {
			note(null, null);
			return sendJson(res, 404, {}, { error: { message: 'no such simulated provider' } });
		}
		const dialect = dialectOf(provider);
		const local = `/${rest.join('/')}`;
		if (req.method === 'GET' && local === statusPagePath) {
			note(null, null);
			const page = options.statusPage?.(providerId) ?? null;
			return page === null ? sendJson(res, 404, {}, { error: 'no page' }) : sendJson(res, 200, {}, page);
		}
		const inner = local.startsWith(dialect.basePath) ? local.slice(dialect.basePath.length) : '';
		const key = dialect.presentedKey(req.headers);
		const wanted = options.apiKeys?.[providerId];
		const authorized = key !== null && (wanted === undefined || wanted === key);
		const sendError = (kind: ErrorKind) => {
			const error = dialect.error(kind, key) ?? dialect.error('server_error', key);
			if (error !== null) sendJson(res, error.status, error.headers, error.body);
		};
		if (req.method === 'GET' && dialect.listingPath !== null && local === (dialect.listingBasePath ?? dialect.basePath) + dialect.listingPath) {
			note(null, null);
			if (!authorized) return sendError('auth_failed');
			const listed = provider.models.filter((model) => faultFor(providerId, model)?.mode !== 'model_removed');
			return sendJson(res, 200, {}, dialect.listModels(listed.map(({ upstreamModel }) => upstreamModel)));
		}
		const modelInPath = req.method === 'POST' ? dialect.matchAsk(inner) : null;
		if (modelInPath === null) {
			note(null, null);
			return sendError('model_not_found');
		}
		const ask = dialect.readAsk(parseJson(body), modelInPath);
		const model = ask === null ? undefined : provider.models.find(({ upstreamModel }) => upstreamModel === ask.upstreamModel);
		const fault = model === undefined ? null : faultFor(providerId, model);
		const id = `sim-${seed}-${++served}`;
		note(model?.model ?? null, fault?.mode ?? null, `req_${id}`);
		// An error's own id, where its dialect has one, goes before.
		if (fault !== null) res.setHeader('x-request-id', `req_${id}`);
		if (!authorized) return sendError('auth_failed');
		if (ask === null) return sendError('bad_request');
		if (model === undefined || fault?.mode === 'model_removed') return sendError('model_not_found');
		const wholeAnswer = () => {
			const text = answerTokens(ask).join('');
			const tokens = answerTokens(ask).length;
			return dialect.whole(
				{
					id,
					servedModel: ask.upstreamModel,
					includeUsage: true,
					inputTokens: 9,
					outputTokens: tokens,
					reasoningTokens: 0,
					created: Math.floor(now() / 1_000),
				},
				text,
			);
		};
		if (fault !== null && respondAtOnce(res, dialect, fault, key, query, wholeAnswer, sendError)) return;
		const errorInside: SimError | null =
			fault?.mode === 'in_band_error' ? dialect.error(fault.error, key) : fault?.mode === 'error_then_done' ? dialect.error('server_error', key) : null;
		playScript(res, scriptAnswer({ dialect, model, ask, fault, random, id, createdAtMs: now(), timeScale, inBandError: errorInside }));
	};

	const listener = (req: IncomingMessage, res: ServerResponse) => {
		const chunks: Buffer[] = [];
		let bytes = 0;
		req.on('data', (chunk: Buffer) => {
			bytes += chunk.length;
			if (bytes > longestRequestBytes) req.destroy();
			else chunks.push(chunk);
		});
		req.on('error', () => res.destroy());
		res.on('error', () => res.destroy());
		req.on('end', () => handle(req, res, Buffer.concat(chunks).toString('utf8')));
	};
	const server: Server = options.tls === undefined ? createServer(listener) : createTlsServer(options.tls, listener);
	server.on('connection', (socket: Socket) => {
		connections++;
		socket.setNoDelay(true);
		// Clients that leave in mid-stream are what this server is for.
		socket.on('error', () => socket.destroy());
	});
	await new Promise<void>((resolve, reject) => {
		server.once('error', reject).listen(port, host, resolve);
	});
	const { port: boundPort } = server.address() as AddressInfo;
	const url = `${options.tls === undefined ? 'http' : 'https'}://${host.includes(':') ? `[${host}]` : host}:${boundPort}`;
	return {
		url,
		port: boundPort,
		requestLog,
		connectionCount: () => connections,
		baseUrl(providerId) {
			const provider = providers.get(providerId);
			if (provider === undefined) throw new Error(`Expected a provider of the fleet, got \`${providerId}\``);
			return simulatedBaseUrl(url, provider);
		},
		setFault(providerId, model, fault) {
			const mapKey = `${providerId}\n${model ?? ''}`;
			if (fault === undefined) byHand.delete(mapKey);
			else byHand.set(mapKey, fault);
		},
		close: () =>
			new Promise((resolve) => {
				server.close(() => resolve());
				server.closeAllConnections();
			}),
	};
}

function sendJson(res: ServerResponse, status: number, headers: Readonly<Record<string, string>>, body: object): void {
	res.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}

const challengePage = '<!DOCTYPE html><html><head><title>Just a moment...</title></head><body>Checking your browser</body></html>';
const errorPage = (status: number) => `<html><head><title>${status} Bad Gateway</title></head><body><center>nginx</center></body></html>`;

/** Faults that need no score. False: the answer is still to be played. */
function respondAtOnce(
	res: ServerResponse,
	dialect: SimDialect,
	fault: Fault,
	key: string | null,
	query: string,
	wholeAnswer: () => object,
	sendError: (kind: ErrorKind) => void,
): boolean {
	const { socket } = res;
	if (socket === null) return true;
	switch (fault.mode) {
		case 'no_headers':
			return true;
		case 'reset_before_headers':
			socket.resetAndDestroy();
			return true;
		case 'fin_before_headers':
			socket.end();
			return true;
		case 'http_error': {
			if (fault.retryAfter !== undefined) res.setHeader('retry-after', fault.retryAfter);
			sendError(fault.error);
			return true;
		}
		case 'http_status':
			res.writeHead(fault.status, { 'content-type': fault.contentType }).end(fault.body);
			return true;
		case 'http200_error_json': {
			const error = dialect.error(fault.error, key) ?? dialect.error('server_error', key);
			sendJson(res, 200, {}, error?.body ?? {});
			return true;
		}
		case 'html_page':
			res
				.writeHead(fault.status, {
					'content-type': 'text/html; charset=UTF-8',
					...(fault.challenge ? { server: 'cloudflare', 'cf-mitigated': 'challenge' } : {}),
				})
				.end(fault.challenge ? challengePage : errorPage(fault.status));
			return true;
		case 'redirect':
			res.writeHead(302, { location: `${res.req.url ?? '/'}${query === '' ? '?' : '&'}again=1` }).end();
			return true;
		case 'queued_202':
			sendJson(res, 202, { 'nvcf-reqid': 'sim' }, {});
			return true;
		case 'not_streamed':
			sendJson(res, 200, {}, wholeAnswer());
			return true;
		case 'not_http':
		case 'bad_chunk':
		case 'upgrade':
		case 'header_flood':
			playRaw(socket, fault.mode);
			return true;
		default:
			return false;
	}
}
