/** The machine's own network goes, and comes back, and its name server too: nobody else is blamed for it. And nothing is reached but what is configured. */
import { readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Simulator, startSimulator } from '#simulator/start-simulator.ts';
import { type NameServer, startNameServer } from '#test/name-server.ts';
import { canMakeNetworks, makeNetworkSpace, type NetworkSpace } from '#test/network-space.ts';
import { type Service, startService, stopServices, until } from './service.ts';

const possible = canMakeNetworks('the service without a network');
const providers = ['alder', 'birch', 'cedar', 'dogwood'];
const models = ['maker/one', 'maker/two'];
const quick = { median: 20, sigma: 0 };

const domain = 'linnet.test';
const connections = join(tmpdir(), `linnet-connections-${process.pid}`);

describe.skipIf(!possible)('in a network of its own', () => {
	let space: NetworkSpace;
	let names: NameServer;
	let simulator: Simulator;
	let service: Service;
	const getJson = async <T>(path: string): Promise<T> => JSON.parse(await space.get(`${service.url}${path}`)) as T;
	const states = async () =>
		Object.values((await getJson<{ targets: Record<string, { state: string; reason: string }> }>('/v1/verdicts')).targets).map(({ state }) => state);
	const incidents = async () => (await getJson<{ incidents: { cause: string; title: string; resolvedAt: string | null }[] }>('/v1/incidents')).incidents;

	const resultsOf = async (provider: string) =>
		(
			await getJson<{ results: { slotAt: string; outcome: string; sli: string }[] }>(
				`/v1/targets/${encodeURIComponent(`${provider}:maker/one:chat`)}/results?limit=500`,
			)
		).results;

	beforeAll(async () => {
		space = await makeNetworkSpace();
		names = await startNameServer({ host: space.outside, domain });
		simulator = await startSimulator({
			host: space.outside,
			fleet: {
				providers: providers.map((id) => ({
					...{ id, name: id, dialect: 'openai-chat' },
					models: models.map((model) => ({
						...{ model, upstreamModel: model, operation: 'chat' as const, ttftMs: quick, tokensPerSecond: { median: 900, sigma: 0 }, price: null },
					})),
				})),
			},
		});
		const file = providers.map((id) => ({
			...{
				id,
				dialect: 'openai-chat',
				baseUrl: simulator.baseUrl(id).replace(space.outside, `${id}.${domain}`),
				apiKeyEnv: 'FLEET_KEY',
				models: models.map((model) => ({ model })),
			},
		}));
		service = await startService({
			config: `interval: 1s\ntimeouts: { connect: 1s, firstToken: 2s, stall: 2s, total: 4s }\nbudget: { usdPerDay: 1000000 }\nverdict: { blip: 3s }\nproviders: ${JSON.stringify(file)}\n`,
			env: { FLEET_KEY: 'test-key', NODE_OPTIONS: `--import ${join(import.meta.dirname, 'fault-preload.mjs')}`, LINNET_TEST_CONNECTIONS: connections },
			enter: space.enter,
			isReady: (url) => space.get(`${url}/readyz`).then(Boolean, () => false),
		});
	});
	afterAll(async () => {
		await stopServices();
		await simulator.close();
		await names.close();
		await space.remove();
		await rm(connections, { force: true });
	});

	it.each([
		['the cable is pulled', () => space.unplug(), () => space.plug()],
		['its name server answers nothing', async () => names.setSilent(true), async () => names.setSilent(false)],
	])(
		'%s: every state turns unknown, the vantage is told blind, no provider is down; then all is well again, and that time is in nobody’s availability',
		async (_, break_, mend) => {
			await until('all operational', async () => (await states()).every((state) => state === 'operational'));
			const brokenAt = Date.now();
			await break_();
			await until('all unknown', async () => (await states()).every((state) => state === 'unknown'));
			await until('blind', async () => (await incidents()).some(({ cause, resolvedAt }) => cause === 'monitor' && resolvedAt === null));
			expect((await incidents()).filter(({ cause }) => cause === 'provider')).toEqual([]);
			// It is told within a second, before each target had its slot.
			for (const provider of providers)
				await until('a probe that failed', async () =>
					(await resultsOf(provider)).some(({ slotAt, outcome }) => Date.parse(slotAt) >= brokenAt && outcome !== 'ok'),
				);
			await mend();
			await until('all operational', async () => (await states()).every((state) => state === 'operational'));
			await until('sight', async () => (await incidents()).every(({ resolvedAt }) => resolvedAt !== null));
			expect((await incidents()).filter(({ cause }) => cause === 'provider')).toEqual([]);
			for (const provider of providers) expect((await resultsOf(provider)).filter(({ sli }) => sli === 'bad')).toEqual([]);
		},
	);

	it('it has asked for and connected to what its file names, and nothing else', async () => {
		const lines = (await readFile(connections, 'utf8')).trim().split('\n');
		const reached = new Set(lines.map((line) => (JSON.parse(line) as { to: string }).to));
		expect([...reached].sort()).toEqual([`${space.outside}:${simulator.port}`, 'a local socket'].sort());
		expect([...names.asked].sort()).toEqual(providers.map((id) => `${id}.${domain}`));
	});
});
