/** The four embedding protocols: one JSON document, written in pieces so that it can be cut. */
import { isRecord } from '#core/error-body.ts';
import type { ErrorKind } from '#simulator/faults.ts';
import type { SimAnswer, SimAsk, SimDialect, SimError } from '#simulator/sim-dialect.ts';
import { cohere } from './cohere.ts';
import { gemini } from './gemini.ts';
import { openaiChat } from './openai-chat.ts';

interface Shape {
	readonly id: string;
	readonly base: SimDialect;
	/** Matches the path; group 1, if any, is the model. */
	readonly path: RegExp;
	readPrompt(body: Readonly<Record<string, unknown>>): unknown;
	/** The document around the numbers. */
	document(answer: SimAnswer, vector: readonly number[]): object;
	error?(kind: ErrorKind, key: string | null): SimError | null;
}

/** One number a token of the echo; the vector's value is of no interest. */
const numberAt = (index: number) => 0.01 * (index + 1);
const mark = 424_242;

function embeddings({ id, base, path, readPrompt, document, error }: Shape): SimDialect {
	// The document is made with one number that occurs nowhere else, and cut there.
	const halves = (answer: SimAnswer) => JSON.stringify(document(answer, [mark])).split(String(mark));
	return {
		...base,
		id,
		operation: 'embeddings',
		contentType: 'application/json',
		encode: (frame) => ('raw' in frame ? frame.raw : 'data' in frame ? JSON.stringify(frame.data) : ' '),
		matchAsk: (text) => {
			const match = path.exec(text);
			return match === null ? null : decodeURIComponent(match[1] ?? '');
		},
		readAsk(body, modelInPath): SimAsk | null {
			if (!isRecord(body)) return null;
			const model = modelInPath === '' ? body.model : modelInPath;
			const prompt = readPrompt(body);
			return typeof model === 'string' && typeof prompt === 'string' ? { upstreamModel: model, prompt, includeUsage: true, form: null } : null;
		},
		opening: (answer) => [{ raw: halves(answer)[0] ?? '' }],
		content: (_answer, _text, index) => ({ raw: `${index === 0 ? '' : ','}${numberAt(index)}` }),
		call: () => [],
		reasoning: () => ({ raw: ' ' }),
		heartbeat: () => ({ raw: ' ' }),
		closing: (answer) => [{ raw: halves(answer)[1] ?? '' }],
		terminator: () => [],
		inBandKinds: [],
		errorFrame: ({ body }) => ({ raw: JSON.stringify(body) }),
		whole: (answer) => document(answer, [numberAt(0), numberAt(1)]),
		...(error === undefined ? {} : { error }),
	};
}

const firstString = (value: unknown) => (Array.isArray(value) ? value[0] : value);

export const openaiEmbeddings = embeddings({
	id: 'openai-embeddings',
	base: openaiChat,
	path: /^\/embeddings$/,
	readPrompt: (body) => firstString(body.input),
	document: (answer, vector) => ({
		object: 'list',
		data: [{ object: 'embedding', index: 0, embedding: vector }],
		model: answer.servedModel,
		usage: { prompt_tokens: answer.inputTokens, total_tokens: answer.inputTokens },
	}),
});

const voyageStatus: Partial<Record<ErrorKind, readonly [number, string]>> = {
	server_error: [500, 'Internal server error'],
	unavailable: [503, 'Service is not available'],
	rate_limited: [429, 'You have exceeded your rate limit of 3 requests per minute.'],
	throttled: [429, 'Too many requests'],
	auth_failed: [401, 'Provided API key is invalid.'],
	forbidden: [403, 'Forbidden'],
	model_not_found: [404, 'Model not found'],
	bad_request: [400, 'Unknown argument'],
};

export const voyageEmbeddings = embeddings({
	id: 'voyage-embeddings',
	base: openaiChat,
	path: /^\/embeddings$/,
	readPrompt: (body) => (Array.isArray(body.input) ? body.input[0] : null),
	document: (answer, vector) => ({
		object: 'list',
		data: [{ object: 'embedding', index: 0, embedding: vector }],
		model: answer.servedModel,
		usage: { total_tokens: answer.inputTokens },
	}),
	error(kind) {
		const row = voyageStatus[kind];
		return row === undefined ? null : { status: row[0], headers: {}, body: { detail: row[1] } };
	},
});

export const cohereEmbeddings = embeddings({
	id: 'cohere-embeddings',
	base: cohere,
	path: /^\/embed$/,
	readPrompt: (body) => (body.input_type === undefined ? null : firstString(body.texts)),
	document: (answer, vector) => ({
		id: answer.id,
		embeddings: { float: [vector] },
		texts: ['probe'],
		meta: { api_version: { version: '2' }, billed_units: { input_tokens: answer.inputTokens } },
		response_type: 'embeddings_by_type',
	}),
});

export const geminiEmbeddings = embeddings({
	id: 'gemini-embeddings',
	base: gemini,
	path: /^\/models\/([^/]+):embedContent$/,
	readPrompt: (body) => (isRecord(body.content) && Array.isArray(body.content.parts) && isRecord(body.content.parts[0]) ? body.content.parts[0].text : null),
	document: (_answer, vector) => ({ embedding: { values: vector } }),
});
