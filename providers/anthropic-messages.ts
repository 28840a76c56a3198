/** Anthropic Messages. Wire protocols, section 2c. */
import type { Finish } from '#core/answer.ts';
import type { AnswerForm, Ask } from '#core/canary.ts';
import { isRecord } from '#core/error-body.ts';
import type { ErrorRule } from '#core/error-rules.ts';
import type { Target } from '#core/target.ts';
import { type AnswerReader, chatCanaries, type Dialect, type EventMark, type WireRequest } from './adapter.ts';
import { type AnswerDraft, addArguments, addText, beginCall, newDraft, parseEvent, setError, setFinish, textOrNull, tokenCount } from './answer-draft.ts';
import { mergeBody } from './merge-body.ts';
import { pageToken, readRows } from './read-rows.ts';

const finishWords: Readonly<Record<string, Finish>> = {
	end_turn: 'stop',
	stop_sequence: 'stop',
	pause_turn: 'stop',
	max_tokens: 'length',
	model_context_window_exceeded: 'length',
	tool_use: 'tool',
	refusal: 'content',
};

const errorRules: readonly ErrorRule[] = [
	{
		type: /^invalid_request_error$/i,
		message: /usage limits|credit balance is too low/i,
		outcome: 'quota_exhausted',
		why: 'a spent budget comes as a 400 invalid_request_error; only the sentence tells',
	},
	{ reason: /organization_on_hold/i, outcome: 'forbidden', why: 'the account is on hold' },
	{ reason: /(?:enforced|contract)_spend_limit_reached/i, outcome: 'quota_exhausted', why: 'a 429 without retry-after: a spend limit, reset next month' },
	{ reason: /ramp_limit_exceeded/i, outcome: 'rate_limited', subcode: 'ramp', why: 'our traffic grew too fast' },
	{ status: [503], reason: /^cmek_/i, outcome: 'forbidden', why: "the account's own key management" },
	{ type: /^overloaded_error$/i, outcome: 'overloaded', why: 'capacity for all customers, not our limit' },
	{ status: [429], type: /^rate_limit_error$/i, withHeader: 'retry-after', outcome: 'rate_limited', why: 'a limit of the account says when to come back' },
	{ type: /^billing_error$/i, outcome: 'quota_exhausted', why: 'payment' },
	{ type: /^authentication_error$/i, outcome: 'auth_failed', why: 'the key' },
	{ type: /^permission_error$/i, outcome: 'forbidden', why: 'the account lacks access' },
	{ type: /^not_found_error$/i, outcome: 'model_not_found', why: 'the model id' },
	{ type: /^timeout_error$/i, outcome: 'server_timeout', why: 'the provider timed out' },
	{ status: [409], type: /^conflict_error$/i, outcome: 'server_error', why: 'nothing in one fresh request can conflict' },
	{ type: /^api_error$/i, outcome: 'server_error', why: 'an internal error' },
];

/** These refuse a forced tool; the prompt asks for the call anyway. Wire protocols, section 2m. */
const takesNoForce = /(?:sonnet|opus)-5-5|fable-5-[12]/;

function messagesForm(form: AnswerForm | null, model: string): Record<string, unknown> {
	if (form === null) return {};
	const { kind, name, description, schema } = form;
	if (kind === 'json') return { output_config: { format: { type: 'json_schema', schema } } };
	return { tools: [{ name, description, input_schema: schema }], tool_choice: takesNoForce.test(model) ? { type: 'auto' } : { type: 'tool', name } };
}

function buildRequest(target: Target, { prompt, form }: Ask): WireRequest {
	const { flags } = target;
	return {
		method: 'POST',
		path: '/v1/messages',
		// Gateways that copy this dialect know only the older version; the catalogue raises it for Anthropic itself.
		headers: { 'content-type': 'application/json', accept: 'text/event-stream', 'anthropic-version': '2023-06-01' },
		body: JSON.stringify(
			mergeBody(
				{
					model: target.upstreamModel,
					max_tokens: flags.maxOutputTokens,
					stream: true,
					messages: [{ role: 'user', content: prompt }],
					...(flags.sendTemperature ? { temperature: 0 } : {}),
					...messagesForm(form, target.upstreamModel),
				},
				flags.bodyPatch,
			),
		),
	};
}

