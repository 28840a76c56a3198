import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { State } from '#core/state.ts';
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

function firstIn(state: State) {
	const target = snapshot.targets.find((found) => found.state === state);
	if (target === undefined) throw new Error(`Expected a sample target that is ${state}`);
	return target;
}

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
