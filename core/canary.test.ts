import { describe, expect, test } from 'vitest';
import { emptyAnswer } from './answer.ts';
import { askOf, echoLine, expectedReading, findMismatch, mostInputTokens, typicalInputTokens } from './canary.ts';
import type { Canary } from './target.ts';

const echo: Canary = { name: 'echo', type: 'echo' };
const line = echoLine('k7f3a9');
const said = (text: string) => ({ ...emptyAnswer, text });
const called = (toolName: string | null, toolArguments: string) => ({ ...emptyAnswer, toolName, toolArguments });

describe('the echo canary', () => {
	test('asks for a line that holds the nonce and enough words for a speed', () => {
		expect(askOf(echo, 'k7f3a9').prompt).toContain(line);
		expect(line.split(' ').length).toBeGreaterThan(20);
	});

	test.each([
		['the line', line, true],
		['in other case, with punctuation', `"${line.toUpperCase().replaceAll(' ', ', ')}."`, true],
		['with chatter around it', `Sure! Here it is:\n${line}\nAnything else?`, true],
		['with another nonce', line.replace('k7f3a9', 'k7f3a8'), false],
		['with a word left out', line.replace(' kilo', ''), false],
		['cut short', line.slice(0, -4), false],
		['with the nonce as a part of a word', `x${line}`, false],
		['empty', '', false],
	])('%s', (_what, text, right) => {
		expect(findMismatch(echo, 'k7f3a9', said(text))).toBe(right ? null : 'wrong_answer');
	});
});

describe("the operator's own canary", () => {
	const text: Canary = { name: 'sum', type: 'custom', prompt: 'What is 2 + 2? Number only.', expect: { text: '4' } };
	const pattern: Canary = { name: 'sum', type: 'custom', prompt: 'What is 2 + 2?', expect: { pattern: '\\b(4|four)\\b' } };

	const schema: Canary = {
		name: 'city',
		type: 'custom',
		prompt: 'Name a city as JSON.',
		expect: { schema: { type: 'object', properties: { city: { type: 'string', minLength: 2 } }, required: ['city'] } },
	};

	test.each([
		['{"city": "Oslo"}', null],
		['{"city": "O"}', 'wrong_json'],
		['["Oslo"]', 'wrong_json'],
		['Oslo', 'not_json'],
	])('with a schema, answered %s: %s', (answer, mismatch) => {
		expect(findMismatch(schema, 'nonce', said(answer))).toBe(mismatch);
	});

	test('sends the prompt as written', () => {
		expect(askOf(text, 'nonce')).toEqual({ prompt: 'What is 2 + 2? Number only.', form: null });
	});

	test.each([
		[text, ' 4\n', true],
		[text, '4.', false],
		[pattern, 'It is four.', true],
		[pattern, 'It is 44.', false],
	])('%j answered %j: %j', (canary, answer, right) => {
		expect(findMismatch(canary, 'nonce', said(answer))).toBe(right ? null : 'wrong_answer');
	});
});

const { word, count } = expectedReading('k7f3a9');
const right = JSON.stringify({ word, count });

describe('the json canary', () => {
	const json: Canary = { name: 'json', type: 'json' };

	test('asks for values that no other nonce gives, under a schema', () => {
		const { prompt, form } = askOf(json, 'k7f3a9');
		expect(prompt).toContain('k7f3a9');
		expect(prompt).toContain(String(count));
		expect(form).toMatchObject({ kind: 'json', schema: { required: ['word', 'count'], additionalProperties: false } });
	});

	test.each([
		[` ${right}\n`, null],
		[JSON.stringify({ count, word }), null],
		[`\`\`\`json\n${right}\n\`\`\``, 'not_json'],
		[JSON.stringify({ word, count: count + 1 }), 'wrong_answer'],
		[JSON.stringify({ word, count: String(count) }), 'wrong_answer'],
		[JSON.stringify({ word, count, more: 1 }), 'wrong_answer'],
		[JSON.stringify({ word }), 'wrong_answer'],
	])('answered %j: %s', (text, mismatch) => {
		expect(findMismatch(json, 'k7f3a9', said(text))).toBe(mismatch);
	});
});

describe('the tool canary', () => {
	const tool: Canary = { name: 'tool', type: 'tool' };

	test.each([
		['record_reading', right, null],
		['record_reading', '{"word":"other","count":1}', 'wrong_arguments'],
		['record_reading', right.slice(0, -1), 'not_json'],
		['record_reading', '', 'not_json'],
		['another', right, 'wrong_tool'],
		[null, '', 'no_tool_call'],
	])('calling %s with %j: %s', (name, args, mismatch) => {
		expect(findMismatch(tool, 'k7f3a9', called(name, args))).toBe(mismatch);
	});

	test('is not answered by text, however right', () => {
		expect(findMismatch(tool, 'k7f3a9', said(right))).toBe('no_tool_call');
	});
});

describe('the embedding canary', () => {
	const of = (dimensions: number | null): Canary => ({ name: 'embedding', type: 'embedding', dimensions });

	test.each([
		[null, 3, null],
		[3, 3, null],
		[4, 3, 'wrong_dimensions'],
	])('that expects %j numbers and gets %j: %s', (dimensions, vectorLength, mismatch) => {
		expect(findMismatch(of(dimensions), 'n', { ...emptyAnswer, vectorLength })).toBe(mismatch);
	});
});

describe('the bound on input tokens', () => {
	test.each(['echo', 'json', 'tool'] as const)('%s: is above a token a byte of all that is sent, and above what is usual', (name) => {
		const ask = askOf({ name, type: name } as Canary, 'k7f3a9');
		const bytes = ask.prompt.length + (ask.form === null ? 0 : JSON.stringify(ask.form).length);
		expect(mostInputTokens(ask)).toBeGreaterThan(bytes);
		expect(typicalInputTokens(ask)).toBeLessThan(mostInputTokens(ask));
	});

	test('counts bytes, not letters', () => {
		const ask = (prompt: string) => ({ prompt, form: null });
		expect(mostInputTokens(ask('語'.repeat(100))) - mostInputTokens(ask(''))).toBe(300);
	});
});
