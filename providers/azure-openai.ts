/** Azure OpenAI, v1 surface: the model is the deployment. Wire protocols, section 2g. */
import type { ErrorRule } from '#core/error-rules.ts';
import { chatCanaries, type Dialect } from './adapter.ts';
import { buildChatBody, createChatReader, openaiErrorRules } from './openai-chat.ts';
import { openaiListing } from './openai-listing.ts';

const errorRules: readonly ErrorRule[] = [
	{ status: [429], message: /high demand|temporarily unable/i, outcome: 'overloaded', why: 'the region, not our deployment' },
	{ status: [429], message: /rate limit of your|have exceeded/i, outcome: 'rate_limited', why: "our deployment's limit" },
	{ code: /^DeploymentNotFound$/i, outcome: 'model_not_found', why: 'no such deployment' },
	{ code: /^content_filter$/i, outcome: 'content_blocked', why: 'the prompt was filtered' },
	{ reason: /^ResponsibleAIPolicyViolation$/, outcome: 'content_blocked', why: 'the prompt was filtered' },
	{ code: /^PermissionDenied$/i, outcome: 'auth_failed', why: 'the key or its role' },
	{ code: /operation_?timeout/i, outcome: 'server_timeout', why: 'timeout' },
	...openaiErrorRules,
];

export const azureOpenai: Dialect = {
	id: 'azure-openai',
	operation: 'chat',
	framing: 'sse',
	contentTypes: /^text\/event-stream/i,
	auth: 'api-key',
	defaultFlags: { maxTokensField: 'max_completion_tokens', sendTemperature: false, includeUsage: true, maxOutputTokens: 256, bodyPatch: {} },
	canaries: chatCanaries,
	buildRequest: (target, ask) => ({
		method: 'POST',
		path: '/chat/completions',
		headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
		body: JSON.stringify(buildChatBody(target, ask)),
	}),
	createReader: createChatReader,
	errorRules,
	listing: openaiListing,
};
