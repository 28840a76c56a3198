/** OpenAI Chat Completions and everything that speaks it. Wire protocols, sections 2a and 3. */
import type { Finish } from '#core/answer.ts';
import type { AnswerForm, Ask } from '#core/canary.ts';
import { isRecord } from '#core/error-body.ts';
import type { ErrorRule } from '#core/error-rules.ts';
import type { Target } from '#core/target.ts';
import { type AnswerReader, chatCanaries, type Dialect, type EventMark, type WireRequest } from './adapter.ts';
import { type AnswerDraft, addArguments, addText, beginCall, newDraft, parseEvent, setError, setFinish, textOrNull, tokenCount } from './answer-draft.ts';
import { mergeBody } from './merge-body.ts';
import { openaiListing } from './openai-listing.ts';

const finishWords: Readonly<Record<string, Finish>> = {
	stop: 'stop',
	eos: 'stop',
	end_turn: 'stop',
	stop_sequence: 'stop',
	length: 'length',
	max_tokens: 'length',
	model_length: 'length',
	tool_calls: 'tool',
	function_call: 'tool',
	content_filter: 'content',
	sensitive: 'content',
	refusal: 'content',
	error: 'error',
	network_error: 'error',
	insufficient_system_resource: 'overloaded',
};

export const openaiErrorRules: readonly ErrorRule[] = [
	{
		code: /insufficient_quota|credit_balance_exhausted|_(?:spend|usage)_limit_exceeded/i,
		outcome: 'quota_exhausted',
		why: 'money or a spend limit of the account; the type may still say something else',
	},
	{ type: /^insufficient_quota$/i, outcome: 'quota_exhausted', why: 'older answers name it in the type only' },
	{ code: /^slow_down$/i, outcome: 'rate_limited', subcode: 'ramp', why: 'our traffic grew too fast, even within the limits' },
	{ code: /server_is_overloaded/i, outcome: 'overloaded', why: 'the model lacks capacity for everybody' },
	{ status: [429], code: /rate_limit_exceeded/i, outcome: 'rate_limited', why: 'requests or tokens per minute of the account' },
	{ code: /invalid_api_key/i, outcome: 'auth_failed', why: 'the key is wrong or revoked' },
	{ code: /model_not_found/i, outcome: 'model_not_found', why: 'no such model for this key' },
	{ code: /context_length_exceeded/i, outcome: 'bad_request', why: 'our prompt is too long' },
	{ code: /content_filter|content_policy|moderation_blocked/i, outcome: 'content_blocked', why: 'the prompt was refused' },
];

/** How the json and tool canaries are asked for. Wire protocols, section 2m. */
export function chatForm(form: AnswerForm | null): Record<string, unknown> {
	if (form === null) return {};
	const { kind, name, description, schema } = form;
	if (kind === 'json') return { response_format: { type: 'json_schema', json_schema: { name, strict: true, schema } } };
	return {
		tools: [{ type: 'function', function: { name, description, parameters: schema, strict: true } }],
		tool_choice: { type: 'function', function: { name } },
	};
}

/** The chat request of this dialect and of those that differ from it in a few fields. */
export function buildChatBody(target: Target, { prompt, form }: Ask, formFields = chatForm): Record<string, unknown> {
	const { flags } = target;
	const body = {
		model: target.upstreamModel,
		messages: [{ role: 'user', content: prompt }],
		stream: true,
		...(flags.includeUsage ? { stream_options: { include_usage: true } } : {}),
		[flags.maxTokensField]: flags.maxOutputTokens,
		...(flags.sendTemperature ? { temperature: 0 } : {}),
		...formFields(form),
	};
	return mergeBody(body, flags.bodyPatch);
}

function buildRequest(target: Target, ask: Ask): WireRequest {
	return {
		method: 'POST',
		path: '/chat/completions',
		headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
		body: JSON.stringify(buildChatBody(target, ask)),
	};
}

function readUsage(draft: AnswerDraft, usage: unknown): void {
	if (!isRecord(usage)) return;
	const input = tokenCount(usage.prompt_tokens);
	const completion = tokenCount(usage.completion_tokens);
	const details = isRecord(usage.completion_tokens_details) ? usage.completion_tokens_details : {};
	const reasoning = tokenCount(details.reasoning_tokens) ?? tokenCount(usage.reasoning_tokens);
	const total = tokenCount(usage.total_tokens);
	draft.inputTokens = input ?? draft.inputTokens;
	draft.reasoningTokens = reasoning ?? draft.reasoningTokens;
	if (completion === null) return;
	// xAI and DeepInfra's Gemini leave reasoning out of completion_tokens; only the total tells.
	const leftOut = reasoning !== null && input !== null && total === input + completion + reasoning;
	draft.outputTokens = leftOut ? completion + reasoning : completion;
}

