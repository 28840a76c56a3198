/** runProbe reads mock servers that others wrote, so that reader and simulator do not merely agree with each other. */
import { type AddressInfo, createServer } from 'node:net';
import { LLMock } from '@copilotkit/aimock';
import { Logger, MockServer } from 'openai-mock-api';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { echoLine, expectedReading } from '#core/canary.ts';
import type { Canary } from '#core/target.ts';
import { echo, probeOnce, targetOf, testKey } from './probe-setup.ts';

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

describe('openai-mock-api', () => {
	const nonce = 'k7f3a9';
	const reading = JSON.stringify(expectedReading(nonce));
	let server: MockServer;
	let baseUrl = '';

	beforeAll(async () => {
		const port = await freePort();
		baseUrl = `http://127.0.0.1:${port}/v1`;
		const answer = (pattern: string, message: { content?: string; tool?: { name: string; arguments: string } }) => ({
			id: pattern,
			messages: [
				{ role: 'user' as const, content: pattern, matcher: 'contains' as const },
				{
					role: 'assistant' as const,
					...(message.tool === undefined
						? { content: message.content ?? '' }
						: { tool_calls: [{ id: 'call_1', type: 'function' as const, function: message.tool }] }),
				},
			],
		});
		const mute = () => {};
		server = new MockServer(
			{
				apiKey: testKey,
				port,
				responses: [
					answer('exactly the following line', { content: `Here it is: ${echoLine(nonce)}` }),
					answer('one JSON object', { content: reading }),
					answer('Call the tool', { tool: { name: 'record_reading', arguments: reading } }),
				],
			},
			Object.assign(new Logger(), { info: mute, debug: mute, warn: mute, error: mute }),
		);
		await server.start(port);
	});
	afterAll(() => server.stop());

	const ask = (canary: Canary, word = nonce, key = testKey) =>
		probeOnce(targetOf('openai-chat', baseUrl, { upstreamModel: 'gpt-4' }), { randomNonce: () => word, readSecret: () => key }, { canary });

	test('answers the echo, whose tokens it counts with a real tokenizer', async () => {
		const result = await ask(echo);
		expect(result).toMatchObject({ outcome: 'ok', sli: 'good' });
		// It tells no usage in its stream; what is charged then covers the whole prompt.
		expect(result.costMicroUsd).toBeGreaterThan(100);
	});

	test.each([
		['json', { name: 'json', type: 'json' }],
		['tool', { name: 'tool', type: 'tool' }],
	] as const)('answers the %s canary, and a fresh word is not what it has learnt', async (_, canary) => {
		expect(await ask(canary)).toMatchObject({ outcome: 'ok', sli: 'good' });
		expect(await ask(canary, 'another')).toMatchObject({ outcome: 'canary_mismatch', sli: 'excluded' });
	});

	test('refuses a wrong key, and that is ours', async () => {
		expect(await ask(echo, nonce, 'wrong')).toMatchObject({ outcome: 'auth_failed', sli: 'excluded', httpStatus: 401 });
	});

	test('what it has no answer to is our request, not its outage', async () => {
		const stranger: Canary = { name: 'mine', type: 'custom', prompt: 'an unexpected question', expect: { text: 'x' } };
		expect(await ask(stranger)).toMatchObject({ outcome: 'bad_request', sli: 'excluded' });
	});
});

async function freePort(): Promise<number> {
	const server = createServer();
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	const { port } = server.address() as AddressInfo;
	await new Promise((resolve) => server.close(resolve));
	return port;
}
