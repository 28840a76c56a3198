import { isRecord } from '#core/error-body.ts';
import { type ErrorKind, errorKinds } from '#simulator/faults.ts';
import type { Frame, SimAnswer, SimAsk, SimDialect, SimError } from '#simulator/sim-dialect.ts';

export const chatFinishWords = { stop: 'stop', length: 'length', content: 'content_filter', refusal: 'stop', tool: 'tool_calls' } as const;

/** A schema that strict modes take: every property required, nothing else allowed. */
export function isStrictSchema(schema: unknown): boolean {
	if (!isRecord(schema) || schema.type !== 'object' || !isRecord(schema.properties) || !Array.isArray(schema.required)) return false;
	return schema.additionalProperties === false && Object.keys(schema.properties).every((name) => (schema.required as unknown[]).includes(name));
}

/** The form that a chat request asks for; undefined when it is worded wrongly. */
export function chatFormOf(body: Readonly<Record<string, unknown>>): SimAsk['form'] | undefined {
	const { tools, tool_choice: choice, response_format: format } = body;
	if (format !== undefined) {
		const inner = isRecord(format) && format.type === 'json_schema' && isRecord(format.json_schema) ? format.json_schema : null;
		return inner !== null && typeof inner.name === 'string' && isStrictSchema(inner.schema) ? { kind: 'json' } : undefined;
	}
	if (tools === undefined) return null;
	const tool = Array.isArray(tools) && isRecord(tools[0]) && tools[0].type === 'function' && isRecord(tools[0].function) ? tools[0].function : null;
	if (tool === null || typeof tool.name !== 'string' || !isStrictSchema(tool.parameters)) return undefined;
	const forced = isRecord(choice) && choice.type === 'function' && isRecord(choice.function) && choice.function.name === tool.name;
	return forced || choice === 'any' || choice === 'auto' ? { kind: 'tool', name: tool.name } : undefined;
}

/** JSON in small pieces, as models make it. */
export function cutArguments(args: object): string[] {
	return JSON.stringify(args).match(/[^]{1,6}/g) ?? [];
}

export function chatChunk(answer: SimAnswer, delta: object | null, finishReason: string | null, usage: object | null): Frame {
	return {
		event: null,
		data: {
			id: answer.id,
			object: 'chat.completion.chunk',
			created: answer.created,
			model: answer.servedModel,
			system_fingerprint: 'fp_sim',
			choices: delta === null ? [] : [{ index: 0, delta, logprobs: null, finish_reason: finishReason }],
			...(answer.includeUsage ? { usage } : {}),
		},
	};
}

export function chatUsage(answer: SimAnswer): object {
	return {
		prompt_tokens: answer.inputTokens,
		completion_tokens: answer.outputTokens,
		total_tokens: answer.inputTokens + answer.outputTokens,
		prompt_tokens_details: { cached_tokens: 0 },
		completion_tokens_details: { reasoning_tokens: answer.reasoningTokens },
	};
}

function failure(status: number, message: string, type: string | null, code: string | number | null, headers: Record<string, string> = {}): SimError {
	return { status, headers, body: { error: { message, type, param: null, code } } };
}

const limitHeaders = {
	'x-ratelimit-limit-requests': '60',
	'x-ratelimit-remaining-requests': '0',
	'x-ratelimit-reset-requests': '1.2s',
	'retry-after': '2',
};

