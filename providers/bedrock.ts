/** Amazon Bedrock ConverseStream: binary frames, exceptions by name. Wire protocols, section 2f. */
import type { Finish } from '#core/answer.ts';
import type { AnswerForm } from '#core/canary.ts';
import { isRecord } from '#core/error-body.ts';
import type { ErrorRule } from '#core/error-rules.ts';
import { type AnswerReader, chatCanaries, type Dialect, type EventMark } from './adapter.ts';
import { type AnswerDraft, addArguments, addText, beginCall, newDraft, parseEvent, setError, setFinish, tokenCount } from './answer-draft.ts';
import { mergeBody } from './merge-body.ts';
import { readRows } from './read-rows.ts';

const finishWords: Readonly<Record<string, Finish>> = {
	end_turn: 'stop',
	stop_sequence: 'stop',
	max_tokens: 'length',
	model_context_window_exceeded: 'length',
	tool_use: 'tool',
	content_filtered: 'content',
	guardrail_intervened: 'content',
	malformed_model_output: 'mismatch',
	malformed_tool_use: 'mismatch',
};

const errorRules: readonly ErrorRule[] = [
	{ type: /^throttlingException$/i, message: /tokens per day/i, outcome: 'quota_exhausted', subcode: 'daily', why: 'the day is used up' },
	{ type: /^throttlingException$/i, outcome: 'rate_limited', why: "the account's requests or tokens per minute" },
	{ type: /^serviceUnavailableException$/i, outcome: 'overloaded', why: 'documented as lack of capacity' },
	{ type: /^modelNotReadyException$/i, outcome: 'not_ready', why: 'a 429 that is a cold start' },
	{ type: /^modelTimeoutException$/i, outcome: 'server_timeout', why: 'the model timed out' },
	{ type: /^(?:modelErrorException|modelStreamErrorException|internalServerException)$/i, outcome: 'server_error', why: 'an internal error' },
	{ type: /^serviceQuotaExceededException$/i, outcome: 'quota_exhausted', why: "the account's quota" },
	{
		type: /^(?:unrecognizedClientException|invalidSignatureException|expiredTokenException|incompleteSignatureException|missingAuthenticationTokenException)$/i,
		message: /signature (?:not yet current|expired)|clock/i,
		outcome: 'monitor_fault',
		subcode: 'clock_skew',
		why: 'our clock is wrong',
	},
	{
		type: /^(?:unrecognizedClientException|invalidSignatureException|expiredTokenException|incompleteSignatureException|missingAuthenticationTokenException)$/i,
		outcome: 'auth_failed',
		why: 'the key or its signature',
	},
	{ type: /^accessDeniedException$/i, outcome: 'forbidden', why: 'no access to the model' },
	{ type: /^resourceNotFoundException$/i, outcome: 'model_not_found', why: 'no such model, or the end of its life' },
	{
		type: /^validationException$/i,
		message: /on-demand throughput|model identifier is invalid/i,
		outcome: 'model_not_found',
		why: 'the id needs an inference profile, or is wrong',
	},
	{ type: /^validationException$/i, outcome: 'bad_request', why: 'our own parameter' },
	{ type: /^conflictException$/i, outcome: 'server_error', why: 'nothing in one fresh request can conflict' },
];

function converseForm(form: AnswerForm | null): Record<string, unknown> {
	if (form === null) return {};
	const { kind, name, description, schema } = form;
	// Its schema is JSON inside JSON.
	if (kind === 'json') return { outputConfig: { textFormat: { type: 'json_schema', structure: { jsonSchema: { name, schema: JSON.stringify(schema) } } } } };
	return { toolConfig: { tools: [{ toolSpec: { name, description, inputSchema: { json: schema } } }], toolChoice: { tool: { name } } } };
}

function readDelta(draft: AnswerDraft, delta: unknown, ofFirstCall: boolean): EventMark {
	if (!isRecord(delta)) return 'structure';
	if (typeof delta.text === 'string' && delta.text !== '') {
		addText(draft, delta.text);
		return 'content';
	}
	if (isRecord(delta.toolUse) && typeof delta.toolUse.input === 'string' && delta.toolUse.input !== '') {
		if (ofFirstCall) addArguments(draft, delta.toolUse.input);
		return 'content';
	}
	if (isRecord(delta.reasoningContent)) {
		draft.reasoningSeen = true;
		return 'reasoning';
	}
	return 'structure';
}

export function createConverseReader(): AnswerReader {
	const draft = newDraft();
	let contentSeen = false;
	let stopped = false;
	/** Place of the first call among the blocks. */
	let callIndex: unknown = null;
	return {
		answer: () => draft,
		end() {},
		push({ name, data }) {
			if (draft.closed) return 'structure';
			const event = parseEvent(draft, data);
			if (event === null) return 'structure';
			const [kind, exception] = (name ?? '').split(':', 2);
			if (exception !== undefined) {
				setError(draft, { ...event, type: exception, message: event.message ?? kind }, contentSeen);
				return 'structure';
			}
			switch (name) {
				case 'contentBlockStart':
					if (isRecord(event.start) && isRecord(event.start.toolUse) && draft.toolName === null) {
						beginCall(draft, event.start.toolUse.name);
						callIndex = event.contentBlockIndex;
					}
					break;
				case 'contentBlockDelta': {
					const mark = readDelta(draft, event.delta, event.contentBlockIndex === callIndex);
					if (mark === 'content') contentSeen = true;
					return mark;
				}
				case 'messageStop':
					if (typeof event.stopReason === 'string') setFinish(draft, event.stopReason, finishWords);
					draft.complete = true;
					stopped = true;
					break;
				case 'metadata':
					if (isRecord(event.usage)) {
						draft.inputTokens = tokenCount(event.usage.inputTokens);
						draft.outputTokens = tokenCount(event.usage.outputTokens);
					}
					// It normally follows the stop; where it comes before, the stop is still to come.
					draft.closed = stopped;
			}
			return 'structure';
		},
	};
}

export const bedrock: Dialect = {
	id: 'bedrock',
	operation: 'chat',
	framing: 'aws-eventstream',
	contentTypes: /^application\/vnd\.amazon\.eventstream/i,
	auth: 'sigv4',
	defaultFlags: { maxTokensField: 'max_tokens', sendTemperature: false, includeUsage: false, maxOutputTokens: 256, bodyPatch: {} },
	canaries: chatCanaries,
	buildRequest: (target, { prompt, form }) => ({
		method: 'POST',
		path: `/model/${encodeURIComponent(target.upstreamModel)}/converse-stream`,
		headers: { 'content-type': 'application/json', accept: 'application/vnd.amazon.eventstream' },
		body: JSON.stringify(
			mergeBody(
				{
					messages: [{ role: 'user', content: [{ text: prompt }] }],
					inferenceConfig: { maxTokens: target.flags.maxOutputTokens, ...(target.flags.sendTemperature ? { temperature: 0 } : {}) },
					...converseForm(form),
				},
				target.flags.bodyPatch,
			),
		),
	}),
	createReader: createConverseReader,
	errorRules,
	listing: {
		// Models that need an inference profile are not among those asked for on demand: they are named by hand, under the profile's id.
		path: '/foundation-models?byInferenceType=ON_DEMAND&byOutputModality=TEXT',
		// The control plane is another host (https://docs.aws.amazon.com/bedrock/latest/APIReference/API_ListFoundationModels.html).
		base: (baseUrl) => baseUrl.replace('//bedrock-runtime.', '//bedrock.'),
		readModels: (json) => readRows(isRecord(json) ? json.modelSummaries : null, 'modelId'),
	},
};
