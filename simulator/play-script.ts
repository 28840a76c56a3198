import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Script } from './script-answer.ts';

/** A reset destroys what the peer has not read yet; the last bytes get this long to arrive. */
const beforeResetMs = 20;
/** A hostile stream ends here even if the reader never stops: the simulator shares the machine. */
const mostRepeatedBytes = 256 * 1_024 * 1_024;

/** Plays a script on a response. Stops by itself when the client leaves. */
export function playScript(res: ServerResponse, script: Script): void {
	const { socket } = res;
	if (socket === null) return;
	const startedAt = performance.now();
	let timer: NodeJS.Timeout | null = null;
	let next = 0;
	let opened = false;
	const write = (bytes: string | Buffer): boolean => (script.closeDelimited ? socket.write(bytes) : res.write(bytes));

	const open = () => {
		opened = true;
		if (script.closeDelimited) {
			const headers = Object.entries({ ...script.headers, connection: 'close' });
			socket.write(`HTTP/1.1 200 OK\r\n${headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`);
		} else {
			res.writeHead(200, script.headers);
			res.flushHeaders();
		}
	};
	const advance = () => {
		timer = null;
		if (socket.destroyed) return;
		const elapsed = performance.now() - startedAt;
		if (!opened) {
			if (script.headersAtMs > elapsed + 1) return wait(script.headersAtMs - elapsed);
			open();
		}
		for (let step = script.steps[next]; step !== undefined; step = script.steps[++next]) {
			// A timer's grain is 1 ms: what is due within it goes out now.
			if (step.atMs > elapsed + 1) return wait(step.atMs - elapsed);
			write(step.bytes);
		}
		end();
	};
	const wait = (ms: number) => {
		timer = setTimeout(advance, ms);
	};
	const end = () => {
		const { ending } = script;
		switch (ending.kind) {
			case 'end':
				return void res.end();
			case 'fin':
				return void socket.end();
			case 'rst':
				timer = setTimeout(() => socket.resetAndDestroy(), beforeResetMs);
				return;
			case 'hang':
				return;
			case 'repeat':
				return ending.everyMs > 0 ? drip(ending.bytes, ending.everyMs) : flood(ending.bytes);
		}
	};
	const drip = (bytes: string | Buffer, everyMs: number) => {
		timer = setTimeout(() => {
			if (socket.destroyed) return;
			write(bytes);
			drip(bytes, everyMs);
		}, everyMs);
	};
	let repeated = 0;
	const flood = (bytes: string | Buffer) => {
		while (!socket.destroyed) {
			repeated += bytes.length;
			if (repeated > mostRepeatedBytes) return void socket.destroy();
			if (!write(bytes)) return void (script.closeDelimited ? socket : res).once('drain', () => flood(bytes));
		}
	};
	// Not the socket's: a kept-alive one would gather a listener for each answer.
	res.once('close', () => {
		if (timer !== null) clearTimeout(timer);
	});
	advance();
}

/** Answers that never were HTTP, or stop being it. */
export function playRaw(socket: Socket, mode: 'not_http' | 'bad_chunk' | 'upgrade' | 'header_flood'): void {
	switch (mode) {
		case 'not_http':
			return void socket.end('SSH-2.0-OpenSSH_9.6\r\n');
		case 'bad_chunk':
			return void socket.end('HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\nZZ\r\ndata: {}\r\n');
		case 'upgrade':
			return void socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n');
		case 'header_flood': {
			socket.write('HTTP/1.1 200 OK\r\n');
			const lines = Array.from({ length: 10_000 }, (_, i) => `x-flood-${i}: ${'y'.repeat(90)}\r\n`).join('');
			return void socket.write(lines);
		}
	}
}
