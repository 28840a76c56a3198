/** Whose fault a dead connection is: DNS, TCP and TLS over loopback. */
import { createSocket } from 'node:dgram';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Simulator, startSimulator } from '#simulator/start-simulator.ts';
import { makeCertificate } from '#test/certificate.ts';
import { patient, probeOnce, simProvider, targetOf } from './probe-setup.ts';

let simulator: Simulator;
const target = (change = {}) => targetOf('openai-chat', simulator.baseUrl('sim'), change);

beforeAll(async () => {
	simulator = await startSimulator({ fleet: { providers: [simProvider('sim', 'openai-chat')] } });
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

	test('a failure that a second look does not find again is not theirs', async () => {
		const dns = await nameServer((n) => (n === 1 ? null : '127.0.0.1'));
		const baseUrl = `http://api.example.test:${simulator.port}/sim/v1`;
		const result = await probeOnce(target({ baseUrl }), { network: { dnsServers: [dns.address] }, controls: control });
		dns.close();
		expect(result).toMatchObject({ outcome: 'dns_failed', sli: 'excluded', evidence: { networkConfirmed: false } });
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
		['a RST in the handshake', (socket: Socket) => socket.once('data', () => socket.resetAndDestroy())],
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
