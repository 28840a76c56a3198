import { describe, expect, test } from 'vitest';
import { findRequestId, isOtherModel, joinUrl } from './wire.ts';

describe('a URL', () => {
	test.each([
		['https://api.example.test/v1', '/chat/completions', 'https://api.example.test/v1/chat/completions'],
		['https://api.example.test/v1/', '/chat/completions', 'https://api.example.test/v1/chat/completions'],
		['https://api.example.test', '/v1/messages', 'https://api.example.test/v1/messages'],
		['https://x.test/v1beta', '/models/a%2Fb:streamGenerateContent?alt=sse', 'https://x.test/v1beta/models/a%2Fb:streamGenerateContent?alt=sse'],
		['https://x.test/openai?api-version=1', '/chat', 'https://x.test/openai/chat?api-version=1'],
		['https://x.test/openai?api-version=1', '/models?limit=2', 'https://x.test/openai/models?api-version=1&limit=2'],
		['http://[::1]:8000/v1', '/chat', 'http://[::1]:8000/v1/chat'],
	])('%s and %s make %s', (base, path, url) => {
		expect(joinUrl(base, path).href).toBe(url);
	});
});

describe('the served model', () => {
	test.each([
		['gpt-6-luna', 'gpt-6-luna-2026-09-01', false],
		['meta-llama/Llama-3.3-70B-Instruct-Turbo', 'llama-3.3-70b', false],
		['accounts/fireworks/models/llama-v3p3-70b-instruct', 'Llama 3.3 70B Instruct', false],
		['command-r7b-12-2024', 'command-r7b', false],
		['o3', 'o3-2025-04-16', false],
		['gpt-6-luna', 'claude-haiku-5-5', true],
		['aurora-mini-2', 'zyx-9b', true],
	])('%s answered by %s is another model: %s', (asked, served, other) => {
		expect(isOtherModel(asked, served)).toBe(other);
	});
});

test('the most specific request id is taken, and an empty one is none', () => {
	expect(findRequestId({ 'cf-ray': 'ray', 'x-request-id': 'req' })).toBe('req');
	expect(findRequestId({ 'x-request-id': '', 'request-id': 'r2' })).toBe('r2');
	expect(findRequestId({})).toBeNull();
});
