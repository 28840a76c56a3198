import { crc32 } from 'node:zlib';
import { isRecord, parseJson } from '#core/error-body.ts';
import type { Frame, SimAnswer, SimAsk, SimDialect, SimError } from '#simulator/sim-dialect.ts';
import { cutArguments, isStrictSchema, openaiChat } from './openai-chat.ts';

function header(name: string, value: string): Buffer {
	const length = Buffer.alloc(2);
	length.writeUInt16BE(Buffer.byteLength(value));
	return Buffer.concat([Buffer.from([Buffer.byteLength(name)]), Buffer.from(name), Buffer.from([7]), length, Buffer.from(value)]);
}

/** One frame of application/vnd.amazon.eventstream; `exception:name` as the event makes an exception of it. */
export function encodeAwsFrame(frame: Frame): Buffer {
	if (!('data' in frame)) return Buffer.alloc(0);
	const [kind, exception] = (frame.event ?? '').split(':', 2);
	const named = exception === undefined ? header(':event-type', kind ?? '') : header(':exception-type', exception);
	const headers = Buffer.concat([named, header(':content-type', 'application/json'), header(':message-type', exception === undefined ? 'event' : 'exception')]);
	const payload = Buffer.from(typeof frame.data === 'string' ? frame.data : JSON.stringify(frame.data));
	const whole = Buffer.alloc(16 + headers.length + payload.length);
	whole.writeUInt32BE(whole.length, 0);
	whole.writeUInt32BE(headers.length, 4);
	whole.writeUInt32BE(crc32(whole.subarray(0, 8)), 8);
	headers.copy(whole, 12);
	payload.copy(whole, 12 + headers.length);
	whole.writeUInt32BE(crc32(whole.subarray(0, -4)), whole.length - 4);
	return whole;
}

const finishWords = { stop: 'end_turn', length: 'max_tokens', content: 'content_filtered', refusal: 'guardrail_intervened', tool: 'tool_use' } as const;
/** Real frames carry padding of random length; a reader has to ignore it. */
const p = 'abcdefghij';
const event = (name: string, data: object): Frame => ({ event: name, data: { ...data, p } });

const failure = (status: number, type: string, message: string): SimError => ({
	status,
	headers: { 'x-amzn-errortype': `${type}:http://internal/` },
	body: { message },
});

function formOf(body: Readonly<Record<string, unknown>>): SimAsk['form'] | undefined {
	const dig = (value: unknown, ...path: (string | number)[]) =>
		path.reduce<unknown>((inner, step) => (Array.isArray(inner) ? inner[Number(step)] : isRecord(inner) ? inner[step] : undefined), value);
	if (body.outputConfig !== undefined) {
		const schema = dig(body.outputConfig, 'textFormat', 'structure', 'jsonSchema', 'schema');
		return typeof schema === 'string' && isStrictSchema(parseJson(schema)) ? { kind: 'json' } : undefined;
	}
	if (body.toolConfig === undefined) return null;
	const spec = dig(body.toolConfig, 'tools', 0, 'toolSpec');
	const name = dig(spec, 'name');
	const forced = dig(body.toolConfig, 'toolChoice', 'tool', 'name') === name;
	return typeof name === 'string' && forced && isStrictSchema(dig(spec, 'inputSchema', 'json')) ? { kind: 'tool', name } : undefined;
}

const usageOf = (answer: SimAnswer) => ({
	usage: { inputTokens: answer.inputTokens, outputTokens: answer.outputTokens, totalTokens: answer.inputTokens + answer.outputTokens },
	metrics: { latencyMs: 12 },
});

export const bedrock: SimDialect = {
	id: 'bedrock',
	basePath: '',
	operation: 'chat',
	contentType: 'application/vnd.amazon.eventstream',
	encode: encodeAwsFrame,
	listingPath: '/foundation-models',
	matchAsk(path) {
		const match = /^\/model\/([^/]+)\/converse-stream$/.exec(path);
		return match === null ? null : decodeURIComponent(match[1] ?? '');
	},
	presentedKey: (headers) => openaiChat.presentedKey(headers) ?? /Credential=([^/]+)\//.exec(headers.authorization ?? '')?.[1] ?? null,
	readAsk(body, modelInPath) {
		const message = isRecord(body) && Array.isArray(body.messages) ? body.messages.at(-1) : null;
		const block = isRecord(message) && Array.isArray(message.content) ? message.content[0] : null;
		const form = isRecord(body) ? formOf(body) : undefined;
		if (!isRecord(block) || typeof block.text !== 'string' || form === undefined) return null;
		return { upstreamModel: modelInPath, prompt: block.text, includeUsage: true, form };
	},
	opening: () => [event('messageStart', { role: 'assistant' })],
	content: (_answer, text) => event('contentBlockDelta', { contentBlockIndex: 0, delta: { text } }),
	call: (_answer, name, args) => [
		event('contentBlockStart', { contentBlockIndex: 0, start: { toolUse: { toolUseId: 'tooluse_1', name } } }),
		...cutArguments(args).map((input) => event('contentBlockDelta', { contentBlockIndex: 0, delta: { toolUse: { input } } })),
	],
	reasoning: (_answer, text) => event('contentBlockDelta', { contentBlockIndex: 0, delta: { reasoningContent: { text } } }),
	heartbeat: () => event('contentBlockDelta', { contentBlockIndex: 0, delta: { text: '' } }),
	closing: (_answer, finish) => [event('contentBlockStop', { contentBlockIndex: 0 }), event('messageStop', { stopReason: finishWords[finish] })],
	terminator: () => [event('metadata', { usage: { inputTokens: 9, outputTokens: 22, totalTokens: 31 }, metrics: { latencyMs: 12 } })],
	error(kind) {
		switch (kind) {
			case 'server_error':
				return failure(500, 'InternalServerException', 'An internal server error occurred.');
			case 'overloaded':
				return failure(503, 'ServiceUnavailableException', 'Bedrock is unable to process your request.');
			case 'not_ready':
				return failure(429, 'ModelNotReadyException', 'Model is not ready for inference.');
			case 'timeout':
				return failure(408, 'ModelTimeoutException', 'The request took too long to process.');
			case 'rate_limited':
				return failure(429, 'ThrottlingException', 'Too many requests, please wait before trying again.');
			case 'quota_exhausted':
				return failure(429, 'ThrottlingException', 'Too many tokens per day, please wait before trying again.');
			case 'auth_failed':
				return failure(403, 'UnrecognizedClientException', 'The security token included in the request is invalid.');
			case 'forbidden':
				return failure(403, 'AccessDeniedException', "You don't have access to the model with the specified model ID.");
			case 'model_not_found':
				return failure(404, 'ResourceNotFoundException', 'This model version has reached the end of its life.');
			case 'bad_request':
				return failure(400, 'ValidationException', 'Malformed input request.');
			default:
				return null;
		}
	},
	inBandKinds: ['server_error', 'overloaded', 'rate_limited', 'bad_request', 'timeout'],
	errorFrame({ headers, body }) {
		const type = headers['x-amzn-errortype']?.split(':')[0] ?? 'InternalServerException';
		return { event: `exception:${type.charAt(0).toLowerCase()}${type.slice(1)}`, data: body };
	},
	whole: (answer, text) => ({ output: { message: { role: 'assistant', content: [{ text }] } }, stopReason: 'end_turn', ...usageOf(answer) }),
	listModels: (names) => ({ modelSummaries: names.map((modelId) => ({ modelId, modelName: modelId, modelLifecycle: { status: 'ACTIVE' } })) }),
	headers: (answer) => ({ 'x-amzn-requestid': answer.id }),
};
