/** Gemini embedContent. Wire protocols, section 2l. */
import { isRecord } from '#core/error-body.ts';
import type { Dialect } from './adapter.ts';
import { gemini } from './gemini.ts';
import { createVectorReader } from './vector-reader.ts';

export const geminiEmbeddings: Dialect = {
	id: 'gemini-embeddings',
	operation: 'embeddings',
	framing: 'json',
	contentTypes: /^application\/json/i,
	auth: 'x-goog-api-key',
	defaultFlags: { maxTokensField: 'max_tokens', sendTemperature: false, includeUsage: false, maxOutputTokens: 0, bodyPatch: {} },
	canaries: ['embedding'],
	buildRequest: (target, { prompt }) => ({
		method: 'POST',
		path: `/models/${encodeURIComponent(target.upstreamModel)}:embedContent`,
		headers: { 'content-type': 'application/json', accept: 'application/json' },
		body: JSON.stringify({ content: { parts: [{ text: prompt }] }, ...target.flags.bodyPatch }),
	}),
	createReader: () =>
		createVectorReader((document) => ({
			vector: isRecord(document.embedding) ? document.embedding.values : undefined,
			inputTokens: isRecord(document.usageMetadata) ? document.usageMetadata.promptTokenCount : undefined,
			servedModel: undefined,
			requestId: undefined,
		})),
	errorRules: gemini.errorRules,
	listing: gemini.listing,
};
