import { describe, expect, test } from 'vitest';
import { answersCanary, canaryPrompt, echoLine, mostInputTokens } from './canary.ts';
import type { Canary } from './target.ts';

const echo: Canary = { name: 'echo', type: 'echo' };
const line = echoLine('k7f3a9');

describe('the echo canary', () => {
	test('asks for a line that holds the nonce and enough words for a speed', () => {
		expect(canaryPrompt(echo, 'k7f3a9')).toContain(line);
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
		expect(answersCanary(echo, 'k7f3a9', text)).toBe(right);
	});
});

describe("the operator's own canary", () => {
	const text: Canary = { name: 'sum', type: 'custom', prompt: 'What is 2 + 2? Number only.', expect: { text: '4' } };
	const pattern: Canary = { name: 'sum', type: 'custom', prompt: 'What is 2 + 2?', expect: { pattern: '\\b(4|four)\\b' } };

	test('sends the prompt as written', () => {
		expect(canaryPrompt(text, 'nonce')).toBe('What is 2 + 2? Number only.');
	});

	test.each([
		[text, ' 4\n', true],
		[text, '4.', false],
		[pattern, 'It is four.', true],
		[pattern, 'It is 44.', false],
	])('%j answered %j: %j', (canary, answer, right) => {
		expect(answersCanary(canary, 'nonce', answer)).toBe(right);
	});
});

test('the bound on input tokens is above one token for three characters', () => {
	const prompt = canaryPrompt(echo, 'k7f3a9');
	expect(mostInputTokens(prompt)).toBeGreaterThan(prompt.length / 3);
});
