import { createSocket } from 'node:dgram';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Canary } from '#core/target.ts';
import type { Fault } from '#simulator/faults.ts';
import { type Simulator, startSimulator } from '#simulator/start-simulator.ts';
import { makeCertificate } from '#test/certificate.ts';
import type { LoopLag } from '#workers/probe/loop-lag.ts';
import type { ExchangeNote } from '#workers/probe/timed-request.ts';
import { patient, probeOnce, simModel, simProvider, targetOf, testKey } from './probe-setup.ts';

let simulator: Simulator;
const target = (change = {}) => targetOf('openai-chat', simulator.baseUrl('sim'), change);
const give = (fault: Fault | null) => simulator.setFault('sim', null, fault);

beforeAll(async () => {
	simulator = await startSimulator({
		fleet: { providers: [simProvider('sim', 'openai-chat'), simProvider('groq', 'openai-chat'), simProvider('claude', 'anthropic')] },
	});
});
afterAll(() => simulator.close());

/** A TCP server that does what it is told with each connection. */
async function listen(onConnection: (socket: Socket) => void): Promise<{ port: number; server: Server }> {
	const server = createServer((socket) => {
		socket.on('error', () => {});
		onConnection(socket);
	});
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	return { port: (server.address() as AddressInfo).port, server };
}

/** A port that nobody listens on. */
async function closedPort(): Promise<number> {
	const { port, server } = await listen(() => {});
	await new Promise((resolve) => server.close(resolve));
	return port;
}

describe('a good probe', () => {
	test('records every phase, the tokens, the price and who served', async () => {
		give(null);
		const result = await probeOnce(target(), {}, { slotAt: 123, kind: 'scheduled', vantage: 'fra' });
		expect(result).toMatchObject({
			slotAt: 123,
			kind: 'scheduled',
			vantage: 'fra',
			provider: 'sim',
			model: simModel.model,
			canary: 'echo',
			outcome: 'ok',
			sli: 'good',
			phase: null,
			httpStatus: 200,
			dnsMs: null,
			tlsMs: null,
			outputTokens: 22,
			servedModel: simModel.upstreamModel,
			retryAfterMs: null,
		});
		expect(result.requestId).toMatch(/^req_/);
		// 1 USD per million in, 2 out.
		expect(result.costMicroUsd).toBe((result.inputTokens ?? 0) + 22 * 2);
		expect(result.outputTokensPerSecond).toBeGreaterThan(0);
		expect(result.evidence?.rateLimit).toMatchObject({ requestsLimit: 5_000, requestsRemaining: 4_999, resetMs: 12 });
	});

	test('marks come in the order of the phases', async () => {
		give(null);
		const { connectMs, ttfbMs, ttftMs, totalMs, maxGapMs } = await probeOnce(target());
		expect(connectMs).toBeGreaterThan(0);
		expect(ttftMs ?? 0).toBeGreaterThanOrEqual(ttfbMs ?? Number.POSITIVE_INFINITY);
		expect(totalMs ?? 0).toBeGreaterThanOrEqual((connectMs ?? 0) + (ttftMs ?? 0));
		expect(maxGapMs ?? 0).toBeLessThanOrEqual((totalMs ?? 0) - (ttftMs ?? 0));
	});

	test('two probes never share a connection or a nonce', async () => {
		give(null);
		const before = simulator.connectionCount();
		await Promise.all([probeOnce(target()), probeOnce(target())]);
		expect(simulator.connectionCount() - before).toBe(2);
		const [a, b] = simulator.requestLog.slice(-2);
		expect(a?.body).not.toBe(b?.body);
	});

	test("the operator's own canary is judged by its own expectation", async () => {
		give(null);
		const canary = (text: string): Canary => ({ name: 'mine', type: 'custom', prompt: 'Reply with exactly: 42', expect: { text } });
		expect(await probeOnce(target(), {}, { canary: canary('42') })).toMatchObject({ outcome: 'ok', canary: 'mine', outputTokensPerSecond: null });
		expect(await probeOnce(target(), {}, { canary: canary('43') })).toMatchObject({
			outcome: 'canary_mismatch',
			sli: 'excluded',
			evidence: { subcode: 'wrong_answer' },
		});
	});

	test('a verbose caller sees the exchange, and no header that we sent', async () => {
		give(null);
		const notes: ExchangeNote[] = [];
		await probeOnce(target(), { observe: (note) => notes.push(note) });
		expect(notes.map(({ what }) => what)).toEqual(expect.arrayContaining(['connected', 'sent', 'headers', 'event', 'end']));
		expect(JSON.stringify(notes)).not.toContain(testKey);
	});

	test("the target's extra headers and body fields are sent", async () => {
		give(null);
		const flags = { ...target().flags, bodyPatch: { reasoning_effort: 'none' }, maxTokensField: 'max_completion_tokens' as const };
		await probeOnce(target({ headers: { 'x-team': 'a' }, flags }));
		const note = simulator.requestLog.at(-1);
		expect(note?.headerNames).toContain('x-team');
		expect(JSON.parse(note?.body ?? '')).toMatchObject({ reasoning_effort: 'none', max_completion_tokens: 256, stream: true });
	});
});

