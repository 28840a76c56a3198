import { isRecord } from '#core/error-body.ts';
import { type ErrorKind, errorKinds } from '#simulator/faults.ts';
import type { Frame, SimAnswer, SimAsk, SimDialect, SimError } from '#simulator/sim-dialect.ts';

const finishWords = { stop: 'STOP', length: 'MAX_TOKENS', content: 'SAFETY', refusal: 'PROHIBITED_CONTENT', tool: 'STOP' } as const;

function chunk(answer: SimAnswer, parts: readonly object[], tokens: number, finishReason?: string): Frame {
	const thoughts = answer.reasoningTokens;
	return {
		event: null,
		data: {
			candidates: [{ content: { parts, role: 'model' }, ...(finishReason === undefined ? {} : { finishReason }), index: 0 }],
			usageMetadata: {
				promptTokenCount: answer.inputTokens,
				candidatesTokenCount: tokens,
				...(thoughts > 0 ? { thoughtsTokenCount: thoughts } : {}),
				totalTokenCount: answer.inputTokens + tokens + thoughts,
			},
			modelVersion: answer.servedModel,
			responseId: answer.id,
		},
	};
}

function failure(code: number, status: string, message: string, details: readonly object[] = []): SimError {
	return { status: code, headers: {}, body: { error: { code, message, status, ...(details.length > 0 ? { details } : {}) } } };
}

const rpc = 'type.googleapis.com/google.rpc';

function quota(message: string, quotaId: string, retryDelay: string): SimError {
	return failure(429, 'RESOURCE_EXHAUSTED', message, [
		{ '@type': `${rpc}.QuotaFailure`, violations: [{ quotaMetric: 'requests', quotaId, quotaValue: '15' }] },
		{ '@type': `${rpc}.RetryInfo`, retryDelay },
	]);
}

function formOf(body: Readonly<Record<string, unknown>>): SimAsk['form'] | undefined {
	const config = isRecord(body.generationConfig) ? body.generationConfig : {};
	if (config.responseJsonSchema !== undefined) {
		return config.responseMimeType === 'application/json' && isRecord(config.responseJsonSchema) ? { kind: 'json' } : undefined;
	}
	if (body.tools === undefined) return null;
	const tool = Array.isArray(body.tools) && isRecord(body.tools[0]) && Array.isArray(body.tools[0].functionDeclarations) ? body.tools[0] : null;
	const declared: unknown = tool === null ? null : (tool.functionDeclarations as unknown[])[0];
	if (!isRecord(declared) || typeof declared.name !== 'string' || !isRecord(declared.parameters)) return undefined;
	// Google's Schema has no such field and refuses unknown ones.
	return declared.parameters.additionalProperties === undefined ? { kind: 'tool', name: declared.name } : undefined;
}

function error(kind: ErrorKind, key: string | null): SimError | null {
	switch (kind) {
		case 'server_error':
			return failure(500, 'INTERNAL', 'An internal error has occurred.');
		case 'unavailable':
			return failure(503, 'UNAVAILABLE', 'The service is currently unavailable.');
		case 'overloaded':
			return failure(503, 'UNAVAILABLE', 'The model is overloaded. Please try again later.');
		case 'not_ready':
			return null;
		case 'timeout':
			return failure(504, 'DEADLINE_EXCEEDED', 'Deadline expired before the operation could complete.');
		case 'rate_limited':
			return quota('You exceeded your current quota.', 'GenerateRequestsPerMinutePerProjectPerModel', '34s');
		case 'throttled':
			return failure(429, 'RESOURCE_EXHAUSTED', 'Resource has been exhausted (e.g. check quota).');
		case 'quota_exhausted':
			return quota('You exceeded your current quota.', 'GenerateRequestsPerDayPerProjectPerModel-FreeTier', '600.5s');
		case 'auth_failed':
			return failure(400, 'INVALID_ARGUMENT', `API key not valid: ${key ?? ''}. Please pass a valid API key.`, [
				{ '@type': `${rpc}.ErrorInfo`, reason: 'API_KEY_INVALID', domain: 'googleapis.com' },
			]);
		case 'forbidden':
			return failure(403, 'PERMISSION_DENIED', 'Requests to this API are blocked.', [{ '@type': `${rpc}.ErrorInfo`, reason: 'API_KEY_SERVICE_BLOCKED' }]);
		case 'model_not_found':
			return failure(404, 'NOT_FOUND', 'The model is not found for API version v1beta.');
		case 'bad_request':
			return failure(400, 'INVALID_ARGUMENT', 'Unknown name "seeds" at generation_config.');
		case 'content_blocked':
			return null;
	}
}

export const gemini: SimDialect = {
	id: 'gemini',
	basePath: '/v1beta',
	operation: 'chat',
	contentType: 'text/event-stream',
	encode: null,
	listingPath: '/models',
	matchAsk(path) {
		const match = /^\/models\/([^/]+):streamGenerateContent$/.exec(path);
		return match === null ? null : decodeURIComponent(match[1] ?? '');
	},
	presentedKey(headers) {
		const key = headers['x-goog-api-key'];
		return typeof key === 'string' && key !== '' ? key : null;
	},
	readAsk(body, modelInPath) {
		const content = isRecord(body) && Array.isArray(body.contents) ? body.contents.at(-1) : null;
		const part = isRecord(content) && Array.isArray(content.parts) ? content.parts[0] : null;
		if (!isRecord(part) || typeof part.text !== 'string') return null;
		const form = formOf(body as Readonly<Record<string, unknown>>);
		return form === undefined ? null : { upstreamModel: modelInPath, prompt: part.text, includeUsage: true, form };
	},
	opening: () => [],
	content: (answer, text, index) => chunk(answer, [{ text }], index + 1),
	call: (answer, name, args) => [chunk(answer, [{ functionCall: { name, args } }], 12)],
	reasoning: (answer, text) => chunk(answer, [{ text, thought: true }], 0),
	// Gemini sends no pings; proxies before it send comments.
	heartbeat: () => ({ comment: 'proxy' }),
	closing(answer, finish) {
		if (finish === 'refusal') {
			return [{ event: null, data: { promptFeedback: { blockReason: 'PROHIBITED_CONTENT' }, modelVersion: answer.servedModel, responseId: answer.id } }];
		}
		return [chunk(answer, [{ text: '' }], answer.outputTokens - answer.reasoningTokens, finishWords[finish])];
	},
	terminator: () => [],
	error,
	inBandKinds: errorKinds,
	errorFrame: ({ body }) => ({ event: null, data: body }),
	whole: (answer, text) => ({
		candidates: [{ content: { parts: [{ text }], role: 'model' }, finishReason: 'STOP', index: 0 }],
		usageMetadata: {
			promptTokenCount: answer.inputTokens,
			candidatesTokenCount: answer.outputTokens,
			totalTokenCount: answer.inputTokens + answer.outputTokens,
		},
		modelVersion: answer.servedModel,
	}),
	listModels: (names) => ({
		models: names.map((name) => ({ name: `models/${name}`, displayName: name, supportedGenerationMethods: ['generateContent'] })),
	}),
	headers: () => ({ server: 'scaffolding on HTTPServer2' }),
};
