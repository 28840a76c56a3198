/** runProbe reads a mock server that others wrote, so that reader and simulator do not merely agree with each other. */
import { LLMock } from '@copilotkit/aimock';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Canary } from '#core/target.ts';
import { probeOnce, targetOf } from './probe-setup.ts';

const mock = new LLMock({ port: 0, logLevel: 'silent' });
const content = 'The harbour lights were out, so we anchored by the stars and waited for the morning tide.';

function canary(prompt: string, text: string): Canary {
	return { name: 'mine', type: 'custom', prompt, expect: { text } };
}

beforeAll(async () => {
	mock.onMessage('good question', { content });
	mock.onMessage('cut question', { content }, { truncateAfterChunks: 2, latency: 20 });
	mock.onMessage('limited question', {
		error: { message: 'Limit 60 requests per minute reached', type: 'requests', code: 'rate_limit_exceeded' },
		status: 429,
	});
	mock.onMessage('broken question', { error: { message: 'boom', type: 'server_error' }, status: 500 });
	mock.onEmbedding(/probe/, { embedding: [0.1, -0.2, 0.3] });
	await mock.start();
});
afterAll(() => mock.stop());

const bases: Record<string, () => string> = {
	'openai-chat': () => `${mock.url}/v1`,
	anthropic: () => mock.url,
	gemini: () => `${mock.url}/v1beta`,
	'openai-responses': () => `${mock.url}/v1`,
	cohere: () => `${mock.url}/v2`,
	ollama: () => mock.url,
	bedrock: () => mock.url,
	vertex: () => `${mock.url}/v1/projects/p/locations/l/publishers/google`,
};

/** Models that make the mock take the path for what it is. */
const models: Record<string, string> = { gemini: 'gemini-2.5-flash', vertex: 'gemini-2.5-flash', bedrock: 'amazon.nova-micro-v1:0' };

describe.each(Object.keys(bases))('aimock speaking %s', (dialect) => {
	const target = () => targetOf(dialect, bases[dialect]?.() ?? '', { upstreamModel: models[dialect] ?? 'some-model' });

	test('a good answer is ok', async () => {
		const result = await probeOnce(target(), {}, { canary: canary('good question', content) });
		expect(result).toMatchObject({ outcome: 'ok', sli: 'good', httpStatus: 200 });
		expect(result.ttftMs).toBeGreaterThan(0);
	});

	test('a wrong answer is a mismatch', async () => {
		expect(await probeOnce(target(), {}, { canary: canary('good question', 'something else') })).toMatchObject({ outcome: 'canary_mismatch' });
	});

	test('a stream that is cut is truncated', async () => {
		expect(await probeOnce(target(), {}, { canary: canary('cut question', content) })).toMatchObject({ outcome: 'stream_truncated', sli: 'bad' });
	});

	test('a limit of ours is ours', async () => {
		expect(await probeOnce(target(), {}, { canary: canary('limited question', content) })).toMatchObject({
			outcome: 'rate_limited',
			sli: 'excluded',
			httpStatus: 429,
		});
	});

	test('an error of theirs is theirs', async () => {
		expect(await probeOnce(target(), {}, { canary: canary('broken question', content) })).toMatchObject({
			outcome: 'server_error',
			sli: 'bad',
			httpStatus: 500,
		});
	});
});

test.each([
	['openai-embeddings', () => `${mock.url}/v1`],
	['cohere-embeddings', () => `${mock.url}/v2`],
	['gemini-embeddings', () => `${mock.url}/v1beta`],
])('aimock speaking %s gives a vector', async (dialect, base) => {
	expect(await probeOnce(targetOf(dialect, base(), { upstreamModel: 'gemini-embedding-001' }))).toMatchObject({ outcome: 'ok', ttftMs: null, httpStatus: 200 });
});
