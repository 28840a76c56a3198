import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { dialects } from '#providers/index.ts';
import { joinUrl } from '#providers/wire.ts';
import { listModels } from './list-models.ts';

let server: Server;
let answer: (url: URL) => unknown;
let asked: { path: string; headers: Record<string, unknown> }[];

beforeAll(async () => {
	server = createServer((req, res) => {
		asked.push({ path: req.url ?? '', headers: req.headers });
		res.setHeader('content-type', 'application/json').end(JSON.stringify(answer(new URL(req.url ?? '', 'http://sim'))));
	});
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterAll(() => server.close());
beforeEach(() => {
	asked = [];
});

const list = (id: string, path: string) => {
	const dialect = dialects[id];
	if (dialect === undefined) throw new Error(`no dialect ${id}`);
	const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`;
	return listModels({ dialect, entry: undefined, baseUrl, headers: {}, secret: 'key', timeoutMs: 5_000 });
};

test.each<[string, string, string]>([
	['cohere', 'https://api.cohere.com/v2', 'https://api.cohere.com/v1/models?page_size=1000&endpoint=chat'],
	['cohere', 'https://proxy.example/cohere/v2/', 'https://proxy.example/cohere/v1/models?page_size=1000&endpoint=chat'],
	['cohere-embeddings', 'https://api.cohere.com/v2', 'https://api.cohere.com/v1/models?page_size=1000&endpoint=embed'],
	[
		'vertex',
		'https://europe-west4-aiplatform.googleapis.com/v1/projects/p/locations/europe-west4/publishers/google',
		'https://europe-west4-aiplatform.googleapis.com/v1beta1/publishers/google/models?pageSize=200',
	],
	[
		'bedrock',
		'https://bedrock-runtime.eu-west-3.amazonaws.com',
		'https://bedrock.eu-west-3.amazonaws.com/foundation-models?byInferenceType=ON_DEMAND&byOutputModality=TEXT',
	],
	['openai-chat', 'https://api.openai.com/v1', 'https://api.openai.com/v1/models'],
])('%s at %s lists its models at %s', (id, baseUrl, url) => {
	const listing = dialects[id]?.listing;
	expect(joinUrl(listing?.base?.(baseUrl) ?? baseUrl, listing?.path ?? '').href).toBe(url);
});

test('a list in pages is read to its end', async () => {
	answer = (url) => {
		const page = url.searchParams.get('page_token');
		return page === null ? { models: [{ name: 'a' }], next_page_token: 'x/2' } : { models: [{ name: `b ${page}` }] };
	};
	expect((await list('cohere', '/v2')).map(({ name }) => name)).toEqual(['a', 'b x/2']);
	expect(asked.map(({ path }) => path)).toEqual(['/v1/models?page_size=1000&endpoint=chat', '/v1/models?page_size=1000&endpoint=chat&page_token=x%2F2']);
});

test('a list without an end is given up', async () => {
	answer = () => ({ models: [{ name: 'a' }], next_page_token: 'again' });
	await expect(list('cohere', '/v2')).rejects.toThrow('at most 50 pages');
	expect(asked.length).toBe(50);
});

test("Vertex is told whose quota its list is counted against, and the models' full names are cut", async () => {
	answer = () => ({ publisherModels: [{ name: 'publishers/google/models/gemini-x' }] });
	expect((await list('vertex', '/v1/projects/mine/locations/l/publishers/google')).map(({ name }) => name)).toEqual(['gemini-x']);
	expect(asked).toMatchObject([
		{ path: '/v1beta1/publishers/google/models?pageSize=200', headers: { 'x-goog-user-project': 'mine', authorization: 'Bearer key' } },
	]);
});

test('Bedrock says which models are on their way out', async () => {
	answer = () => ({ modelSummaries: [{ modelId: 'a.b-v1:0', modelLifecycle: { status: 'LEGACY' } }] });
	expect(await list('bedrock', '')).toEqual([{ name: 'a.b-v1:0', stated: 'deprecated', shutdownAt: null }]);
});
