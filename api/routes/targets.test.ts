import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { z } from 'zod';
import { resultsSchema, seriesSchema, targetSchema, targetsSchema } from '#api/schema.ts';
import { incidentSchema, incidentsSchema } from '#api/schema-incidents.ts';
import type { State } from '#core/state.ts';
import { readerOf, type SampleReader } from '#test/sample-reader.ts';
import { sampleSnapshot } from '#test/sample-snapshot.ts';
import { type SampleServer, serveSample } from '#test/serve-sample.ts';

const snapshot = sampleSnapshot({ providers: 7, modelsPerProvider: 8 });
let server: SampleServer;
let get: SampleReader['get'];
let read: SampleReader['read'];
let problem: SampleReader['problem'];

beforeAll(async () => {
	server = await serveSample();
	await server.publish(snapshot);
	({ get, read, problem } = readerOf(server));
});
afterAll(() => server.close());

function firstIn(state: State) {
	const target = snapshot.targets.find((found) => found.state === state);
	if (target === undefined) throw new Error(`Expected a sample target that is ${state}`);
	return target;
}

describe('ids in paths', () => {
	test.each(snapshot.targets.filter((target) => target.provider === 'acme').map((target) => target.id))(
		'%s is found with its slashes escaped and raw',
		async (id) => {
			const raw = encodeURIComponent(id).replaceAll('%2F', '/').replaceAll('%3A', ':');
			for (const path of [encodeURIComponent(id), raw]) {
				expect((await read(`/v1/targets/${path}`, targetSchema)).target.id).toBe(id);
				expect((await read(`/v1/targets/${path}/results?limit=1`, resultsSchema)).target).toBe(id);
				expect((await read(`/v1/targets/${path}/series?step=1h`, seriesSchema)).target).toBe(id);
				expect((await get(`/check/${path}`)).status).not.toBe(404);
				expect((await get(`/badge/${path}.svg`)).status).toBe(200);
			}
			const slug = snapshot.targets.find((target) => target.id === id)?.slug;
			expect((await get(`/target/${slug}.html`)).status).toBe(200);
		},
	);

	test.each(['/v1/targets/%E0%A4%A', '/check/%zz', '/badge/%.svg', '/%ff'])('%s is a bad request, not a crash', async (path) => {
		await problem(path, 400);
	});
});

describe('the record', () => {
	const id = encodeURIComponent(firstIn('operational').id);

	test('results come newest first and every page leads to the next, without loss or repeat', async () => {
		const seen: string[] = [];
		let next: string | null = '';
		while (next !== null) {
			const page: z.infer<typeof resultsSchema> = await read(`/v1/targets/${id}/results?limit=7&cursor=${next}`, resultsSchema);
			seen.push(...page.results.map((result) => result.id));
			next = page.next;
		}
		expect(seen).toEqual(Array.from({ length: 60 }, (_, index) => `r-${1_000 - index}`));
	});

	test('a missed slot never started, and its phases are null', async () => {
		const { results } = await read(`/v1/targets/${id}/results?outcome=monitor_fault`, resultsSchema);
		expect(results.map((result) => [result.startedAt, result.ttftMs, result.totalMs])).toEqual(results.map(() => [null, null, null]));
		expect(results.length).toBeGreaterThan(0);
	});

	test.each([
		['results?cursor=%00', 'Expected a cursor'],
		['results?cursor=none', 'Expected a cursor'],
		['results?limit=0', 'Expected limit to be a whole number from 1 to 500, got "0"'],
		['results?limit=501', 'from 1 to 500'],
		['results?limit=1e2', 'from 1 to 500'],
		['results?outcome=fine', 'Expected outcome to be one of'],
		['series?step=1m', 'Expected step to be one of 5m, 1h, 1d, got "1m"'],
		['series?from=yesterday', 'Expected from as ISO 8601'],
		['series?from=2026-11-23T00:00:00Z&to=2026-11-22T00:00:00Z', 'Expected from to be before to'],
		['series?from=2020-01-01T00:00:00Z', 'Expected at most 1000 points'],
	])('%s is refused', async (query, detail) => {
		expect((await problem(`/v1/targets/${id}/${query}`, 400)).detail).toContain(detail);
	});

	test('when it is away only its own routes say so, and verdicts are served', async () => {
		const away = {
			results: () => Promise.reject(new Error('connect refused at db.internal')),
			series: () => new Promise<never>(() => {}),
			marks: () => new Promise<never>(() => {}),
			incident: () => Promise.reject(new Error('x')),
		};
		const own = await serveSample({ evidence: away, evidenceTimeoutMs: 50 });
		await own.publish(snapshot);
		for (const path of [`/v1/targets/${id}/results`, `/v1/targets/${id}/series`, '/v1/incidents/long-ago']) {
			const response = await readerOf(own).get(path);
			expect([response.status, response.headers.get('retry-after')]).toEqual([503, '5']);
			expect(await response.text()).not.toContain('db.internal');
		}
		for (const path of ['/v1/health', '/v1/verdicts', `/check/${id}`, '/v1/incidents', '/metrics', '/'])
			expect((await readerOf(own).get(path)).status).toBe(200);
		await own.close();
	});

	test('an incident that the snapshot no longer holds comes from the record; the operator’s own troubles do not', async () => {
		const first = snapshot.incidents[0];
		if (first === undefined) throw new Error('Expected a sample incident');
		const { override: _, ...judged } = first;
		const recorded = (cause: 'provider' | 'quota') => ({
			...judged,
			id: cause,
			cause,
			startedAt: 1,
			detectedAt: 2,
			resolvedAt: 3,
			updates: [
				{ at: 2, status: 'investigating' as const, body: 'a' },
				{ at: 3, status: 'resolved' as const, body: 'b' },
			],
		});
		const own = await serveSample({
			evidence: {
				results: async () => null,
				series: async () => [],
				marks: async () => [],
				incident: async (id) => (id === 'provider' || id === 'quota' ? recorded(id) : null),
			},
		});
		await own.publish(snapshot);
		const found = await readerOf(own).read('/v1/incidents/provider', incidentSchema);
		expect(found.incident.updates.map((update) => update.body)).toEqual(['b', 'a']);
		await readerOf(own).problem('/v1/incidents/quota', 404);
		await readerOf(own).problem('/v1/incidents/none', 404);
		await own.close();
	});
});

test('a target that a short budget makes rarer says both intervals, in the list and by itself', async () => {
	const [short, ...others] = snapshot.targets;
	if (short === undefined) throw new Error('Expected a sample target');
	const own = await serveSample();
	await own.publish({ ...snapshot, targets: [{ ...short, intervalMs: 60_000, plannedIntervalMs: 480_000 }, ...others] });
	const { targets } = await readerOf(own).read('/v1/targets', targetsSchema);
	const { target } = await readerOf(own).read(`/v1/targets/${encodeURIComponent(short.id)}`, targetSchema);
	for (const told of [targets.find(({ id }) => id === short.id), target]) expect(told).toMatchObject({ intervalMs: 60_000, plannedIntervalMs: 480_000 });
	await own.close();
});

test('incidents can be cut to the open or the resolved', async () => {
	const open = await read('/v1/incidents?status=open', incidentsSchema);
	const resolved = await read('/v1/incidents?status=resolved&limit=3', incidentsSchema);
	expect(open.incidents.every((incident) => incident.resolvedAt === null)).toBe(true);
	expect(resolved.incidents.map((incident) => incident.resolvedAt === null)).toEqual([false, false, false]);
	await problem('/v1/incidents?status=new', 400);
});
