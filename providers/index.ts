import type { Dialect } from './adapter.ts';
import { anthropicMessages } from './anthropic-messages.ts';
import { azureOpenai } from './azure-openai.ts';
import { bedrock } from './bedrock.ts';
import { cohere } from './cohere.ts';
import { cohereEmbeddings } from './cohere-embeddings.ts';
import { gemini } from './gemini.ts';
import { geminiEmbeddings } from './gemini-embeddings.ts';
import { mistral } from './mistral.ts';
import { ollama } from './ollama.ts';
import { openaiChat } from './openai-chat.ts';
import { openaiEmbeddings } from './openai-embeddings.ts';
import { openaiResponses } from './openai-responses.ts';
import { vertex } from './vertex.ts';
import { voyageEmbeddings } from './voyage-embeddings.ts';

/** Every dialect that Linnet speaks: one file, one line. */
export const dialects: Readonly<Record<string, Dialect>> = {
	'openai-chat': openaiChat,
	'openai-responses': openaiResponses,
	'azure-openai': azureOpenai,
	anthropic: anthropicMessages,
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
