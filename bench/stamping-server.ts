/** A chat stream whose true send times are known: for each answer it tells its parent when it really sent what, in ms since the request came. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface TrueTimes {
	readonly id: string;
	readonly ttftMs: number;
	readonly maxGapMs: number;
	readonly totalMs: number;
}

const tokens = 20;
const frame = (id: string, delta: object, finishReason: string | null) =>
	`data: ${JSON.stringify({ id, object: 'chat.completion.chunk', created: 1, model: 'bench-model', choices: [{ index: 0, delta, finish_reason: finishReason }] })}\n\n`;

let served = 0;
const server = createServer((req, res) => {
	req.resume();
	req.once('end', () => {
		const id = `bench-${++served}`;
		const receivedAt = performance.now();
		let firstAt = 0;
		let lastAt = 0;
		let maxGapMs = 0;
		let sent = 0;
		res.writeHead(200, { 'content-type': 'text/event-stream', 'x-request-id': id });
		res.write(frame(id, { role: 'assistant', content: '' }, null));
		const next = () => {
			const now = performance.now();
			if (sent === 0) firstAt = now;
			else maxGapMs = Math.max(maxGapMs, now - lastAt);
			lastAt = now;
			res.write(frame(id, { content: ' word' }, null));
			if (++sent < tokens) return void setTimeout(next, 10 + Math.random() * 20);
			const times: TrueTimes = { id, ttftMs: firstAt - receivedAt, maxGapMs, totalMs: performance.now() - receivedAt };
			res.end(`${frame(id, {}, 'stop')}data: [DONE]\n\n`);
			process.send?.(times);
		};
		// With the gaps some 0.9 s an answer: 100 streams at once are 110 a second, 500 are 550, the pace of a fleet of thousands of targets.
		setTimeout(next, 400 + Math.random() * 200);
	});
});
server.listen(0, '127.0.0.1', () => process.send?.(`http://127.0.0.1:${(server.address() as AddressInfo).port}`));
process.once('disconnect', () => process.exit(0));