function readUsage(draft: AnswerDraft, usage: unknown, final: boolean): void {
	if (!isRecord(usage)) return;
	const input = tokenCount(usage.input_tokens);
	if (input !== null) {
		draft.inputTokens = input + (tokenCount(usage.cache_creation_input_tokens) ?? 0) + (tokenCount(usage.cache_read_input_tokens) ?? 0);
	}
	// message_start carries a placeholder of 1.
	if (final) draft.outputTokens = tokenCount(usage.output_tokens) ?? draft.outputTokens;
}

function readDelta(draft: AnswerDraft, delta: Readonly<Record<string, unknown>>, ofFirstCall: boolean): EventMark {
	if (delta.type === 'text_delta' && typeof delta.text === 'string' && delta.text !== '') {
		addText(draft, delta.text);
		return 'content';
	}
	if (delta.type === 'input_json_delta' && typeof delta.partial_json === 'string' && delta.partial_json !== '') {
		if (ofFirstCall) addArguments(draft, delta.partial_json);
		return 'content';
	}
	if (delta.type === 'thinking_delta' && typeof delta.thinking === 'string' && delta.thinking !== '') {
		draft.reasoningSeen = true;
		return 'reasoning';
	}
	return 'structure';
}

export function createMessagesReader(): AnswerReader {
	const draft = newDraft();
	let contentSeen = false;
	/** Place of the first call among the blocks. */
	let callIndex: unknown = null;
	return {
		answer: () => draft,
		end() {},
		push({ name, data }) {
			if (draft.closed) return 'structure';
			const event = parseEvent(draft, data);
			if (event === null) return 'structure';
			switch (event.type ?? name) {
				case 'ping':
					return 'heartbeat';
				case 'error':
					setError(draft, event, contentSeen);
					return 'structure';
				case 'message_start':
					if (isRecord(event.message)) {
						draft.servedModel = textOrNull(event.message.model);
						draft.requestId = textOrNull(event.message.id);
						readUsage(draft, event.message.usage, false);
					}
					return 'structure';
				case 'content_block_start':
					if (isRecord(event.content_block) && event.content_block.type === 'tool_use' && draft.toolName === null) {
						beginCall(draft, event.content_block.name);
						callIndex = event.index;
					}
					return 'structure';
				case 'content_block_delta': {
					const mark = isRecord(event.delta) ? readDelta(draft, event.delta, event.index === callIndex) : 'structure';
					if (mark === 'content') contentSeen = true;
					return mark;
				}
				case 'message_delta':
					if (isRecord(event.delta) && typeof event.delta.stop_reason === 'string') setFinish(draft, event.delta.stop_reason, finishWords);
					readUsage(draft, event.usage, true);
					return 'structure';
				case 'message_stop':
					draft.complete = draft.finishReason !== null;
					if (!draft.complete) draft.note = 'stop_without_reason';
					draft.closed = true;
					return 'structure';
				default:
					return 'structure';
			}
		},
	};
}

export const anthropicMessages: Dialect = {
	id: 'anthropic',
	operation: 'chat',
	framing: 'sse',
	contentTypes: /^text\/event-stream/i,
	auth: 'x-api-key',
	defaultFlags: { maxTokensField: 'max_tokens', sendTemperature: false, includeUsage: false, maxOutputTokens: 256, bodyPatch: {} },
	canaries: chatCanaries,
	buildRequest,
	createReader: createMessagesReader,
	errorRules,
	listing: {
		path: '/v1/models?limit=1000',
		nextPage: (json) => (isRecord(json) && json.has_more === true ? pageToken(json, 'after_id', 'last_id') : null),
		readModels: (json) => readRows(isRecord(json) ? json.data : null, 'id'),
	},
};
