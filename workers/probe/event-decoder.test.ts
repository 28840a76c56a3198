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

describe('an Amazon frame', () => {
	// Made by the AWS SDK's own codec for a contentBlockDelta.
	const frame = Buffer.from(
		'0000009400000057b4ab9aee0b3a6576656e742d74797065070011636f6e74656e74426c6f636b44656c74610d3a636f6e74656e742d747970650700106170706c69636174696f6e2f6a736f6e0d3a6d6573736167652d747970650700056576656e747b22636f6e74656e74426c6f636b496e646578223a302c2264656c7461223a7b2274657874223a224f4b227d7da78ffdf2',
		'hex',
	);
	const event = { name: 'contentBlockDelta', data: '{"contentBlockIndex":0,"delta":{"text":"OK"}}' };

	test('is read wherever the bytes are cut, twice in a row', () => {
		const two = Buffer.concat([frame, frame]);
		for (let cut = 0; cut <= two.length; cut++) {
			expect(decode('aws-eventstream', [two.subarray(0, cut), two.subarray(cut)]).events).toEqual([event, event]);
		}
	});

	test('with any one bit wrong is no event, and nothing after it is', () => {
		fc.assert(
			fc.property(fc.nat(frame.length - 1), fc.nat(7), (at, bit) => {
				const damaged = Buffer.concat([frame, frame]);
				damaged[at] = (damaged[at] ?? 0) ^ (1 << bit);
				const { events } = decode('aws-eventstream', [damaged]);
				expect(events).toEqual([{ name: 'damaged-frame', data: '' }]);
			}),
		);
	});

	test('cut at the end is no event', () => {
		expect(decode('aws-eventstream', [frame.subarray(0, -1)]).events).toEqual([]);
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
