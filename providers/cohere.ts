/** Cohere v2 chat. Wire protocols, section 2h. */
import type { Finish } from '#core/answer.ts';
import { isRecord } from '#core/error-body.ts';
import type { ErrorRule } from '#core/error-rules.ts';
import type { AnswerReader, Dialect, EventMark } from './adapter.ts';
import { type AnswerDraft, addText, newDraft, parseEvent, setError, setFinish, textOrNull, tokenCount } from './answer-draft.ts';

const finishWords: Readonly<Record<string, Finish>> = {
	COMPLETE: 'stop',
	STOP_SEQUENCE: 'stop',
	MAX_TOKENS: 'length',
	TOOL_CALL: 'tool',
	ERROR: 'error',
	ERROR_TOXIC: 'content',
	TIMEOUT: 'timeout',
};

export const cohereErrorRules: readonly ErrorRule[] = [
	{ status: [498], outcome: 'auth_failed', why: 'invalid token' },
	{ status: [429], message: /calls ?\/ ?month|per month|monthly/i, outcome: 'quota_exhausted', why: "a trial key's month" },
	{ status: [429], message: /calls ?\/ ?minute|per minute/i, outcome: 'rate_limited', why: "a key's minute" },
	{ status: [402], outcome: 'quota_exhausted', why: 'billing' },
];

function readDelta(draft: AnswerDraft, delta: unknown): EventMark {
	const message = isRecord(delta) && isRecord(delta.message) ? delta.message : null;
	const content = message !== null && isRecord(message.content) ? message.content : null;
	if (typeof content?.text === 'string' && content.text !== '') {
		addText(draft, content.text);
		return 'content';
	}
	if (typeof content?.thinking === 'string' && content.thinking !== '') {
		draft.reasoningSeen = true;
		return 'reasoning';
	}
	return 'structure';
}

function readEnd(draft: AnswerDraft, delta: unknown): void {
	if (!isRecord(delta)) return;
	if (typeof delta.finish_reason === 'string') setFinish(draft, delta.finish_reason, finishWords);
	const usage = isRecord(delta.usage) ? delta.usage : {};
	// What is billed decides the cost; the tokens alone tell the speed, and the two differ by a few.
	const tokens = isRecord(usage.tokens) ? usage.tokens : isRecord(usage.billed_units) ? usage.billed_units : {};
	draft.inputTokens = tokenCount(tokens.input_tokens);
	draft.outputTokens = tokenCount(tokens.output_tokens);
	draft.complete = draft.finishReason !== null;
	draft.closed = true;
}

export function createCohereReader(): AnswerReader {
	const draft = newDraft();
	let contentSeen = false;
	return {
		answer: () => draft,
		end() {},
		push({ name, data }) {
			if (draft.closed || data.trim() === '[DONE]') return 'structure';
			const event = parseEvent(draft, data);
			if (event === null) return 'structure';
			let mark: EventMark = 'structure';
			switch (event.type ?? name) {
				case 'message-start':
					draft.requestId = textOrNull(event.id);
					break;
				case 'content-delta':
					mark = readDelta(draft, event.delta);
					break;
				case 'tool-call-delta':
					mark = 'content';
					break;
				case 'message-end':
					readEnd(draft, event.delta);
					break;
				case 'error':
					setError(draft, event, contentSeen);
					break;
				case undefined:
				case null:
					if (typeof event.message === 'string' || event.error !== undefined) setError(draft, event, contentSeen);
			}
			if (mark === 'content') contentSeen = true;
			return mark;
		},
	};
}

export const cohere: Dialect = {
	id: 'cohere',
	operation: 'chat',
	framing: 'sse',
	contentTypes: /^text\/event-stream/i,
	auth: 'bearer',
	defaultFlags: { maxTokensField: 'max_tokens', sendTemperature: true, includeUsage: false, maxOutputTokens: 256, bodyPatch: {} },
	buildRequest: (target, prompt) => ({
		method: 'POST',
		path: '/chat',
		headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
		body: JSON.stringify({
			model: target.upstreamModel,
			messages: [{ role: 'user', content: prompt }],
			stream: true,
			max_tokens: target.flags.maxOutputTokens,
			...(target.flags.sendTemperature ? { temperature: 0 } : {}),
			...target.flags.bodyPatch,
		}),
	}),
	createReader: createCohereReader,
	errorRules: cohereErrorRules,
	// The listing lives under v1, beside this base: it is not reached by joining.
	listing: null,
};
