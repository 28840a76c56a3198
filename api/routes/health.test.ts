import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkSchema, healthSchema, shieldSchema, targetSchema, verdictsSchema } from '#api/schema.ts';
import type { State } from '#core/state.ts';
import { readerOf, type SampleReader } from '#test/sample-reader.ts';
import { sampleSnapshot } from '#test/sample-snapshot.ts';
import { type SampleServer, serveSample } from '#test/serve-sample.ts';

const snapshot = sampleSnapshot({ providers: 7, modelsPerProvider: 8 });
let server: SampleServer;
let read: SampleReader['read'];
let problem: SampleReader['problem'];

beforeAll(async () => {
	server = await serveSample();
	await server.publish(snapshot);
	({ read, problem } = readerOf(server));
});
afterAll(() => server.close());

function firstIn(state: State) {
	const target = snapshot.targets.find((found) => found.state === state);
	if (target === undefined) throw new Error(`Expected a sample target that is ${state}`);
	return target;
}

describe('the health feed', () => {
	test('filters by provider, model, operation and state, several at once', async () => {
		const [first, second] = snapshot.providers.map((provider) => provider.id);
		const both = await read(`/v1/health?provider=${first},${second}`, healthSchema);
		expect(new Set(both.targets.map((target) => target.provider))).toEqual(new Set([first, second]));
		const down = await read('/v1/health?state=major_outage&state=partial_outage', healthSchema);
		expect(new Set(down.targets.map((target) => target.state))).toEqual(new Set(['major_outage', 'partial_outage']));
		const embeddings = await read('/v1/health?operation=embeddings', healthSchema);
		expect(embeddings.targets.length).toBeGreaterThan(0);
		expect(embeddings.targets.every((target) => target.operation === 'embeddings')).toBe(true);
		const odd = snapshot.targets.find((target) => target.model.includes('<script>'));
		const one = await read(`/v1/health?model=${encodeURIComponent(odd?.model ?? '')}`, healthSchema);
		expect(one.targets.map((target) => target.id)).toEqual([odd?.id]);
		expect((await read('/v1/health?provider=nobody', healthSchema)).targets).toEqual([]);
	});

	test.each([
		['/v1/health?stat=operational', 'Expected only provider, model, operation, state, got "stat"'],
		['/v1/health?state=up', 'Expected state to be one of operational,'],
		['/v1/health?operation=images', 'Expected operation to be one of chat, embeddings, got "images"'],
		['/v1/verdicts?provider=openai', 'Expected no parameter, got "provider"'],
	])('%s is refused with what was expected and what came', async (path, detail) => {
		expect((await problem(path, 400)).detail).toContain(detail);
	});

	test('shows no data as null', async () => {
		const health = await read('/v1/health?state=unknown', healthSchema);
		expect(health.targets.map((target) => target.availability['1d'].ratio)).toEqual(health.targets.map(() => null));
	});
});

describe('a load balancer is told to leave only a confirmed outage', () => {
	test.each([
		['operational', 200, false],
		['degraded_performance', 200, false],
		['partial_outage', 200, false],
		['under_maintenance', 200, false],
		['unknown', 200, true],
		['major_outage', 503, false],
	] as const)('%s → %d', async (state, status, failOpen) => {
		const target = firstIn(state);
		const body = await read(`/check/${encodeURIComponent(target.id)}`, checkSchema, status);
		expect(body).toEqual({ id: target.id, route: status === 200, state, reason: target.reason, since: target.since, measuredAt: target.measuredAt, failOpen });
	});

	test('an unknown id is no outage and no health: 404', async () => {
		expect((await problem('/check/openai:nothing:chat', 404)).detail).toContain('"openai:nothing:chat"');
	});

	test('before the first snapshot it fails open', async () => {
		const own = await serveSample();
		expect((await readerOf(own).read('/check/openai:any:chat', checkSchema)).failOpen).toBe(true);
		await own.close();
	});
});

test('after its deadline every state is unknown, everywhere, and says since when; the check fails open', async () => {
	const own = await serveSample();
	await own.publish(snapshot);
	const before = (await readerOf(own).get('/v1/verdicts')).headers.get('etag');
	own.clock.now = Date.parse(snapshot.staleAfter) + 1;
	const health = await readerOf(own).read('/v1/health', healthSchema);
	expect(new Set(health.targets.map((target) => target.state))).toEqual(new Set(['unknown']));
	expect(health.targets[0]?.reason).toContain(snapshot.generatedAt);
	const verdicts = await readerOf(own).get('/v1/verdicts', { 'if-none-match': before ?? '' });
	expect(verdicts.status).toBe(200);
	const states = Object.values(verdictsSchema.parse(await verdicts.json()).targets).map((target) => target.state);
	expect(new Set(states)).toEqual(new Set(['unknown']));
	const after = verdicts.headers.get('etag');
	own.clock.now += 3_600_000;
	expect((await readerOf(own).get('/v1/verdicts', { 'if-none-match': after ?? '' })).status).toBe(304);
	const check = await readerOf(own).read(`/check/${encodeURIComponent(firstIn('major_outage').id)}`, checkSchema);
	expect([check.route, check.state, check.failOpen]).toEqual([true, 'unknown', true]);
	expect((await readerOf(own).read('/badge/all.json', shieldSchema)).message).toBe('unknown');
	expect((await readerOf(own).read(`/v1/targets/${encodeURIComponent(firstIn('operational').id)}`, targetSchema)).target.state).toBe('unknown');
	own.snapshots.put({
		...snapshot,
		number: snapshot.number + 1,
		generatedAt: new Date(own.clock.now).toISOString(),
		staleAfter: new Date(own.clock.now + 60_000).toISOString(),
	});
	expect((await readerOf(own).read('/v1/health?state=operational', healthSchema)).targets.length).toBeGreaterThan(0);
	await own.close();
});
