import { readErrorBody } from '#core/error-body.ts';
import type { AnswerReader } from './adapter.ts';
import { newDraft, parseEvent, setError, textOrNull, tokenCount } from './answer-draft.ts';

export interface VectorParts {
	readonly vector: unknown;
	readonly inputTokens: unknown;
	readonly servedModel: unknown;
	readonly requestId: unknown;
}

/** A usable vector: numbers, all finite, not all zero. */
export function isVector(value: unknown): value is readonly number[] {
	return (
		Array.isArray(value) && value.length > 0 && value.every((part) => typeof part === 'number' && Number.isFinite(part)) && value.some((part) => part !== 0)
	);
}

/** One JSON document with a vector in it; `pick` says where. A document with no usable vector is a mismatch, one with none at all is empty. */
export function createVectorReader(pick: (document: Readonly<Record<string, unknown>>) => VectorParts): AnswerReader {
	const draft = newDraft();
	return {
		answer: () => draft,
		end() {},
		push({ data }) {
			if (draft.closed) return 'structure';
			const document = parseEvent(draft, data);
			if (document === null) return 'structure';
			const { vector, inputTokens, servedModel, requestId } = pick(document);
			if (vector === undefined && readErrorBody(document) !== null) {
				setError(draft, document, false);
				return 'structure';
			}
			draft.inputTokens = tokenCount(inputTokens);
			draft.outputTokens = 0;
			draft.servedModel = textOrNull(servedModel);
			draft.requestId = textOrNull(requestId);
			draft.complete = true;
			draft.closed = true;
			if (!Array.isArray(vector) || vector.length === 0) return 'structure';
			draft.vectorLength = vector.length;
			draft.finish = isVector(vector) ? 'stop' : 'mismatch';
			return 'content';
		},
	};
}

/** First element of an array; undefined when there is none. */
export function firstOf(value: unknown): unknown {
	return Array.isArray(value) ? value[0] : undefined;
}
