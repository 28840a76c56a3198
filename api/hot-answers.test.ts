import { request } from 'node:http';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sampleSnapshot } from '#test/sample-snapshot.ts';
import { type SampleServer, serveSample } from '#test/serve-sample.ts';
import { createHotTable, type HotAnswer, plainEncoding } from './hot-answers.ts';
import { createSigner, makeSigningKey } from './sign-feed.ts';

const snapshot = sampleSnapshot({ providers: 7, modelsPerProvider: 8 });
const signer = createSigner(makeSigningKey());
let server: SampleServer;
beforeAll(async () => {
	server = await serveSample({ signer });
	await server.publish(snapshot);
});
afterAll(() => server.close());

interface Raw {
	readonly status: number;
	readonly headers: Record<string, unknown>;
	readonly body: string;
}

function ask(path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Raw> {
	return new Promise((resolve, reject) => {
		const sent = request(server.url + path, { method, headers }, (res) => {
			const chunks: Buffer[] = [];
			res.on('data', (chunk: Buffer) => chunks.push(chunk));
			res.on('end', () => {
				const { date: _date, connection: _connection, 'keep-alive': _keepAlive, ...rest } = res.headers;
				resolve({ status: res.statusCode ?? 0, headers: rest, body: Buffer.concat(chunks).toString('base64') });
			});
		});
		sent.on('error', reject).end();
	});
}

const down = snapshot.targets.find((target) => target.state === 'major_outage')?.id ?? '';
const paths = [
	'/v1/verdicts',
	'/v1/health',
	'/v1/health?state=operational&operation=chat',
	'/v1/uptime',
	`/check/${encodeURIComponent(down)}`,
	`/v1/route?model=${encodeURIComponent(snapshot.targets[0]?.model ?? '')}`,
];

describe('an answer from memory is the answer of the long way', () => {
	// A weight of 1 means the same and goes through Express.
	test.each(paths.flatMap((path) => ['br', 'gzip'].flatMap((encoding) => ['GET', 'HEAD'].map((method) => [method, path, encoding] as const))))(
		'%s %s, %s',
		async (method, path, encoding) => {
			const long = await ask(path, { 'accept-encoding': `${encoding};q=1` }, method);
			const hot = await ask(path, { 'accept-encoding': encoding }, method);
			expect(hot).toEqual(long);
			const tag = String(long.headers.etag);
			const conditional = await ask(path, { 'accept-encoding': `${encoding};q=1`, 'if-none-match': tag }, method);
			expect(await ask(path, { 'accept-encoding': encoding, 'if-none-match': tag }, method)).toEqual(conditional);
			expect(conditional.status).toBe(path.startsWith('/check/') ? 503 : 304);
		},
	);

	test('a wrong query is refused every time', async () => {
		for (const _ of [1, 2]) expect((await ask('/v1/verdicts?x=1')).status).toBe(400);
	});

	test('a later snapshot and a passed deadline are seen at the next request', async () => {
		const states = async () =>
			new Set(
				Object.values(JSON.parse(Buffer.from((await ask('/v1/verdicts')).body, 'base64').toString()).targets as Record<string, { state: string }>).map(
					(verdict) => verdict.state,
				),
			);
		expect((await states()).size).toBeGreaterThan(1);
		const before = server.clock.now;
		server.clock.now = Date.parse(snapshot.staleAfter) + 1;
		expect(await states()).toEqual(new Set(['unknown']));
		expect((await ask(`/check/${encodeURIComponent(down)}`)).status).toBe(200);
		server.clock.now = before;
		expect((await ask(`/check/${encodeURIComponent(down)}`)).status).toBe(503);
		server.snapshots.put({
			...snapshot,
			number: snapshot.number + 1,
			targets: snapshot.targets.map((target) => ({ ...target, state: 'degraded_performance' as const })),
		});
		expect(await states()).toEqual(new Set(['degraded_performance']));
		expect((await ask(`/check/${encodeURIComponent(down)}`)).status).toBe(200);
	});
});

describe('what a reader accepts', () => {
	test.each([
		[undefined, 'identity'],
		['', 'identity'],
		['identity', 'identity'],
		['gzip', 'gzip'],
		['gzip, deflate', 'gzip'],
		['gzip, deflate, br, zstd', 'br'],
		['GZIP', 'gzip'],
		['gzip;q=0', null],
		['*', null],
	] as const)('%s → %s', (header, encoding) => expect(plainEncoding(header)).toBe(encoding));
});

test('however many different queries come, the table stays within its bounds and keeps the newest', () => {
	fc.assert(
		fc.property(fc.array(fc.tuple(fc.nat(60), fc.integer({ min: 0, max: 20_000_000 })), { minLength: 1, maxLength: 80 }), (asked) => {
			const table = createHotTable();
			const seen = new Map<string, number>();
			for (const [key, bytes] of asked) {
				const url = `/v1/health?model=${key}`;
				if (table.get(url) === undefined) seen.set(url, bytes);
				table.put(url, {
					status: 200,
					etag: null,
					bytes,
					form: () => {
						throw new Error('not asked');
					},
				} satisfies HotAnswer);
				const kept = [...seen].filter(([known]) => table.get(known) !== undefined);
				expect(kept.reduce((sum, [, size]) => sum + size, 0)).toBeLessThanOrEqual(64_000_000);
				expect(table.get(url)).toBeDefined();
			}
		}),
		{ numRuns: 50 },
	);
});
