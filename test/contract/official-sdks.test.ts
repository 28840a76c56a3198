/** The official SDKs read the simulator without complaint: what it speaks is the protocol, not our idea of it. */
import Anthropic from '@anthropic-ai/sdk';
import { GoogleGenAI } from '@google/genai';
import OpenAI from 'openai';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Simulator, startSimulator } from '#simulator/start-simulator.ts';
import { simModel, simProvider, testKey } from './probe-setup.ts';

let simulator: Simulator;
let openai: OpenAI;
let anthropic: Anthropic;
let google: GoogleGenAI;

const prompt = 'Reply with exactly: alfa bravo charlie';
const answer = 'alfa bravo charlie';
const model = simModel.upstreamModel;
const providers = ['openai', 'claude', 'google'] as const;

beforeAll(async () => {
	simulator = await startSimulator({
		fleet: {
			providers: [
				simProvider('openai', 'openai-chat'),
				simProvider('claude', 'anthropic'),
				simProvider('google', 'gemini'),
				simProvider('responses', 'openai-responses'),
				simProvider('vectors', 'openai-embeddings'),
			],
		},
		apiKeys: { openai: testKey, claude: testKey, google: testKey },
	});
	openai = new OpenAI({ apiKey: testKey, baseURL: simulator.baseUrl('openai'), maxRetries: 0 });
	anthropic = new Anthropic({ apiKey: testKey, baseURL: simulator.baseUrl('claude'), maxRetries: 0 });
	google = new GoogleGenAI({ apiKey: testKey, httpOptions: { baseUrl: simulator.baseUrl('google').replace(/\/v1beta$/, ''), apiVersion: 'v1beta' } });
});
afterAll(() => simulator.close());
beforeEach(() => {
	for (const id of providers) simulator.setFault(id, null, null);
});

async function askOpenai() {
	let text = '';
	let tokens = 0;
	let served = '';
	for await (const chunk of await openai.chat.completions.create({
		model,
		messages: [{ role: 'user', content: prompt }],
		stream: true,
		stream_options: { include_usage: true },
	})) {
		text += chunk.choices[0]?.delta.content ?? '';
		tokens = chunk.usage?.completion_tokens ?? tokens;
		served = chunk.model;
	}
	return { text, tokens, served };
}

async function askAnthropic() {
	const message = await anthropic.messages.stream({ model, max_tokens: 64, messages: [{ role: 'user', content: prompt }] }).finalMessage();
	const text = message.content.map((block) => (block.type === 'text' ? block.text : '')).join('');
	return { text, tokens: message.usage.output_tokens, served: message.model };
}

async function askGoogle() {
	let text = '';
	let tokens = 0;
	let served = '';
	for await (const chunk of await google.models.generateContentStream({ model, contents: prompt })) {
		text += chunk.text ?? '';
		tokens = chunk.usageMetadata?.candidatesTokenCount ?? tokens;
		served = chunk.modelVersion ?? served;
	}
	return { text, tokens, served };
}

describe.each([
	['openai', askOpenai],
	['claude', askAnthropic],
	['google', askGoogle],
] as const)('the SDK for %s', (id, ask) => {
	test('reads the answer, the usage and the served model', async () => {
		expect(await ask()).toEqual({ text: answer, tokens: 3, served: model });
	});

	test.each(['crlf', 'split_utf8', 'heartbeats_between', 'reasoning_first'] as const)('reads the variant %s', async (mode) => {
		simulator.setFault(id, null, { mode });
		expect((await ask()).text).toContain(answer);
	});

	test('throws on an error inside the stream', async () => {
		simulator.setFault(id, null, { mode: 'in_band_error', error: 'server_error', tokens: 1 });
		await expect(ask()).rejects.toThrow();
	});

	test('reports the status of an error before the stream', async () => {
		simulator.setFault(id, null, { mode: 'http_error', error: 'rate_limited' });
		await expect(ask()).rejects.toMatchObject({ status: 429 });
	});
});

test('the SDK for the Responses reads the answer and the usage', async () => {
	const client = new OpenAI({ apiKey: testKey, baseURL: simulator.baseUrl('responses'), maxRetries: 0 });
	let text = '';
	let tokens = 0;
	for await (const event of await client.responses.create({ model, input: prompt, stream: true })) {
		if (event.type === 'response.output_text.delta') text += event.delta;
		if (event.type === 'response.completed') tokens = event.response.usage?.output_tokens ?? 0;
	}
	expect({ text, tokens }).toEqual({ text: answer, tokens: 3 });
	simulator.setFault('responses', null, { mode: 'in_band_error', error: 'server_error', tokens: 1 });
	await expect(async () => {
		for await (const _event of await client.responses.create({ model, input: prompt, stream: true }));
	}).rejects.toThrow();
});

test('the SDK reads embeddings', async () => {
	const client = new OpenAI({ apiKey: testKey, baseURL: simulator.baseUrl('vectors'), maxRetries: 0 });
	const { data } = await client.embeddings.create({ model, input: 'probe', encoding_format: 'float' });
	expect(data[0]?.embedding.every(Number.isFinite)).toBe(true);
});

describe('a wrong key', () => {
	test('is answered in the words of each protocol', async () => {
		const wrong = new OpenAI({ apiKey: 'wrong', baseURL: simulator.baseUrl('openai'), maxRetries: 0 });
		await expect(wrong.models.list()).rejects.toMatchObject({ status: 401, code: 'invalid_api_key' });
		const alsoWrong = new Anthropic({ apiKey: 'wrong', baseURL: simulator.baseUrl('claude'), maxRetries: 0 });
		await expect(alsoWrong.models.list()).rejects.toMatchObject({ status: 401 });
	});
});

describe('the listing of models', () => {
	test('is read by each SDK', async () => {
		expect((await openai.models.list()).data.map(({ id }) => id)).toEqual([model]);
		expect((await anthropic.models.list()).data.map(({ id }) => id)).toEqual([model]);
		const page = await google.models.list();
		expect(page.page.map(({ name }) => name)).toEqual([`models/${model}`]);
	});
});
