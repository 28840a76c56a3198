/** The machine's own network goes, and comes back: nobody else is blamed for it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Simulator, startSimulator } from '#simulator/start-simulator.ts';
import { canMakeNetworks, makeNetworkSpace, type NetworkSpace } from '#test/network-space.ts';
import { type Service, startService, stopServices, until } from './service.ts';

const possible = canMakeNetworks('the service without a network');
const providers = ['alder', 'birch', 'cedar', 'dogwood'];
const models = ['maker/one', 'maker/two'];
const quick = { median: 20, sigma: 0 };

describe.skipIf(!possible)('the cable is pulled', () => {
	let space: NetworkSpace;
	let simulator: Simulator;
	let service: Service;
	const getJson = async <T>(path: string): Promise<T> => JSON.parse(await space.get(`${service.url}${path}`)) as T;
	const states = async () =>
		Object.values((await getJson<{ targets: Record<string, { state: string; reason: string }> }>('/v1/verdicts')).targets).map(({ state }) => state);
	const incidents = async () => (await getJson<{ incidents: { cause: string; title: string; resolvedAt: string | null }[] }>('/v1/incidents')).incidents;

	beforeAll(async () => {
		space = await makeNetworkSpace();
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
			...{ id, dialect: 'openai-chat', baseUrl: simulator.baseUrl(id), apiKeyEnv: 'FLEET_KEY', models: models.map((model) => ({ model })) },
		}));
		service = await startService({
			config: `interval: 1s\ntimeouts: { connect: 1s, firstToken: 2s, stall: 2s, total: 4s }\nbudget: { usdPerDay: 1000 }\nverdict: { blip: 3s }\nproviders: ${JSON.stringify(file)}\n`,
			env: { FLEET_KEY: 'test-key' },
			enter: space.enter,
			isReady: (url) => space.get(`${url}/readyz`).then(Boolean, () => false),
		});
	});
	afterAll(async () => {
		await stopServices();
		await simulator.close();
		await space.remove();
	});

	it('every state turns unknown, the vantage is told blind, and no provider is down', async () => {
		await until('all operational', async () => (await states()).every((state) => state === 'operational'));
		await space.unplug();
		await until('all unknown', async () => (await states()).every((state) => state === 'unknown'));
		await until('blind', async () => (await incidents()).some(({ cause, resolvedAt }) => cause === 'monitor' && resolvedAt === null));
		expect((await incidents()).filter(({ cause }) => cause === 'provider')).toEqual([]);
	});

	it('with the network back all is well again, and the time without it is in nobody’s availability', async () => {
		await space.plug();
		await until('all operational', async () => (await states()).every((state) => state === 'operational'));
		await until('sight', async () => (await incidents()).every(({ resolvedAt }) => resolvedAt !== null));
		expect((await incidents()).filter(({ cause }) => cause === 'provider')).toEqual([]);
		for (const provider of providers) {
			const { results } = await getJson<{ results: { outcome: string; sli: string }[] }>(
				`/v1/targets/${encodeURIComponent(`${provider}:maker/one:chat`)}/results?limit=500`,
			);
			expect(results.filter(({ sli }) => sli === 'bad')).toEqual([]);
			expect(results.filter(({ outcome }) => outcome !== 'ok').length).toBeGreaterThan(0);
		}
	});
});
