/** Listens, and stops cleanly. */
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';

export interface ServeOptions {
	readonly host: string;
	/** 0 takes a free one. */
	readonly port: number;
}

export interface RunningServer {
	readonly url: string;
	readonly port: number;
	/** Answers what is in flight, for five seconds at most, and takes nothing new. */
	close(): Promise<void>;
}

const closeWithinMs = 5_000;

function explain(error: NodeJS.ErrnoException, { host, port }: ServeOptions): Error {
	if (error.code === 'EADDRINUSE') return new Error(`port ${port} on ${host} is in use: set PORT or stop the other process`, { cause: error });
	if (error.code === 'EACCES') return new Error(`port ${port} on ${host} needs more rights than this process has: set PORT to 1024 or more`, { cause: error });
	if (error.code === 'EADDRNOTAVAIL') return new Error(`${host} is no address of this machine: set HOST`, { cause: error });
	return new Error(`can't listen on ${host}, port ${port}: ${error.message}`, { cause: error });
}

/** Resolves when it listens; rejects with what to do about it. */
export async function serve(app: RequestListener & { readonly endStreams?: () => void }, options: ServeOptions): Promise<RunningServer> {
	const server = createServer({ headersTimeout: 10_000, requestTimeout: 15_000, keepAliveTimeout: 65_000, maxHeaderSize: 16_384 }, app);
	server.listen(options.port, options.host);
	try {
		await once(server, 'listening');
	} catch (error) {
		throw explain(error as NodeJS.ErrnoException, options);
	}
	const address = server.address();
	if (address === null || typeof address === 'string') throw new Error(`Expected a TCP address, got ${JSON.stringify(address)}`);
	const { port } = address;
	const host = options.host.includes(':') ? `[${options.host}]` : options.host;
	return {
		url: `http://${host}:${port}`,
		port,
		async close() {
			const closed = once(server, 'close');
			server.close();
			server.closeIdleConnections();
			app.endStreams?.();
			// A kept-alive connection that falls idle now would hold the server open; asking costs less than a listener on every answer.
			const idle = setInterval(() => server.closeIdleConnections(), 50);
			const timer = setTimeout(() => server.closeAllConnections(), closeWithinMs);
			await closed;
			clearTimeout(timer);
			clearInterval(idle);
		},
	};
}
