import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fileSlug, parseTargetId, targetId } from './target.ts';

const provider = fc.stringMatching(/^[a-z0-9][a-z0-9._-]{0,10}$/);
const model = fc.string({ minLength: 1, maxLength: 30, unit: 'grapheme' });

describe('a target id', () => {
	it('comes back as its parts, whatever the model is called', () => {
		fc.assert(
			fc.property(provider, model, fc.constantFrom('chat' as const, 'embeddings' as const), (p, m, operation) => {
				expect(parseTargetId(targetId({ provider: p, model: m, operation }))).toEqual({ provider: p, model: m, operation });
			}),
		);
	});

	it.each(['', 'openai', 'openai:gpt', 'openai::chat', ':gpt:chat', 'openai:gpt:sing'])('%j is none', (text) => {
		expect(parseTargetId(text)).toBeNull();
	});
});

describe('a file slug', () => {
	it('of a very long id still fits a file name, and tells ids apart that differ at the end only', () => {
		const [a, b] = ['1', '2'].map((end) => fileSlug(`p:${'模'.repeat(199)}${end}:chat`));
		expect(a).not.toBe(b);
		for (const slug of [a, b]) expect(slug?.length).toBeLessThanOrEqual(180);
	});

	it('never collides, also where case is ignored', () => {
		fc.assert(
			fc.property(model, model, (a, b) => {
				fc.pre(a.isWellFormed() && b.isWellFormed() && a !== b);
				expect(fileSlug(a).toLowerCase()).not.toBe(fileSlug(b).toLowerCase());
			}),
		);
	});

	it.each([
		['openai:openai/gpt-4.1:chat', 'openai_-openai__gpt-4.1_-chat'],
		['openai:openai/gpt-4-1:chat', 'openai_-openai__gpt-4-1_-chat'],
		['x:GPT:chat', 'x_-_47_50_54_-chat'],
		['x:a b/é:chat', 'x_-a_20b___c3_a9_-chat'],
	])('%s is %s', (id, slug) => {
		expect(fileSlug(id)).toBe(slug);
	});
});
