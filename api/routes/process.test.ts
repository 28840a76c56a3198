import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { State } from '#core/state.ts';
import { readerOf, type SampleReader } from '#test/sample-reader.ts';
import { sampleSnapshot } from '#test/sample-snapshot.ts';
import { type SampleServer, serveSample } from '#test/serve-sample.ts';

const snapshot = sampleSnapshot({ providers: 7, modelsPerProvider: 8 });
let server: SampleServer;
let get: SampleReader['get'];

beforeAll(async () => {
	server = await serveSample();
	await server.publish(snapshot);
	({ get } = readerOf(server));
});
afterAll(() => server.close());

function firstIn(state: State) {
	const target = snapshot.targets.find((found) => found.state === state);
	if (target === undefined) throw new Error(`Expected a sample target that is ${state}`);
	return target;
}

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
		const merged = await (await readerOf(own).get('/metrics')).text();
		expect(merged.match(/^linnet_simulated /gm)).toHaveLength(1);
		expect(merged).toMatch(/^linnet_simulated 1$/m);
		expect(merged.match(/^linnet_probes_total\{vantage="a b\} c"\} 4$/gm)).toHaveLength(1);
		expect(merged.match(/^# TYPE linnet_probes_total/gm)).toHaveLength(1);
		await own.close();
		const broken = await serveSample({ metrics: () => Promise.reject(new Error('gone')) });
		expect(await (await readerOf(broken).get('/metrics')).text()).toContain('linnet_metrics_incomplete 1');
		await broken.close();
	});

	test('come packed to whoever takes gzip, and plain to others', async () => {
		const [packed, plain] = [await get('/metrics', { 'accept-encoding': 'gzip' }), await get('/metrics', { 'accept-encoding': 'identity' })];
		expect([packed, plain].map((one) => one.headers.get('content-encoding'))).toEqual(['gzip', null]);
		expect(packed.headers.get('vary')).toContain('Accept-Encoding');
		expect(await packed.text()).toBe(await plain.text());
		const head = await fetch(`${server.url}/metrics`, { method: 'HEAD' });
		expect([head.status, head.headers.get('content-type'), await head.text()]).toEqual([200, 'text/plain; version=0.0.4; charset=utf-8', '']);
	});

	test('a scraper that leaves in the middle harms nobody', async () => {
		const own = await serveSample();
		own.snapshots.put(sampleSnapshot({ providers: 20, modelsPerProvider: 200 }));
		for (const encoding of ['gzip', 'identity']) {
			const leaving = new AbortController();
			const response = await fetch(`${own.url}/metrics`, { headers: { 'accept-encoding': encoding }, signal: leaving.signal });
			await response.body?.getReader().read();
			leaving.abort();
			expect((await readerOf(own).get('/livez')).status).toBe(200);
		}
		expect(await (await readerOf(own).get('/metrics')).text()).toMatch(/\nlinnet_ready 1\n$/);
		await own.close();
	});
});