describe('our own trouble', () => {
	test('a missing key sends nothing and is nobody’s outage', async () => {
		const before = simulator.connectionCount();
		for (const value of [undefined, '', '  ']) {
			expect(await probeOnce(target(), { readSecret: () => value })).toMatchObject({
				outcome: 'auth_failed',
				phase: 'credential',
				sli: 'excluded',
				httpStatus: null,
				costMicroUsd: 0,
			});
		}
		expect(simulator.connectionCount()).toBe(before);
	});

	test('a key that no header can carry is refused before it is sent', async () => {
		expect(await probeOnce(target(), { readSecret: () => 'two words' })).toMatchObject({ outcome: 'auth_failed', evidence: { subcode: 'key_not_printable' } });
	});

	test('an endpoint without a key gets no authorization header', async () => {
		give(null);
		await probeOnce(target({ apiKeyEnv: null }));
		expect(simulator.requestLog.at(-1)?.headerNames).not.toContain('authorization');
	});

	test('a stalled event loop makes the result ours', async () => {
		give(null);
		const lag: LoopLag = { limitMs: 500, worstSince: () => 501, stop() {} };
		expect(await probeOnce(target(), { lag })).toMatchObject({
			outcome: 'monitor_fault',
			sli: 'excluded',
			lagMs: 501,
			evidence: { subcode: 'event_loop_lag' },
		});
	});

	test('an aborted probe is ours, at once', async () => {
		give({ mode: 'no_headers' });
		const stop = new AbortController();
		const running = probeOnce(target(), { observe: ({ what }) => what === 'sent' && stop.abort() }, { signal: stop.signal });
		expect(await running).toMatchObject({ outcome: 'monitor_fault', sli: 'excluded', evidence: { subcode: 'aborted' } });
	});

	test('an unknown dialect is a fault of configuration', async () => {
		await expect(probeOnce({ ...target(), dialect: 'morse' })).rejects.toThrow('Expected a dialect of');
	});
});

describe('secrets', () => {
	test('a key that the provider echoes is in no part of the result', async () => {
		give({ mode: 'http_error', error: 'auth_failed' });
		const result = await probeOnce(target());
		expect(result).toMatchObject({ outcome: 'auth_failed', sli: 'excluded', httpStatus: 401, evidence: { providerCode: 'invalid_api_key' } });
		expect(result.evidence?.message).toContain('[redacted]');
		expect(JSON.stringify(result)).not.toContain(testKey);
	});

	test('U+0000 and other control characters do not reach the record', async () => {
		give({
			mode: 'http_status',
			status: 500,
			contentType: 'application/json',
			body: JSON.stringify({ error: { message: 'a\u0000b\u001b[31mc', type: 'x\u0000' } }),
		});
		const { evidence } = await probeOnce(target());
		expect(evidence).toMatchObject({ message: 'a b [31mc', providerType: 'x' });
	});

	test('a long message is cut at 300 characters', async () => {
		give({ mode: 'http_status', status: 500, contentType: 'text/plain', body: 'word '.repeat(5_000) });
		expect((await probeOnce(target())).evidence?.message?.length).toBe(300);
	});
});