/** Mistral's reasoning models send blocks instead of a string. */
function readBlocks(draft: AnswerDraft, blocks: readonly unknown[]): EventMark {
	let mark: EventMark = 'structure';
	for (const block of blocks) {
		if (!isRecord(block)) continue;
		if (block.type === 'thinking') {
			draft.reasoningSeen = true;
			if (mark === 'structure') mark = 'reasoning';
		} else if (typeof block.text === 'string' && block.text !== '') {
			addText(draft, block.text);
			mark = 'content';
		}
	}
	return mark;
}

function readDelta(draft: AnswerDraft, delta: Readonly<Record<string, unknown>>, calls: { first: unknown }): EventMark {
	let mark: EventMark = 'structure';
	for (const thought of [delta.reasoning_content, delta.reasoning, delta.reasoning_details]) {
		if ((typeof thought === 'string' || Array.isArray(thought)) && thought.length > 0) {
			draft.reasoningSeen = true;
			mark = 'reasoning';
		}
	}
	if (typeof delta.refusal === 'string' && delta.refusal !== '') {
		draft.finish = 'content';
	}
	if (Array.isArray(delta.tool_calls)) {
		for (const call of delta.tool_calls) {
			const tool = isRecord(call) && isRecord(call.function) ? call.function : null;
			if (!isRecord(call) || tool === null) continue;
			// Of several calls at once only the first is kept; who leaves the index out sends calls whole.
			if (draft.toolName === null) {
				beginCall(draft, tool.name);
				calls.first = call.index;
			}
			const first = call.index === calls.first && (call.index !== undefined || draft.toolArguments === '');
			const given = isRecord(tool.arguments) || (typeof tool.arguments === 'string' && tool.arguments !== '');
			if (!given) continue;
			if (first) addArguments(draft, tool.arguments);
			mark = 'content';
		}
	}
	if (Array.isArray(delta.content)) {
		const blocks = readBlocks(draft, delta.content);
		return blocks === 'structure' ? mark : blocks;
	}
	if (typeof delta.content === 'string' && delta.content !== '') {
		addText(draft, delta.content);
		return 'content';
	}
	return mark;
}

export function createChatReader(): AnswerReader {
	const draft = newDraft();
	let contentSeen = false;
	/** Index of the first tool call; undefined where the server sends none. */
	const calls: { first: unknown } = { first: undefined };
	return {
		answer: () => draft,
		end() {
			// Some servers leave [DONE] out; the finish reason is what completes an answer.
			if (draft.complete && !draft.closed) draft.note ??= 'no_done';
		},
		push({ data }) {
			if (draft.closed) return 'structure';
			if (data.trim() === '[DONE]') {
				// vLLM sends an error, then [DONE]: the marker alone proves nothing.
				if (!draft.complete) draft.note = 'done_without_finish';
				draft.closed = true;
				return 'structure';
			}
			const chunk = parseEvent(draft, data);
			if (chunk === null) return 'structure';
			const groq = isRecord(chunk.x_groq) ? chunk.x_groq : null;
			const failure = chunk.error ?? groq?.error;
			const baseResp = isRecord(chunk.base_resp) && chunk.base_resp.status_code !== 0;
			if ((failure !== undefined && failure !== null) || baseResp || chunk.object === 'error') {
				setError(draft, chunk.error === undefined && groq !== null ? { error: groq.error } : chunk, contentSeen);
				return 'structure';
			}
			draft.servedModel ??= textOrNull(chunk.model);
			draft.requestId ??= textOrNull(groq?.id) ?? textOrNull(chunk.id);
			readUsage(draft, chunk.usage ?? groq?.usage);
			const choice = Array.isArray(chunk.choices) && isRecord(chunk.choices[0]) ? chunk.choices[0] : null;
			if (choice === null) return 'structure';
			readUsage(draft, choice.usage);
			const mark = isRecord(choice.delta) ? readDelta(draft, choice.delta, calls) : 'structure';
			if (mark === 'content') contentSeen = true;
			if (typeof choice.finish_reason === 'string' && choice.finish_reason !== '') {
				const refused = draft.finish === 'content';
				setFinish(draft, choice.finish_reason, finishWords);
				if (refused) draft.finish = 'content';
				draft.complete = true;
			}
			return mark;
		},
	};
}

export const openaiChat: Dialect = {
	id: 'openai-chat',
	operation: 'chat',
	framing: 'sse',
	contentTypes: /^text\/event-stream/i,
	auth: 'bearer',
	defaultFlags: { maxTokensField: 'max_tokens', sendTemperature: false, includeUsage: true, maxOutputTokens: 256, bodyPatch: {} },
	canaries: chatCanaries,
	buildRequest,
	createReader: createChatReader,
	errorRules: openaiErrorRules,
	listing: openaiListing,
};
