/** Voyage AI embeddings: OpenAI's shape with another usage and errors under `detail`. Wire protocols, section 2l. */
import { isRecord } from '#core/error-body.ts';
import type { Dialect } from './adapter.ts';
import { createVectorReader, firstOf } from './vector-reader.ts';

export const voyageEmbeddings: Dialect = {
	id: 'voyage-embeddings',
	operation: 'embeddings',
	framing: 'json',
	contentTypes: /^application\/json/i,
	auth: 'bearer',
	defaultFlags: { maxTokensField: 'max_tokens', sendTemperature: false, includeUsage: false, maxOutputTokens: 0, bodyPatch: {} },
	canaries: ['embedding'],
	buildRequest: (target, { prompt }) => ({
		method: 'POST',
		path: '/embeddings',
		headers: { 'content-type': 'application/json', accept: 'application/json' },
		body: JSON.stringify({ model: target.upstreamModel, input: [prompt], input_type: 'query', ...target.flags.bodyPatch }),
	}),
	createReader: () =>
		createVectorReader((document) => {
			const row = firstOf(document.data);
			return {
				vector: isRecord(row) ? row.embedding : undefined,
				inputTokens: isRecord(document.usage) ? document.usage.total_tokens : undefined,
				servedModel: document.model,
				requestId: undefined,
			};
		}),
	errorRules: [],
	// Its documentation has no listing (https://docs.voyageai.com/reference, 2026-11).
	listing: null,
};
