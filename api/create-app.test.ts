import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { z } from 'zod';
import { stateWords } from '#core/state.ts';
import { sampleNow, sampleSnapshot } from '#test/sample-snapshot.ts';
import { type SampleServer, serveSample } from '#test/serve-sample.ts';
import {
	checkSchema,
	healthSchema,
	incidentSchema,
	incidentsSchema,
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

const snapshot = sampleSnapshot({ providers: 7, modelsPerProvider: 8 });
let server: SampleServer;

beforeAll(async () => {
	server = await serveSample();
	await server.publish(snapshot);
});
afterAll(() => server.close());

async function get(path: string, headers: Record<string, string> = {}, from = server): Promise<Response> {
	return fetch(from.url + path, { headers, redirect: 'manual' });
}

async function read<Schema extends z.ZodType>(path: string, schema: Schema, status = 200, from = server): Promise<z.infer<Schema>> {
	const response = await get(path, {}, from);
	const body = await response.json();
	expect({ path, status: response.status, problem: response.status === status ? null : body }).toEqual({ path, status, problem: null });
	return schema.parse(body);
}

async function problem(path: string, status: number, from = server): Promise<z.infer<typeof problemSchema>> {
	const response = await get(path, {}, from);
	expect({ path, status: response.status, type: response.headers.get('content-type') }).toEqual({
		path,
		status,
		type: 'application/problem+json; charset=utf-8',
	});
	const text = await response.text();
	expect(text).not.toMatch(/\.ts:\d|node_modules/);
	return problemSchema.parse(JSON.parse(text));
}

function firstIn(state: keyof typeof stateWords) {
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
		['/livez', livezSchema],
		['/readyz', readyzSchema],
		['/badge/all.json', shieldSchema],
		[`/badge/${id}.json`, shieldSchema],
	])('%s', async (path, schema) => {
		await read(path, schema);
	});

	test('and each of its paths answers', async () => {
		const document = (await (await get('/openapi.json')).json()) as { openapi: string; paths: Record<string, unknown>; components: { schemas: object } };
		expect(document.openapi).toBe('3.1.0');
		for (const path of Object.keys(document.paths)) {
			const real = path
				.replace('/v1/route', `/v1/route?model=${encodeURIComponent(firstIn('operational').model)}`)
				.replace('/v1/incidents/{id}', `/v1/incidents/${snapshot.incidents[0]?.id}`)
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
		const etag = async () => (await get('/v1/verdicts', {}, own)).headers.get('etag');
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
		expect((await read('/check/openai:any:chat', checkSchema, 200, own)).failOpen).toBe(true);
		await own.close();
	});
});

