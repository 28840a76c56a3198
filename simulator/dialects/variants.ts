/** Protocols that are OpenAI's chat or Gemini's stream but for a few fields. */
import { isRecord } from '#core/error-body.ts';
import type { SimDialect, SimError } from '#simulator/sim-dialect.ts';
import { gemini } from './gemini.ts';
import { chatChunk, chatFinishWords, chatUsage, openaiChat } from './openai-chat.ts';

const mistralError = (status: number, message: string, type: string, code: string | null): SimError => ({
	status,
	headers: {},
	body: { object: 'error', message, type, param: null, code, raw_status_code: status },
});

export const mistral: SimDialect = {
	...openaiChat,
	id: 'mistral',
	// Its validation is strict: an unknown field is refused. The usage comes unasked.
	readAsk(body, model) {
		if (isRecord(body) && body.stream_options !== undefined) return null;
		const ask = openaiChat.readAsk(body, model);
		return ask === null ? null : { ...ask, includeUsage: true };
	},
	// The usage comes with the finish chunk, and nowhere before it.
	opening: (answer) => openaiChat.opening({ ...answer, includeUsage: false }),
	content: (answer, text, index) => openaiChat.content({ ...answer, includeUsage: false }, text, index),
	reasoning: (answer, text) =>
		chatChunk({ ...answer, includeUsage: false }, { content: [{ type: 'thinking', thinking: [{ type: 'text', text }] }] }, null, null),
	closing: (answer, finish) => [chatChunk(answer, { content: '' }, finish === 'refusal' ? 'content_filter' : chatFinishWords[finish], chatUsage(answer))],
	inBandKinds: ['server_error'],
	error(kind, key) {
		switch (kind) {
			case 'server_error':
				return mistralError(500, 'Internal error', 'internal_server_error', '1000');
			case 'overloaded':
				return mistralError(429, 'Service tier capacity exceeded for this model.', 'invalid_request_error', '3505');
			case 'rate_limited':
				return mistralError(429, 'Rate limit exceeded', 'rate_limited', '1300');
			case 'auth_failed':
				return { status: 401, headers: {}, body: { message: `Unauthorized ${key ?? ''}`, request_id: 'sim' } };
			case 'model_not_found':
				return mistralError(400, 'Invalid model', 'invalid_model', '1500');
			case 'bad_request':
				return {
					status: 422,
					headers: {},
					body: { detail: [{ type: 'extra_forbidden', loc: ['body', 'stream_options'], msg: 'Extra inputs are not permitted' }] },
				};
			case 'quota_exhausted':
				return mistralError(402, 'Payment required', 'payment_required', null);
			default:
				return null;
		}
	},
	// Whole calls in one chunk, without an index.
	call: (answer, name, args) => [
		chatChunk({ ...answer, includeUsage: false }, { tool_calls: [{ id: 'call_1', function: { name, arguments: JSON.stringify(args) } }] }, null, null),
	],
	headers: () => ({ 'mistral-correlation-id': 'sim-correlation' }),
};

export const azureOpenai: SimDialect = {
	...openaiChat,
	id: 'azure-openai',
	basePath: '/openai/v1',
	presentedKey(headers) {
		const key = headers['api-key'];
		return typeof key === 'string' && key !== '' ? key : null;
	},
	opening: (answer) => [
		{
			event: null,
			data: {
				choices: [],
				created: 0,
				id: '',
				model: '',
				object: '',
				prompt_filter_results: [{ prompt_index: 0, content_filter_results: { hate: { filtered: false, severity: 'safe' } } }],
			},
		},
		...openaiChat.opening(answer),
	],
	error(kind, key) {
		const failure = (status: number, code: string, message: string, headers: Record<string, string> = {}) => ({
			status,
			headers,
			body: { error: { code, message } },
		});
		switch (kind) {
			case 'overloaded':
				return failure(429, 'too_many_requests', 'System is experiencing high demand. Please try again.', { 'retry-after-ms': '1500' });
			case 'rate_limited':
				return failure(429, '429', 'Requests have exceeded token rate limit of your current pricing tier. Please retry after 7 seconds.', {
					'retry-after': '7',
				});
			case 'auth_failed':
				return failure(401, '401', `Access denied due to invalid subscription key ${key ?? ''}.`);
			case 'model_not_found':
				return failure(404, 'DeploymentNotFound', 'The API deployment for this resource does not exist.');
			case 'content_blocked':
				return failure(400, 'content_filter', 'The response was filtered.');
			case 'quota_exhausted':
			case 'not_ready':
			case 'throttled':
				return null;
			default:
				return openaiChat.error(kind, key);
		}
	},
	inBandKinds: ['server_error', 'content_blocked'],
	headers: () => ({ 'apim-request-id': 'sim-apim', 'x-ratelimit-remaining-requests': '99', 'x-ratelimit-reset-requests': '5' }),
};

export const vertex: SimDialect = {
	...gemini,
	id: 'vertex',
	basePath: '/v1/projects/sim/locations/sim/publishers/google',
	listingPath: '/models',
	listingBasePath: '/v1beta1/publishers/google',
	listModels: (names) => ({ publisherModels: names.map((name) => ({ name: `publishers/google/models/${name}`, versionId: 'default', launchStage: 'GA' })) }),
	presentedKey: openaiChat.presentedKey,
	error(kind, key) {
		const failure = (code: number, status: string, message: string): SimError => ({ status: code, headers: {}, body: { error: { code, message, status } } });
		switch (kind) {
			case 'overloaded':
				return failure(429, 'RESOURCE_EXHAUSTED', 'Resource exhausted. Please try again later.');
			case 'rate_limited':
				return failure(429, 'RESOURCE_EXHAUSTED', 'Quota exceeded for aiplatform.googleapis.com/online_prediction_requests_per_base_model.');
			case 'auth_failed':
				return failure(401, 'UNAUTHENTICATED', 'Request had invalid authentication credentials.');
			case 'throttled':
			case 'quota_exhausted':
				return null;
			default:
				return gemini.error(kind, key);
		}
	},
};
