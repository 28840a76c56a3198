/**
 * A chat stream whose true send times are known: for each answer it tells its parent when it really sent what. It speaks HTTP from prepared
 * bytes on bare sockets, because each turn that it spends on itself makes its own stamps late.
 * The path's first part is the pace: `/{ms to the first token}-{ms between tokens}/…`, each drawn from half to one and a half of it.
 */
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { clockOffsetMs } from './shared-clock.ts';

/** ms on the machine's monotonic clock, which all processes share. */
export interface TrueTimes {
	readonly id: string;
	/** The request's last byte was read. */
	readonly receivedAt: number;
	/** The first content was written. */
	readonly firstAt: number;
	readonly lastAt: number;
	readonly maxGapMs: number;
}

const tokens = 20;
const chunk = (data: string) => `${Buffer.byteLength(data).toString(16)}\r\n${data}\r\n`;
const event = (id: string, delta: object, finishReason: string | null) =>
	chunk(
		`data: ${JSON.stringify({ id, object: 'chat.completion.chunk', created: 1, model: 'bench-model', choices: [{ index: 0, delta, finish_reason: finishReason }] })}\n\n`,
	);

const offsetMs = clockOffsetMs();
const told: TrueTimes[] = [];
let served = 0;

function answer(socket: Socket, firstMs: number, gapMs: number): void {
	const receivedAt = performance.now();
	const id = `bench-${++served}`;
	const word = Buffer.from(event(id, { content: ' word' }, null));
	const last = Buffer.from(`${event(id, {}, 'stop')}${chunk('data: [DONE]\n\n')}0\r\n\r\n`);
	const drawn = (ms: number) => ms * (0.5 + Math.random());
	let firstAt = 0;
	let lastAt = 0;
	let maxGapMs = 0;
	let sent = 0;
	socket.write(
		`HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nx-request-id: ${id}\r\ntransfer-encoding: chunked\r\n\r\n${event(id, { role: 'assistant', content: '' }, null)}`,
	);
	const next = () => {
		if (socket.destroyed) return;
		const now = performance.now();
		if (sent === 0) firstAt = now;
		else maxGapMs = Math.max(maxGapMs, now - lastAt);
		lastAt = now;
		if (++sent < tokens) {
			socket.write(word);
			setTimeout(next, drawn(gapMs));
			return;
		}
		socket.write(Buffer.concat([word, last]));
		told.push({ id, receivedAt: receivedAt + offsetMs, firstAt: firstAt + offsetMs, lastAt: lastAt + offsetMs, maxGapMs });
	};
	setTimeout(next, drawn(firstMs));
}

const server = createServer((socket) => {
	socket.setNoDelay(true);
	socket.on('error', () => socket.destroy());
	let request = '';
	socket.on('data', (bytes) => {
		request += bytes.toString('latin1');
		const headEnd = request.indexOf('\r\n\r\n');
		if (headEnd < 0) return;
		const length = Number(/\r\ncontent-length: ?(\d+)/i.exec(request)?.[1] ?? 0);
		if (request.length < headEnd + 4 + length) return;
		const pace = /^POST \/(\d+)-(\d+)\//.exec(request);
		request = '';
		answer(socket, Number(pace?.[1] ?? 500), Number(pace?.[2] ?? 20));
	});
});
server.listen({ port: 0, host: '127.0.0.1', backlog: 2_048 }, () => process.send?.(`http://127.0.0.1:${(server.address() as AddressInfo).port}`));
// In batches: a message for each answer would cost more than the answer.
setInterval(() => {
	if (told.length > 0) process.send?.(told.splice(0));
}, 100);
process.once('disconnect', () => process.exit(0));
