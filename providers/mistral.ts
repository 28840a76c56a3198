/** Mistral: OpenAI's chat with a strict body and rows of its own. Wire protocols, section 2i. */
import type { AnswerForm } from '#core/canary.ts';
import type { ErrorRule } from '#core/error-rules.ts';
import { chatCanaries, type Dialect } from './adapter.ts';
import { buildChatBody, chatForm, createChatReader, openaiErrorRules } from './openai-chat.ts';
import { openaiListing } from './openai-listing.ts';

const errorRules: readonly ErrorRule[] = [
	{ message: /service tier capacity exceeded/i, outcome: 'overloaded', why: 'their capacity, whatever the status' },
	{ type: /service_tier_capacity_exceeded/i, outcome: 'overloaded', why: 'the same by its type' },
	{ code: /^3505$/, outcome: 'overloaded', why: 'the same by its number' },
	{ status: [429], type: /^rate_limited$/i, outcome: 'rate_limited', why: 'our requests or tokens per minute' },
	{ code: /^1300$/, outcome: 'rate_limited', why: 'the same by its number' },
	{ code: /^1500$/, outcome: 'model_not_found', why: 'invalid model' },
	...openaiErrorRules,
];

/** It has no way to force one tool by name: with one tool, any is that one. */
function mistralForm(form: AnswerForm | null): Record<string, unknown> {
	return form?.kind === 'tool' ? { ...chatForm(form), tool_choice: 'any' } : chatForm(form);
}

export const mistral: Dialect = {
	id: 'mistral',
	operation: 'chat',
	framing: 'sse',
	contentTypes: /^text\/event-stream/i,
	auth: 'bearer',
	// stream_options was refused in the past, and the usage comes with the finish chunk anyway.
	defaultFlags: { maxTokensField: 'max_tokens', sendTemperature: true, includeUsage: false, maxOutputTokens: 256, bodyPatch: {} },
	canaries: chatCanaries,
	buildRequest: (target, ask) => ({
		method: 'POST',
		path: '/chat/completions',
		headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
		body: JSON.stringify(buildChatBody(target, ask, mistralForm)),
	}),
	createReader: createChatReader,
	errorRules,
	listing: openaiListing,
};