describe('waits and money', () => {
	test('the wait that a provider asks for is kept', async () => {
		give({ mode: 'http_error', error: 'overloaded', retryAfter: '20' });
		expect(await probeOnce(target())).toMatchObject({ outcome: 'overloaded', sli: 'bad', retryAfterMs: 20_000, costMicroUsd: 0 });
	});

	test('an answer whose bill never came is charged at its dearest', async () => {
		give({ mode: 'cut_fin', tokens: 3 });
		const result = await probeOnce(target());
		expect(result).toMatchObject({ outcome: 'stream_truncated', outputTokens: null });
		expect(result.costMicroUsd).toBeGreaterThanOrEqual(256 * 2);
	});

	test('an unknown price is no price', async () => {
		give(null);
		expect((await probeOnce(target({ price: null }))).costMicroUsd).toBeNull();
	});
});

describe('a provider of the catalogue', () => {
	test("another family's name in the answer is a mismatch", async () => {
		const known = targetOf('openai-chat', simulator.baseUrl('groq'), { provider: 'groq' });
		simulator.setFault('groq', null, { mode: 'wrong_model_echo' });
		expect(await probeOnce(known)).toMatchObject({ outcome: 'canary_mismatch', sli: 'excluded', servedModel: 'zyx-9b', evidence: { subcode: 'wrong_model' } });
		simulator.setFault('groq', null, null);
		expect(await probeOnce(known)).toMatchObject({ outcome: 'ok' });
	});

	test('has rows of its own for errors', async () => {
		const known = targetOf('openai-chat', simulator.baseUrl('groq'), { provider: 'groq' });
		simulator.setFault('groq', null, { mode: 'http_status', status: 498, contentType: 'application/json', body: '{"error":{"message":"capacity exceeded"}}' });
		expect(await probeOnce(known)).toMatchObject({ outcome: 'overloaded' });
	});
});

describe('the network', () => {
	test('a refused connection is words of the far end: confirmed', async () => {
		const baseUrl = `http://127.0.0.1:${await closedPort()}/v1`;
		expect(await probeOnce(target({ baseUrl }))).toMatchObject({
			outcome: 'connect_failed',
			phase: 'connect',
			sli: 'bad',
			httpStatus: null,
			costMicroUsd: 0,
			evidence: { subcode: 'econnrefused', networkConfirmed: true },
		});
	});

	/** A name server on loopback. `answer`: the address for the n-th question for an A record; null = no such name; undefined = silence. */
	async function nameServer(answer: (n: number) => string | null | undefined): Promise<{ address: string; close(): void }> {
		const socket = createSocket('udp4');
		let asked = 0;
		socket.on('message', (query, { port }) => {
			// RFC 1035: 12 bytes of header, the name, then type and class.
			const questionEnd = query.indexOf(0, 12) + 5;
			const address = query.readUInt16BE(questionEnd - 4) === 1 ? answer(++asked) : null;
			if (address === undefined) return;
			const reply = Buffer.from(query.subarray(0, questionEnd));
			reply.writeUInt16BE(address === null ? 0x8183 : 0x8180, 2);
			reply.writeUInt16BE(address === null ? 0 : 1, 6);
			reply.writeUInt16BE(0, 10);
			const record = address === null ? [] : [0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, ...address.split('.').map(Number)];
			socket.send(Buffer.concat([reply, Buffer.from(record)]), port, '127.0.0.1');
		});
		await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
		return { address: `127.0.0.1:${socket.address().port}`, close: () => socket.close() };
	}

	const control = () => [{ host: '127.0.0.1', port: simulator.port }];

	test('a name that resolves has a DNS phase of its own', async () => {
		give(null);
		const dns = await nameServer(() => '127.0.0.1');
		const baseUrl = `http://api.example.test:${simulator.port}/sim/v1`;
		const result = await probeOnce(target({ baseUrl }), { network: { dnsServers: [dns.address] } });
		dns.close();
		expect(result).toMatchObject({ outcome: 'ok' });
		expect(result.dnsMs).toBeGreaterThan(0);
	});

	test.each([
		['is excluded while nothing else answers', () => [], 'excluded', false],
		['is theirs when a control answers', control, 'bad', true],
	])('a name that does not resolve %s', async (_rule, controls, sli, networkConfirmed) => {
		const dns = await nameServer(() => null);
		const result = await probeOnce(target({ baseUrl: 'http://api.example.test/v1' }), { network: { dnsServers: [dns.address] }, controls });
		dns.close();
		expect(result).toMatchObject({ outcome: 'dns_failed', phase: 'dns', sli, dnsMs: null, evidence: { subcode: 'enotfound', networkConfirmed } });
	});

	test('a silent name server is given up at the connect deadline', async () => {
		const dns = await nameServer(() => undefined);
		const timeouts = { ...patient, connectMs: 300 };
		const result = await probeOnce(target({ baseUrl: 'http://api.example.test/v1', timeouts }), { network: { dnsServers: [dns.address] } });
		dns.close();
		expect(result).toMatchObject({ outcome: 'dns_failed', phase: 'dns', sli: 'excluded', evidence: { subcode: 'timeout' } });
	});

	test.each([
		['is ours while nothing answers any more', () => [], 'monitor_fault', 'excluded'],
		['is theirs while a control answers', control, 'first_token_timeout', 'bad'],
	])('silence on a connection that stood %s', async (_rule, controls, outcome, sli) => {
		// The name resolves once and never again: as seen from here when our own line dies in mid-probe.
		const dns = await nameServer((n) => (n === 1 ? '127.0.0.1' : null));
		const sockets: Socket[] = [];
		const { port, server } = await listen((socket) => sockets.push(socket));
		const timeouts = { ...patient, firstTokenMs: 300 };
		const network = { dnsServers: [dns.address] };
		const result = await probeOnce(target({ baseUrl: `http://api.example.test:${port}/v1`, timeouts }), { network, controls });
		for (const socket of sockets) socket.destroy();
		server.close();
		dns.close();
		expect(result).toMatchObject({ outcome, sli });
		if (outcome === 'monitor_fault') expect(result.evidence?.subcode).toBe('network_lost');
	});
});

