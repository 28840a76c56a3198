import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Framing, WireEvent } from '#providers/adapter.ts';
import { createEventDecoder } from './event-decoder.ts';

function decode(framing: Framing, chunks: readonly Uint8Array[], most = 10_000) {
	const events: WireEvent[] = [];
	let comments = 0;
	let oversize = 0;
	const decoder = createEventDecoder(framing, { onEvent: (event) => events.push(event), onComment: () => comments++, onOversize: () => oversize++ }, most);
	for (const chunk of chunks) decoder.feed(chunk);
	decoder.end();
	return { events, comments, oversize };
}

/** Cuts bytes at arbitrary places. */
const cutBytes = (text: string) =>
	fc.array(fc.nat(Buffer.byteLength(text))).map((places) => {
		const bytes = Buffer.from(text);
		const sorted = [0, ...places.sort((a, b) => a - b), bytes.length];
		return sorted.slice(1).map((place, i) => bytes.subarray(sorted[i], place));
	});

const samples: Record<string, { framing: Framing; text: string; events: WireEvent[]; comments: number }> = {
	sse: {
		framing: 'sse',
		text: ': hi\n\nevent: a\ndata: {"x":"é✓𝄞"}\n\ndata: one\ndata: two\n\ndata: [DONE]\n\n',
		events: [
			{ name: 'a', data: '{"x":"é✓𝄞"}' },
			{ name: null, data: 'one\ntwo' },
			{ name: null, data: '[DONE]' },
		],
		comments: 1,
	},
	ndjson: {
		framing: 'ndjson',
		text: '{"x":"é✓𝄞"}\n\n{"y":1}\r\n{"z":2}',
		events: [
			{ name: null, data: '{"x":"é✓𝄞"}' },
			{ name: null, data: '{"y":1}\r' },
			{ name: null, data: '{"z":2}' },
		],
		comments: 0,
	},
	json: { framing: 'json', text: '{"x":"é✓𝄞"}', events: [{ name: null, data: '{"x":"é✓𝄞"}' }], comments: 0 },
};

describe.each(Object.entries(samples))('%s', (_name, { framing, text, events, comments }) => {
	test('decodes the same wherever the bytes are cut', () => {
		fc.assert(
			fc.property(cutBytes(text), (chunks) => {
				expect(decode(framing, chunks)).toEqual({ events, comments, oversize: 0 });
			}),
		);
	});

	test('says once that an event is beyond the bound, and stops', () => {
		const huge = `${framing === 'sse' ? 'data: ' : ''}"${'x'.repeat(500)}`;
		const chunks = [...huge].map((char) => Buffer.from(char));
		expect(decode(framing, chunks, 100)).toEqual({ events: [], comments: 0, oversize: 1 });
	});
});

describe('a last event without its line end', () => {
	test.each([
		['sse', 'data: [DONE]', 1],
		['sse', 'data: {"a":1}', 1],
		['sse', 'data: {"a":', 0],
		['ndjson', '{"done":true}', 1],
		['ndjson', '{"done":', 0],
	] as const)('%s %j gives %d events: a cut one is no event', (framing, text, count) => {
		expect(decode(framing, [Buffer.from(text)]).events.length).toBe(count);
	});
});
