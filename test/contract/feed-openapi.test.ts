/** The OpenAPI document is well-formed, and every answer is what it promises: status, content type and body. */
import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createSigner, makeSigningKey } from '#api/sign-feed.ts';
import { sampleSnapshot } from '#test/sample-snapshot.ts';
import { type SampleServer, serveSample } from '#test/serve-sample.ts';

interface Answer {
	readonly content?: Readonly<Record<string, { readonly schema: object }>>;
}

interface OpenApi {
	readonly paths: Readonly<Record<string, { readonly get: { readonly operationId: string; readonly responses: Readonly<Record<string, Answer>> } }>>;
	readonly components: object;
}

const snapshot = sampleSnapshot({ providers: 7, modelsPerProvider: 8 });
const target = snapshot.targets.find(({ state }) => state === 'operational');
const down = snapshot.targets.find(({ state }) => state === 'major_outage');
if (target === undefined || down === undefined) throw new Error('Expected sample targets in both states');
const id = encodeURIComponent(target.id);

let server: SampleServer;
let empty: SampleServer;
let document: OpenApi;
let ajv: Ajv2020;

beforeAll(async () => {
	server = await serveSample({ signer: createSigner(makeSigningKey()) });
	await server.publish(snapshot);
	empty = await serveSample();
	document = (await (await fetch(`${server.url}/openapi.json`)).json()) as OpenApi;
	ajv = new Ajv2020({ strict: false, allErrors: true });
	formats.default(ajv);
	ajv.addSchema({ $id: 'linnet', components: document.components });
});
afterAll(() => Promise.all([server.close(), empty.close()]));

test('a validator of the specification finds no fault', async () => {
	const { valid, errors } = await new Validator().validate(structuredClone(document) as unknown as Parameters<Validator['validate']>[0]);
	expect({ valid, errors }).toEqual({ valid: true, errors: undefined });
});

test('no two operations have the same name', () => {
	const names = Object.values(document.paths).flatMap((operations) => Object.values(operations).map(({ operationId }) => operationId));
	expect(names).toEqual([...new Set(names)]);
});

/** Template → requests that reach each status it promises; 304 is asked of every one that promises it. */
const asked: Readonly<Record<string, readonly (readonly [path: string, status: number])[]>> = {
	'/v1/health': [
		['/v1/health', 200],
		['/v1/health?state=operational,unknown', 200],
		['/v1/health?state=up', 400],
	],
	'/v1/verdicts': [['/v1/verdicts', 200]],
	'/v1/health/events': [],
	'/check/{id}': [
		[`/check/${id}`, 200],
		[`/check/${encodeURIComponent(down.id)}`, 503],
		['/check/x:y:chat', 404],
	],
	'/v1/route': [
		[`/v1/route?model=${encodeURIComponent(target.model)}&sort=latency&order=groq`, 200],
		['/v1/route', 400],
		['/v1/route?model=no/such', 404],
	],
	'/v1/uptime': [
		['/v1/uptime', 200],
		['/v1/uptime?definition=statuspage', 200],
		['/v1/uptime?definition=strict', 200],
		['/v1/uptime?definition=mine', 400],
	],
	'/v1/targets': [['/v1/targets', 200]],
	'/v1/targets/{id}': [
		[`/v1/targets/${id}`, 200],
		['/v1/targets/x:y:chat', 404],
	],
	'/v1/targets/{id}/series': [
		[`/v1/targets/${id}/series`, 200],
		[`/v1/targets/${id}/series?step=1d`, 200],
		[`/v1/targets/${id}/series?step=2h`, 400],
		['/v1/targets/x:y:chat/series', 404],
	],
	'/v1/targets/{id}/results': [
		[`/v1/targets/${id}/results?limit=500`, 200],
		[`/v1/targets/${id}/results?limit=501`, 400],
		['/v1/targets/x:y:chat/results', 404],
	],
	'/v1/incidents': [
		['/v1/incidents', 200],
		['/v1/incidents?status=open&limit=1', 200],
		['/v1/incidents?limit=0', 400],
	],
	'/v1/incidents/{id}': [
		[`/v1/incidents/${snapshot.incidents[0]?.id}`, 200],
		['/v1/incidents/none', 404],
	],
	'/api/v1/models/{author}/{slug}/endpoints': [
		[`/api/v1/models/${target.model}/endpoints`, 200],
		['/api/v1/models/no/such/endpoints', 404],
	],
	'/api/v1/providers': [['/api/v1/providers', 200]],
	'/badge/{id}.svg': [
		[`/badge/${id}.svg`, 200],
		['/badge/none.svg', 404],
	],
	'/badge/{id}.json': [
		[`/badge/${id}.json`, 200],
		['/badge/none.json', 404],
	],
	'/history.atom': [['/history.atom', 200]],
	'/history.rss': [['/history.rss', 200]],
	'/metrics': [['/metrics', 200]],
	'/v1/drill': [['/v1/drill', 200]],
	'/v1/official': [['/v1/official', 200]],
	'/v1/slos': [['/v1/slos', 200]],
	'/v1/key': [['/v1/key', 200]],
	'/livez': [['/livez', 200]],
	'/readyz': [['/readyz', 200]],
	...Object.fromEntries(
		[
			'summary',
			'status',
			'components',
			'incidents',
			'incidents/unresolved',
			'scheduled-maintenances',
			'scheduled-maintenances/upcoming',
			'scheduled-maintenances/active',
		].map((name) => [`/api/v2/${name}.json`, [[`/api/v2/${name}.json`, 200]]]),
	),
};

