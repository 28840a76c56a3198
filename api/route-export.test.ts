import { expect, test } from 'vitest';
import { sampleSnapshot } from '#test/sample-snapshot.ts';
import { exportRoute, routeFormats } from './route-export.ts';
import { routeView } from './route-view.ts';

const model = 'meta-llama/llama-3.3-70b-instruct';
const nothingWished = {
	order: [],
	only: [],
	ignore: [],
	sort: null,
	maxPromptUsd: null,
	maxCompletionUsd: null,
	preferredMaxLatencyS: null,
	preferredMinThroughput: null,
};

function routeOf(down: readonly string[]) {
	const drawn = sampleSnapshot({ providers: 4, modelsPerProvider: 10, hostile: false });
	const targets = drawn.targets
		.filter((target) => target.model === model)
		.map((target) => ({ ...target, state: down.includes(target.provider) ? ('major_outage' as const) : ('operational' as const) }));
	const route = routeView({ ...drawn, targets }, { model, operation: 'chat', ...nothingWished });
	if (route === null) throw new Error('Expected a route');
	return route;
}

test('every format names the same candidates in the same order', () => {
	const route = routeOf(['anthropic']);
	const order = route.candidates.map(({ provider }) => provider);
	expect(order).toHaveLength(3);
	expect(exportRoute('openrouter', route)).toEqual({ provider: { order, ignore: ['anthropic'], allow_fallbacks: true } });
	expect(exportRoute('vercel', route)).toEqual({ providerOptions: { gateway: { order } } });
	expect(exportRoute('portkey', route)).toMatchObject({ strategy: { mode: 'fallback' }, targets: order.map((provider) => ({ provider })) });
	expect(exportRoute('litellm', route)).toMatchObject({
		model_list: route.candidates.map(({ id, provider, upstreamModel }, index) => ({
			model_name: model,
			litellm_params: { model: `${provider}/${upstreamModel}`, order: index + 1 },
			model_info: { id },
		})),
	});
	expect(exportRoute('linnet', route)).toBe(route);
});

test('whom the route leaves out is said, with the reason', () => {
	expect(routeOf(['anthropic']).left).toMatchObject([{ provider: 'anthropic', state: 'major_outage' }]);
});

test('when all are down nobody is ignored and nobody is missing', () => {
	const route = routeOf(['openai', 'anthropic', 'aws.bedrock', 'google.vertex']);
	expect([route.failOpen, route.candidates.length, route.left]).toEqual([true, 4, []]);
	for (const format of routeFormats) expect(JSON.stringify(exportRoute(format, route))).toContain('anthropic');
	expect(exportRoute('openrouter', route)).toMatchObject({ provider: { ignore: [] } });
});
