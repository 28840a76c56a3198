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
});
