/** The official SDKs of Cohere, Mistral, AWS and Ollama read the simulator without complaint. */
import { BedrockRuntimeClient, ConverseStreamCommand } from '@aws-sdk/client-bedrock-runtime';
import { Mistral } from '@mistralai/mistralai';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { CohereClientV2 } from 'cohere-ai';
import { Ollama } from 'ollama';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { readingForms } from '#core/canary.ts';
import { type Simulator, startSimulator } from '#simulator/start-simulator.ts';
import { simModel, simProvider, testKey } from './probe-setup.ts';

const prompt = 'Reply with exactly: alfa bravo charlie';
const callPrompt = 'Call the tool, with word "k7f3a9" and count 421.';
const reading = { word: 'k7f3a9', count: 421 };
const model = simModel.upstreamModel;
const { name, schema } = readingForms.tool;
const ids = ['cohere', 'mistral', 'bedrock', 'ollama'] as const;

interface Heard {
	text: string;
	tokens: number;
	toolName: string;
	toolArguments: string;
}

let simulator: Simulator;
let askers: Record<(typeof ids)[number], (tool: boolean) => Promise<Heard>>;

beforeAll(async () => {
	simulator = await startSimulator({ fleet: { providers: ids.map((id) => simProvider(id, id)) }, apiKeys: Object.fromEntries(ids.map((id) => [id, testKey])) });
	const origin = (id: string, suffix: string) => simulator.baseUrl(id).replace(new RegExp(`${suffix}$`), '');
	const cohere = new CohereClientV2({ token: testKey, environment: origin('cohere', '/v2') });
	const mistral = new Mistral({ apiKey: testKey, serverURL: origin('mistral', '/v1'), retryConfig: { strategy: 'none' } });
	const ollama = new Ollama({ host: simulator.baseUrl('ollama'), headers: { authorization: `Bearer ${testKey}` } });
	const bedrock = new BedrockRuntimeClient({
		region: 'us-east-1',
		endpoint: simulator.baseUrl('bedrock'),
		credentials: { accessKeyId: testKey, secretAccessKey: 'any words' },
		maxAttempts: 1,
		// Its own default is HTTP/2, which the simulator does not speak.
		requestHandler: new NodeHttpHandler(),
	});
	const messages = (tool: boolean) => [{ role: 'user' as const, content: tool ? callPrompt : prompt }];
	const tools = [{ type: 'function' as const, function: { name, description: 'Records.', parameters: { ...schema, required: [...schema.required] } } }];

	askers = {
		async cohere(tool) {
			const heard = { text: '', tokens: 0, toolName: '', toolArguments: '' };
			const stream = await cohere.chatStream(
				{ model, messages: messages(tool), ...(tool ? { tools, toolChoice: 'REQUIRED' as const } : {}) },
				{ maxRetries: 0 },
			);
			for await (const event of stream) {
				if (event.type === 'content-delta') heard.text += event.delta?.message?.content?.text ?? '';
				if (event.type === 'tool-call-start') heard.toolName = event.delta?.message?.toolCalls?.function?.name ?? '';
				if (event.type === 'tool-call-delta') heard.toolArguments += event.delta?.message?.toolCalls?.function?.arguments ?? '';
				if (event.type === 'message-end') {
					heard.tokens = event.delta?.usage?.tokens?.outputTokens ?? 0;
					if (event.delta?.finishReason === 'ERROR') throw new Error('the stream ended in an error');
				}
			}
			return heard;
		},
		async mistral(tool) {
			const heard = { text: '', tokens: 0, toolName: '', toolArguments: '' };
			const stream = await mistral.chat.stream({ model, messages: messages(tool), ...(tool ? { tools, toolChoice: 'any' as const } : {}) });
			for await (const { data } of stream) {
				const delta = data.choices[0]?.delta;
				if (typeof delta?.content === 'string') heard.text += delta.content;
				for (const call of delta?.toolCalls ?? []) {
					heard.toolName = call.function.name;
					heard.toolArguments += typeof call.function.arguments === 'string' ? call.function.arguments : JSON.stringify(call.function.arguments);
				}
				heard.tokens = data.usage?.completionTokens ?? heard.tokens;
			}
			return heard;
		},
		async bedrock(tool) {
			const heard = { text: '', tokens: 0, toolName: '', toolArguments: '' };
			const toolSpec = { name, inputSchema: { json: { ...schema, required: [...schema.required] } } };
			const { stream } = await bedrock.send(
				new ConverseStreamCommand({
					modelId: model,
					messages: [{ role: 'user', content: [{ text: tool ? callPrompt : prompt }] }],
					...(tool ? { toolConfig: { tools: [{ toolSpec }], toolChoice: { tool: { name } } } } : {}),
				}),
			);
			for await (const event of stream ?? []) {
				heard.text += event.contentBlockDelta?.delta?.text ?? '';
				heard.toolName += event.contentBlockStart?.start?.toolUse?.name ?? '';
				heard.toolArguments += event.contentBlockDelta?.delta?.toolUse?.input ?? '';
				heard.tokens = event.metadata?.usage?.outputTokens ?? heard.tokens;
			}
			return heard;
		},
		async ollama(tool) {
			const heard = { text: '', tokens: 0, toolName: '', toolArguments: '' };
			const offered = [{ type: 'function', function: { name, description: 'Records.', parameters: { ...schema, required: [...schema.required] } } }];
			for await (const part of await ollama.chat({ model, messages: messages(tool), stream: true, ...(tool ? { tools: offered } : {}) })) {
				heard.text += part.message.content;
				for (const call of part.message.tool_calls ?? []) {
					heard.toolName = call.function.name;
					heard.toolArguments = JSON.stringify(call.function.arguments);
				}
				heard.tokens = part.eval_count ?? heard.tokens;
			}
			return heard;
		},
	};
});
afterAll(() => simulator.close());
beforeEach(() => {
	for (const id of ids) simulator.setFault(id, null, null);
});

describe.each(ids)('the SDK for %s', (id) => {
	test('reads the answer and the usage', async () => {
		const { text, tokens } = await askers[id](false);
		expect(text).toBe('alfa bravo charlie');
		expect(tokens).toBeGreaterThan(0);
	});

	test('reads a tool call', async () => {
		const { toolName, toolArguments } = await askers[id](true);
		expect(toolName).toBe(name);
		expect(JSON.parse(toolArguments)).toEqual(reading);
	});

	test.each(['heartbeats_between', 'reasoning_first'] as const)('reads the variant %s', async (mode) => {
		simulator.setFault(id, null, { mode });
		expect((await askers[id](false)).text).toContain('alfa bravo charlie');
	});

	test('throws on an error inside the stream', async () => {
		// Mistral has no such error of its own; its SDK reads one as a chunk that is none.
		simulator.setFault(id, null, { mode: 'in_band_error', error: 'server_error', tokens: 1 });
		await expect(askers[id](false)).rejects.toThrow();
	});

	test('throws on a wrong key', async () => {
		simulator.setFault(id, null, { mode: 'http_error', error: 'auth_failed' });
		await expect(askers[id](false)).rejects.toThrow();
	});
});
