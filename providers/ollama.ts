/** Ollama's own protocol: one JSON object a line. Wire protocols, section 2j. */
import type { Finish } from '#core/answer.ts';
import type { AnswerForm } from '#core/canary.ts';
import { isRecord } from '#core/error-body.ts';
import type { ErrorRule } from '#core/error-rules.ts';
import { type AnswerReader, chatCanaries, type Dialect } from './adapter.ts';
import { addArguments, addText, beginCall, newDraft, parseEvent, setError, setFinish, textOrNull, tokenCount } from './answer-draft.ts';
import { mergeBody } from './merge-body.ts';
import { readRows } from './read-rows.ts';

const finishWords: Readonly<Record<string, Finish>> = { stop: 'stop', length: 'length', load: 'stop', unload: 'stop' };

const errorRules: readonly ErrorRule[] = [
	{ message: /model .{0,200}not found|try pulling it first/i, outcome: 'model_not_found', why: 'not pulled' },
	{ message: /server busy|maximum pending requests/i, outcome: 'overloaded', why: 'its queue is full' },
	{ message: /loading model|model is loading/i, outcome: 'not_ready', why: 'a cold start' },
	{ message: /^unauthorized/i, outcome: 'auth_failed', why: 'the key' },
];

/** It can't force a tool: the prompt asks for it. */
function ollamaForm(form: AnswerForm | null): Record<string, unknown> {
	if (form === null) return {};
	const { kind, name, description, schema } = form;
	return kind === 'json' ? { format: schema } : { tools: [{ type: 'function', function: { name, description, parameters: schema } }] };
}

export function createOllamaReader(): AnswerReader {
	const draft = newDraft();
	let contentSeen = false;
	return {
		answer: () => draft,
		end() {},
		push({ data }) {
			if (draft.closed) return 'structure';
			const line = parseEvent(draft, data);
			if (line === null) return 'structure';
			if (line.error !== undefined) {
				setError(draft, line, contentSeen);
				return 'structure';
			}
			draft.servedModel ??= textOrNull(line.model);
			const message = isRecord(line.message) ? line.message : {};
			const said = typeof message.content === 'string' && message.content !== '' ? message.content : null;
			const call = Array.isArray(message.tool_calls) ? message.tool_calls[0] : undefined;
			const called = call !== undefined;
			if (isRecord(call) && isRecord(call.function) && draft.toolName === null) {
				beginCall(draft, call.function.name);
				addArguments(draft, call.function.arguments ?? {});
			}
			const thought = typeof message.thinking === 'string' && message.thinking !== '';
			if (said !== null) addText(draft, said);
			if (thought) draft.reasoningSeen = true;
			if (said !== null || called) contentSeen = true;
			if (line.done === true) {
				setFinish(draft, textOrNull(line.done_reason) ?? 'stop', finishWords);
				draft.inputTokens = tokenCount(line.prompt_eval_count);
				draft.outputTokens = tokenCount(line.eval_count);
				draft.complete = true;
				draft.closed = true;
			}
			return said !== null || called ? 'content' : thought ? 'reasoning' : 'structure';
		},
	};
}

export const ollama: Dialect = {
	id: 'ollama',
	operation: 'chat',
	framing: 'ndjson',
	contentTypes: /^application\/(?:x-ndjson|json)/i,
	auth: 'bearer',
	defaultFlags: { maxTokensField: 'max_tokens', sendTemperature: true, includeUsage: false, maxOutputTokens: 256, bodyPatch: {} },
	canaries: chatCanaries,
	buildRequest: (target, { prompt, form }) => ({
		method: 'POST',
		path: '/api/chat',
		headers: { 'content-type': 'application/json', accept: 'application/x-ndjson' },
		body: JSON.stringify(
			mergeBody(
				{
					model: target.upstreamModel,
					messages: [{ role: 'user', content: prompt }],
					stream: true,
					options: { num_predict: target.flags.maxOutputTokens, ...(target.flags.sendTemperature ? { temperature: 0 } : {}) },
					...ollamaForm(form),
				},
				target.flags.bodyPatch,
			),
		),
	}),
	createReader: createOllamaReader,
	errorRules,
	listing: {
		path: '/api/tags',
		readModels: (json) => readRows(isRecord(json) ? json.models : null, 'name'),
	},
};
