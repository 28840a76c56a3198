/** OpenAI embeddings and everything that speaks them. Wire protocols, section 2l. */
import { isRecord } from '#core/error-body.ts';
import type { Dialect } from './adapter.ts';
import { openaiErrorRules } from './openai-chat.ts';
import { openaiListing } from './openai-listing.ts';
import { createVectorReader, firstOf } from './vector-reader.ts';

export const openaiEmbeddings: Dialect = {
	id: 'openai-embeddings',
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
		body: JSON.stringify({ model: target.upstreamModel, input: prompt, encoding_format: 'float', ...target.flags.bodyPatch }),
	}),
	createReader: () =>
		createVectorReader((document) => {
			const row = firstOf(document.data);
			return {
				vector: isRecord(row) ? row.embedding : undefined,
				inputTokens: isRecord(document.usage) ? document.usage.prompt_tokens : undefined,
				servedModel: document.model,
				requestId: document.id,
			};
		}),
	errorRules: openaiErrorRules,
	listing: openaiListing,
};
