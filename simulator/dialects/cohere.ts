import { isRecord } from '#core/error-body.ts';
import type { Frame, SimAnswer, SimAsk, SimDialect, SimError, SimFinish } from '#simulator/sim-dialect.ts';
import { cutArguments, isStrictSchema, openaiChat } from './openai-chat.ts';

function frame(type: string, rest: object = {}): Frame {
	return { event: type, data: { type, ...rest } };
}

const finishWords = { stop: 'COMPLETE', length: 'MAX_TOKENS', content: 'ERROR_TOXIC', refusal: 'ERROR_TOXIC', tool: 'TOOL_CALL' } as const satisfies Record<
	SimFinish,
	string
>;

function formOf(body: Readonly<Record<string, unknown>>): SimAsk['form'] | undefined {
	const { response_format: format, tools } = body;
	if (format !== undefined) return isRecord(format) && format.type === 'json_object' && isStrictSchema(format.json_schema) ? { kind: 'json' } : undefined;
	if (tools === undefined) return null;
	const tool = Array.isArray(tools) && isRecord(tools[0]) && isRecord(tools[0].function) ? tools[0].function : {};
	return typeof tool.name === 'string' && isStrictSchema(tool.parameters) && body.tool_choice === 'REQUIRED' ? { kind: 'tool', name: tool.name } : undefined;
}

const usageOf = (answer: SimAnswer) => ({
	billed_units: { input_tokens: answer.inputTokens, output_tokens: answer.outputTokens },
	tokens: { input_tokens: answer.inputTokens, output_tokens: answer.outputTokens },
});

const failure = (status: number, message: string): SimError => ({ status, headers: {}, body: { id: 'sim', message } });

export const cohere: SimDialect = {
	id: 'cohere',
	basePath: '/v2',
	operation: 'chat',
	contentType: 'text/event-stream',
	encode: null,
	listingPath: '/models',
	listingBasePath: '/v1',
	matchAsk: (path) => (path === '/chat' ? '' : null),
	presentedKey: openaiChat.presentedKey,
	readAsk(body, model) {
		if (!isRecord(body)) return null;
		const { response_format: _format, tools: _tools, ...plain } = body;
		const ask = openaiChat.readAsk(plain, model);
		const form = formOf(body);
		return ask === null || form === undefined ? null : { ...ask, form };
	},
	opening: (answer) => [
		frame('message-start', { id: answer.id, delta: { message: { role: 'assistant', content: [], tool_plan: '', tool_calls: [] } } }),
		frame('content-start', { index: 0, delta: { message: { content: { type: 'text', text: '' } } } }),
	],
	content: (_answer, text) => frame('content-delta', { index: 0, delta: { message: { content: { text } } } }),
	call: (_answer, name, args) => [
		frame('tool-call-start', {
			index: 0,
			delta: { message: { tool_calls: { id: 'call_1', type: 'function', function: { name, arguments: '' } } } },
		}),
		...cutArguments(args).map((text) => frame('tool-call-delta', { index: 0, delta: { message: { tool_calls: { function: { arguments: text } } } } })),
		frame('tool-call-end', { index: 0 }),
	],
	reasoning: (_answer, text) => frame('content-delta', { index: 0, delta: { message: { content: { thinking: text } } } }),
	heartbeat: () => frame('debug'),
	closing: (answer, finish) => [
		frame('content-end', { index: 0 }),
		frame('message-end', { delta: { finish_reason: finishWords[finish], usage: usageOf(answer) } }),
	],
	terminator: () => [],
	error(kind, key) {
		switch (kind) {
			case 'server_error':
				return failure(500, 'internal server error');
			case 'unavailable':
				return failure(503, 'service not available');
			case 'timeout':
				return failure(504, 'the request timed out upstream');
			case 'rate_limited':
				return failure(429, 'You are using a Trial key, which is limited to 20 API calls / minute.');
			case 'throttled':
				return failure(429, 'too many requests');
			case 'quota_exhausted':
				return failure(429, 'You are using a Trial key, which is limited to 1000 API calls / month.');
			case 'auth_failed':
				return failure(401, `invalid api token ${key ?? ''}`);
			case 'forbidden':
				return failure(403, 'no access to this model');
			case 'model_not_found':
				return failure(404, 'model not found, make sure the correct model ID was used');
			case 'bad_request':
				return failure(422, 'invalid request: unknown field');
			default:
				return null;
		}
	},
	inBandKinds: ['server_error'],
	errorFrame: () => frame('message-end', { delta: { finish_reason: 'ERROR', error: 'generation failed' } }),
	whole: (answer, text) => ({
		id: answer.id,
		finish_reason: 'COMPLETE',
		message: { role: 'assistant', content: [{ type: 'text', text }] },
		usage: usageOf(answer),
	}),
	listModels: (names) => ({ models: names.map((name) => ({ name, endpoints: ['chat'], finetuned: false, context_length: 128_000 })) }),
	headers: () => ({ 'x-trial-endpoint-call-remaining': '12' }),
};
