/** /metrics as Prometheus itself sees it: checked by promtool, scraped by a real server, with the example rules loaded and firing. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort, until } from '#test/e2e/service.ts';
import { sampleSnapshot } from '#test/sample-snapshot.ts';
import { type SampleServer, serveSample } from '#test/serve-sample.ts';

const docs = join(import.meta.dirname, '..', '..', 'docs');
const rules = join(docs, 'prometheus-rules.yml');
const snapshot = sampleSnapshot({ providers: 7, modelsPerProvider: 8 });
const isInstalled = spawnSync('promtool', ['--version']).status === 0 && spawnSync('prometheus', ['--version']).status === 0;
if (!isInstalled) console.error('\n  LEFT OUT: what a real Prometheus says, because there is none on this machine (apt-get install prometheus).\n');

let server: SampleServer;
beforeAll(async () => {
	server = await serveSample();
	await server.publish(snapshot);
});
afterAll(() => server.close());

const readMetrics = async () => (await fetch(`${server.url}/metrics`)).text();

test('no series is given twice, and no family is declared twice', async () => {
	const lines = (await readMetrics()).split('\n').filter((line) => line !== '');
	const series = lines.filter((line) => !line.startsWith('#')).map((line) => line.replace(/ [^ ]+$/, ''));
	expect(series.filter((one, index) => series.indexOf(one) !== index)).toEqual([]);
	const types = lines.filter((line) => line.startsWith('# TYPE'));
	expect(types).toEqual([...new Set(types)]);
});

test('names that existing boards know tell the same as ours', async () => {
	const lines = (await readMetrics()).split('\n');
	const failing = (start: string, end: string) => lines.filter((line) => line.startsWith(start) && line.endsWith(end)).length;
	const down = snapshot.targets.filter(({ state }) => state === 'major_outage').length;
	expect([failing('probe_success{', ' 0'), failing('litellm_deployment_state{', ' 2')]).toEqual([down, down]);
	const blind = snapshot.targets.filter(({ state }) => state === 'unknown' || state === 'under_maintenance').length;
	expect(lines.filter((line) => line.startsWith('litellm_deployment_state{')).length).toBe(snapshot.targets.length - blind);
});

describe.runIf(isInstalled || process.env.CI !== undefined)('Prometheus from Debian', () => {
	let dir: string;
	let prometheus: ChildProcess;
	let url: string;

	beforeAll(async () => {
		dir = await mkdtemp(join(tmpdir(), 'linnet-prometheus-'));
		const config = join(dir, 'prometheus.yml');
		await writeFile(
			config,
			`global: { scrape_interval: 1s, evaluation_interval: 1s }\nrule_files: [${JSON.stringify(rules)}]\nscrape_configs: [{ job_name: linnet, static_configs: [{ targets: [${JSON.stringify(new URL(server.url).host)}] }] }]\n`,
		);
		const port = await freePort();
		url = `http://127.0.0.1:${port}`;
		prometheus = spawn('prometheus', [`--config.file=${config}`, `--storage.tsdb.path=${join(dir, 'data')}`, `--web.listen-address=127.0.0.1:${port}`], {
			stdio: 'ignore',
		});
	});
	afterAll(async () => {
		const exited = once(prometheus, 'exit');
		prometheus.kill('SIGKILL');
		await exited;
		await rm(dir, { recursive: true, force: true });
	});

	async function ask<Data>(path: string): Promise<Data | null> {
		const answer = await fetch(`${url}/api/v1/${path}`).catch(() => null);
		return answer?.ok ? ((await answer.json()) as { data: Data }).data : null;
	}

	test('promtool finds no fault in the metrics and in the rules', async () => {
		// Their names are not ours to choose.
		const foreign = /^(litellm_|probe_)/;
		const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input: await readMetrics(), encoding: 'utf8' });
		const faults = (stdout + stderr).split('\n').filter((line) => line !== '' && !foreign.test(line));
		expect({ faults, parsed: status !== 1 }).toEqual({ faults: [], parsed: true });
		expect(execFileSync('promtool', ['check', 'rules', rules], { encoding: 'utf8' })).toContain('SUCCESS');
	});

	test('promtool understands every expression of the Grafana dashboard', async () => {
		const dashboard = JSON.parse(await readFile(join(docs, 'grafana-dashboard.json'), 'utf8')) as { panels: { title: string; targets: { expr: string }[] }[] };
		const recorded = dashboard.panels.flatMap(({ targets }) => targets).map(({ expr }, index) => ({ record: `panel:${index}`, expr }));
		expect(recorded.length).toBeGreaterThan(15);
		const file = join(dir, 'panels.yml');
		await writeFile(file, JSON.stringify({ groups: [{ name: 'panels', rules: recorded }] }));
		expect(execFileSync('promtool', ['check', 'rules', file], { encoding: 'utf8' })).toContain(`${recorded.length} rules found`);
	});

	test('a scrape takes every series', async () => {
		const [up] = await until('scraped', async () => {
			const found = await ask<{ result: { value: [number, string] }[] }>('query?query=up');
			return found !== null && found.result[0]?.value[1] === '1' ? found.result : null;
		});
		expect(up?.value[1]).toBe('1');
		const own = (await readMetrics()).split('\n').filter((line) => line !== '' && !line.startsWith('#')).length;
		const added = await until(
			'samples',
			async () => (await ask<{ result: { value: [number, string] }[] }>('query?query=scrape_samples_post_metric_relabeling'))?.result[0]?.value[1],
		);
		expect(Number(added)).toBe(own);
	}, 60_000);

	test('the example rules fire for each target that is down, and for a snapshot that is old', async () => {
		const down = snapshot.targets.filter(({ state }) => state === 'major_outage').map(({ id }) => id);
		const firing = async (name: string) => {
			const data = await ask<{ alerts: { labels: Record<string, string>; state: string }[] }>('alerts');
			return (data?.alerts ?? []).filter(({ labels, state }) => labels.alertname === name && state === 'firing').map(({ labels }) => labels.target);
		};
		const alerts = await until('alerts', async () => {
			const found = await firing('LinnetTargetDown');
			return found.length >= down.length ? found : null;
		});
		expect([...alerts].sort()).toEqual([...down].sort());
		expect(await firing('LinnetStale')).toEqual([]);
		server.clock.now += 120_000;
		await until('stale alert', async () => (await firing('LinnetStale')).length === 1);
		server.clock.now -= 120_000;
	}, 60_000);
});
