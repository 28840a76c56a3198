import { describe, expect, it } from 'vitest';
import { loadConfig } from './load.ts';

const env = { OPENAI_API_KEY: 'test-key', HOOK_SECRET: Buffer.from('s'.repeat(24)).toString('base64') };

const good = `
interval: 30s
budget: { usdPerDay: 2 }
providers:
  - use: openai
    models: [{ model: openai/gpt-6-luna, upstreamModel: gpt-6-luna }]
  - id: my-vllm
    dialect: openai-chat
    baseUrl: http://127.0.0.1:8000/v1/
    apiKeyEnv: null
    timeouts: { firstToken: 2m }
    models:
      - { model: meta-llama/llama-3.3-70b-instruct, interval: 5m }
      - { model: "mëta lläma/3:free x", canaries: [echo, sum], maxOutputTokens: 512 }
canaries:
  - { name: sum, prompt: "What is 2 + 2?", expect: { pattern: "4" } }
alerts:
  routes: [{ match: { impact: [major, critical] }, channels: [hook] }]
  channels: { hook: { type: webhook, url: "http://127.0.0.1:9000/hook", secretEnv: HOOK_SECRET } }
status: { title: LLM status, url: https://status.example.org/ }
`;

/** Lines and paths of the problems. */
function faults(text: string, environment: Record<string, string> = env): string[] {
	return (loadConfig(text, environment).problems ?? []).map(({ line, path, message }) => `${line} ${path}: ${message}`);
}

describe('a sound file', () => {
	const { config, problems } = loadConfig(good, env);

	it('becomes targets with every default decided', () => {
		expect(problems).toBeNull();
		expect(config?.targets.map(({ id, intervalMs }) => [id, intervalMs])).toEqual([
			['openai:openai/gpt-6-luna:chat', 30_000],
			['my-vllm:meta-llama/llama-3.3-70b-instruct:chat', 300_000],
			['my-vllm:mëta lläma/3:free x:chat', 30_000],
		]);
		expect(config?.targets[0]).toMatchObject({ dialect: 'openai-chat', apiKeyEnv: 'OPENAI_API_KEY', upstreamModel: 'gpt-6-luna', price: null });
		expect(config?.targets[1]).toMatchObject({
			baseUrl: 'http://127.0.0.1:8000/v1',
			timeouts: { connectMs: 10_000, firstTokenMs: 120_000 },
			price: { inputUsdPerMTok: 0 },
		});
		expect(config?.targets[2]?.canaries.map(({ name }) => name)).toEqual(['echo', 'sum']);
	});

	it('has what is equal in several targets once', () => {
		const [openai, llama, own] = config?.targets ?? [];
		expect(llama?.timeouts).toBe(own?.timeouts);
		expect([openai?.timeouts.firstTokenMs, own?.timeouts.firstTokenMs]).toEqual([30_000, 120_000]);
		expect(openai?.canaries).toBe(llama?.canaries);
		expect([llama?.flags.maxOutputTokens, own?.flags.maxOutputTokens]).not.toContain(undefined);
		expect(llama?.flags).not.toBe(own?.flags);
	});

	it('holds no secret: only the names of variables', () => {
		expect(JSON.stringify(config)).not.toContain('test-');
	});

	it('loses the slash at the end of its public URL, so that links join cleanly', () => {
		expect(config?.status.url).toBe('https://status.example.org');
	});
});

const one = (entry: string) => loadConfig(`providers:\n  - ${entry}\n`, env).config?.targets[0];

describe('embeddings', () => {
	it("speak the provider's own protocol for them, with a canary that looks at the vector", () => {
		expect(one('{ use: openai, models: [{ model: openai/vec-3, operation: embeddings, dimensions: 256, body: { dimensions: 256 } }] }')).toMatchObject({
			id: 'openai:openai/vec-3:embeddings',
			dialect: 'openai-embeddings',
			canaries: [{ type: 'embedding', dimensions: 256 }],
			flags: { bodyPatch: { dimensions: 256 }, maxOutputTokens: 0 },
		});
	});

	it('are what a provider without chat does', () => {
		expect(one('{ use: voyage, apiKeyEnv: null, models: [{ model: voyage/3 }] }')).toMatchObject({ operation: 'embeddings', dialect: 'voyage-embeddings' });
		expect(one('{ id: x, dialect: openai-embeddings, baseUrl: "http://x", models: [{ model: a }] }')).toMatchObject({ operation: 'embeddings' });
	});

	it('of an endpoint of your own are named beside its chat', () => {
		const both = '{ id: x, dialect: openai-chat, embeddings: openai-embeddings, baseUrl: "http://x", models: [{ model: a, operation: embeddings }] }';
		expect(one(both)).toMatchObject({ operation: 'embeddings', dialect: 'openai-embeddings' });
	});
});

