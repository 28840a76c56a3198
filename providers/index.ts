import type { Dialect } from './adapter.ts';
import { anthropicMessages } from './anthropic-messages.ts';
import { gemini } from './gemini.ts';
import { openaiChat } from './openai-chat.ts';

/** Every dialect that Linnet speaks: one file, one line. */
export const dialects: Readonly<Record<string, Dialect>> = {
	'openai-chat': openaiChat,
	anthropic: anthropicMessages,
	gemini,
};
