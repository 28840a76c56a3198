import { request } from 'node:http';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { maxReports, parseObservations } from '#api/observations.ts';
import { Problem } from '#api/problem.ts';
import { problemSchema } from '#api/schema.ts';
import type { Observation } from '#db/observations.ts';
import { type SampleServer, serveSample } from '#test/serve-sample.ts';

const token = 'test token'.replace(' ', '-');
let server: SampleServer;
let recorded: Observation[];

beforeEach(async () => {
	recorded = [];
	server = await serveSample({
		adminToken: token,
		observations: {
			record: async (observations) => {
				recorded.push(...observations);
				return { accepted: observations.length, duplicates: 0, unknownTargets: [] };
			},
			of: () => [],
		},
	});
});
afterEach(() => server.close());

const at = Date.UTC(2026, 10, 23, 12);
const iso = (ms: number) => new Date(ms).toISOString();
const report = { id: 'r-1', source: 'gateway-1', target: 'openai:m/x:chat', from: iso(at - 60_000), to: iso(at), outcomes: { ok: 9, server_error: 1 } };

function post(body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}): Promise<Response> {
	return fetch(`${server.url}/v1/observations`, {
		method: 'POST',
		body,
		headers: { 'content-type': 'application/json', authorization: `Bearer ${token}`, ...headers },
	});
}

async function refused(response: Response, status: number): Promise<string> {
	expect({ status: response.status, type: response.headers.get('content-type') }).toEqual({ status, type: 'application/problem+json; charset=utf-8' });
	return problemSchema.parse(await response.json()).detail;
}

describe('the door', () => {
	test('is not there without a configured token', async () => {
		const closed = await serveSample();
		await refused(await fetch(`${closed.url}/v1/observations`, { method: 'POST', body: '{}', headers: { authorization: 'Bearer undefined' } }), 404);
		await closed.close();
	});

	test.each([
		['no token', {}],
		['another', { authorization: 'Bearer nope' }],
		['an empty one', { authorization: 'Bearer ' }],
		['another scheme', { authorization: `Basic ${token}` }],
		['a part of it', { authorization: `Bearer ${token.slice(0, -1)}` }],
		['more than it', { authorization: `Bearer ${token}x` }],
	])('refuses %s with 401 and stores nothing', async (_name, headers: Record<string, string>) => {
		const response = await fetch(`${server.url}/v1/observations`, {
			method: 'POST',
			body: JSON.stringify(report),
			headers: { 'content-type': 'application/json', ...headers },
		});
		expect(response.headers.get('www-authenticate')).toBe('Bearer');
		expect(await refused(response, 401)).not.toContain(token);
		expect(recorded).toEqual([]);
	});

	test('shuts for a minute after ten wrong tokens, for the right one too, and opens again', async () => {
		for (let tries = 0; tries < 10; tries++) await refused(await post('{}', { authorization: 'Bearer nope' }), 401);
		const response = await post(JSON.stringify(report));
		expect(Number(response.headers.get('retry-after'))).toBe(60);
		await refused(response, 429);
		server.clock.now += 60_000;
		expect((await post(JSON.stringify(report))).status).toBe(200);
	});

	test('lets 120 requests a minute through', async () => {
		const statuses: number[] = [];
		for (let tries = 0; tries < 121; tries++) statuses.push((await post('{}')).status);
		expect([...new Set(statuses.slice(0, 120)), statuses[120]]).toEqual([400, 429]);
	});

	test('stays shut for other methods', async () => {
		expect((await fetch(`${server.url}/v1/observations`)).status).toBe(404);
		expect((await fetch(`${server.url}/v1/observations`, { method: 'DELETE' })).status).toBe(405);
	});
});