describe('models: discover', () => {
	const file = `
providers:
  - { use: openai, models: discover, include: ["gpt-*", "o?"], exclude: ["*-image*"] }
  - { id: own, dialect: openai-chat, baseUrl: "http://x", models: [{ model: a }] }
`;

	it('before the listing is known has the models named by hand, and says what to ask', () => {
		const loaded = loadConfig(file, env);
		expect(loaded.problems ?? loaded.discoveries).toMatchObject([{ provider: 'openai', dialect: 'openai-chat', apiKeyEnv: 'OPENAI_API_KEY' }]);
		expect(loaded.config?.targets.map(({ id }) => id)).toEqual(['own:a:chat']);
	});

	it('makes targets of what is listed and wanted, each with its place in life', () => {
		const listed = [
			{ name: 'gpt-6-luna', lifecycle: 'active' },
			{ name: 'gpt-5', lifecycle: 'deprecated' },
			{ name: 'gpt-image-2', lifecycle: 'active' },
			{ name: 'text-embed-3', lifecycle: 'active' },
		] as const;
		const { config } = loadConfig(file, env, new Map([['openai', listed]]));
		expect(config?.targets.map(({ id, upstreamModel, lifecycle }) => [id, upstreamModel, lifecycle])).toEqual([
			['openai:openai/gpt-6-luna:chat', 'gpt-6-luna', 'active'],
			['openai:openai/gpt-5:chat', 'gpt-5', 'deprecated'],
			['own:a:chat', 'a', undefined],
		]);
	});
});

