/** A canary that a model refuses as malformed is found before it is scheduled, with the field to change. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeSelfTest, runSelfTest } from '#bin/self-test.ts';
import type { Canary } from '#core/target.ts';
import { type Simulator, startSimulator } from '#simulator/start-simulator.ts';
import { echo, probeOnce, simProvider, targetOf } from './probe-setup.ts';

let simulator: Simulator;
const providers = {
	strict: 'openai-chat',
	claude: 'anthropic',
	google: 'gemini',
	mistral: 'mistral',
	well: 'cohere',
	down: 'openai-chat',
	keyless: 'openai-chat',
};

beforeAll(async () => {
	simulator = await startSimulator({
		fleet: { providers: Object.entries(providers).map(([id, dialect]) => simProvider(id, dialect)) },
		timeScale: 0,
		faultAt: (provider) => {
			if (provider === 'well') return null;
			return { mode: 'http_error', error: provider === 'down' ? 'server_error' : provider === 'keyless' ? 'auth_failed' : 'bad_request' };
		},
	});
});
afterAll(() => simulator.close());

test('each refusal names the field to change; an outage and a wrong key are not refusals', async () => {
	const tool: Canary = { name: 'tool', type: 'tool' };
	const targets = Object.entries(providers).map(([id, dialect]) =>
		targetOf(dialect, simulator.baseUrl(id), { provider: id, id: `${id}:m:chat`, canaries: id === 'well' ? [echo, tool] : [echo] }),
	);
	const rows = await runSelfTest(targets, (target, canary) => probeOnce(target, {}, { canary }));
	const by = (id: string) => rows.find(({ target }) => target === `${id}:m:chat`);
	expect(by('strict')).toMatchObject({
		outcome: 'bad_request',
		ours: true,
		refusal: { field: 'max_tokens', advice: expect.stringContaining('maxTokensField') },
	});
	expect(by('claude')?.refusal).toMatchObject({ field: 'temperature' });
	expect(by('google')?.refusal).toMatchObject({ field: 'seeds' });
	expect(by('mistral')?.refusal).toMatchObject({ field: 'stream_options' });
	expect(by('down')).toMatchObject({ outcome: 'server_error', ours: false, refusal: null });
	expect(by('keyless')).toMatchObject({ outcome: 'auth_failed', ours: true, refusal: null });
	expect(rows.filter(({ target }) => target === 'well:m:chat')).toMatchObject([
		{ canary: 'echo', outcome: 'ok' },
		{ canary: 'tool', outcome: 'ok' },
	]);
	const text = describeSelfTest(rows);
	expect(text).toContain('refused for `max_tokens`: set `maxTokensField: max_completion_tokens`');
	expect(text).toContain('8 canaries sent once: 5 to be mended in the file or the account, 1 failed for other reasons.');
});