describe('reports', () => {
	test('come alone, as a list, or one a line', async () => {
		const second = { ...report, id: 'r-2', ttftMs: { buckets: [100, 110], counts: [4, 5] } };
		for (const [body, type] of [
			[JSON.stringify(report), 'application/json'],
			[JSON.stringify([report, second]), 'application/json; charset=utf-8'],
			[`${JSON.stringify(report)}\n${JSON.stringify(second)}\n\n`, 'application/x-ndjson'],
		] as const)
			expect((await post(body, { 'content-type': type })).status).toBe(200);
		expect(recorded.map(({ id }) => id)).toEqual(['r-1', 'r-1', 'r-2', 'r-1', 'r-2']);
		expect(recorded[2]).toEqual({
			id: 'r-2',
			source: 'gateway-1',
			targetId: report.target,
			fromAt: at - 60_000,
			toAt: at,
			outcomes: report.outcomes,
			ttft: second.ttftMs,
		});
	});

	test.each([
		[{ ...report, id: '' }, 'Report 2, id'],
		[{ ...report, source: 'a b' }, 'Report 2, source'],
		[{ ...report, outcomes: { fine: 1 } }, 'codes of the list, got "fine"'],
		[{ ...report, outcomes: { ok: -1 } }, 'Report 2, outcomes.ok'],
		[{ ...report, outcomes: { ok: 1.5 } }, 'Report 2, outcomes.ok'],
		[{ ...report, from: report.to }, 'from to be before to'],
		[{ ...report, from: iso(at - 3_600_001) }, 'by an hour at most'],
		[{ ...report, to: iso(at + 330_000) }, 'within the last day'],
		[{ ...report, from: iso(at - 86_500_000), to: iso(at - 86_460_000) }, 'within the last day'],
		[{ ...report, ttftMs: { buckets: [1], counts: [] } }, 'as many counts'],
		[{ ...report, ttftMs: { buckets: [5, 5], counts: [1, 1] } }, 'to ascend'],
		[{ ...report, ttftMs: { buckets: [5], counts: [10] } }, 'no more answers than were ok'],
		[{ ...report, more: 1 }, 'Report 2, as a whole'],
		[null, 'Report 2, as a whole'],
	])('one at fault refuses the whole and is named: %j', async (bad, detail) => {
		expect(await refused(await post(JSON.stringify([report, bad])), 400)).toContain(detail);
		expect(recorded).toEqual([]);
	});

	test('a body that is too large, of another kind, or broken is refused', async () => {
		await refused(await post('x'.repeat(1_048_577)), 413);
		await refused(await post('a: 1', { 'content-type': 'application/yaml' }), 415);
		await refused(await post('{}', { 'content-encoding': 'gzip' }), 415);
		await refused(await post('{'), 400);
		await refused(await post('[]'), 400);
		await refused(await post(new Uint8Array([0x22, 0xff, 0x22])), 400);
		expect(await refused(await post(`${JSON.stringify(report)}\n{`, { 'content-type': 'application/x-ndjson' }), 400)).toContain('line 2');
		expect(await refused(await post(`${JSON.stringify(report)}\n`.repeat(maxReports + 1), { 'content-type': 'application/x-ndjson' }), 400)).toContain('1001');
	});

	test('a body without a length that never ends is cut at the limit', async () => {
		const status = await new Promise<number>((resolve, reject) => {
			const sent = request(
				`${server.url}/v1/observations`,
				{ method: 'POST', headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' } },
				(res) => resolve(res.statusCode ?? 0),
			);
			sent.on('error', reject);
			const chunk = Buffer.alloc(65_536, 'x');
			for (let part = 0; part < 20; part++) sent.write(chunk);
		});
		expect(status).toBe(413);
	});
});

test('whatever JSON comes, it is read or refused as the client’s fault', () => {
	fc.assert(
		fc.property(
			fc.oneof(
				fc.json(),
				fc.string(),
				fc.record({ ...Object.fromEntries(Object.keys(report).map((key) => [key, fc.jsonValue()])) }).map((one) => JSON.stringify(one)),
			),
			(text) => {
				for (const type of ['application/json', 'application/x-ndjson']) {
					try {
						parseObservations(type, text, at);
					} catch (error) {
						expect(error).toBeInstanceOf(Problem);
						expect((error as Problem).status).toBe(400);
					}
				}
			},
		),
	);
});
