import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Collected {
	readonly path: string;
	readonly headers: IncomingHttpHeaders;
	readonly body: string;
}

export interface Collector {
	readonly url: string;
	/** Every request, in order of arrival. */
	readonly seen: Collected[];
	/** Status of the next answers, in turn; 204 when there are no more. */
	answer(...statuses: number[]): void;
	close(): Promise<void>;
}

/** A receiver of webhooks on loopback that keeps what came. */
export async function startCollector(): Promise<Collector> {
	const seen: Collected[] = [];
	const statuses: number[] = [];
	const server = createServer((request, response) => {
		const chunks: Buffer[] = [];
		request.on('data', (chunk: Buffer) => chunks.push(chunk));
		request.on('end', () => {
			seen.push({ path: request.url ?? '', headers: request.headers, body: Buffer.concat(chunks).toString('utf8') });
			response.writeHead(statuses.shift() ?? 204, { connection: 'close' }).end();
		});
	});
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	const { port } = server.address() as AddressInfo;
	return {
		url: `http://127.0.0.1:${port}`,
		seen,
		answer: (...next) => void statuses.push(...next),
		close: () => new Promise((resolve) => server.close(() => resolve())),
	};
}