describe('TLS', () => {
	const day = 86_400_000;
	const now = Date.now();
	const good = makeCertificate({ names: ['127.0.0.1'], notBefore: now - day, notAfter: now + day });
	const expired = makeCertificate({ names: ['127.0.0.1'], notBefore: now - 2 * day, notAfter: now - day });
	const otherHost = makeCertificate({ names: ['other.example.test'], notBefore: now - day, notAfter: now + day });
	const fleet = { providers: [simProvider('sim', 'openai-chat')] };

	test('is timed on its own', async () => {
		const secure = await startSimulator({ fleet, tls: good });
		const result = await probeOnce(targetOf('openai-chat', secure.baseUrl('sim')), { network: { ca: good.cert } });
		await secure.close();
		expect(result).toMatchObject({ outcome: 'ok', dnsMs: null });
		expect(result.tlsMs).toBeGreaterThan(0);
	});

	test.each([
		['self-signed', good, undefined, 'depth_zero_self_signed_cert'],
		['expired', expired, expired.cert, 'cert_has_expired'],
		['for another host', otherHost, otherHost.cert, 'err_tls_cert_altname_invalid'],
	])('a certificate that is %s is theirs', async (_what, tls, ca, subcode) => {
		const secure = await startSimulator({ fleet, tls });
		const result = await probeOnce(targetOf('openai-chat', secure.baseUrl('sim')), { network: { ca } });
		await secure.close();
		expect(result).toMatchObject({ outcome: 'tls_failed', phase: 'tls', sli: 'bad', tlsMs: null, evidence: { subcode, networkConfirmed: true } });
		expect(result.connectMs).not.toBeNull();
	});

	test.each([
		['plain HTTP', (socket: Socket) => socket.once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))],
		['a FIN in the handshake', (socket: Socket) => socket.once('data', () => socket.end())],
	])('%s is tls_failed, not connect_failed', async (_what, onConnection) => {
		const { port, server } = await listen(onConnection);
		const result = await probeOnce(targetOf('openai-chat', `https://127.0.0.1:${port}/v1`));
		server.close();
		expect(result).toMatchObject({ outcome: 'tls_failed', phase: 'tls', sli: 'bad' });
	});

	test('a hello that is never answered is tls_failed at the connect deadline', async () => {
		const sockets: Socket[] = [];
		const { port, server } = await listen((socket) => sockets.push(socket));
		const result = await probeOnce(targetOf('openai-chat', `https://127.0.0.1:${port}/v1`, { timeouts: { ...patient, connectMs: 300 } }));
		for (const socket of sockets) socket.destroy();
		server.close();
		expect(result).toMatchObject({ outcome: 'tls_failed', phase: 'tls', sli: 'bad', evidence: { subcode: 'timeout', networkConfirmed: true } });
	});
});
