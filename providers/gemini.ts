/** Google Gemini generateContent over SSE. Wire protocols, section 2d. */
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
	STOP: 'stop',
	CONTINUATION: 'stop',
	MAX_TOKENS: 'length',
	SAFETY: 'content',
	RECITATION: 'content',
	BLOCKLIST: 'content',
	PROHIBITED_CONTENT: 'content',
	SPII: 'content',
	LANGUAGE: 'content',
	IMAGE_SAFETY: 'content',
	IMAGE_PROHIBITED_CONTENT: 'content',
	IMAGE_RECITATION: 'content',
	IMAGE_OTHER: 'content',
	NO_IMAGE: 'content',
	MALFORMED_FUNCTION_CALL: 'mismatch',
	UNEXPECTED_TOOL_CALL: 'mismatch',
	TOO_MANY_TOOL_CALLS: 'mismatch',
	OTHER: 'error',
	FINISH_REASON_UNSPECIFIED: 'error',
};

const errorRules: readonly ErrorRule[] = [
	{ reason: /^API_KEY_INVALID$|^API_KEY_EXPIRED$/, outcome: 'auth_failed', why: 'a bad key is a 400 here' },
	{ status: [400], type: /FAILED_PRECONDITION/, message: /billing|credit|prepa/i, outcome: 'quota_exhausted', why: 'billing is off' },
	{ status: [400], type: /FAILED_PRECONDITION/, outcome: 'forbidden', why: 'the free tier is not offered in this region' },
	{ status: [402], outcome: 'quota_exhausted', why: 'payment required' },
	{ status: [429], reason: /PerDay/i, outcome: 'quota_exhausted', subcode: 'daily', why: 'the daily quota; it resets at midnight Pacific time' },
	{ status: [429], reason: /PerMinute|PerSecond|SpendWindow/i, outcome: 'rate_limited', why: 'a quota of the minute' },
	{ status: [429], message: /prepay|credits|billing|your (?:current )?plan/i, outcome: 'quota_exhausted', why: 'money' },
	{ status: [429], type: /RESOURCE_EXHAUSTED/, outcome: 'throttled', why: 'a bare RESOURCE_EXHAUSTED does not say whose limit it was' },
	{ type: /^UNAVAILABLE$/, message: /overloaded|high demand|capacity/i, outcome: 'overloaded', why: 'the model is overloaded for everybody' },
	{ type: /^DEADLINE_EXCEEDED$/, outcome: 'server_timeout', why: 'the provider timed out' },
	{ type: /^UNAUTHENTICATED$/, outcome: 'auth_failed', why: 'the credential' },
	{ type: /^PERMISSION_DENIED$/, outcome: 'forbidden', why: 'the project lacks access' },
	{ type: /^NOT_FOUND$/, outcome: 'model_not_found', why: 'no such model for this project' },
	{ type: /^(?:INTERNAL|UNKNOWN)$/, outcome: 'server_error', why: 'an internal error' },
	{ type: /^INVALID_ARGUMENT$/, outcome: 'bad_request', why: 'our own parameter' },
];

function toolFields(form: AnswerForm | null): Record<string, unknown> {
	if (form?.kind !== 'tool') return {};
	const { name, description, schema } = form;
	// `parameters` is Google's own Schema, which has no additionalProperties.
	const { additionalProperties: _none, ...parameters } = schema;
	return {
		tools: [{ functionDeclarations: [{ name, description, parameters }] }],
		toolConfig: { functionCallingConfig: { mode: 'ANY', allowedFunctionNames: [name] } },
	};
}

