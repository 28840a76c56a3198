import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { z } from 'zod';
import type { State } from '#core/state.ts';
import { readerOf, type SampleReader } from '#test/sample-reader.ts';
import { sampleNow, sampleSnapshot } from '#test/sample-snapshot.ts';
import { type SampleServer, serveSample } from '#test/serve-sample.ts';
import {
	checkSchema,
	healthSchema,
	keySchema,
	livezSchema,
	problemSchema,
	readyzSchema,
	resultsSchema,
	seriesSchema,
	shieldSchema,
	targetSchema,
	targetsSchema,
	verdictsSchema,
} from './schema.ts';
import { incidentSchema, incidentsSchema, officialSchema, slosSchema } from './schema-incidents.ts';
import { createSigner, makeSigningKey } from './sign-feed.ts';

const snapshot = sampleSnapshot({ providers: 7, modelsPerProvider: 8 });
let server: SampleServer;
let get: SampleReader['get'];
let read: SampleReader['read'];

beforeAll(async () => {
	server = await serveSample({ signer: createSigner(makeSigningKey()) });
	await server.publish(snapshot);
	({ get, read } = readerOf(server));
});
afterAll(() => server.close());

function firstIn(state: State) {
	const target = snapshot.targets.find((found) => found.state === state);
	if (target === undefined) throw new Error(`Expected a sample target that is ${state}`);
	return target;
}

