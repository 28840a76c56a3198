import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { matchesPattern, selectModels } from './discovery.ts';

describe('a pattern', () => {
	test.each([
		['llama-*', 'llama-3.3-70b', true],
		['llama-*', 'meta-llama-3', false],
		['*/llama-*', 'meta-llama/Llama-3.3', true],
		['gpt-4.1', 'gpt-4-1', false],
		['gpt-?', 'gpt-4', true],
		['gpt-?', 'gpt-41', false],
		['*', 'anything/at:all', true],
		['a+b(c)', 'a+b(c)', true],
	])('%s on %s: %j', (pattern, name, matches) => {
		expect(matchesPattern(pattern, name)).toBe(matches);
	});

	test('matches itself, whatever it holds', () => {
		fc.assert(fc.property(fc.string({ unit: 'binary' }), (name) => matchesPattern(name, name)));
	});
});

describe('the models that become targets', () => {
	const models = ['llama-3.3-70b', 'llama-guard-4', 'whisper-large', 'gpt-6-luna', 'text-embedding-3', 'gpt-image-2'].map((name) => ({ name }));
	const names = (include: string[] | null, exclude: string[] = []) => selectModels(models, include, exclude).map(({ name }) => name);

	test('without patterns are those that look like chat', () => {
		expect(names(null)).toEqual(['llama-3.3-70b', 'gpt-6-luna']);
	});

	test('with include are exactly those named, chat or not', () => {
		expect(names(['llama-*', 'whisper-*'])).toEqual(['llama-3.3-70b', 'llama-guard-4', 'whisper-large']);
	});

	test('exclude has the last word', () => {
		expect(names(['llama-*'], ['*guard*'])).toEqual(['llama-3.3-70b']);
		expect(names(null, ['*'])).toEqual([]);
	});
});
