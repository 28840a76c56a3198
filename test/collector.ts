import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Collected {
	readonly path: string;
	readonly headers: IncomingHttpHeaders;
	readonly body: string;
	/** When it came, ms since epoch. */
	readonly at: number;
	/** What it was answered. */
	readonly status: number;
	/** When the answer was sent, ms since epoch; null: not yet. */
	answeredAt: number | null;
}

export interface Answer {
	readonly status: number;
	readonly body?: string;
	readonly headers?: Readonly<Record<string, string>>;
	/** A receiver that is slow. */
	readonly delayMs?: number;
}

export interface Collector {
	readonly url: string;
	/** Every request, in order of arrival. */
	readonly seen: Collected[];
	/** Next answers, in turn, by status or whole; the usual one when there are no more. */
	answer(...answers: (number | Answer)[]): void;
	/** Answers of requests whose path begins so; the longest wins. Without any: 204. */
	usually(path: string, answer: Answer): void;
	/** Takes requests and answers none of them, until what it returns is called. */
	hold(): () => void;
	close(): Promise<void>;
}

/** A receiver of webhooks on loopback that keeps what came. */
export async function startCollector(): Promise<Collector> {
	const seen: Collected[] = [];
	const answers: Answer[] = [];
	const usual = new Map<string, Answer>();
	let held: Promise<void> = Promise.resolve();
	const server = createServer((request, response) => {
		const chunks: Buffer[] = [];
		request.on('data', (chunk: Buffer) => chunks.push(chunk));
		request.on('end', () => {
			const path = request.url ?? '';
			const [known] = [...usual.keys()].filter((start) => path.startsWith(start)).sort((a, b) => b.length - a.length);
			const { status, body = '', headers = {}, delayMs = 0 } = answers.shift() ?? usual.get(known ?? '') ?? { status: 204 };
			const { headers: asked } = request;
			const one: Collected = { path, headers: asked, body: Buffer.concat(chunks).toString('utf8'), at: Date.now(), status, answeredAt: null };
			seen.push(one);
			const reply = () => {
				one.answeredAt = Date.now();
				response.writeHead(status, { connection: 'close', ...headers }).end(body);
			};
			void held.then(() => (delayMs === 0 ? reply() : setTimeout(reply, delayMs)));
		});
	});
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	const { port } = server.address() as AddressInfo;
	return {
		url: `http://127.0.0.1:${port}`,
		seen,
		answer: (...next) => void answers.push(...next.map((one) => (typeof one === 'number' ? { status: one } : one))),
		usually: (path, answer) => void usual.set(path, answer),
		hold() {
			const { promise, resolve } = Promise.withResolvers<void>();
			held = promise;
			return () => {
				held = Promise.resolve();
				resolve();
			};
		},
		close: () => new Promise((resolve) => server.close(() => resolve())),
	};
}
