/** `models: discover`: what a provider lists becomes what is probed, over real sockets. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { askListings } from '#bin/ask-listings.ts';
import type { Discovery } from '#config/discovery.ts';
import { keepVanishedMs } from '#core/lifecycle.ts';
import { dialects } from '#providers/index.ts';
import { type Simulator, startSimulator } from '#simulator/start-simulator.ts';
import { simModel, simProvider, testKey } from './probe-setup.ts';

let simulator: Simulator;
let dataDir: string;
const models = ['one', 'two'].map((upstreamModel) => ({ ...simModel, model: `aurora/${upstreamModel}`, upstreamModel }));
const speakers = Object.values(dialects)
	.filter(({ listing }) => listing !== null)
	.map(({ id }) => id);

beforeAll(async () => {
	const providers = speakers.map((dialect) => ({ ...simProvider(dialect, dialect), models }));
	simulator = await startSimulator({ fleet: { providers }, apiKeys: Object.fromEntries(speakers.map((id) => [id, testKey])) });
});
afterAll(() => simulator.close());
beforeEach(async () => {
	dataDir = await mkdtemp(join(tmpdir(), 'linnet-models-'));
	for (const id of speakers) simulator.setFault(id, null, undefined);
	return () => rm(dataDir, { recursive: true });
});

const start = Date.parse('2026-11-23T12:00:00Z');
const discovery = (provider: string): Discovery => ({ provider, dialect: provider, baseUrl: simulator.baseUrl(provider), headers: {}, apiKeyEnv: 'KEY' });
const ask = (providers: string[], { now = start, key = testKey, change = {} }: { now?: number; key?: string; change?: Partial<Discovery> } = {}) =>
	askListings(
		{ now: () => now, readSecret: () => key, dataDir },
		providers.map((id) => ({ ...discovery(id), ...change })),
	);

test('every protocol with a listing is asked in its own words', async () => {
	const { discovered, notes } = await ask(speakers);
	expect(notes).toEqual([]);
	for (const id of speakers) {
		expect(discovered.get(id), id).toEqual([
			{ name: 'one', lifecycle: 'active' },
			{ name: 'two', lifecycle: 'active' },
		]);
	}
});

describe('a provider that can’t be asked', () => {
	test('keeps what it last listed, and it is said', async () => {
		await ask(['openai-chat']);
		const { discovered, notes } = await ask(['openai-chat'], { now: start + 1_000, key: 'wrong' });
		expect(discovered.get('openai-chat')?.map(({ name }) => name)).toEqual(['one', 'two']);
		expect(notes).toEqual([expect.stringMatching(/^openai-chat: .*HTTP 401.*the 2 models of 2026-11-23T12:00:00.000Z are used$/)]);
		expect(notes.join()).not.toContain('wrong');
	});

	test('and never was has no targets; the others have theirs', async () => {
		const { discovered, notes } = await ask(['gemini']);
		expect(notes).toEqual([]);
		const lost = await askListings({ now: () => start, readSecret: () => testKey, dataDir }, [
			discovery('gemini'),
			{ ...discovery('openai-chat'), baseUrl: 'http://127.0.0.1:1' },
		]);
		expect(lost.discovered.get('openai-chat')).toEqual([]);
		expect(lost.discovered.get('gemini')).toEqual(discovered.get('gemini'));
		expect(lost.notes).toEqual([
			expect.stringContaining('openai-chat: its list of models could not be read (ECONNREFUSED); it has no targets until it can be'),
		]);
	});

	test('a list of another endpoint is not taken for its own', async () => {
		await ask(['openai-chat']);
		expect((await ask(['openai-chat'], { change: { baseUrl: 'http://127.0.0.1:1' } })).discovered.get('openai-chat')).toEqual([]);
	});
});

test('a model that is no longer listed stays for a week as vanished', async () => {
	await ask(['anthropic']);
	simulator.setFault('anthropic', 'aurora/two', { mode: 'model_removed' });
	const later = await ask(['anthropic'], { now: start + 1_000 });
	expect(later.discovered.get('anthropic')).toContainEqual({ name: 'two', lifecycle: 'vanished' });
	const muchLater = await ask(['anthropic'], { now: start + keepVanishedMs + 1 });
	expect(muchLater.discovered.get('anthropic')).toEqual([{ name: 'one', lifecycle: 'active' }]);
});

test('a file that is damaged is as good as none, and no key is ever in it', async () => {
	await writeFile(join(dataDir, 'models.json'), '{"openai-chat": 3');
	expect((await ask(['openai-chat'])).discovered.get('openai-chat')?.length).toBe(2);
	const kept = await readFile(join(dataDir, 'models.json'), 'utf8');
	expect(kept).toContain('"two"');
	expect(kept).not.toContain(testKey);
});

test('a directory that can’t be written is said, and nothing is lost by it', async () => {
	const blocked = join(dataDir, 'file');
	await writeFile(blocked, '');
	const { discovered, notes } = await askListings({ now: () => start, readSecret: () => testKey, dataDir: blocked }, [discovery('ollama')]);
	expect(discovered.get('ollama')?.length).toBe(2);
	expect(notes).toEqual([expect.stringContaining('could not be kept')]);
});
