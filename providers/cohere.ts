/** Cohere v2 chat. Wire protocols, section 2h. */
import type { Finish } from '#core/answer.ts';
import type { AnswerForm } from '#core/canary.ts';
import { isRecord } from '#core/error-body.ts';
import type { ErrorRule } from '#core/error-rules.ts';
import { type AnswerReader, chatCanaries, type Dialect, type EventMark, type ModelListing } from './adapter.ts';
import { type AnswerDraft, addArguments, addText, beginCall, newDraft, parseEvent, setError, setFinish, textOrNull, tokenCount } from './answer-draft.ts';
import { mergeBody } from './merge-body.ts';
import { pageToken, readRows } from './read-rows.ts';

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

function cohereForm(form: AnswerForm | null): Record<string, unknown> {
	if (form === null) return {};
	const { kind, name, description, schema } = form;
	if (kind === 'json') return { response_format: { type: 'json_object', json_schema: schema } };
	return { tools: [{ type: 'function', function: { name, description, parameters: schema } }], tool_choice: 'REQUIRED', strict_tools: true };
}

/** The call's name comes with its start, its arguments after it. */
function readCall(draft: AnswerDraft, event: Readonly<Record<string, unknown>>, firstIndex: unknown): EventMark {
	const message = isRecord(event.delta) && isRecord(event.delta.message) ? event.delta.message : {};
	const call = isRecord(message.tool_calls) && isRecord(message.tool_calls.function) ? message.tool_calls.function : {};
	if (event.index === firstIndex) {
		beginCall(draft, call.name);
		if (typeof call.arguments === 'string') addArguments(draft, call.arguments);
	}
	return typeof call.arguments === 'string' && call.arguments !== '' ? 'content' : 'structure';
}

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
	let callIndex: unknown = null;
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
				case 'tool-call-start':
					if (draft.toolName === null) callIndex = event.index;
					mark = readCall(draft, event, callIndex);
					break;
				case 'tool-call-delta':
					mark = readCall(draft, event, callIndex);
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

/** `GET /v1/models`, beside the `/v2` of the rest (https://docs.cohere.com/reference/list-models). */
export function cohereListing(endpoint: 'chat' | 'embed'): ModelListing {
	return {
		path: `/models?page_size=1000&endpoint=${endpoint}`,
		base: (baseUrl) => baseUrl.replace(/\/v2\/*$/, '/v1'),
		nextPage: (json) => pageToken(json, 'page_token', 'next_page_token'),
		readModels: (json) => readRows(isRecord(json) ? json.models : null, 'name'),
	};
}

export const cohere: Dialect = {
	id: 'cohere',
	operation: 'chat',
	framing: 'sse',
	contentTypes: /^text\/event-stream/i,
	auth: 'bearer',
	defaultFlags: { maxTokensField: 'max_tokens', sendTemperature: true, includeUsage: false, maxOutputTokens: 256, bodyPatch: {} },
	canaries: chatCanaries,
	buildRequest: (target, { prompt, form }) => ({
		method: 'POST',
		path: '/chat',
		headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
		body: JSON.stringify(
			mergeBody(
				{
					model: target.upstreamModel,
					messages: [{ role: 'user', content: prompt }],
					stream: true,
					max_tokens: target.flags.maxOutputTokens,
					...(target.flags.sendTemperature ? { temperature: 0 } : {}),
					...cohereForm(form),
				},
				target.flags.bodyPatch,
			),
		),
	}),
	createReader: createCohereReader,
	errorRules: cohereErrorRules,
	listing: cohereListing('chat'),
};
