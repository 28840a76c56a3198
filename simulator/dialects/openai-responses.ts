import { isRecord } from '#core/error-body.ts';
import type { Frame, SimAnswer, SimAsk, SimDialect, SimFinish } from '#simulator/sim-dialect.ts';
import { cutArguments, isStrictSchema, openaiChat } from './openai-chat.ts';

/** Real frames count up; here every number is 0, which the SDK accepts too. */
function frame(type: string, rest: object): Frame {
	return { event: type, data: { type, sequence_number: 0, ...rest } };
}

function response(answer: SimAnswer, status: string, rest: object = {}): object {
	return {
		id: answer.id,
		object: 'response',
		created_at: answer.created,
		status,
		model: answer.servedModel,
		output: [],
		error: null,
		incomplete_details: null,
		...rest,
	};
}

const usageOf = (answer: SimAnswer) => ({
	input_tokens: answer.inputTokens,
	input_tokens_details: { cached_tokens: 0 },
	output_tokens: answer.outputTokens,
	output_tokens_details: { reasoning_tokens: answer.reasoningTokens },
	total_tokens: answer.inputTokens + answer.outputTokens,
});

function formOf(body: Readonly<Record<string, unknown>>): SimAsk['form'] | undefined {
	if (body.text !== undefined) {
		const format = isRecord(body.text) && isRecord(body.text.format) ? body.text.format : {};
		return format.type === 'json_schema' && typeof format.name === 'string' && isStrictSchema(format.schema) ? { kind: 'json' } : undefined;
	}
	if (body.tools === undefined) return null;
	const tool = Array.isArray(body.tools) && isRecord(body.tools[0]) ? body.tools[0] : {};
	const named = isRecord(body.tool_choice) && body.tool_choice.type === 'function' && body.tool_choice.name === tool.name;
	return tool.type === 'function' && typeof tool.name === 'string' && named && isStrictSchema(tool.parameters) ? { kind: 'tool', name: tool.name } : undefined;
}

const place = { item_id: 'msg_1', output_index: 0, content_index: 0 };

function ending(answer: SimAnswer, finish: SimFinish): Frame[] {
	const usage = usageOf(answer);
	if (finish === 'length') {
		return [frame('response.incomplete', { response: response(answer, 'incomplete', { incomplete_details: { reason: 'max_output_tokens' }, usage }) })];
	}
	if (finish === 'content') {
		return [frame('response.incomplete', { response: response(answer, 'incomplete', { incomplete_details: { reason: 'content_filter' }, usage }) })];
	}
	return [
		...(finish === 'refusal' ? [frame('response.refusal.delta', { ...place, delta: 'I can not help with that.' })] : []),
		frame('response.output_text.done', { ...place, text: '', logprobs: [] }),
		frame('response.completed', { response: response(answer, 'completed', { usage }) }),
	];
}

export const openaiResponses: SimDialect = {
	...openaiChat,
	id: 'openai-responses',
	matchAsk: (path) => (path === '/responses' ? '' : null),
	readAsk(body) {
		if (!isRecord(body) || typeof body.model !== 'string' || typeof body.input !== 'string') return null;
		const form = formOf(body);
		return form === undefined ? null : { upstreamModel: body.model, prompt: body.input, includeUsage: true, form };
	},
	opening: (answer) => [
		frame('response.created', { response: response(answer, 'in_progress') }),
		frame('response.in_progress', { response: response(answer, 'in_progress') }),
		frame('response.output_item.added', { output_index: 0, item: { id: 'msg_1', type: 'message', status: 'in_progress', role: 'assistant', content: [] } }),
		frame('response.content_part.added', { ...place, part: { type: 'output_text', text: '', annotations: [], logprobs: [] } }),
	],
	content: (_answer, text) => frame('response.output_text.delta', { ...place, delta: text, logprobs: [] }),
	call: (_answer, name, args) => [
		frame('response.output_item.added', {
			output_index: 1,
			item: { id: 'fc_1', type: 'function_call', status: 'in_progress', call_id: 'call_1', name, arguments: '' },
		}),
		...cutArguments(args).map((delta) => frame('response.function_call_arguments.delta', { item_id: 'fc_1', output_index: 1, delta })),
		frame('response.function_call_arguments.done', { item_id: 'fc_1', output_index: 1, name, arguments: JSON.stringify(args) }),
	],
	reasoning: (_answer, text) => frame('response.reasoning_text.delta', { ...place, delta: text }),
	closing: ending,
	terminator: () => [],
	errorFrame: ({ body }) => ({ event: 'error', data: { type: 'error', sequence_number: 0, ...body } }),
	whole: (answer, text) =>
		response(answer, 'completed', { output: [{ type: 'message', role: 'assistant', content: [{ type: 'output_text', text }] }], usage: usageOf(answer) }),
};