test('every path of the document is asked', () => {
	expect(Object.keys(asked).sort()).toEqual(
		Object.keys(document.paths)
			// What takes a token is tested with it, in admin.test.ts and feed-observations.db.test.ts.
			.filter((path) => path !== '/v1/observations' && !path.startsWith('/v1/admin/'))
			.sort(),
	);
});

async function expectPromised(url: string, template: string, status: number): Promise<void> {
	const response = await fetch(url);
	const text = await response.text();
	const promised = document.paths[template]?.get.responses[status];
	expect({ url, status: response.status, promised: promised !== undefined }).toEqual({ url, status, promised: true });
	const [type = ''] = (response.headers.get('content-type') ?? '').split(';');
	const content = promised?.content?.[type];
	expect({ url, type, promised: Object.keys(promised?.content ?? {}) }).toEqual({ url, type, promised: [type] });
	if (!type.endsWith('json')) return;
	// References of the document point into itself; here it has an id.
	const schema = JSON.parse(JSON.stringify(content?.schema).replaceAll('"#/', '"linnet#/')) as object;
	const matches = ajv.compile(schema);
	expect({ url, ok: matches(JSON.parse(text)), faults: matches.errors }).toEqual({ url, ok: true, faults: null });
}

describe('every answer is one of those promised', () => {
	test.each(Object.entries(asked).flatMap(([template, requests]) => requests.map(([path, status]) => [status, path, template] as const)))(
		'%d %s',
		async (status, path, template) => {
			await expectPromised(server.url + path, template, status);
			if (status !== 200 || document.paths[template]?.get.responses['304'] === undefined) return;
			expect((await fetch(server.url + path, { headers: { 'If-None-Match': '*' } })).status).toBe(304);
		},
	);

	test.each(['/v1/health', '/v1/verdicts'])('503 %s before the first snapshot', async (path) => {
		await expectPromised(empty.url + path, path, 503);
	});

	test('404 /v1/key of a server that signs nothing', async () => {
		await expectPromised(`${empty.url}/v1/key`, '/v1/key', 404);
	});

	test.each([['with an API that is stale', Date.parse(snapshot.staleAfter) + 1]])('%s', async (_name, now) => {
		const before = server.clock.now;
		server.clock.now = now;
		for (const path of ['/v1/health', '/v1/verdicts', '/v1/targets', '/v1/uptime']) await expectPromised(server.url + path, path, 200);
		await expectPromised(`${server.url}/check/${encodeURIComponent(down.id)}`, '/check/{id}', 200);
		server.clock.now = before;
	});
});