test('after its deadline every state is unknown, everywhere, and says since when; the check fails open', async () => {
	const own = await serveSample();
	await own.publish(snapshot);
	const before = (await get('/v1/verdicts', {}, own)).headers.get('etag');
	own.clock.now = Date.parse(snapshot.staleAfter) + 1;
	const health = await read('/v1/health', healthSchema, 200, own);
	expect(new Set(health.targets.map((target) => target.state))).toEqual(new Set(['unknown']));
	expect(health.targets[0]?.reason).toContain(snapshot.generatedAt);
	const verdicts = await get('/v1/verdicts', { 'if-none-match': before ?? '' }, own);
	expect(verdicts.status).toBe(200);
	const states = Object.values(verdictsSchema.parse(await verdicts.json()).targets).map((target) => target.state);
	expect(new Set(states)).toEqual(new Set(['unknown']));
	const after = verdicts.headers.get('etag');
	own.clock.now += 3_600_000;
	expect((await get('/v1/verdicts', { 'if-none-match': after ?? '' }, own)).status).toBe(304);
	const check = await read(`/check/${encodeURIComponent(firstIn('major_outage').id)}`, checkSchema, 200, own);
	expect([check.route, check.state, check.failOpen]).toEqual([true, 'unknown', true]);
	expect((await read('/badge/all.json', shieldSchema, 200, own)).message).toBe('unknown');
	expect((await read(`/v1/targets/${encodeURIComponent(firstIn('operational').id)}`, targetSchema, 200, own)).target.state).toBe('unknown');
	own.snapshots.put({
		...snapshot,
		number: snapshot.number + 1,
		generatedAt: new Date(own.clock.now).toISOString(),
		staleAfter: new Date(own.clock.now + 60_000).toISOString(),
	});
	expect((await read('/v1/health?state=operational', healthSchema, 200, own)).targets.length).toBeGreaterThan(0);
	await own.close();
});

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
			incident: () => Promise.reject(new Error('x')),
		};
		const own = await serveSample({ evidence: away, evidenceTimeoutMs: 50 });
		await own.publish(snapshot);
		for (const path of [`/v1/targets/${id}/results`, `/v1/targets/${id}/series`, '/v1/incidents/long-ago']) {
			const response = await get(path, {}, own);
			expect([response.status, response.headers.get('retry-after')]).toEqual([503, '5']);
			expect(await response.text()).not.toContain('db.internal');
		}
		for (const path of ['/v1/health', '/v1/verdicts', `/check/${id}`, '/v1/incidents', '/metrics', '/']) expect((await get(path, {}, own)).status).toBe(200);
		await own.close();
	});

	test('an incident that the snapshot no longer holds comes from the record; the operator’s own troubles do not', async () => {
		const first = snapshot.incidents[0];
		if (first === undefined) throw new Error('Expected a sample incident');
		const recorded = (cause: 'provider' | 'quota') => ({
			...first,
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
			evidence: { results: async () => null, series: async () => [], incident: async (id) => (id === 'provider' || id === 'quota' ? recorded(id) : null) },
		});
		await own.publish(snapshot);
		const found = await read('/v1/incidents/provider', incidentSchema, 200, own);
		expect(found.incident.updates.map((update) => update.body)).toEqual(['b', 'a']);
		await problem('/v1/incidents/quota', 404, own);
		await problem('/v1/incidents/none', 404, own);
		await own.close();
	});
});

test('incidents can be cut to the open or the resolved', async () => {
	const open = await read('/v1/incidents?status=open', incidentsSchema);
	const resolved = await read('/v1/incidents?status=resolved&limit=3', incidentsSchema);
	expect(open.incidents.every((incident) => incident.resolvedAt === null)).toBe(true);
	expect(resolved.incidents.map((incident) => incident.resolvedAt === null)).toEqual([false, false, false]);
	await problem('/v1/incidents?status=new', 400);
});

describe('the site', () => {
	test('is served with types, a strict policy and no cache that hides a change', async () => {
		const page = await get('/');
		expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
		expect(page.headers.get('content-security-policy')).toMatch(/^default-src 'none';script-src 'self';style-src 'self';/);
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
		const page = await get('/', {}, own);
		expect([page.status, page.headers.get('retry-after')]).toEqual([503, '5']);
		expect(await page.text()).toContain('<meta http-equiv="refresh" content="5">');
		await problem('/v1/health', 503, own);
		expect((await get('/readyz', {}, own)).status).toBe(503);
		expect((await get('/livez', {}, own)).status).toBe(200);
		await own.close();
	});

	test('a change on disk is served at once', async () => {
		const own = await serveSample();
		await own.publish(snapshot);
		const etag = (await get('/', {}, own)).headers.get('etag') ?? '';
		await own.publish({ ...snapshot, number: snapshot.number + 1, sentence: 'Another sentence' });
		const again = await get('/', { 'if-none-match': etag }, own);
		expect(again.status).toBe(200);
		expect(await again.text()).toContain('Another sentence');
		await own.close();
	});
});

