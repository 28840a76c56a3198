/** Cohere v2 embed. Wire protocols, section 2l. */
import { isRecord } from '#core/error-body.ts';
import type { Dialect } from './adapter.ts';
import { cohereErrorRules, cohereListing } from './cohere.ts';
import { createVectorReader, firstOf } from './vector-reader.ts';

export const cohereEmbeddings: Dialect = {
	id: 'cohere-embeddings',
	operation: 'embeddings',
	framing: 'json',
	contentTypes: /^application\/json/i,
	auth: 'bearer',
	defaultFlags: { maxTokensField: 'max_tokens', sendTemperature: false, includeUsage: false, maxOutputTokens: 0, bodyPatch: {} },
	canaries: ['embedding'],
	buildRequest: (target, { prompt }) => ({
		method: 'POST',
		path: '/embed',
		headers: { 'content-type': 'application/json', accept: 'application/json' },
		body: JSON.stringify({
			model: target.upstreamModel,
			texts: [prompt],
			input_type: 'search_query',
			embedding_types: ['float'],
			...target.flags.bodyPatch,
		}),
	}),
	createReader: () =>
		createVectorReader((document) => {
			const billed = isRecord(document.meta) && isRecord(document.meta.billed_units) ? document.meta.billed_units : {};
			return {
				vector: isRecord(document.embeddings) ? firstOf(document.embeddings.float) : undefined,
				inputTokens: billed.input_tokens,
				servedModel: undefined,
				requestId: document.id,
			};
		}),
	errorRules: cohereErrorRules,
	listing: cohereListing('embed'),
};
