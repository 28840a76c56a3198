/** Recorded streams, cut at every byte, in every dress that the protocol allows, must read as what the provider meant. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Answer } from '#core/answer.ts';
import type { EventMark } from '#providers/adapter.ts';
import { dialects } from '#providers/index.ts';
import { createEventDecoder } from '#workers/probe/event-decoder.ts';

const folder = join(dirname(fileURLToPath(import.meta.resolve('#providers/index.ts'))), '__fixtures__');
const fixture = (name: string) => readFileSync(join(folder, name));

/** Feeds the bytes cut at the given places, as a socket might. */
function read(dialectId: string, bytes: Uint8Array, cuts: readonly number[] = []): { answer: Answer; marks: EventMark[] } {
	const dialect = dialects[dialectId];
	if (dialect === undefined) throw new Error(`no dialect ${dialectId}`);
	const reader = dialect.createReader();
	const marks: EventMark[] = [];
	const decoder = createEventDecoder(dialect.framing, { onEvent: (event) => marks.push(reader.push(event)), onComment() {}, onOversize() {} }, 1_000_000);
	const places = [0, ...cuts, bytes.length];
	for (let i = 1; i < places.length; i++) decoder.feed(bytes.subarray(places[i - 1], places[i]));
	decoder.end();
	reader.end();
	return { answer: { ...reader.answer() }, marks };
}

