import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { routeSchema, uptimeSchema } from '#api/schema.ts';
import type { Snapshot } from '#core/snapshot.ts';
import type { State } from '#core/state.ts';
import { sampleSnapshot } from '#test/sample-snapshot.ts';
import { type SampleServer, serveSample } from '#test/serve-sample.ts';

const model = 'meta-llama/llama-3.3-70b-instruct';

/** The model at every provider, each in a state of the caller's choice, operational by default. */
function fleet(states: Readonly<Record<string, State>> = {}): Snapshot {
	const drawn = sampleSnapshot({ providers: 10, modelsPerProvider: 10, hostile: false });
	const targets = drawn.targets
		.filter((target) => target.model === model)
		.map((target) => ({ ...target, state: states[target.provider] ?? ('operational' as const) }));
	return { ...drawn, targets };
}

let server: SampleServer;
beforeAll(async () => {
	server = await serveSample();
});
afterAll(() => server.close());

let number = 2_000;
function put(snapshot: Snapshot): void {
	number += 1;
	server.snapshots.put({ ...snapshot, number });
}

async function route(query: string) {
	const response = await fetch(`${server.url}/v1/route?model=${encodeURIComponent(model)}&${query}`);
	expect(response.status).toBe(200);
	return routeSchema.parse(await response.json());
}
const providers = (answer: Awaited<ReturnType<typeof route>>) => answer.candidates.map((candidate) => candidate.provider);

describe('the route for a model', () => {
	test('leaves out a confirmed outage while there is another', async () => {
		put(fleet({ groq: 'major_outage', openai: 'degraded_performance' }));
		const answer = await route('');
		expect(providers(answer)).toHaveLength(9);
		expect(providers(answer)).not.toContain('groq');
		expect(providers(answer).at(-1)).toBe('openai');
		expect(answer.failOpen).toBe(false);
	});

	test('names the least bad when all are bad, marked as no recommendation', async () => {
		const all = Object.fromEntries(fleet().targets.map((target) => [target.provider, 'major_outage' as const]));
		put(fleet(all));
		const answer = await route('');
		expect([answer.failOpen, answer.candidates.length]).toEqual([true, 10]);
	});

	test('takes the order asked for, but never before the state', async () => {
		put(fleet({ xai: 'degraded_performance' }));
		expect(providers(await route('order=xai,azure,groq')).slice(0, 2)).toEqual(['azure', 'groq']);
	});

	test('keeps to only, ignore and the price limit', async () => {
		put(fleet());
		expect(new Set(providers(await route('only=openai,groq')))).toEqual(new Set(['openai', 'groq']));
		expect(providers(await route('ignore=openai'))).not.toContain('openai');
		const limit = 8;
		const cheap = await route(`max_price.completion=${limit}`);
		expect(cheap.candidates.filter((candidate) => candidate.price !== null && candidate.price.outputUsdPerMTok > limit)).toEqual([]);
		expect(cheap.candidates.length).toBeLessThan(10);
	});

	test('sorts as asked; a preference puts back and never removes', async () => {
		put(fleet());
		const quick = (await route('sort=latency')).candidates.map((candidate) => candidate.ttftP50Ms ?? Number.POSITIVE_INFINITY);
		expect(quick).toEqual([...quick].sort((a, b) => a - b));
		const fast = (await route('sort=throughput')).candidates.map((candidate) => candidate.outputTokensPerSecond ?? 0);
		expect(fast).toEqual([...fast].sort((a, b) => b - a));
		const preferred = await route('preferred_max_latency=0.4');
		expect(preferred.candidates).toHaveLength(10);
		const late = preferred.candidates.map((candidate) => (candidate.ttftP50Ms ?? Number.POSITIVE_INFINITY) > 400);
		expect(late).toEqual([...late].sort((a, b) => Number(a) - Number(b)));
	});

	test.each([
		['/v1/route', 400],
		['/v1/route?model=no/such', 404],
		[`/v1/route?model=${model}&sort=best`, 400],
		[`/v1/route?model=${model}&max_price.prompt=-1`, 400],
		[`/v1/route?model=${model}&only=nobody`, 404],
		['/v1/uptime?definition=ours', 400],
	])('%s → %d', async (path, status) => {
		put(fleet());
		expect((await fetch(server.url + path)).status).toBe(status);
	});
});

test('each definition of uptime counts the same record in its own way', async () => {
	const base = fleet();
	const first = base.targets[0];
	if (first === undefined) throw new Error('Expected a target');
	const outcomes = { ok: 90, server_error: 2, throttled: 4, auth_failed: 8, canary_mismatch: 1, monitor_fault: 16 };
	put({ ...base, targets: [{ ...first, outcomes }] });
	const counted = async (definition: string) => {
		const answer = uptimeSchema.parse(await (await fetch(`${server.url}/v1/uptime?definition=${definition}`)).json());
		const { good, bad, excluded } = answer.targets[first.id] ?? {};
		return [good, bad, excluded];
	};
	expect(await counted('linnet')).toEqual([first.availability['1d'].good, first.availability['1d'].bad, first.availability['1d'].excluded]);
	expect(await counted('openrouter')).toEqual([91, 10, 20]);
	expect(await counted('vercel')).toEqual([91, 2, 28]);
	expect(await counted('strict')).toEqual([90, 15, 16]);
});

test('OpenRouter’s shape has every key that its SDK demands, prices as text and no number for no data', async () => {
	put(fleet({ openai: 'unknown' }));
	const answer = (await (await fetch(`${server.url}/api/v1/models/${model}/endpoints`)).json()) as {
		data: { id: string; endpoints: Record<string, unknown>[] };
	};
	expect(answer.data.id).toBe(model);
	for (const endpoint of answer.data.endpoints) {
		for (const key of ['uptime_last_5m', 'uptime_last_30m', 'uptime_last_1d', 'latency_last_30m', 'throughput_last_30m', 'supports_tool_choice'])
			expect(endpoint).toHaveProperty(key);
		const pricing = endpoint.pricing as Record<string, unknown>;
		expect([typeof pricing.prompt, typeof pricing.completion, Number.isInteger(endpoint.context_length)]).toEqual(['string', 'string', true]);
		expect(endpoint.status ?? 0).toBeTypeOf('number');
	}
	const unknown = answer.data.endpoints.find((endpoint) => endpoint.tag === 'openai');
	expect(unknown).not.toHaveProperty('status');
	const missing = await fetch(`${server.url}/api/v1/models/no/such/endpoints`);
	expect([missing.status, ((await missing.json()) as { error: { code: number } }).error.code]).toEqual([404, 404]);
	const listed = (await (await fetch(`${server.url}/api/v1/providers`)).json()) as { data: { slug: string }[] };
	expect(listed.data).toHaveLength(10);
});
