/** Known providers as data: what `use: openai` in the file means. A snapshot of 2026-11; wire protocols, section 6. */
import type { ErrorRule } from '#core/error-rules.ts';
import type { CanaryType, ModelFlags } from '#core/target.ts';
import type { AuthStyle } from './adapter.ts';
import { catalogRules } from './catalog-rules.ts';

/** How to read an official status page. `none`: no machine-readable one is known. */
export type StatusPageKind = 'statuspage' | 'incident-io' | 'better-stack' | 'instatus' | 'onlineornot' | 'google-cloud' | 'rss' | 'html';

export interface CatalogEntry {
	readonly id: string;
	readonly name: string;
	/** Id of the chat dialect. One that is not in `dialects` is not spoken yet. Null: the provider has no chat that can be probed. */
	readonly dialect: string | null;
	/** Id of the embeddings dialect; null when it has none. */
	readonly embeddings: string | null;
	/** `{NAME}` stands for a value of the operator's (account, region, resource): the file must give a baseUrl of its own. */
	readonly baseUrl: string;
	/** Names that the key's variable has in the wild, the usual one first. Empty: none needed. */
	readonly apiKeyEnv: readonly string[];
	/** Null: the dialect's own. */
	readonly auth: AuthStyle | null;
	readonly headers: Readonly<Record<string, string>>;
	/** What this provider's models want different from the dialect's defaults. */
	readonly flags: Partial<ModelFlags>;
	/** `only`: what of it concerns this provider, where the page is of a whole cloud (a pattern, case ignored). */
	readonly statusPage: { readonly url: string; readonly kind: StatusPageKind; readonly only?: string } | null;
	readonly errorRules: readonly ErrorRule[];
	/** Bare numbers in its reset headers are seconds. */
	readonly resetInSeconds: boolean;
	/** The model name in the answer may have nothing to do with the one asked for (deployments, aliases). */
	readonly servedModelVaries: boolean;
	/** Canaries that its dialect has the words for, but this provider does not take. */
	readonly cannot: readonly CanaryType[];
	/** ISO date after which it is history; null while it lives. */
	readonly retiredOn: string | null;
}

type Row = Pick<CatalogEntry, 'id' | 'name' | 'baseUrl' | 'apiKeyEnv' | 'statusPage'> & Partial<CatalogEntry>;

const defaults = {
	dialect: 'openai-chat',
	embeddings: null,
	auth: null,
	headers: {},
	flags: {},
	errorRules: [],
	resetInSeconds: false,
	servedModelVaries: false,
	cannot: [],
	retiredOn: null,
} as const satisfies Partial<CatalogEntry>;

const page = (kind: StatusPageKind, url: string, only?: string) => ({ kind, url, ...(only === undefined ? {} : { only }) });