const dresses: Record<string, (text: string) => string> = {
	'as sent': (text) => text,
	CRLF: (text) => text.replaceAll('\n', '\r\n'),
	CR: (text) => text.replaceAll('\n', '\r'),
	'no space after the colon': (text) => text.replaceAll(/^(data|event): /gm, '$1:'),
	'a byte order mark': (text) => `\ufeff${text}`,
	'several data lines': (text) =>
		text.replaceAll(/^data: (\{.*)$/gm, (_line, json: string) => JSON.stringify(JSON.parse(json), null, 1).replaceAll(/^/gm, 'data: ')),
	'comments between': (text) => text.replaceAll('\n\n', '\n\n: ping\n\n'),
};

const greeting = 'Grüße, 世界 🌍';

interface Case {
	readonly file: string;
	readonly expected: Partial<Answer>;
	readonly content: number;
	readonly reasoning?: number;
}

const cases: readonly Case[] = [
	{
		file: 'openai-chat.openai.sse',
		content: 2,
		expected: {
			text: greeting,
			complete: true,
			closed: true,
			finish: 'stop',
			inputTokens: 13,
			outputTokens: 6,
			reasoningTokens: 0,
			servedModel: 'gpt-6-luna-2026-09-01',
			requestId: 'chatcmpl-Q1',
		},
	},
	{
		file: 'openai-chat.groq.sse',
		content: 1,
		reasoning: 1,
		expected: { text: 'OK', complete: true, inputTokens: 40, outputTokens: 9, reasoningTokens: 6, requestId: 'req_01gq', reasoningSeen: true },
	},
	{ file: 'openai-chat.deepseek.sse', content: 1, reasoning: 1, expected: { text: 'OK', complete: true, outputTokens: 12, reasoningTokens: 10 } },
	{ file: 'openai-chat.xai.sse', content: 1, reasoning: 1, expected: { text: 'OK', complete: true, inputTokens: 12, outputTokens: 291, reasoningTokens: 290 } },
	{ file: 'openai-chat.azure.sse', content: 1, expected: { text: 'OK', complete: true, servedModel: 'gpt-6-luna-2026-09-01', requestId: 'chatcmpl-Q1' } },
	{ file: 'openai-chat.perplexity.sse', content: 2, expected: { text: 'OK', complete: true, closed: false, note: 'no_done', outputTokens: 2 } },
	{ file: 'openai-chat.tool.sse', content: 2, expected: { text: '', complete: true, finish: 'tool' } },
	{ file: 'openai-chat.openrouter-error.sse', content: 1, expected: { complete: false, closed: true, errorAfterContent: true } },
	{ file: 'openai-chat.vllm-error.sse', content: 0, expected: { complete: false, closed: true, errorAfterContent: false } },
	{
		file: 'anthropic.plain.sse',
		content: 2,
		expected: {
			text: greeting,
			complete: true,
			closed: true,
			finish: 'stop',
			inputTokens: 15,
			outputTokens: 9,
			servedModel: 'vesper-4-20260901',
			requestId: 'msg_01A',
		},
	},
	{ file: 'anthropic.thinking.sse', content: 1, reasoning: 1, expected: { text: 'OK', complete: true, reasoningSeen: true, outputTokens: 31 } },
	{ file: 'anthropic.refusal.sse', content: 0, expected: { text: '', complete: true, finish: 'content' } },
	{ file: 'anthropic.error.sse', content: 1, expected: { complete: false, closed: true, errorAfterContent: true } },
	{
		file: 'gemini.plain.sse',
		content: 2,
		expected: { text: greeting, complete: true, finish: 'stop', inputTokens: 4, outputTokens: 7, servedModel: 'arctic-flash-2', requestId: 'r-77' },
	},
	{ file: 'gemini.thinking.sse', content: 1, reasoning: 1, expected: { text: 'OK', complete: true, outputTokens: 27, reasoningTokens: 26 } },
	{ file: 'gemini.blocked.sse', content: 0, expected: { text: '', complete: true, finish: 'content', finishReason: 'PROHIBITED_CONTENT' } },
	{ file: 'gemini.error.sse', content: 1, expected: { complete: false, closed: true, errorAfterContent: true } },
	{ file: 'mistral.reasoning.sse', content: 2, reasoning: 1, expected: { text: greeting, complete: true, inputTokens: 11, outputTokens: 9 } },
	{ file: 'azure-openai.filtered.sse', content: 1, expected: { complete: true, finish: 'content', finishReason: 'content_filter' } },
	{
		file: 'openai-responses.plain.sse',
		content: 2,
		reasoning: 1,
		expected: { text: greeting, complete: true, closed: true, inputTokens: 10, outputTokens: 15, reasoningTokens: 7, servedModel: 'gpt-6-luna-2026-09-01' },
	},
	{ file: 'openai-responses.quota.sse', content: 0, expected: { complete: false, error: expect.objectContaining({ code: 'insufficient_quota' }) } },
	{
		file: 'openai-responses.flat-error.sse',
		content: 0,
		expected: { complete: false, error: expect.objectContaining({ code: 'server_error', message: 'boom' }) },
	},
	{ file: 'vertex.plain.sse', content: 2, expected: { text: greeting, complete: true, finish: 'stop', outputTokens: 3 } },
	{ file: 'cohere.plain.sse', content: 2, reasoning: 1, expected: { text: greeting, complete: true, inputTokens: 71, outputTokens: 9, requestId: 'co-5' } },
	{ file: 'cohere.timeout.sse', content: 0, expected: { complete: true, finish: 'timeout' } },
	{
		file: 'ollama.plain.ndjson',
		content: 2,
		reasoning: 1,
		expected: { text: greeting, complete: true, inputTokens: 26, outputTokens: 12, servedModel: 'cinder:8b' },
	},
	{ file: 'ollama.error.ndjson', content: 1, expected: { complete: false, errorAfterContent: true } },
	{ file: 'bedrock.plain.bin', content: 2, reasoning: 1, expected: { text: greeting, complete: true, closed: true, inputTokens: 8, outputTokens: 14 } },
	{ file: 'bedrock.throttled.bin', content: 1, expected: { complete: false, error: expect.objectContaining({ type: 'throttlingException' }) } },
	{
		file: 'openai-embeddings.plain.json',
		content: 1,
		expected: { complete: true, finish: 'stop', inputTokens: 4, outputTokens: 0, servedModel: 'text-embed-3' },
	},
	{ file: 'openai-embeddings.zero.json', content: 1, expected: { complete: true, finish: 'mismatch' } },
	{ file: 'voyage-embeddings.plain.json', content: 1, expected: { complete: true, inputTokens: 5 } },
	{ file: 'cohere-embeddings.plain.json', content: 1, expected: { complete: true, inputTokens: 2 } },
	{ file: 'cohere-embeddings.none.json', content: 0, expected: { complete: true, finish: null } },
	{ file: 'gemini-embeddings.plain.json', content: 1, expected: { complete: true, finish: 'stop' } },
];

describe.each(cases)('$file', ({ file, expected, content, reasoning = 0 }) => {
	const dialectId = file.split('.')[0] ?? '';
	const recorded = fixture(file);

	test('reads as what the provider meant', () => {
		const { answer, marks } = read(dialectId, recorded);
		expect(answer).toMatchObject(expected);
		expect(marks.filter((mark) => mark === 'content').length).toBe(content);
		expect(marks.filter((mark) => mark === 'reasoning').length).toBe(reasoning);
		expect(answer.malformed).toBeNull();
	});

	// Other framings have one dress only, and no text to dress.
	const worn = file.endsWith('.sse') ? Object.keys(dresses) : ['as sent'];
	test.each(worn)('reads the same with %s, cut at every byte', (dress) => {
		const bytes = dress === 'as sent' ? recorded : Buffer.from(dresses[dress]?.(recorded.toString('utf8')) ?? '');
		const whole = read(dialectId, recorded);
		expect(
			read(
				dialectId,
				bytes,
				Array.from(bytes, (_, i) => i),
			),
		).toMatchObject({ answer: whole.answer, marks: whole.marks });
		for (let cut = 1; cut < bytes.length; cut++) {
			const { answer, marks } = read(dialectId, bytes, [cut]);
			// Compared by hand: one expect per byte costs more than the reading.
			if (answer.text !== whole.answer.text || answer.complete !== whole.answer.complete || marks.join() !== whole.marks.join()) {
				expect({ cut, answer, marks }).toEqual({ cut, answer: whole.answer, marks: whole.marks });
			}
		}
	});

	test('a stream that ends before its terminator is never complete', () => {
		const bytes = recorded;
		let completeFrom = bytes.length;
		for (let end = bytes.length; end >= 0; end--) {
			if (!read(dialectId, bytes.subarray(0, end)).answer.complete) break;
			completeFrom = end;
		}
		for (let end = 0; end < completeFrom; end++) {
			if (read(dialectId, bytes.subarray(0, end)).answer.complete) expect(end).toBe('incomplete');
		}
		if (expected.complete === true) expect(read(dialectId, bytes.subarray(0, completeFrom - 1)).answer.complete).toBe(false);
	});
});

describe('every reader', () => {
	test.each(Object.keys(dialects))('%s never throws, whatever the events hold', (dialectId) => {
		const event = fc.record({ name: fc.option(fc.string(), { nil: null }), data: fc.oneof(fc.string(), fc.json(), fc.constant('[DONE]')) });
		fc.assert(
			fc.property(fc.array(event, { maxLength: 20 }), (events) => {
				const reader = dialects[dialectId]?.createReader();
				for (const each of events) reader?.push(each);
				reader?.end();
				const answer = reader?.answer();
				return answer !== undefined && answer.text.length <= 16_384;
			}),
		);
	});

	const known = [
		'choices',
		'delta',
		'content',
		'candidates',
		'parts',
		'text',
		'usage',
		'error',
		'type',
		'message',
		'finish_reason',
		'x_groq',
		'tool_calls',
		'function',
	];
	test.each(Object.keys(dialects))('%s never throws on its own words in the wrong places', (dialectId) => {
		const { tree } = fc.letrec((tie) => ({
			tree: fc.oneof(
				{ maxDepth: 5, withCrossShrink: true },
				fc.constantFrom(null, 0, -1, 1.5, '', 'text', true, 'message_delta', 'content_block_delta', 'error'),
				fc.array(tie('tree'), { maxLength: 3 }),
				fc.dictionary(fc.constantFrom(...known), tie('tree'), { maxKeys: 5 }),
			),
		}));
		fc.assert(
			fc.property(fc.array(tree, { maxLength: 8 }), (values) => {
				const reader = dialects[dialectId]?.createReader();
				for (const value of values) reader?.push({ name: null, data: JSON.stringify(value) });
				reader?.end();
				return reader?.answer() !== undefined;
			}),
		);
	});
});

test('every dialect has a fixture, and every fixture a case', () => {
	const files = readdirSync(folder);
	for (const id of Object.keys(dialects)) expect(files.filter((name) => name.startsWith(`${id}.`)).length, id).toBeGreaterThan(0);
	expect(cases.map(({ file }) => file).sort()).toEqual(files.sort());
});
