/** HTTP/2 as an option: the marks are as true as over HTTP/1.1, and a stream that is cut never counts as ended. */
import { constants, createSecureServer, type Http2SecureServer, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Canary, Target } from '#core/target.ts';
import { startSimulator } from '#simulator/start-simulator.ts';
import { makeCertificate } from '#test/certificate.ts';
import { patient, probeOnce, simProvider, targetOf } from './probe-setup.ts';

const day = 86_400_000;
const certificate = makeCertificate({ names: ['127.0.0.1'], notBefore: Date.now() - day, notAfter: Date.now() + day });
const canary: Canary = { name: 'mine', type: 'custom', prompt: 'Say yes.', expect: { text: 'yes, yes' } };
const network = { ca: certificate.cert };

let server: Http2SecureServer;
let answer: (stream: ServerHttp2Stream) => void = () => {};
let asked: { headers: Record<string, unknown>; body: string }[] = [];
const sessions = new Set<ServerHttp2Session>();

beforeAll(async () => {
	server = createSecureServer({ ...certificate, allowHTTP1: false });
	server.on('session', (session) => {
		sessions.add(session);
		session.on('error', () => {}).on('close', () => sessions.delete(session));
	});
	server.on('sessionError', () => {});
	server.on('stream', (stream, headers) => {
		stream.on('error', () => {});
		let body = '';
		stream.on('data', (chunk) => {
			body += chunk;
		});
		stream.on('end', () => {
			asked.push({ headers: { ...headers }, body });
			answer(stream);
		});
	});
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterEach(() => {
	asked = [];
});
afterAll(() => {
	for (const session of sessions) session.destroy();
	server.close();
});

const target = (change: Partial<Target> = {}) =>
	targetOf('openai-chat', `https://127.0.0.1:${(server.address() as AddressInfo).port}/v1`, { http2: true, ...change });
const probe = (change: Partial<Target> = {}) => probeOnce(target(change), { network }, { canary });
const event = (delta: object, finish: string | null = null) => `data: ${JSON.stringify({ choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;
const open = (stream: ServerHttp2Stream) => stream.respond({ ':status': 200, 'content-type': 'text/event-stream', 'x-request-id': 'req-2' });
const say = (stream: ServerHttp2Stream, ...events: string[]) => new Promise<void>((resolve) => stream.write(events.join(''), () => resolve()));

describe('a good answer', () => {
	test('has every mark, and says that it came over HTTP/2', async () => {
		answer = async (stream) => {
			open(stream);
			await say(stream, event({ role: 'assistant', content: '' }));
			await say(stream, event({ content: 'yes,' }));
			setTimeout(() => stream.end(`${event({ content: ' yes' })}${event({}, 'stop')}data: [DONE]\n\n`), 20);
		};
		const result = await probe();
		expect(result).toMatchObject({ outcome: 'ok', sli: 'good', httpStatus: 200, requestId: 'req-2', evidence: { protocol: 'h2' } });
		const { connectMs, tlsMs, ttfbMs, ttftMs, maxGapMs, totalMs } = result;
		for (const mark of [connectMs, tlsMs, ttfbMs]) expect(mark).toBeGreaterThan(0);
		expect(ttftMs).toBeGreaterThanOrEqual(ttfbMs ?? Number.POSITIVE_INFINITY);
		// Timers may fire a fraction of a millisecond early.
		expect(maxGapMs).toBeGreaterThan(18);
		expect(totalMs).toBeGreaterThan((connectMs ?? 0) + (tlsMs ?? 0) + (ttftMs ?? 0) + (maxGapMs ?? 0) - 1);
	});

	test('is asked for in the words of HTTP/2, with the same body', async () => {
		answer = (stream) => {
			open(stream);
			stream.end(`${event({ content: 'yes, yes' }, 'stop')}data: [DONE]\n\n`);
		};
		await probe();
		expect(asked[0]?.headers).toMatchObject({ ':method': 'POST', ':path': '/v1/chat/completions', accept: 'text/event-stream', 'accept-encoding': 'identity' });
		expect(JSON.parse(asked[0]?.body ?? '')).toMatchObject({ model: 'aurora-mini-2', stream: true });
	});

	test('that is reset after its terminator is still whole', async () => {
		answer = async (stream) => {
			open(stream);
			await say(stream, `${event({ content: 'yes, yes' }, 'stop')}data: [DONE]\n\n`);
			stream.close(constants.NGHTTP2_INTERNAL_ERROR);
		};
		expect(await probe()).toMatchObject({ outcome: 'ok' });
	});
});

const begin = async (stream: ServerHttp2Stream) => {
	open(stream);
	await say(stream, event({ content: 'yes,' }));
};
/** The last bytes are given time to be read: a reset overtakes what waits to be sent. */
const afterWords = (act: (stream: ServerHttp2Stream) => void) => async (stream: ServerHttp2Stream) => {
	await begin(stream);
	setTimeout(() => act(stream), 30);
};

test.each<[string, (stream: ServerHttp2Stream) => void, string, string]>([
	['reset in mid-body', afterWords((s) => s.destroy(new Error('reset'))), 'stream_truncated', 'stream'],
	// Node's server ends the body before it says why it gives up.
	['closed with INTERNAL_ERROR in mid-body', afterWords((s) => s.close(constants.NGHTTP2_INTERNAL_ERROR)), 'stream_truncated', 'end'],
	['closed with CANCEL in mid-body', afterWords((s) => s.close(constants.NGHTTP2_CANCEL)), 'stream_truncated', 'end'],
	['ended before its terminator', afterWords((s) => s.end()), 'stream_truncated', 'end'],
	['whose session goes away', afterWords((s) => s.session?.destroy(undefined, constants.NGHTTP2_INTERNAL_ERROR)), 'stream_truncated', 'stream'],
	['whose connection is closed', afterWords((s) => s.session?.socket.destroySoon()), 'stream_truncated', 'stream'],
	['reset before its headers', (s) => s.close(constants.NGHTTP2_INTERNAL_ERROR), 'server_error', 'headers'],
	['refused', (s) => s.close(constants.NGHTTP2_REFUSED_STREAM), 'server_error', 'headers'],
	['whose session ends before its headers', (s) => s.session?.destroy(), 'server_error', 'headers'],
	[
		'that ends with an empty body',
		(s) => s.respond({ ':status': 200, 'content-type': 'text/event-stream' }, { endStream: true }),
		'stream_truncated',
		'first_event',
	],
	[
		'with too many headers',
		(s) => s.respond({ ':status': 200, ...Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`x-${i}`, 'y'.repeat(90)])) }),
		'invalid_response',
		'headers',
	],
	['that is an error page', (s) => s.respond({ ':status': 503, 'content-type': 'text/html' }) ?? s.end('<html>busy</html>'), 'server_error', 'headers'],
	['that never ends', (s) => flood(s), 'invalid_response', 'stream'],
])('a stream %s', async (_what, act, outcome, phase) => {
	answer = act;
	expect(await probe()).toMatchObject({ outcome, phase, evidence: { protocol: 'h2' } });
});

function flood(stream: ServerHttp2Stream): void {
	open(stream);
	const more = () => {
		while (!stream.destroyed && stream.write(event({ content: 'yes ' }).repeat(200)));
		if (!stream.destroyed) stream.once('drain', more);
	};
	more();
}

test('a stall after the first words is seen at its own deadline', async () => {
	answer = begin;
	expect(await probe({ timeouts: { ...patient, stallMs: 400 } })).toMatchObject({ outcome: 'stream_stalled', phase: 'stream' });
});

test('silence before the headers is seen at its own deadline', async () => {
	answer = () => {};
	expect(await probe({ timeouts: { ...patient, firstTokenMs: 400 } })).toMatchObject({ outcome: 'first_token_timeout', phase: 'headers' });
});

test('an endpoint that speaks only HTTP/1.1 is read over HTTP/1.1', async () => {
	const secure = await startSimulator({ fleet: { providers: [simProvider('sim', 'openai-chat')] }, tls: certificate });
	const result = await probeOnce(targetOf('openai-chat', secure.baseUrl('sim'), { http2: true }), { network });
	await secure.close();
	expect(result).toMatchObject({ outcome: 'ok' });
	expect(result.evidence?.protocol).toBeUndefined();
});

test('an endpoint that speaks only HTTP/2 is not ours to ask without the option', async () => {
	const plain = { ...target() };
	delete (plain as { http2?: true }).http2;
	expect(await probeOnce(plain, { network }, { canary })).toMatchObject({ outcome: expect.stringMatching(/^(?:tls_failed|invalid_response|server_error)$/) });
});