function buildRequest(target: Target, { prompt, form }: Ask): WireRequest {
	const { flags } = target;
	return {
		method: 'POST',
		path: `/models/${encodeURIComponent(target.upstreamModel)}:streamGenerateContent?alt=sse`,
		headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
		body: JSON.stringify(
			mergeBody(
				{
					contents: [{ role: 'user', parts: [{ text: prompt }] }],
					generationConfig: {
						maxOutputTokens: flags.maxOutputTokens,
						...(flags.sendTemperature ? { temperature: 0 } : {}),
						...(form?.kind === 'json' ? { responseMimeType: 'application/json', responseJsonSchema: form.schema } : {}),
					},
					...toolFields(form),
				},
				flags.bodyPatch,
			),
		),
	};
}

function readUsage(draft: AnswerDraft, usage: unknown): void {
	if (!isRecord(usage)) return;
	draft.inputTokens = tokenCount(usage.promptTokenCount) ?? draft.inputTokens;
	draft.reasoningTokens = tokenCount(usage.thoughtsTokenCount) ?? draft.reasoningTokens;
	const shown = tokenCount(usage.candidatesTokenCount);
	if (shown !== null) draft.outputTokens = shown + (draft.reasoningTokens ?? 0);
}

function readParts(draft: AnswerDraft, parts: readonly unknown[]): EventMark {
	let mark: EventMark = 'structure';
	for (const part of parts) {
		if (!isRecord(part)) continue;
		if (isRecord(part.functionCall)) {
			if (draft.toolName === null) {
				beginCall(draft, part.functionCall.name);
				addArguments(draft, part.functionCall.args ?? {});
			}
			mark = 'content';
		}
		if (typeof part.text !== 'string' || part.text === '') continue;
		if (part.thought === true) {
			draft.reasoningSeen = true;
			if (mark === 'structure') mark = 'reasoning';
		} else {
			addText(draft, part.text);
			mark = 'content';
		}
	}
	return mark;
}

export function createGeminiReader(): AnswerReader {
	const draft = newDraft();
	let contentSeen = false;
	return {
		answer: () => draft,
		end() {},
		push({ data }) {
			if (draft.closed) return 'structure';
			const chunk = parseEvent(draft, data);
			if (chunk === null) return 'structure';
			if (chunk.error !== undefined) {
				setError(draft, chunk, contentSeen);
				return 'structure';
			}
			draft.servedModel ??= textOrNull(chunk.modelVersion);
			draft.requestId ??= textOrNull(chunk.responseId);
			readUsage(draft, chunk.usageMetadata);
			if (isRecord(chunk.promptFeedback) && typeof chunk.promptFeedback.blockReason === 'string') {
				draft.finishReason = chunk.promptFeedback.blockReason.slice(0, 60);
				draft.finish = 'content';
				draft.complete = true;
			}
			const candidate = Array.isArray(chunk.candidates) && isRecord(chunk.candidates[0]) ? chunk.candidates[0] : null;
			if (candidate === null) return 'structure';
			const parts = isRecord(candidate.content) && Array.isArray(candidate.content.parts) ? candidate.content.parts : [];
			const mark = readParts(draft, parts);
			if (mark === 'content') contentSeen = true;
			if (typeof candidate.finishReason === 'string' && candidate.finishReason !== '') {
				setFinish(draft, candidate.finishReason, finishWords);
				draft.complete = true;
			}
			return mark;
		},
	};
}

export const gemini: Dialect = {
	id: 'gemini',
	operation: 'chat',
	framing: 'sse',
	contentTypes: /^text\/event-stream/i,
	auth: 'x-goog-api-key',
	defaultFlags: { maxTokensField: 'max_tokens', sendTemperature: true, includeUsage: false, maxOutputTokens: 256, bodyPatch: {} },
	canaries: chatCanaries,
	buildRequest,
	createReader: createGeminiReader,
	errorRules,
	listing: {
		path: '/models?pageSize=1000',
		nextPage: (json) => pageToken(json, 'pageToken', 'nextPageToken'),
		readModels: (json) => readRows(isRecord(json) ? json.models : null, 'name').map((model) => ({ ...model, name: model.name.replace(/^models\//, '') })),
	},
};
