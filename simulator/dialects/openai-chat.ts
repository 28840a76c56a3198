import { isRecord } from '#core/error-body.ts';
import { type ErrorKind, errorKinds } from '#simulator/faults.ts';
import type { Frame, SimAnswer, SimDialect, SimError } from '#simulator/sim-dialect.ts';

const finishWords = { stop: 'stop', length: 'length', content: 'content_filter', refusal: 'stop' } as const;

function chunk(answer: SimAnswer, delta: object | null, finishReason: string | null, usage: object | null): Frame {
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

function usageOf(answer: SimAnswer): object {
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
		return { upstreamModel: body.model, prompt, includeUsage: isRecord(body.stream_options) && body.stream_options.include_usage === true };
	},
	opening: (answer) => [chunk(answer, { role: 'assistant', content: '', refusal: null }, null, null)],
	content: (answer, text) => chunk(answer, { content: text }, null, null),
	reasoning: (answer, text) => chunk(answer, { reasoning_content: text }, null, null),
	heartbeat: () => ({ comment: 'keep-alive' }),
	closing: (answer, finish) => [
		...(finish === 'refusal' ? [chunk(answer, { refusal: 'I can not help with that.' }, null, null)] : []),
		chunk(answer, {}, finishWords[finish], null),
		...(answer.includeUsage ? [chunk(answer, null, null, usageOf(answer))] : []),
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
		usage: usageOf(answer),
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