const rows: readonly Row[] = [
	{
		id: 'openai',
		name: 'OpenAI',
		baseUrl: 'https://api.openai.com/v1',
		apiKeyEnv: ['OPENAI_API_KEY'],
		statusPage: page('incident-io', 'https://status.openai.com'),
		embeddings: 'openai-embeddings',
		// The padding field would only cost bytes; max_tokens is refused by its reasoning models.
		flags: { maxTokensField: 'max_completion_tokens', bodyPatch: { stream_options: { include_usage: true, include_obfuscation: false } } },
	},
	{
		id: 'anthropic',
		name: 'Anthropic',
		dialect: 'anthropic',
		baseUrl: 'https://api.anthropic.com',
		apiKeyEnv: ['ANTHROPIC_API_KEY'],
		statusPage: page('statuspage', 'https://status.claude.com'),
		headers: { 'anthropic-version': '2026-10-21' },
	},
	{
		id: 'google',
		name: 'Gemini API',
		dialect: 'gemini',
		embeddings: 'gemini-embeddings',
		baseUrl: 'https://generativelanguage.googleapis.com/v1beta',
		apiKeyEnv: ['GEMINI_API_KEY', 'GOOGLE_API_KEY'],
		statusPage: page('google-cloud', 'https://status.cloud.google.com/incidents.json', 'gemini|vertex|generative'),
	},
	{
		id: 'vertex',
		name: 'Vertex AI',
		dialect: 'vertex',
		baseUrl: 'https://{REGION}-aiplatform.googleapis.com/v1/projects/{PROJECT}/locations/{REGION}/publishers/google',
		apiKeyEnv: ['GOOGLE_VERTEX_ACCESS_TOKEN'],
		statusPage: page('google-cloud', 'https://status.cloud.google.com/incidents.json', 'gemini|vertex|generative'),
	},
	{
		id: 'bedrock',
		name: 'Amazon Bedrock',
		dialect: 'bedrock',
		baseUrl: 'https://bedrock-runtime.{REGION}.amazonaws.com',
		apiKeyEnv: ['AWS_BEARER_TOKEN_BEDROCK'],
		statusPage: page('rss', 'https://status.aws.amazon.com/rss/bedrock-us-east-1.rss'),
	},
	{
		id: 'azure',
		name: 'Azure OpenAI',
		dialect: 'azure-openai',
		baseUrl: 'https://{RESOURCE}.openai.azure.com/openai/v1',
		apiKeyEnv: ['AZURE_OPENAI_API_KEY', 'AZURE_API_KEY'],
		statusPage: page('rss', 'https://rssfeed.azure.status.microsoft/en-us/status/feed/', 'openai|cognitive|ai services|foundry'),
		resetInSeconds: true,
		servedModelVaries: true,
	},
	{
		id: 'cohere',
		name: 'Cohere',
		dialect: 'cohere',
		embeddings: 'cohere-embeddings',
		baseUrl: 'https://api.cohere.com/v2',
		apiKeyEnv: ['CO_API_KEY', 'COHERE_API_KEY'],
		statusPage: page('incident-io', 'https://status.cohere.com'),
	},
	{
		id: 'mistral',
		name: 'Mistral',
		dialect: 'mistral',
		embeddings: 'openai-embeddings',
		baseUrl: 'https://api.mistral.ai/v1',
		apiKeyEnv: ['MISTRAL_API_KEY'],
		statusPage: page('instatus', 'https://status.mistral.ai'),
	},
	{
		id: 'groq',
		name: 'Groq',
		baseUrl: 'https://api.groq.com/openai/v1',
		apiKeyEnv: ['GROQ_API_KEY'],
		statusPage: page('incident-io', 'https://groqstatus.com'),
		errorRules: catalogRules.groq,
		flags: { maxTokensField: 'max_completion_tokens' },
	},
	{
		id: 'together',
		name: 'Together AI',
		baseUrl: 'https://api.together.xyz/v1',
		apiKeyEnv: ['TOGETHER_API_KEY'],
		statusPage: page('better-stack', 'https://status.together.ai'),
		errorRules: catalogRules.together,
	},
	{
		id: 'fireworks',
		name: 'Fireworks',
		baseUrl: 'https://api.fireworks.ai/inference/v1',
		apiKeyEnv: ['FIREWORKS_API_KEY'],
		statusPage: page('better-stack', 'https://status.fireworks.ai'),
		errorRules: catalogRules.fireworks,
	},
	{
		id: 'deepseek',
		name: 'DeepSeek',
		baseUrl: 'https://api.deepseek.com',
		apiKeyEnv: ['DEEPSEEK_API_KEY'],
		statusPage: page('statuspage', 'https://status.deepseek.com'),
		errorRules: catalogRules.deepseek,
		// It knows json_object only, without a schema.
		cannot: ['json'],
	},
	{
		id: 'xai',
		name: 'xAI',
		baseUrl: 'https://api.x.ai/v1',
		apiKeyEnv: ['XAI_API_KEY'],
		statusPage: page('rss', 'https://status.x.ai/feed.xml'),
		errorRules: catalogRules.xai,
	},
	{
		id: 'perplexity',
		name: 'Perplexity',
		baseUrl: 'https://api.perplexity.ai',
		apiKeyEnv: ['PERPLEXITY_API_KEY'],
		statusPage: page('instatus', 'https://status.perplexity.com'),
		flags: { includeUsage: false },
	},
	{
		id: 'openrouter',
		name: 'OpenRouter',
		baseUrl: 'https://openrouter.ai/api/v1',
		apiKeyEnv: ['OPENROUTER_API_KEY'],
		statusPage: page('onlineornot', 'https://api.onlineornot.com/v1/status_pages/openrouter/summary'),
		errorRules: catalogRules.openrouter,
		servedModelVaries: true,
	},
	{
		id: 'cerebras',
		name: 'Cerebras',
		baseUrl: 'https://api.cerebras.ai/v1',
		apiKeyEnv: ['CEREBRAS_API_KEY'],
		statusPage: page('statuspage', 'https://status.cerebras.ai'),
		errorRules: catalogRules.cerebras,
		flags: { maxTokensField: 'max_completion_tokens' },
		resetInSeconds: true,
	},
	{
		id: 'sambanova',
		name: 'SambaNova',
		baseUrl: 'https://api.sambanova.ai/v1',
		apiKeyEnv: ['SAMBANOVA_API_KEY'],
		statusPage: page('statuspage', 'https://status.sambanova.ai'),
		errorRules: catalogRules.sambanova,
	},
	{
		id: 'nebius',
		name: 'Nebius Token Factory',
		baseUrl: 'https://api.tokenfactory.nebius.com/v1',
		apiKeyEnv: ['NEBIUS_API_KEY'],
		statusPage: page('statuspage', 'https://status.nebius.com'),
	},
	{
		id: 'deepinfra',
		name: 'DeepInfra',
		baseUrl: 'https://api.deepinfra.com/v1/openai',
		apiKeyEnv: ['DEEPINFRA_API_KEY'],
		statusPage: page('html', 'https://status.deepinfra.com'),
		errorRules: catalogRules.deepinfra,
	},
	{
		id: 'novita',
		name: 'Novita',
		baseUrl: 'https://api.novita.ai/openai',
		apiKeyEnv: ['NOVITA_API_KEY'],
		statusPage: page('better-stack', 'https://status.novita.ai'),
		errorRules: catalogRules.novita,
	},
	{
		id: 'hyperbolic',
		name: 'Hyperbolic',
		baseUrl: 'https://api.hyperbolic.xyz/v1',
		apiKeyEnv: ['HYPERBOLIC_API_KEY'],
		statusPage: null,
	},
	{
		id: 'huggingface',
		name: 'HF Inference Providers',
		baseUrl: 'https://router.huggingface.co/v1',
		apiKeyEnv: ['HF_TOKEN'],
		statusPage: page('better-stack', 'https://status.huggingface.co'),
		errorRules: catalogRules.huggingface,
		servedModelVaries: true,
	},
	{
		id: 'nvidia',
		name: 'NVIDIA NIM',
		baseUrl: 'https://integrate.api.nvidia.com/v1',
		apiKeyEnv: ['NVIDIA_API_KEY'],
		statusPage: page('statuspage', 'https://status.ngc.nvidia.com'),
		errorRules: catalogRules.nvidia,
	},
	{
		id: 'moonshot',
		name: 'Moonshot (Kimi)',
		baseUrl: 'https://api.moonshot.ai/v1',
		apiKeyEnv: ['MOONSHOT_API_KEY'],
		statusPage: page('statuspage', 'https://status.moonshot.cn'),
		errorRules: catalogRules.moonshot,
	},
	{
		id: 'zai',
		name: 'Z.ai',
		baseUrl: 'https://api.z.ai/api/paas/v4',
		apiKeyEnv: ['ZAI_API_KEY', 'ZHIPU_API_KEY'],
		statusPage: null,
		errorRules: catalogRules.zai,
	},
	{
		id: 'minimax',
		name: 'MiniMax',
		baseUrl: 'https://api.minimax.io/v1',
		apiKeyEnv: ['MINIMAX_API_KEY'],
		statusPage: page('statuspage', 'https://status.minimax.io'),
		errorRules: catalogRules.minimax,
	},
	{
		id: 'qwen',
		name: 'Alibaba Model Studio',
		baseUrl: 'https://dashscope-intl.aliyuncs.com/compatible-mode/v1',
		apiKeyEnv: ['DASHSCOPE_API_KEY'],
		statusPage: page('html', 'https://status.alibabacloud.com'),
		errorRules: catalogRules.qwen,
	},
	{
		id: 'cloudflare',
		name: 'Workers AI',
		baseUrl: 'https://api.cloudflare.com/client/v4/accounts/{ACCOUNT}/ai/v1',
		apiKeyEnv: ['CLOUDFLARE_API_TOKEN', 'CLOUDFLARE_API_KEY'],
		statusPage: page('statuspage', 'https://www.cloudflarestatus.com'),
		errorRules: catalogRules.cloudflare,
	},
	{
		id: 'github-models',
		name: 'GitHub Models',
		dialect: null,
		baseUrl: 'https://models.github.ai/inference',
		apiKeyEnv: ['GITHUB_TOKEN'],
		statusPage: page('statuspage', 'https://www.githubstatus.com'),
		retiredOn: '2026-07-30',
	},
	{
		id: 'voyage',
		name: 'Voyage AI',
		dialect: null,
		embeddings: 'voyage-embeddings',
		baseUrl: 'https://api.voyageai.com/v1',
		apiKeyEnv: ['VOYAGE_API_KEY'],
		statusPage: page('statuspage', 'https://voyageai-status.statuspage.io'),
	},
	{
		id: 'baseten',
		name: 'Baseten',
		baseUrl: 'https://inference.baseten.co/v1',
		apiKeyEnv: ['BASETEN_API_KEY'],
		statusPage: page('statuspage', 'https://status.baseten.co'),
	},
	{
		id: 'replicate',
		name: 'Replicate',
		dialect: 'replicate',
		baseUrl: 'https://api.replicate.com/v1',
		apiKeyEnv: ['REPLICATE_API_TOKEN'],
		statusPage: page('incident-io', 'https://www.replicatestatus.com'),
	},
	{ id: 'ollama-cloud', name: 'Ollama Cloud', dialect: 'ollama', baseUrl: 'https://ollama.com', apiKeyEnv: ['OLLAMA_API_KEY'], statusPage: null },
	{
		id: 'ai-gateway',
		name: 'Vercel AI Gateway',
		baseUrl: 'https://ai-gateway.vercel.sh/v1',
		apiKeyEnv: ['AI_GATEWAY_API_KEY'],
		statusPage: page('statuspage', 'https://www.vercel-status.com'),
		servedModelVaries: true,
	},
	{ id: 'friendli', name: 'FriendliAI', baseUrl: 'https://api.friendli.ai/serverless/v1', apiKeyEnv: ['FRIENDLI_TOKEN'], statusPage: null },
	{ id: 'siliconflow', name: 'SiliconFlow', baseUrl: 'https://api.siliconflow.com/v1', apiKeyEnv: ['SILICONFLOW_API_KEY'], statusPage: null },
	{ id: 'scaleway', name: 'Scaleway', baseUrl: 'https://api.scaleway.ai/v1', apiKeyEnv: ['SCALEWAY_API_KEY'], statusPage: null },
	{ id: 'ovhcloud', name: 'OVHcloud', baseUrl: 'https://oai.endpoints.kepler.ai.cloud.ovh.net/v1', apiKeyEnv: ['OVHCLOUD_API_KEY'], statusPage: null },
	{ id: 'digitalocean', name: 'DigitalOcean', baseUrl: 'https://inference.do-ai.run/v1', apiKeyEnv: ['DIGITALOCEAN_ACCESS_TOKEN'], statusPage: null },
	{ id: 'vultr', name: 'Vultr', baseUrl: 'https://api.vultrinference.com/v1', apiKeyEnv: ['VULTR_API_KEY'], statusPage: null },
	{ id: 'wandb', name: 'W&B Inference', baseUrl: 'https://api.inference.wandb.ai/v1', apiKeyEnv: ['WANDB_API_KEY'], statusPage: null },
	{ id: 'inception', name: 'Inception', baseUrl: 'https://api.inceptionlabs.ai/v1', apiKeyEnv: ['INCEPTION_API_KEY'], statusPage: null },
	{ id: 'upstage', name: 'Upstage', baseUrl: 'https://api.upstage.ai/v1/solar', apiKeyEnv: ['UPSTAGE_API_KEY'], statusPage: null },
	{ id: 'stepfun', name: 'StepFun', baseUrl: 'https://api.stepfun.com/v1', apiKeyEnv: ['STEPFUN_API_KEY'], statusPage: null },
	{ id: 'chutes', name: 'Chutes', baseUrl: 'https://llm.chutes.ai/v1', apiKeyEnv: ['CHUTES_API_KEY'], statusPage: null },
	{ id: 'requesty', name: 'Requesty', baseUrl: 'https://router.requesty.ai/v1', apiKeyEnv: ['REQUESTY_API_KEY'], statusPage: null, servedModelVaries: true },
	{ id: 'poe', name: 'Poe', baseUrl: 'https://api.poe.com/v1', apiKeyEnv: ['POE_API_KEY'], statusPage: page('incident-io', 'https://status.poe.com') },
	{ id: 'vllm', name: 'vLLM', baseUrl: 'http://127.0.0.1:8000/v1', apiKeyEnv: [], statusPage: null, servedModelVaries: true },
	{ id: 'sglang', name: 'SGLang', baseUrl: 'http://127.0.0.1:30000/v1', apiKeyEnv: [], statusPage: null, servedModelVaries: true },
	{
		id: 'llama-cpp',
		name: 'llama.cpp',
		baseUrl: 'http://127.0.0.1:8080/v1',
		apiKeyEnv: [],
		statusPage: null,
		errorRules: catalogRules.llamaCpp,
		servedModelVaries: true,
	},
	{ id: 'lm-studio', name: 'LM Studio', baseUrl: 'http://127.0.0.1:1234/v1', apiKeyEnv: [], statusPage: null, servedModelVaries: true },
	{ id: 'ollama', name: 'Ollama', dialect: 'ollama', baseUrl: 'http://127.0.0.1:11434', apiKeyEnv: [], statusPage: null },
];

export const catalog: readonly CatalogEntry[] = rows.map((row) => ({ ...defaults, ...row }));

const byId = new Map(catalog.map((entry) => [entry.id, entry]));

/** Undefined for an endpoint that the catalogue does not know: then the dialect alone says how to speak. */
export function findProvider(id: string): CatalogEntry | undefined {
	return byId.get(id);
}
