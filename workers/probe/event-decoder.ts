import { crc32 } from 'node:zlib';
import { createParser } from 'eventsource-parser';
import type { Framing, WireEvent } from '#providers/adapter.ts';

export interface EventSink {
	onEvent(event: WireEvent): void;
	/** A comment line: alive, but no event. */
	onComment(): void;
	/** One event is larger than the bound; feeding must stop. */
	onOversize(): void;
}

export interface EventDecoder {
	feed(chunk: Uint8Array): void;
	/** The body ended: delivers a last event that lacks only its line end. */
	end(): void;
}

export function createEventDecoder(framing: Framing, sink: EventSink, maxEventChars: number): EventDecoder {
	switch (framing) {
		case 'sse':
			return createSseDecoder(sink, maxEventChars);
		case 'ndjson':
			return createLineDecoder(sink, maxEventChars);
		case 'json':
			return createDocumentDecoder(sink, maxEventChars);
		case 'aws-eventstream':
			return createFrameDecoder(sink, maxEventChars);
	}
}

function createSseDecoder(sink: EventSink, maxEventChars: number): EventDecoder {
	const text = new TextDecoder();
	let over = false;
	let ending = false;
	const parser = createParser({
		maxBufferSize: maxEventChars,
		onComment: sink.onComment,
		onEvent({ event, data }) {
			// The spec drops an event without its blank line, but servers leave it out after the last one. A cut one is no JSON.
			if (ending && data.trim() !== '[DONE]' && !isJson(data)) return;
			sink.onEvent({ name: event ?? null, data });
		},
		onError({ type }) {
			if (type !== 'max-buffer-size-exceeded') return;
			over = true;
			sink.onOversize();
		},
	});
	return {
		feed(chunk) {
			if (!over) parser.feed(text.decode(chunk, { stream: true }));
		},
		end() {
			if (over) return;
			ending = true;
			parser.feed(`${text.decode()}\n\n`);
		},
	};
}

function isJson(text: string): boolean {
	try {
		JSON.parse(text);
		return true;
	} catch {
		return false;
	}
}

function createLineDecoder(sink: EventSink, maxEventChars: number): EventDecoder {
	const text = new TextDecoder();
	let pending: string[] = [];
	let pendingChars = 0;
	let over = false;
	const push = (piece: string) => {
		const lines = piece.split('\n');
		const rest = lines.pop() ?? '';
		for (const line of lines) {
			const whole = pending.length === 0 ? line : pending.join('') + line;
			pending = [];
			pendingChars = 0;
			if (whole.trim() !== '') sink.onEvent({ name: null, data: whole });
		}
		if (rest === '') return;
		pending.push(rest);
		pendingChars += rest.length;
		if (pendingChars <= maxEventChars) return;
		over = true;
		pending = [];
		sink.onOversize();
	};
	return {
		feed(chunk) {
			if (!over) push(text.decode(chunk, { stream: true }));
		},
		end() {
			if (over) return;
			const last = pending.join('') + text.decode();
			pending = [];
			if (last.trim() !== '' && isJson(last)) sink.onEvent({ name: null, data: last });
		},
	};
}

function createDocumentDecoder(sink: EventSink, maxEventChars: number): EventDecoder {
	const text = new TextDecoder();
	const pieces: string[] = [];
	let chars = 0;
	let over = false;
	return {
		feed(chunk) {
			if (over) return;
			const piece = text.decode(chunk, { stream: true });
			chars += piece.length;
			if (chars > maxEventChars) {
				over = true;
				pieces.length = 0;
				sink.onOversize();
			} else pieces.push(piece);
		},
		end() {
			const document = pieces.join('') + text.decode();
			// An empty body is no document at all: a stream that was cut before its first event.
			if (!over && document.trim() !== '') sink.onEvent({ name: null, data: document });
		},
	};
}

/** Length, header length and their CRC; then headers, payload and the CRC of all before (application/vnd.amazon.eventstream). */
const preludeBytes = 12;

function createFrameDecoder(sink: EventSink, maxEventChars: number): EventDecoder {
	let pending: Buffer = Buffer.alloc(0);
	let over = false;
	/** A frame that is damaged is handed on as an event that no reader takes for JSON: then it is `invalid_response`, not silence. */
	const refuse = () => {
		over = true;
		sink.onEvent({ name: 'damaged-frame', data: '' });
	};
	return {
		feed(chunk) {
			if (over) return;
			pending = pending.length === 0 ? Buffer.from(chunk) : Buffer.concat([pending, chunk]);
			while (!over && pending.length >= preludeBytes) {
				const length = pending.readUInt32BE(0);
				if (crc32(pending.subarray(0, 8)) !== pending.readUInt32BE(8) || length < preludeBytes + 4) return refuse();
				if (length > maxEventChars) {
					over = true;
					return sink.onOversize();
				}
				if (pending.length < length) return;
				const frame = pending.subarray(0, length);
				pending = pending.subarray(length);
				if (crc32(frame.subarray(0, length - 4)) !== frame.readUInt32BE(length - 4)) return refuse();
				const headersEnd = preludeBytes + frame.readUInt32BE(4);
				if (headersEnd > length - 4) return refuse();
				const headers = readFrameHeaders(frame.subarray(preludeBytes, headersEnd));
				const kind = headers[':message-type'] ?? 'event';
				const name = headers[':event-type'] ?? headers[':exception-type'] ?? headers[':error-code'] ?? '';
				sink.onEvent({ name: kind === 'event' ? name : `${kind}:${name}`, data: frame.subarray(headersEnd, length - 4).toString('utf8') });
			}
		},
		// Half a frame at the end is a cut stream: no event.
		end() {},
	};
}

/** Only string headers (type 7) occur in a model's stream; the first of another type ends the reading. */
function readFrameHeaders(bytes: Buffer): Record<string, string> {
	const headers: Record<string, string> = {};
	let at = 0;
	while (at < bytes.length) {
		const nameEnd = at + 1 + (bytes[at] ?? 0);
		if (bytes[nameEnd] !== 7 || nameEnd + 3 > bytes.length) break;
		const valueEnd = nameEnd + 3 + bytes.readUInt16BE(nameEnd + 1);
		headers[bytes.toString('utf8', at + 1, nameEnd)] = bytes.toString('utf8', nameEnd + 3, valueEnd);
		at = valueEnd;
	}
	return headers;
}
