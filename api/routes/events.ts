/** Verdicts as they change: server-sent events, resumed by `Last-Event-ID` without loss or repeat. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Express, Response } from 'express';
import type { ApiTools } from '#api/api-tools.ts';
import { parseQuery } from '#api/parse-query.ts';
import { Problem } from '#api/problem.ts';
import { openVerdictStream } from '#api/verdict-stream.ts';

const readersPerTurn = 16;

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

/** In turns, a few each millisecond: 1,000 writes in a row would keep every poll waiting for 10 to 20 ms, on both sides. */
async function sendToAll(audience: readonly Response[], text: Buffer): Promise<void> {
	for (let start = 0; start < audience.length; start += readersPerTurn) {
		for (const res of audience.slice(start, start + readersPerTurn)) send(res, text);
		await pause(1);
	}
}

/** @returns what ends every open stream. */
export function addEventRoutes(app: Express, tools: ApiTools): () => void {
	const stream = openVerdictStream(tools.snapshots);
	const readers = new Set<Response>();

	let sending = Promise.resolve();
	const tell = (text: string) => {
		// Whoever comes later has it already, by `since`; one event is out before the next begins.
		const audience = [...readers];
		sending = sending.then(() => sendToAll(audience, Buffer.from(text)));
	};
	stream.follow((event) => tell(event.text));
	// One for all: those who came together would each have theirs in the same millisecond.
	const heart = setInterval(() => tell(': still here\n\n'), heartbeatMs).unref();

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
		res.on('close', () => readers.delete(res));
	});

	return () => {
		clearInterval(heart);
		for (const res of readers) res.end();
	};
}
