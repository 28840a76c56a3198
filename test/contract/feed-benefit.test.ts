/** What the feed buys: the same load on the same outage, by a router that only falls back, and by the same router that asks the feed first. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { askBest, type Upstream } from '#client/example.ts';
import { createHealthClient, type HealthClient } from '#client/health-client.ts';
import type { Fault } from '#simulator/faults.ts';
import { type Simulator, startSimulator } from '#simulator/start-simulator.ts';
import { sampleNow, sampleSnapshot } from '#test/sample-snapshot.ts';
import { type SampleServer, serveSample } from '#test/serve-sample.ts';
import { simModel, simProvider, testKey } from './probe-setup.ts';

const providers = ['openai', 'groq'] as const;
const load = 8;
const timeoutMs = 150;
let simulator: Simulator;
let api: SampleServer;
let upstreams: Map<string, Upstream>;
const clients: HealthClient[] = [];

beforeAll(async () => {
	simulator = await startSimulator({ fleet: { providers: providers.map((id) => simProvider(id, 'openai-chat')) }, timeScale: 0 });
	const upstreamOf = (id: string) => ({ url: `${simulator.baseUrl(id)}/chat/completions`, apiKey: testKey, upstreamModel: simModel.upstreamModel });
	upstreams = new Map(providers.map((id) => [`${id}:${simModel.model}:chat`, upstreamOf(id)]));
	api = await serveSample();
});
afterAll(async () => {
	for (const client of clients) client.close();
	await api.close();
	await simulator.close();
});
beforeEach(() => {
	for (const id of providers) simulator.setFault(id, null, null);
});

/** The feed once the outage is confirmed. */
async function feedThatKnows(): Promise<HealthClient> {
	const base = sampleSnapshot({ providers: 1, modelsPerProvider: 2, hostile: false, now: sampleNow });
	const [first] = base.targets;
	if (first === undefined) throw new Error('Expected a sample target');
	const target = (provider: string, isDown: boolean) => ({
		...first,
		id: `${provider}:${simModel.model}:chat`,
		provider,
		model: simModel.model,
		state: isDown ? ('major_outage' as const) : ('operational' as const),
	});
	const at = Date.now();
	api.clock.now = at;
	api.snapshots.put({
		...base,
		generatedAt: new Date(at).toISOString(),
		staleAfter: new Date(at + 60_000).toISOString(),
		targets: [target('openai', true), target('groq', false)],
	});
	const client = createHealthClient({ url: api.url });
	clients.push(client);
	await client.ready;
	return client;
}

/** A router without a feed is one whose feed is not there: it fails open to the given order. */
async function noFeed(): Promise<HealthClient> {
	const client = createHealthClient({ url: 'http://127.0.0.1:1' });
	clients.push(client);
	await client.ready;
	return client;
}

/** What the users of the router see, one after the other. */
async function serveUsers(client: HealthClient) {
	const before = simulator.requestLog.length;
	let spoiled = 0;
	for (let user = 0; user < load; user++) {
		try {
			const { response } = await askBest(
				client,
				upstreams,
				simModel.model,
				{ stream: true, messages: [{ role: 'user', content: 'Reply with exactly: alfa bravo' }] },
				timeoutMs,
			);
			const text = await response.text();
			if (!text.includes('[DONE]')) spoiled += 1;
		} catch {
			spoiled += 1;
		}
	}
	const asked = simulator.requestLog.slice(before);
	return { spoiled, askedDown: asked.filter(({ provider }) => provider === 'openai').length };
}

describe('eight users, the first upstream is down', () => {
	test.each<[string, Fault, { spoiled: number }]>([
		// Falling back saves the answer, after the whole timeout, for every single user.
		['it hangs', { mode: 'no_headers' }, { spoiled: 0 }],
		// No fallback sees these: the status was 200 when the router let go.
		['its streams are cut', { mode: 'cut_fin', tokens: 3 }, { spoiled: load }],
		['it answers garbage with 200', { mode: 'http_status', status: 200, contentType: 'text/html', body: '<html>welcome</html>' }, { spoiled: load }],
	])('%s', async (_name, fault, without) => {
		simulator.setFault('openai', null, fault);
		expect(await serveUsers(await noFeed())).toEqual({ ...without, askedDown: load });
		expect(await serveUsers(await feedThatKnows())).toEqual({ spoiled: 0, askedDown: 0 });
	});

	test('and when the feed is wrong about both, users are still served', async () => {
		simulator.setFault('openai', null, null);
		const client = await feedThatKnows();
		simulator.setFault('groq', null, { mode: 'http_error', error: 'server_error' });
		expect(await serveUsers(client)).toEqual({ spoiled: 0, askedDown: load });
	});
});