describe('every answer has the shape that the OpenAPI document promises', () => {
	const id = encodeURIComponent(firstIn('operational').id);
	test.each<[string, z.ZodType, number?]>([
		['/v1/health', healthSchema],
		['/v1/verdicts', verdictsSchema],
		[`/check/${id}`, checkSchema],
		['/v1/targets', targetsSchema],
		[`/v1/targets/${id}`, targetSchema],
		[`/v1/targets/${id}/series`, seriesSchema],
		[`/v1/targets/${id}/results`, resultsSchema],
		['/v1/incidents', incidentsSchema],
		[`/v1/incidents/${snapshot.incidents[0]?.id}`, incidentSchema],
		['/v1/official', officialSchema],
		['/v1/slos', slosSchema],
		['/livez', livezSchema],
		['/v1/key', keySchema],
		['/readyz', readyzSchema],
		['/badge/all.json', shieldSchema],
		[`/badge/${id}.json`, shieldSchema],
	])('%s', async (path, schema) => {
		await read(path, schema);
	});

	test('and each of its paths answers', async () => {
		const document = (await (await get('/openapi.json')).json()) as { openapi: string; paths: Record<string, object>; components: { schemas: object } };
		expect(document.openapi).toBe('3.1.0');
		for (const [path, operations] of Object.entries(document.paths)) {
			if (!('get' in operations) || path.startsWith('/v1/admin/')) continue;
			const real = path
				.replace('/v1/route', `/v1/route?model=${encodeURIComponent(firstIn('operational').model)}`)
				.replace('/v1/incidents/{id}', `/v1/incidents/${snapshot.incidents[0]?.id}`)
				.replace('{author}/{slug}', firstIn('operational').model)
				.replace('{id}', id);
			expect({ path, status: (await get(real)).status }).toEqual({ path, status: 200 });
		}
		const named = JSON.stringify(document).matchAll(/#\/components\/schemas\/(\w+)/g);
		for (const [, name] of named) expect(Object.keys(document.components.schemas)).toContain(name);
	});
});

describe('conditional requests', () => {
	test('a reader that holds the current form gets 304 with the freshness in headers', async () => {
		for (const path of ['/v1/health', '/v1/verdicts', '/', '/assets/site.css']) {
			for (const encoding of ['br', 'gzip', 'identity']) {
				const first = await get(path, { 'accept-encoding': encoding });
				const etag = first.headers.get('etag') ?? '';
				expect(etag).toMatch(/^"[\w-]+"$/);
				const again = await get(path, { 'accept-encoding': encoding, 'if-none-match': etag });
				expect({ path, encoding, status: again.status, etag: again.headers.get('etag') }).toEqual({ path, encoding, status: 304, etag });
				if (path.startsWith('/v1')) expect(again.headers.get('linnet-generated-at')).toBe(snapshot.generatedAt);
			}
		}
	});

	test('each encoding has an ETag of its own, and the same content', async () => {
		const answers = await Promise.all(['br', 'gzip', 'identity'].map((encoding) => get('/v1/health', { 'accept-encoding': encoding })));
		expect(answers.map((answer) => answer.headers.get('content-encoding'))).toEqual(['br', 'gzip', null]);
		expect(new Set(answers.map((answer) => answer.headers.get('etag'))).size).toBe(3);
		const texts = await Promise.all(answers.map((answer) => answer.text()));
		expect(new Set(texts).size).toBe(1);
		expect(answers.map((answer) => answer.headers.get('vary'))).toEqual(['Accept-Encoding', 'Accept-Encoding', 'Accept-Encoding']);
	});

	test.each([
		['W/"x", "y"', 200],
		['*', 304],
	])('If-None-Match: %s → %d', async (header, status) => {
		expect((await get('/v1/verdicts', { 'if-none-match': header })).status).toBe(status);
	});

	test('the verdicts keep their ETag while numbers move, and lose it when a verdict or an incident changes', async () => {
		const own = await serveSample();
		const etag = async () => (await readerOf(own).get('/v1/verdicts')).headers.get('etag');
		await own.publish(snapshot);
		const first = await etag();
		own.snapshots.put({
			...snapshot,
			number: snapshot.number + 1,
			generatedAt: new Date(sampleNow + 15_000).toISOString(),
			targets: snapshot.targets.map((target) => ({ ...target, measuredAt: null })),
		});
		expect(await etag()).toBe(first);
		own.snapshots.put({ ...snapshot, number: snapshot.number + 2, verdictRevision: 'an incident changed' });
		const second = await etag();
		expect(second).not.toBe(first);
		own.snapshots.put({
			...snapshot,
			number: snapshot.number + 3,
			targets: snapshot.targets.map((target, index) => (index === 0 ? { ...target, state: 'major_outage' as const } : target)),
		});
		expect([first, second]).not.toContain(await etag());
		await own.close();
	});

	test('HEAD gives the headers of GET and no body', async () => {
		const head = await fetch(`${server.url}/v1/health`, { method: 'HEAD' });
		expect([head.status, (await head.text()).length, Number(head.headers.get('content-length')) > 1_000]).toEqual([200, 0, true]);
	});
});

test('every origin may read, and nobody may write', async () => {
	const preflight = await fetch(`${server.url}/v1/health`, { method: 'OPTIONS' });
	expect([preflight.status, preflight.headers.get('access-control-allow-origin')]).toEqual([204, '*']);
	const post = await fetch(`${server.url}/v1/health`, { method: 'POST', body: 'x'.repeat(100_000) });
	expect([post.status, post.headers.get('allow')]).toEqual([405, 'GET, HEAD, OPTIONS']);
	problemSchema.parse(await post.json());
});

test('a fault of our own is a problem without a stack, and logged once', async () => {
	const logged: object[] = [];
	const log = { debug() {}, info() {}, warn() {}, error: (facts: object) => logged.push(facts) };
	const own = await serveSample({
		log,
		readiness: () => {
			throw new Error('broken inside');
		},
	});
	expect((await readerOf(own).problem('/readyz', 500)).detail).not.toContain('broken inside');
	expect(logged).toHaveLength(1);
	await own.close();
});

test('a port in use is told with what to do', async () => {
	const port = Number(new URL(server.url).port);
	await expect(serveSample({}, port)).rejects.toThrow(`port ${port} on 127.0.0.1 is in use: set PORT or stop the other process`);
});

test('an older snapshot that comes late is ignored', async () => {
	const own = await serveSample();
	own.snapshots.put(snapshot);
	own.snapshots.put({ ...snapshot, number: snapshot.number - 1, generatedAt: new Date(sampleNow - 60_000).toISOString() });
	expect(own.snapshots.current()?.snapshot.number).toBe(snapshot.number);
	own.snapshots.put({ ...snapshot, number: 1, generatedAt: new Date(sampleNow + 60_000).toISOString() });
	expect(own.snapshots.current()?.snapshot.number).toBe(1);
	await own.close();
});
