import { describe, expect, it } from 'vitest';
import { loadConfig } from './load.ts';

const env = { OPENAI_API_KEY: 'test-key', HOOK_SECRET: 'test-secret' };

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

	it('holds no secret: only the names of variables', () => {
		expect(JSON.stringify(config)).not.toContain('test-');
	});

	it('loses the slash at the end of its public URL, so that links join cleanly', () => {
		expect(config?.status.url).toBe('https://status.example.org');
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
			'3 providers[0].models[0].canaries[0]: expected one of echo, got "ecko"',
		],
		[
			'a broken pattern',
			'providers: [{ use: openai, models: [{ model: a }] }]\ncanaries: [{ name: x, prompt: y, expect: { pattern: "(" } }]\n',
			'2 canaries[0].expect.pattern: expected a regular expression',
		],
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
