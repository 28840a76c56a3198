import { isRecord } from '#core/error-body.ts';
import { type ErrorKind, errorKinds } from '#simulator/faults.ts';
import type { Frame, SimAsk, SimDialect, SimError } from '#simulator/sim-dialect.ts';
import { cutArguments, isStrictSchema } from './openai-chat.ts';

const finishWords = { stop: 'end_turn', length: 'max_tokens', content: 'refusal', refusal: 'refusal', tool: 'tool_use' } as const;

function frame(type: string, rest: object = {}): Frame {
	return { event: type, data: { type, ...rest } };
}

function failure(status: number, type: string, message: string, headers: Record<string, string> = {}, details?: object): SimError {
	return {
		status,
		headers: { 'request-id': 'req_sim_error', ...headers },
		body: { type: 'error', error: { type, message, ...(details === undefined ? {} : { details }) }, request_id: 'req_sim_error' },
	};
}

function formOf(body: Readonly<Record<string, unknown>>): SimAsk['form'] | undefined {
	if (body.output_config !== undefined) {
		const format = isRecord(body.output_config) && isRecord(body.output_config.format) ? body.output_config.format : {};
		return format.type === 'json_schema' && isStrictSchema(format.schema) ? { kind: 'json' } : undefined;
	}
	if (body.tools === undefined) return null;
	const tool = Array.isArray(body.tools) && isRecord(body.tools[0]) ? body.tools[0] : {};
	const choice = isRecord(body.tool_choice) ? body.tool_choice : {};
	const asked = choice.type === 'auto' || (choice.type === 'tool' && choice.name === tool.name);
	return typeof tool.name === 'string' && isStrictSchema(tool.input_schema) && asked ? { kind: 'tool', name: tool.name } : undefined;
}

function error(kind: ErrorKind, key: string | null): SimError | null {
	switch (kind) {
		case 'server_error':
			return failure(500, 'api_error', 'Internal server error');
		case 'unavailable':
			return failure(503, 'api_error', 'The service is not available at the moment.');
		case 'overloaded':
			return failure(529, 'overloaded_error', 'Overloaded', { 'x-should-retry': 'true' });
		case 'not_ready':
			return null;
		case 'timeout':
			return failure(504, 'timeout_error', 'Request timed out');
		case 'rate_limited':
			return failure(429, 'rate_limit_error', "This request would exceed your organization's rate limit of 50 requests per minute.", { 'retry-after': '7' });
		case 'throttled':
			return { status: 429, headers: {}, body: {} };
		case 'quota_exhausted':
			return failure(400, 'invalid_request_error', 'Your credit balance is too low to access the API.');
		case 'auth_failed':
			return failure(401, 'authentication_error', `invalid x-api-key ${key ?? ''}`);
		case 'forbidden':
			return failure(403, 'permission_error', 'Your API key does not have permission to use the specified resource.');
		case 'model_not_found':
			return failure(404, 'not_found_error', 'model: no such model');
		case 'bad_request':
			return failure(400, 'invalid_request_error', 'temperature: Extra inputs are not permitted');
		case 'content_blocked':
			return null;
	}
}

const usage = (input: number, output: number) => ({ input_tokens: input, cache_creation_input_tokens: 0, cache_read_input_tokens: 0, output_tokens: output });

export const anthropic: SimDialect = {
	id: 'anthropic',
	basePath: '',
	operation: 'chat',
	contentType: 'text/event-stream; charset=utf-8',
	encode: null,
	listingPath: '/v1/models',
	matchAsk: (path) => (path === '/v1/messages' ? '' : null),
	presentedKey(headers) {
		const key = headers['x-api-key'];
		return (typeof key === 'string' && key !== '' ? key : null) ?? /^Bearer (.+)$/.exec(headers.authorization ?? '')?.[1] ?? null;
	},
	readAsk(body) {
		if (!isRecord(body) || typeof body.model !== 'string' || !Array.isArray(body.messages) || typeof body.max_tokens !== 'number') return null;
		const last = body.messages.at(-1);
		const content = isRecord(last) ? last.content : '';
		const block = Array.isArray(content) ? content[0] : null;
		const prompt = typeof content === 'string' ? content : isRecord(block) && typeof block.text === 'string' ? block.text : '';
		const form = formOf(body);
		return form === undefined ? null : { upstreamModel: body.model, prompt, includeUsage: true, form };
	},
	opening: (answer) => [
		frame('message_start', {
			message: {
				id: answer.id,
				type: 'message',
				role: 'assistant',
				model: answer.servedModel,
				content: [],
				stop_reason: null,
				stop_sequence: null,
				usage: usage(answer.inputTokens, 1),
			},
		}),
		frame('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }),
		frame('ping'),
	],
	content: (_answer, text) => frame('content_block_delta', { index: 0, delta: { type: 'text_delta', text } }),
	call: (_answer, name, args) => [
		frame('content_block_stop', { index: 0 }),
		frame('content_block_start', { index: 1, content_block: { type: 'tool_use', id: 'toolu_1', name, input: {} } }),
		frame('content_block_delta', { index: 1, delta: { type: 'input_json_delta', partial_json: '' } }),
		...cutArguments(args).map((text) => frame('content_block_delta', { index: 1, delta: { type: 'input_json_delta', partial_json: text } })),
	],
	reasoning: (_answer, text) => frame('content_block_delta', { index: 0, delta: { type: 'thinking_delta', thinking: text } }),
	heartbeat: () => frame('ping'),
	closing: (answer, finish) => [
		frame('content_block_stop', { index: finish === 'tool' ? 1 : 0 }),
		frame('message_delta', { delta: { stop_reason: finishWords[finish], stop_sequence: null }, usage: { output_tokens: answer.outputTokens } }),
	],
	terminator: () => [frame('message_stop')],
	error,
	inBandKinds: errorKinds,
	errorFrame: ({ body }) => ({ event: 'error', data: body }),
	whole: (answer, text) => ({
		id: answer.id,
		type: 'message',
		role: 'assistant',
		model: answer.servedModel,
		content: [{ type: 'text', text }],
		stop_reason: 'end_turn',
		stop_sequence: null,
		usage: usage(answer.inputTokens, answer.outputTokens),
	}),
	listModels: (names) => ({
		data: names.map((id) => ({ id, type: 'model', display_name: id, created_at: '2026-01-01T00:00:00Z', lifecycle: 'active' })),
		has_more: false,
		first_id: names[0] ?? null,
		last_id: names.at(-1) ?? null,
	}),
	headers: (answer) => ({
		'request-id': `req_${answer.id}`,
		'anthropic-organization-id': 'org-sim',
		'anthropic-ratelimit-requests-limit': '50',
		'anthropic-ratelimit-requests-remaining': '49',
		'anthropic-ratelimit-requests-reset': new Date(answer.created * 1_000 + 60_000).toISOString(),
	}),
};
