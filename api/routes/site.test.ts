import { createHash } from 'node:crypto';
import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readerOf, type SampleReader } from '#test/sample-reader.ts';
import { sampleSnapshot } from '#test/sample-snapshot.ts';
import { type SampleServer, serveSample } from '#test/serve-sample.ts';

const snapshot = sampleSnapshot({ providers: 7, modelsPerProvider: 8 });
let server: SampleServer;
let get: SampleReader['get'];
let problem: SampleReader['problem'];

beforeAll(async () => {
	server = await serveSample();
	await server.publish(snapshot);
	({ get, problem } = readerOf(server));
});
afterAll(() => server.close());

describe('the site', () => {
	test('is served with types, a strict policy and no cache that hides a change', async () => {
		const page = await get('/');
		expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
		const policy = (of: Response) => of.headers.get('content-security-policy');
		const sheet = /<style>(.*?)<\/style>/s.exec(await page.text())?.[1] ?? '';
		const hash = createHash('sha256').update(sheet).digest('base64');
		expect(policy(page)).toMatch(/^default-src 'none';script-src 'self';style-src 'self' 'sha256-[^']+';img-src/);
		expect(policy(page)).toContain(`'sha256-${hash}'`);
		expect(policy(await get('/v1/verdicts'))).toContain("style-src 'self';");
		expect(page.headers.get('cache-control')).toContain('no-cache');
		expect((await get('/assets/live.js')).headers.get('content-type')).toBe('text/javascript; charset=utf-8');
		expect((await get('/assets/favicon-up.svg')).headers.get('content-type')).toBe('image/svg+xml; charset=utf-8');
	});

	test('a page that is not there is a page, an API path that is not there a problem', async () => {
		const missing = await get('/target/nothing<b>.html');
		expect([missing.status, missing.headers.get('content-type')]).toEqual([404, 'text/html; charset=utf-8']);
		expect(await missing.text()).not.toContain('nothing<b>');
		for (const path of ['/v1/nothing', '/v1/', '/api/v2/nothing.json', '/badge/x.png', '/check/']) await problem(path, 404);
	});

	test.each(['/../package.json', '/..%2fpackage.json', '/assets/..%2f..%2f..%2fetc/passwd', '/.linnet-site.json', '/assets/%00.css', '/target'])(
		'%s leads nowhere',
		async (path) => {
			const status = await new Promise((resolve, reject) => {
				const call = request(server.url, { path }, (answer) => {
					answer.resume();
					resolve(answer.statusCode);
				});
				call.on('error', reject).end();
			});
			expect(status).toBe(404);
		},
	);

	test('before the first snapshot it says so and looks again by itself', async () => {
		const own = await serveSample();
		const page = await readerOf(own).get('/');
		expect([page.status, page.headers.get('retry-after')]).toEqual([503, '5']);
		expect(await page.text()).toContain('<meta http-equiv="refresh" content="5">');
		await readerOf(own).problem('/v1/health', 503);
		expect((await readerOf(own).get('/readyz')).status).toBe(503);
		expect((await readerOf(own).get('/livez')).status).toBe(200);
		await own.close();
	});

	test('a change on disk is served at once', async () => {
		const own = await serveSample();
		await own.publish(snapshot);
		const etag = (await readerOf(own).get('/')).headers.get('etag') ?? '';
		await own.publish({ ...snapshot, number: snapshot.number + 1, sentence: 'Another sentence' });
		const again = await readerOf(own).get('/', { 'if-none-match': etag });
		expect(again.status).toBe(200);
		expect(await again.text()).toContain('Another sentence');
		await own.close();
	});
});
