import type { SimDialect } from '#simulator/sim-dialect.ts';
import { anthropic } from './anthropic.ts';
import { bedrock } from './bedrock.ts';
import { cohere } from './cohere.ts';
import { cohereEmbeddings, geminiEmbeddings, openaiEmbeddings, voyageEmbeddings } from './embeddings.ts';
import { gemini } from './gemini.ts';
import { ollama } from './ollama.ts';
import { openaiChat } from './openai-chat.ts';
import { openaiResponses } from './openai-responses.ts';
import { azureOpenai, mistral, vertex } from './variants.ts';

/** Every dialect that the simulator speaks, under the same ids as `providers/index.ts`. */
export const simDialects: Readonly<Record<string, SimDialect>> = {
	'openai-chat': openaiChat,
	'openai-responses': openaiResponses,
	'azure-openai': azureOpenai,
	anthropic,
	bedrock,
	cohere,
	gemini,
	mistral,
	ollama,
	vertex,
	'cohere-embeddings': cohereEmbeddings,
	'gemini-embeddings': geminiEmbeddings,
	'openai-embeddings': openaiEmbeddings,
	'voyage-embeddings': voyageEmbeddings,
};
