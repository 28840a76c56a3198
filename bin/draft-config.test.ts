import { describe, expect, it } from 'vitest';
import { loadConfig } from '#config/load.ts';
import { forecastPerDayMicroUsd } from '#core/cost.ts';
import { draftConfig } from './draft-config.ts';

const key = 'test-key';
const away = () => Promise.reject(Object.assign(new Error('no network'), { code: 'ENOTFOUND' }));

describe('the first configuration', () => {
	it('has one cheap model of each provider whose key is set, and is sound', async () => {
		const env = { OPENAI_API_KEY: key, GROQ_API_KEY: key };
		const { text, notes } = await draftConfig({
			env,
			listModels: async ({ id }) => (id === 'openai' ? ['gpt-big', 'gpt-6-nano', 'gpt-6-mini-long'] : ['llama-3.1-8b-instant']),
		});
		const { config, problems } = loadConfig(text, env);
		expect(problems).toBeNull();
		expect(config?.targets.map(({ id, upstreamModel }) => [id, upstreamModel])).toEqual([
			['openai:openai/gpt-6-nano:chat', 'gpt-6-nano'],
			['groq:groq/llama-3.1-8b-instant:chat', 'llama-3.1-8b-instant'],
		]);
		expect(notes).toEqual([]);
	});

	it('holds no key, and names the variable that is set', async () => {
		const env = { GOOGLE_API_KEY: key };
		const { text } = await draftConfig({ env, listModels: async () => ['gemini-2.5-flash'] });
		expect(text).not.toContain(key);
		expect(loadConfig(text, env).config?.targets[0]?.apiKeyEnv).toBe('GOOGLE_API_KEY');
	});

	it('is probed as often as its budget can pay all day', async () => {
		const env = { OPENAI_API_KEY: key, ANTHROPIC_API_KEY: key };
		const { config } = loadConfig((await draftConfig({ env, listModels: async () => ['small'] })).text, env);
		expect(config?.intervalMs).toBeGreaterThan(60_000);
		expect(forecastPerDayMicroUsd(config?.targets ?? []).typical).toBeLessThanOrEqual((config?.budget.usdPerDay ?? 0) * 1e6);
	});

	it('a provider that can’t be asked gets its usual model, and the operator is told', async () => {
		const { text, notes } = await draftConfig({ env: { OPENAI_API_KEY: key }, listModels: away });
		expect(text).toContain('gpt-6-luna');
		expect(notes.join()).toContain('could not be read (ENOTFOUND)');
		expect(notes.join()).toContain('took gpt-6-luna, unseen');
	});

	it('a provider that needs the operator’s own values is left out, with a note', async () => {
		const { text, notes } = await draftConfig({ env: { OPENAI_API_KEY: key, CLOUDFLARE_API_TOKEN: key }, listModels: async () => ['small'] });
		expect(text).not.toContain('cloudflare');
		expect(notes.join()).toContain('cloudflare: left out');
	});

	it('without any key it says which ones it knows', async () => {
		await expect(draftConfig({ env: {}, listModels: away })).rejects.toThrow(/Set one of OPENAI_API_KEY, ANTHROPIC_API_KEY/);
	});
});
