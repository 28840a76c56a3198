import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { BadSaying, type OnCallDesk } from '#api/on-call-desk.ts';
import { problemSchema } from '#api/schema.ts';
import { type SampleServer, serveSample } from '#test/serve-sample.ts';
import { adminRoutes } from './admin.ts';

const token = 'test token'.replace(' ', '-');
let server: SampleServer;
let asked: [string, unknown[]][];

/** Answers what it was asked; `none` is an unknown id, and a body that is bad is refused. */
const desk = new Proxy({} as OnCallDesk, {
	get:
		(_, name) =>
		async (...given: unknown[]) => {
			asked.push([String(name), given]);
			if (given.some((one) => (one as { bad?: boolean } | undefined)?.bad)) throw new BadSaying('expected a good one');
			return given[0] === 'none' ? null : { said: name };
		},
});

beforeEach(async () => {
	asked = [];
	server = await serveSample({ adminToken: token, desk });
});
afterEach(() => server.close());

const send = (method: string, path: string, body?: unknown, authorization = `Bearer ${token}`) =>
	fetch(server.url + path, {
		method: method.toUpperCase(),
		headers: { authorization, 'content-type': 'application/json' },
		...(method === 'post' ? { body: typeof body === 'string' ? body : JSON.stringify(body ?? {}) } : {}),
	});
const problem = async (response: Response) => [response.status, problemSchema.parse(await response.json()).detail];

describe.each(adminRoutes)('$method $path', ({ method, path }) => {
	const real = path.replace(':id', 'inc%2F1');

	test('asks the desk, with the id as it was meant', async () => {
		const response = await send(method, real, { by: 'ana' });
		expect([response.status, response.headers.get('cache-control')]).toEqual([200, 'no-store']);
		expect(asked).toHaveLength(1);
		const [, given] = asked[0] ?? ['', []];
		expect(given.filter((one) => typeof one === 'string')).toEqual(path.includes(':id') ? ['inc/1'] : []);
		if (method === 'post') expect(given).toContainEqual({ by: 'ana' });
	});

	test('is shut without the token', async () => {
		expect((await problem(await send(method, real, {}, 'Bearer nope')))[0]).toBe(401);
		const closed = await serveSample({ desk });
		expect((await fetch(closed.url + real, { method: method.toUpperCase() })).status).toBe(404);
		await closed.close();
		expect(asked).toEqual([]);
	});
});

test('what is said wrongly is answered with what was expected', async () => {
	expect(await problem(await send('post', '/v1/admin/silences', { bad: true }))).toEqual([400, 'expected a good one']);
	expect((await problem(await send('post', '/v1/admin/silences', 'no json')))[0]).toBe(400);
	expect((await problem(await send('delete', '/v1/admin/silences/none')))[0]).toBe(404);
});
