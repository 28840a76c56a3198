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
			throw new Error('Expected a text framing, got `aws-eventstream`');
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
			if (!over) sink.onEvent({ name: null, data: pieces.join('') + text.decode() });
		},
	};
}
