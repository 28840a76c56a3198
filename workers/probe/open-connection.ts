import net from 'node:net';
import tls from 'node:tls';
import { resolveHost } from './resolve-host.ts';

/** Filled in as the phases pass; null = the phase did not happen or did not end. */
export interface ConnectMarks {
	phase: 'dns' | 'connect' | 'tls' | 'request';
	dnsMs: number | null;
	connectMs: number | null;
	tlsMs: number | null;
	address: string | null;
	/** What ALPN chose; HTTP/1.1 where it was not asked. */
	protocol: 'http/1.1' | 'h2';
}

/** What a private network needs; undefined: the system's. */
export interface NetworkSettings {
	/** PEM that replaces the system's trust. */
	readonly ca?: string | undefined;
	/** Name servers, `address` or `address:port`. */
	readonly dnsServers?: readonly string[] | undefined;
}

export interface Endpoint {
	readonly host: string;
	readonly port: number;
	readonly secure: boolean;
	readonly settings: NetworkSettings;
	/** Offer HTTP/2 in TLS. */
	readonly http2: boolean;
}

export function newMarks(): ConnectMarks {
	return { phase: 'dns', dnsMs: null, connectMs: null, tlsMs: null, address: null, protocol: 'http/1.1' };
}

export function endpointOf(url: URL, settings: NetworkSettings, http2 = false): Endpoint {
	const secure = url.protocol === 'https:';
	return { host: url.hostname, port: Number(url.port) || (secure ? 443 : 80), secure, settings, http2 };
}

/** Failures after which another address of the same name may still answer; every HTTP client goes on to it, so it is no retry. */
const tryNext = new Set(['ECONNREFUSED', 'ENETUNREACH', 'EHOSTUNREACH', 'EADDRNOTAVAIL']);
const mostAddresses = 3;

/**
 * DNS, TCP and TLS, each timed from the socket's own events. One socket, no session reuse; by ALPN HTTP/1.1 only, unless HTTP/2 is asked for.
 * @throws the socket's error, or the signal's reason; `marks.phase` tells where it stood
 */
export async function openConnection(endpoint: Endpoint, marks: ConnectMarks, signal: AbortSignal): Promise<net.Socket> {
	const startedAt = performance.now();
	const { addresses, asked } = await unlessAborted(resolveHost(endpoint.host, endpoint.settings.dnsServers), signal);
	if (asked) marks.dnsMs = performance.now() - startedAt;
	marks.phase = 'connect';
	const socket = await connectAny(addresses.slice(0, mostAddresses), endpoint.port, marks, signal);
	if (!endpoint.secure) {
		marks.phase = 'request';
		return socket;
	}
	marks.phase = 'tls';
	const tlsStartedAt = performance.now();
	const secure = await startTls(socket, endpoint, endpoint.settings.ca, signal);
	marks.tlsMs = performance.now() - tlsStartedAt;
	if (secure.alpnProtocol === 'h2') marks.protocol = 'h2';
	marks.phase = 'request';
	return secure;
}

function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
	return new Promise((resolve, reject) => {
		if (signal.aborted) return reject(signal.reason);
		const onAbort = () => reject(signal.reason);
		signal.addEventListener('abort', onAbort, { once: true });
		promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
	});
}

async function connectAny(addresses: readonly string[], port: number, marks: ConnectMarks, signal: AbortSignal): Promise<net.Socket> {
	let failure: unknown;
	for (const address of addresses) {
		marks.address = address;
		const startedAt = performance.now();
		try {
			const socket = await settled(net.connect({ host: address, port, noDelay: true, autoSelectFamily: false }), 'connect', signal);
			marks.connectMs = performance.now() - startedAt;
			return socket;
		} catch (error) {
			failure = error;
			if (!tryNext.has((error as NodeJS.ErrnoException).code ?? '')) break;
		}
	}
	throw failure;
}

function startTls(socket: net.Socket, endpoint: Endpoint, ca: string | undefined, signal: AbortSignal): Promise<tls.TLSSocket> {
	const servername = net.isIP(endpoint.host) === 0 ? endpoint.host : '';
	return settled(
		tls.connect({
			socket,
			servername,
			host: endpoint.host,
			ALPNProtocols: endpoint.http2 ? ['h2', 'http/1.1'] : ['http/1.1'],
			...(ca === undefined ? {} : { ca }),
		}),
		'secureConnect',
		signal,
	);
}

/** Waits for the event that ends a phase; destroys the socket when it fails. */
function settled<S extends net.Socket>(socket: S, event: 'connect' | 'secureConnect', signal: AbortSignal): Promise<S> {
	return new Promise((resolve, reject) => {
		const done = (error: unknown) => {
			socket.off(event, onReady).off('error', onError).off('close', onClose);
			signal.removeEventListener('abort', onAbort);
			if (error === null) return resolve(socket);
			// The reason is already reported; a late error of a destroyed socket must not become an uncaught one.
			socket.on('error', () => {}).destroy();
			reject(error);
		};
		const onReady = () => done(null);
		const onError = (error: Error) => done(error);
		const onClose = () => done(Object.assign(new Error('closed before the connection was ready'), { code: 'ECONNRESET' }));
		const onAbort = () => done(signal.reason);
		socket.once(event, onReady).once('error', onError).once('close', onClose);
		if (signal.aborted) onAbort();
		else signal.addEventListener('abort', onAbort, { once: true });
	});
}
