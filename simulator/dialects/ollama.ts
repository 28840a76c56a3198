import { isRecord } from '#core/error-body.ts';
import type { SimAnswer, SimDialect, SimError } from '#simulator/sim-dialect.ts';
import { chatFormOf, openaiChat } from './openai-chat.ts';

const line = (data: object) => ({ event: null, data });

function part(answer: SimAnswer, message: object): object {
	return { model: answer.servedModel, created_at: new Date(answer.created * 1_000).toISOString(), message: { role: 'assistant', ...message }, done: false };
}

function last(answer: SimAnswer, content: string, reason: string): object {
	return {
		...part(answer, { content }),
		done: true,
		done_reason: reason,
		total_duration: 1_000_000,
		load_duration: 1_000,
		prompt_eval_count: answer.inputTokens,
		prompt_eval_duration: 1_000,
		eval_count: answer.outputTokens,
		eval_duration: 1_000,
	};
}

const failure = (status: number, error: string): SimError => ({ status, headers: {}, body: { error } });

export const ollama: SimDialect = {
	id: 'ollama',
	basePath: '',
	operation: 'chat',
	contentType: 'application/x-ndjson',
	encode: (frame) => ('data' in frame ? `${JSON.stringify(frame.data)}\n` : '\n'),
	listingPath: '/api/tags',
	matchAsk: (path) => (path === '/api/chat' ? '' : null),
	presentedKey: openaiChat.presentedKey,
	readAsk(body, model) {
		if (!isRecord(body)) return null;
		const { tools, format, ...plain } = body;
		const ask = openaiChat.readAsk(plain, model);
		// It has no tool_choice: whoever offers tools leaves the choice to the model.
		const form =
			format !== undefined
				? isRecord(format)
					? ({ kind: 'json' } as const)
					: undefined
				: tools === undefined
					? null
					: chatFormOf({ tools, tool_choice: 'auto' });
		return ask === null || form === undefined ? null : { ...ask, form };
	},
	opening: () => [],
	content: (answer, text) => line(part(answer, { content: text })),
	call: (answer, name, args) => [line(part(answer, { content: '', tool_calls: [{ function: { name, arguments: args } }] }))],
	reasoning: (answer, text) => line(part(answer, { content: '', thinking: text })),
	heartbeat: () => line({ model: '', message: { role: 'assistant', content: '' }, done: false }),
	closing: (answer, finish) => [line(last(answer, '', finish === 'length' ? 'length' : 'stop'))],
	terminator: () => [],
	error(kind) {
		switch (kind) {
			case 'server_error':
				return failure(500, 'an error was encountered while running the model');
			case 'unavailable':
				return failure(502, 'upstream model unreachable');
			case 'overloaded':
				return failure(503, 'server busy, please try again. maximum pending requests exceeded');
			case 'throttled':
				return failure(429, 'too many requests');
			case 'auth_failed':
				return failure(401, 'unauthorized');
			case 'model_not_found':
				return failure(404, "model 'nothing' not found");
			case 'bad_request':
				return failure(400, 'invalid options');
			default:
				return null;
		}
	},
	inBandKinds: ['server_error', 'overloaded', 'model_not_found'],
	errorFrame: ({ body }) => line(body),
	whole: (answer, text) => last(answer, text, 'stop'),
	listModels: (names) => ({ models: names.map((name) => ({ name, model: name, size: 1 })) }),
	headers: () => ({}),
};