describe('metrics', () => {
	const seriesOf = (text: string) =>
		text
			.split('\n')
			.filter((line) => line !== '' && !line.startsWith('#'))
			.map((line) => line.slice(0, line.lastIndexOf(' ')));

	test('no series is there twice, names made to break a label are escaped, and no data is no series', async () => {
		const text = await (await get('/metrics')).text();
		const series = seriesOf(text);
		expect(series.length).toBeGreaterThan(500);
		expect(series.filter((name, index) => series.indexOf(name) !== index)).toEqual([]);
		expect(text).toContain('model="acme/<script>alert(\\"x\\")</script>"');
		const blank = firstIn('unknown');
		expect(
			series.filter((name) => name.includes(`target="${blank.id}"`) && /^(probe_success|linnet_target_availability_ratio|linnet_target_ttft)/.test(name)),
		).toEqual([]);
		expect(text).toContain(`probe_success{target="${firstIn('major_outage').id}"`);
		expect(text).toMatch(/^linnet_snapshot_age_seconds 14$/m);
		expect(text).toMatch(/^linnet_simulated 1$/m);
	});

	test('the text of other processes is added without a duplicate, and their failure does not blind the scrape', async () => {
		const text =
			'# HELP linnet_simulated x\n# TYPE linnet_simulated gauge\nlinnet_simulated 0\n# TYPE linnet_probes_total counter\nlinnet_probes_total{vantage="a b} c"} 4\n';
		const own = await serveSample({ metrics: async () => text + text });
		await own.publish(snapshot);
		const merged = await (await get('/metrics', {}, own)).text();
		expect(merged.match(/^linnet_simulated /gm)).toHaveLength(1);
		expect(merged).toMatch(/^linnet_simulated 1$/m);
		expect(merged.match(/^linnet_probes_total\{vantage="a b\} c"\} 4$/gm)).toHaveLength(1);
		expect(merged.match(/^# TYPE linnet_probes_total/gm)).toHaveLength(1);
		await own.close();
		const broken = await serveSample({ metrics: () => Promise.reject(new Error('gone')) });
		expect(await (await get('/metrics', {}, broken)).text()).toContain('linnet_metrics_incomplete 1');
		await broken.close();
	});
});

describe('the shapes that others read', () => {
	test('Statuspage: groups hold their components, times have an offset, the page has a URL', async () => {
		const summary = (await (await get('/api/v2/summary.json')).json()) as {
			page: { url: string; updated_at: string };
			components: { id: string; group: boolean; group_id: string | null; components?: string[]; status: string }[];
			incidents: { resolved_at: string | null; incident_updates: { created_at: string }[] }[];
		};
		expect(URL.canParse(summary.page.url)).toBe(true);
		expect(summary.page.updated_at).toMatch(/Z$/);
		const groups = summary.components.filter((component) => component.group);
		expect(groups).toHaveLength(snapshot.providers.length);
		expect(new Set(summary.components.map((component) => component.id)).size).toBe(summary.components.length);
		for (const group of groups)
			expect(summary.components.filter((component) => component.group_id === group.id).map((component) => component.id)).toEqual(group.components);
		const words = ['operational', 'degraded_performance', 'partial_outage', 'major_outage', 'under_maintenance'];
		expect(summary.components.filter((component) => !words.includes(component.status))).toEqual([]);
		expect(summary.incidents.every((incident) => incident.resolved_at === null)).toBe(true);
		for (const name of [
			'status',
			'components',
			'incidents',
			'incidents/unresolved',
			'scheduled-maintenances',
			'scheduled-maintenances/upcoming',
			'scheduled-maintenances/active',
		]) {
			expect((await get(`/api/v2/${name}.json`)).status).toBe(200);
		}
	});

	test('feeds hold one entry an incident, under an id that stays, and no raw markup from outside', async () => {
		for (const path of ['/history.rss', '/history.atom', '/feed.rss', '/feed.atom']) {
			const text = await (await get(path)).text();
			const ids = [...text.matchAll(/<(?:guid[^>]*|id)>(tag:[^<]*incident[^<]*)</g)].map(([, id]) => id);
			expect(ids).toHaveLength(Math.min(50, snapshot.incidents.length));
			expect(new Set(ids).size).toBe(ids.length);
			expect(text).not.toContain('<script>');
			expect(text).toContain('&lt;p&gt;&lt;small&gt;');
		}
	});

	test('a badge is a picture with a text, and says simulated', async () => {
		const badge = await get(`/badge/${encodeURIComponent(firstIn('major_outage').id)}.svg`);
		expect(badge.headers.get('content-type')).toBe('image/svg+xml; charset=utf-8');
		const text = await badge.text();
		expect(text).toMatch(/<title>.*\(simulated\): major outage, 98\.68 %<\/title>/);
		expect(await (await get('/badge/acme.svg')).text()).not.toContain('<b>');
		await problem('/badge/nobody.svg', 404);
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
	expect((await problem('/readyz', 500, own)).detail).not.toContain('broken inside');
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
