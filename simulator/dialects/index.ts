import type { SimDialect } from '#simulator/sim-dialect.ts';
import { anthropic } from './anthropic.ts';
import { gemini } from './gemini.ts';
import { openaiChat } from './openai-chat.ts';

/** Every dialect that the simulator speaks, under the same ids as `providers/index.ts`. */
export const simDialects: Readonly<Record<string, SimDialect>> = {
	'openai-chat': openaiChat,
	anthropic,
	gemini,
};