describe('a bad file', () => {
	it.each([
		['an unknown key, with what was probably meant', 'intervall: 60s\n', '1 intervall: unknown key "intervall": did you mean "interval"?'],
		['a number without its unit', 'interval: 60\n', '1 interval: expected a duration with its unit, like "60s" or "5m", got 60 (number)'],
		['a duration out of range', 'interval: 10ms\n', '1 interval: expected a duration from 1s to 24h, got "10ms"'],
		['a wrong type', 'budget: { usdPerDay: two }\n', '1 budget.usdPerDay: expected a number, got "two"'],
		[
			'an unknown provider',
			'providers:\n  - use: openia\n    models: [{ model: a }]\n',
			'2 providers[0].use: expected a provider that Linnet knows, got "openia"',
		],
		['a missing model', 'providers:\n  - use: openai\n    models: [{}]\n', '3 providers[0].models[0].model: missing: expected a string'],
		[
			'a dialect nobody speaks',
			'providers:\n  - { id: x, dialect: morse, baseUrl: "http://x", models: [{ model: a }] }\n',
			'2 providers[0].dialect: expected a dialect of',
		],
		[
			'a URL that is none',
			'providers:\n  - { id: x, dialect: openai-chat, baseUrl: "nowhere", models: [{ model: a }] }\n',
			'2 providers[0].baseUrl: expected an http or https URL, got "nowhere"',
		],
		[
			'a control character in a model',
			'providers:\n  - use: openai\n    models: [{ model: "a\\u0007b" }]\n',
			'3 providers[0].models[0].model: expected 1 to 200 characters without control characters',
		],
		[
			'an unknown canary',
			'providers:\n  - use: openai\n    models: [{ model: a, canaries: [ecko] }]\n',
			'3 providers[0].models[0].canaries[0]: expected one of echo, json, tool, got "ecko"',
		],
		[
			'a broken pattern',
			'providers: [{ use: openai, models: [{ model: a }] }]\ncanaries: [{ name: x, prompt: y, expect: { pattern: "(" } }]\n',
			'2 canaries[0].expect.pattern: expected a regular expression',
		],
		[
			'a schema with a rule that is not checked',
			'providers: [{ use: openai, models: [{ model: a }] }]\ncanaries: [{ name: x, prompt: y, expect: { schema: { type: text } } }]\n',
			'2 canaries[0].expect.schema: type: expected one of null, boolean',
		],
		[
			'the name of a built-in canary',
			'providers: [{ use: openai, models: [{ model: a }] }]\ncanaries: [{ name: tool, prompt: y, expect: { text: z } }]\n',
			'2 canaries[0].name: expected another name: "tool" is built in',
		],
		[
			'a canary that a vector can’t answer',
			'providers:\n  - use: openai\n    models: [{ model: a, operation: embeddings, canaries: [tool] }]\n',
			`3 providers[0].models[0].canaries[0]: expected one of embedding, got "tool", which embeddings of "openai" can't answer`,
		],
		[
			'a canary that this provider does not take',
			'providers:\n  - use: deepseek\n    apiKeyEnv: null\n    models: [{ model: a, canaries: [json] }]\n',
			`4 providers[0].models[0].canaries[0]: expected one of echo, tool, got "json", which chat of "deepseek" can't answer`,
		],
		[
			'an operation without a protocol',
			'providers:\n  - { id: x, dialect: anthropic, baseUrl: "http://x", apiKeyEnv: null, models: [{ model: a, operation: embeddings }] }\n',
			'models[0].operation: no protocol for embeddings is known of "x": set `embeddings` to one of cohere-embeddings',
		],
		[
			'dimensions of a chat',
			'providers:\n  - use: openai\n    models: [{ model: a, dimensions: 3 }]\n',
			'3 providers[0].models[0].dimensions: only with `operation: embeddings`',
		],
		[
			'an output cap behind the back of the budget',
			'providers:\n  - use: openai\n    models: [{ model: a, body: { max_tokens: 9000 } }]\n',
			'3 providers[0].models[0].body.max_tokens: set `maxOutputTokens` instead',
		],
		[
			'the same, one level down',
			'providers:\n  - use: openai\n    models: [{ model: a, body: { options: { num_predict: 9000 } } }]\n',
			'3 providers[0].models[0].body.options: set `maxOutputTokens` instead',
		],
		[
			'patterns without a listing',
			'providers:\n  - use: openai\n    include: ["*"]\n    models: [{ model: a }]\n',
			'3 providers[0].include: only with `models: discover`',
		],
		[
			'a listing that does not exist',
			'providers:\n  - { use: voyage, apiKeyEnv: null, models: discover }\n',
			'2 providers[0].models: expected a list of models: "voyage" has no listing',
		],
		['neither a list nor discover', 'providers:\n  - use: openai\n    models: discovr\n', '3 providers[0].models: expected a list of models, or `discover`'],
		['an empty list of models', 'providers:\n  - use: openai\n    models: []\n', '3 providers[0].models: expected at least one model'],
		[
			'a channel nobody routes to',
			'providers: [{ use: openai, models: [{ model: a }] }]\nalerts: { channels: { a: { type: webhook, url: "http://x", secretEnv: HOOK_SECRET } } }\n',
			'2 alerts.channels.a: a channel nobody routes to',
		],
		[
			'a route to no channel',
			'providers: [{ use: openai, models: [{ model: a }] }]\nalerts: { channels: {}, routes: [{ channels: [a] }] }\n',
			'2 alerts.routes[0].channels[0]: expected one of the channels',
		],
		['YAML that is none', 'a: [1\n', 'not valid YAML'],
		['a key twice', 'interval: 1s\ninterval: 2s\n', 'not valid YAML'],
	])('%s is named, with its line', (_, text, expected) => {
		expect(faults(text).join('\n')).toContain(expected);
	});

	it('names every fault at once: of shape and of meaning, in the order of the file, and no fault that only follows from another', () => {
		const text = good
			.replace('interval: 30s', 'intervall: 30s')
			.replace('usdPerDay: 2', 'usdPerDay: -1')
			.replace('type: webhook, url', 'type: webhook, ulr')
			.replace('maxOutputTokens: 512', 'maxOutputTokens: 0');
		const found = faults(text, {});
		expect(found.map((fault) => fault.replace(/: .*/, ''))).toEqual([
			'2 intervall',
			'3 budget.usdPerDay',
			'5 providers[0].use',
			'14 providers[1].models[1].maxOutputTokens',
			'19 alerts.channels.hook',
			'19 alerts.channels.hook.ulr',
		]);
	});

	it('a line indented wrong, which makes each after it wrong, is named; of the rest only how much it is', () => {
		const lines = Array.from({ length: 1_000 }, (_, i) => `{ model: m${i} },`);
		const found = faults(['providers:', '  - { id: a, models: [', ...lines, '] }'].join('\n'));
		expect(found[0]).toMatch(/^3 : not valid YAML/);
		expect(found).toHaveLength(11);
		expect(found.at(-1)).toMatch(/not valid YAML, here and \d{3,} times more/);
	});

	it('a target defined twice is named at the second place, with the first', () => {
		const twice = good.replace('meta-llama/llama-3.3-70b-instruct, interval: 5m', '"mëta lläma/3:free x"');
		expect(faults(twice)).toEqual([
			'14 providers[1].models[1].model: duplicate target "my-vllm:mëta lläma/3:free x:chat": already defined at providers[1].models[0]',
		]);
	});

	it('a variable that is named but not set is a fault, and its value is never shown', () => {
		expect(faults(good, {})).toEqual([
			'5 providers[0].use: expected the environment variable OPENAI_API_KEY to hold the API key of "openai", but it is not set (`apiKeyEnv: null` if the endpoint takes none)',
			'19 alerts.channels.hook: expected the environment variable HOOK_SECRET to be set: channel "hook" (webhook) needs it',
		]);
	});

	it('a key pasted where its variable’s name belongs is refused without repeating it', () => {
		const pasted = `not a name ${'x'.repeat(8)}`;
		const [fault] = faults(good.replace('apiKeyEnv: null', `apiKeyEnv: "${pasted}"`));
		expect(fault).toContain('expected the name of an environment variable');
		expect(fault).not.toContain(pasted);
	});

	it('an empty file says what is needed', () => {
		expect(faults('').join()).toContain('providers: expected a list of providers, got nothing');
	});
});
