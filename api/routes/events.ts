/** Verdicts as they change: server-sent events, resumed by `Last-Event-ID` without loss or repeat. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Express, Response } from 'express';
import type { ApiTools } from '#api/api-tools.ts';
import { parseQuery } from '#api/parse-query.ts';
import { Problem } from '#api/problem.ts';
import { openVerdictStream } from '#api/verdict-stream.ts';

const readersPerTurn = 32;

const heartbeatMs = 10_000;

/** About 31 kB of memory each (measured with Express, 1,000 idle readers). */
const maxReaders = 2_000;

/** A reader this far behind is cut off; it resumes where it stopped. */
const maxBufferedBytes = 1_048_576;

function send(res: Response, text: string | Buffer): void {
	if (res.destroyed) return;
	res.write(text);
	if (res.writableLength > maxBufferedBytes) res.destroy();
}

/** In turns with everything else: 1,000 writes in a row would keep every poll waiting for 10 to 20 ms. */
async function sendToAll(audience: readonly Response[], text: Buffer): Promise<void> {
	for (let start = 0; start < audience.length; start += readersPerTurn) {
		for (const res of audience.slice(start, start + readersPerTurn)) send(res, text);
		await nextTurn();
	}
}

/** @returns what ends every open stream. */
export function addEventRoutes(app: Express, tools: ApiTools): () => void {
	const stream = openVerdictStream(tools.snapshots);
	const readers = new Set<Response>();

	let sending = Promise.resolve();
	stream.follow((event) => {
		// Whoever comes later has it already, by `since`; one event is out before the next begins.
		const audience = [...readers];
		sending = sending.then(() => sendToAll(audience, Buffer.from(event.text)));
	});

	app.get('/v1/health/events', (req, res) => {
		parseQuery(req, []);
		if (readers.size >= maxReaders)
			throw new Problem(503, 'too-many-readers', `Expected at most ${maxReaders} readers of events: poll /v1/verdicts`, { retryAfterS: 30 });
		const last = req.headers['last-event-id'];
		res.writeHead(200, { 'Content-Type': 'text/event-stream; charset=utf-8', 'Cache-Control': 'no-store', 'X-Accel-Buffering': 'no' });
		if (req.method === 'HEAD') {
			res.end();
			return;
		}
		readers.add(res);
		send(res, 'retry: 3000\n\n');
		for (const event of stream.since(typeof last === 'string' ? last : null)) send(res, event.text);
		const timer = setInterval(() => send(res, ': still here\n\n'), heartbeatMs);
		res.on('close', () => {
			readers.delete(res);
			clearInterval(timer);
		});
	});

	return () => {
		for (const res of readers) res.end();
	};
}
