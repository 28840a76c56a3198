/** OpenAI Responses. Wire protocols, section 2b. */
import type { AnswerForm } from '#core/canary.ts';
import { leastOutputCap } from '#core/cost.ts';
import { isRecord } from '#core/error-body.ts';
import { type AnswerReader, chatCanaries, type Dialect, type EventMark } from './adapter.ts';
import { type AnswerDraft, addArguments, addText, beginCall, newDraft, parseEvent, setError, textOrNull, tokenCount } from './answer-draft.ts';
import { mergeBody } from './merge-body.ts';
import { openaiErrorRules } from './openai-chat.ts';
import { openaiListing } from './openai-listing.ts';

function responsesForm(form: AnswerForm | null): Record<string, unknown> {
	if (form === null) return {};
	const { kind, name, description, schema } = form;
	if (kind === 'json') return { text: { format: { type: 'json_schema', name, strict: true, schema } } };
	return { tools: [{ type: 'function', name, description, parameters: schema, strict: true }], tool_choice: { type: 'function', name } };
}

function readResponse(draft: AnswerDraft, response: unknown): void {
	if (!isRecord(response)) return;
	draft.requestId ??= textOrNull(response.id);
	draft.servedModel = textOrNull(response.model) ?? draft.servedModel;
	if (!isRecord(response.usage)) return;
	draft.inputTokens = tokenCount(response.usage.input_tokens);
	draft.outputTokens = tokenCount(response.usage.output_tokens);
	const details = isRecord(response.usage.output_tokens_details) ? response.usage.output_tokens_details : {};
	draft.reasoningTokens = tokenCount(details.reasoning_tokens);
}

function finish(draft: AnswerDraft, response: unknown): void {
	const details = isRecord(response) && isRecord(response.incomplete_details) ? response.incomplete_details : null;
	const reason = textOrNull(details?.reason);
	draft.finishReason = reason ?? 'completed';
	if (draft.finish !== 'content') draft.finish = reason === 'content_filter' ? 'content' : reason === null ? 'stop' : 'length';
	draft.complete = true;
	draft.closed = true;
}

export function createResponsesReader(): AnswerReader {
	const draft = newDraft();
	let contentSeen = false;
	/** Place of the first call among the output. */
	let callIndex: unknown;
	return {
		answer: () => draft,
		end() {},
		push({ name, data }) {
			if (draft.closed || data.trim() === '[DONE]') return 'structure';
			const event = parseEvent(draft, data);
			if (event === null) return 'structure';
			let mark: EventMark = 'structure';
			const has = (value: unknown) => typeof value === 'string' && value !== '';
			switch (event.type ?? name) {
				case 'response.output_text.delta':
					if (typeof event.delta === 'string' && event.delta !== '') {
						addText(draft, event.delta);
						mark = 'content';
					}
					break;
				case 'response.output_item.added':
					if (isRecord(event.item) && event.item.type === 'function_call') {
						if (draft.toolName === null) callIndex = event.output_index;
						beginCall(draft, event.item.name);
					}
					break;
				case 'response.function_call_arguments.delta':
					if (!has(event.delta)) break;
					if (event.output_index === callIndex) addArguments(draft, event.delta);
					mark = 'content';
					break;
				case 'response.reasoning_text.delta':
				case 'response.reasoning_summary_text.delta':
					if (has(event.delta)) mark = 'reasoning';
					break;
				case 'response.refusal.delta':
					draft.finish = 'content';
					break;
				case 'response.created':
				case 'response.in_progress':
				case 'response.queued':
					readResponse(draft, event.response);
					break;
				case 'response.completed':
				case 'response.incomplete':
					readResponse(draft, event.response);
					finish(draft, event.response);
					break;
				case 'response.failed':
					readResponse(draft, event.response);
					setError(draft, isRecord(event.response) ? { error: event.response.error } : event, contentSeen);
					break;
				case 'error':
				case 'response.error':
					// Two shapes in the wild: flat, and nested under `error`. The flat one's own type is only "error".
					setError(draft, isRecord(event.error) ? event : { error: { code: event.code, message: event.message } }, contentSeen);
					break;
				default:
					if (event.type === undefined && event.error !== undefined) setError(draft, event, contentSeen);
			}
			if (mark === 'content') contentSeen = true;
			if (mark === 'reasoning') draft.reasoningSeen = true;
			return mark;
		},
	};
}

export const openaiResponses: Dialect = {
	id: 'openai-responses',
	operation: 'chat',
	framing: 'sse',
	contentTypes: /^text\/event-stream/i,
	auth: 'bearer',
	defaultFlags: { maxTokensField: 'max_tokens', sendTemperature: false, includeUsage: false, maxOutputTokens: 256, bodyPatch: {} },
	canaries: chatCanaries,
	buildRequest: (target, { prompt, form }) => ({
		method: 'POST',
		path: '/responses',
		headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
		body: JSON.stringify(
			mergeBody(
				{
					model: target.upstreamModel,
					input: prompt,
					stream: true,
					max_output_tokens: Math.max(leastOutputCap, target.flags.maxOutputTokens),
					store: false,
					...(target.flags.sendTemperature ? { temperature: 0 } : {}),
					...responsesForm(form),
				},
				target.flags.bodyPatch,
			),
		),
	}),
	createReader: createResponsesReader,
	errorRules: openaiErrorRules,
	listing: openaiListing,
};