function error(kind: ErrorKind, key: string | null): SimError | null {
	switch (kind) {
		case 'server_error':
			return failure(500, 'The server had an error while processing your request.', 'server_error', null);
		case 'unavailable':
			return failure(503, 'The service is not available at the moment.', 'server_error', null);
		case 'overloaded':
			return failure(503, 'The model is overloaded with other requests.', 'service_unavailable_error', 'server_is_overloaded');
		case 'not_ready':
			return failure(503, 'Loading model', 'unavailable_error', 503);
		case 'timeout':
			return failure(504, 'The request timed out upstream.', 'timeout', null);
		case 'rate_limited':
			return failure(429, 'Rate limit reached: Limit 60, Used 60, Requested 1. Please try again in 1.2s.', 'requests', 'rate_limit_exceeded', limitHeaders);
		case 'throttled':
			return failure(429, 'Too Many Requests', null, null);
		case 'quota_exhausted':
			return failure(429, 'You exceeded your current quota, please check your plan and billing details.', 'insufficient_quota', 'insufficient_quota');
		case 'auth_failed':
			// Providers echo the key: whoever reads this must not keep it.
			return failure(401, `Incorrect API key provided: ${key ?? ''}.`, 'invalid_request_error', 'invalid_api_key', {
				'www-authenticate': 'Bearer realm="sim"',
			});
		case 'forbidden':
			return failure(403, 'Country, region, or territory not supported', 'request_forbidden', 'unsupported_country_region_territory');
		case 'model_not_found':
			return failure(404, 'The model does not exist or you do not have access to it.', 'invalid_request_error', 'model_not_found');
		case 'bad_request':
			return failure(400, "Unsupported parameter: 'max_tokens'.", 'invalid_request_error', 'unsupported_parameter');
		case 'content_blocked':
			return failure(400, 'The prompt was refused by the content policy.', 'invalid_request_error', 'content_policy_violation');
	}
}

export const openaiChat: SimDialect = {
	id: 'openai-chat',
	basePath: '/v1',
	operation: 'chat',
	contentType: 'text/event-stream; charset=utf-8',
	encode: null,
	listingPath: '/models',
	matchAsk: (path) => (path === '/chat/completions' ? '' : null),
	presentedKey: (headers) => /^Bearer (.+)$/.exec(headers.authorization ?? '')?.[1] ?? null,
	readAsk(body) {
		if (!isRecord(body) || typeof body.model !== 'string' || !Array.isArray(body.messages)) return null;
		const last = body.messages.at(-1);
		const prompt = isRecord(last) && typeof last.content === 'string' ? last.content : '';
		const form = chatFormOf(body);
		if (form === undefined) return null;
		return { upstreamModel: body.model, prompt, includeUsage: isRecord(body.stream_options) && body.stream_options.include_usage === true, form };
	},
	opening: (answer) => [chatChunk(answer, { role: 'assistant', content: '', refusal: null }, null, null)],
	content: (answer, text) => chatChunk(answer, { content: text }, null, null),
	call: (answer, name, args) => [
		chatChunk(answer, { tool_calls: [{ index: 0, id: 'call_1', type: 'function', function: { name, arguments: '' } }] }, null, null),
		...cutArguments(args).map((text) => chatChunk(answer, { tool_calls: [{ index: 0, function: { arguments: text } }] }, null, null)),
	],
	reasoning: (answer, text) => chatChunk(answer, { reasoning_content: text }, null, null),
	heartbeat: () => ({ comment: 'keep-alive' }),
	closing: (answer, finish) => [
		...(finish === 'refusal' ? [chatChunk(answer, { refusal: 'I can not help with that.' }, null, null)] : []),
		chatChunk(answer, {}, chatFinishWords[finish], null),
		...(answer.includeUsage ? [chatChunk(answer, null, null, chatUsage(answer))] : []),
	],
	terminator: () => [{ event: null, data: '[DONE]' }],
	error,
	inBandKinds: errorKinds,
	errorFrame: ({ body }) => ({ event: null, data: body }),
	whole: (answer, text) => ({
		id: answer.id,
		object: 'chat.completion',
		created: answer.created,
		model: answer.servedModel,
		choices: [{ index: 0, message: { role: 'assistant', content: text }, finish_reason: 'stop' }],
		usage: chatUsage(answer),
	}),
	listModels: (names) => ({ object: 'list', data: names.map((id) => ({ id, object: 'model', created: 1_700_000_000, owned_by: 'sim' })) }),
	headers: (answer) => ({
		'x-request-id': `req_${answer.id}`,
		'openai-processing-ms': '12',
		'x-ratelimit-limit-requests': '5000',
		'x-ratelimit-remaining-requests': '4999',
		'x-ratelimit-reset-requests': '12ms',
		'x-ratelimit-limit-tokens': '400000',
		'x-ratelimit-remaining-tokens': '399900',
	}),
};
