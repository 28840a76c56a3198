/** Verdicts as they change: server-sent events, resumed by `Last-Event-ID` without loss or repeat. */
import type { Express, Response } from 'express';
import type { ApiTools } from '#api/api-tools.ts';
import { parseQuery } from '#api/parse-query.ts';
import { Problem } from '#api/problem.ts';
import { openVerdictStream } from '#api/verdict-stream.ts';

const heartbeatMs = 10_000;

/** About 31 kB of memory each (measured with Express, 1,000 idle readers). */
const maxReaders = 2_000;

/** A reader this far behind is cut off; it resumes where it stopped. */
const maxBufferedBytes = 1_048_576;

/** @returns what ends every open stream. */
export function addEventRoutes(app: Express, tools: ApiTools): () => void {
	const stream = openVerdictStream(tools.snapshots);
	const readers = new Set<Response>();

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
		const send = (text: string) => {
			res.write(text);
			if (res.writableLength > maxBufferedBytes) res.destroy();
		};
		send('retry: 3000\n\n');
		for (const event of stream.since(typeof last === 'string' ? last : null)) send(event.text);
		const unfollow = stream.follow((event) => send(event.text));
		const timer = setInterval(() => send(': still here\n\n'), heartbeatMs);
		res.on('close', () => {
			readers.delete(res);
			clearInterval(timer);
			unfollow();
		});
	});

	return () => {
		for (const res of readers) res.end();
	};
}
