/**
 * How long nobody else is answered while a long answer of a large fleet is made, packed and sent: each is asked for right after a new snapshot, so
 * nothing of it is kept. Beside it what JSON.stringify alone takes for the same bytes, in the same run. `node bench/long-answers.ts [targets=10000]`
 */
import { execFile } from 'node:child_process';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { promisify } from 'node:util';
import { sampleSnapshot } from '#test/sample-snapshot.ts';
import { serveSample } from '#test/serve-sample.ts';

const targets = Number(process.argv[2] ?? 10_000);
const providers = 20;
const rounds = 5;
const sample = sampleSnapshot({ providers, modelsPerProvider: Math.ceil(targets / providers) });
const server = await serveSample();
const delay = monitorEventLoopDelay({ resolution: 1 });
delay.enable();

const read = `const [, url, encoding] = process.argv;
const startedMs = performance.now();
const response = await fetch(url, { headers: { 'accept-encoding': encoding } });
const { length } = await response.text();
if (response.status !== 200) throw new Error(url + ': ' + response.status);
console.log(JSON.stringify({ bytes: length, tookMs: performance.now() - startedMs }));`;
const middle = (values: readonly number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
let { number } = sample;
async function ask(path: string, encoding: string) {
	number += 1;
	server.snapshots.put({ ...sample, number, generatedAt: new Date(Date.parse(sample.generatedAt) + number).toISOString() });
	// Who reads has a process of its own.
	const reader = promisify(execFile)(process.execPath, ['--input-type=module', '-e', read, server.url + path, encoding]);
	delay.reset();
	const { bytes, tookMs } = JSON.parse((await reader).stdout) as { bytes: number; tookMs: number };
	return { bytes, tookMs, stoodMs: delay.max / 1e6 };
}

console.log(`${sample.targets.length} targets, middle of ${rounds}\n`);
console.log('| answer | encoding | MB | took ms | stood still ms | ÷ JSON.stringify |');
console.log('|---|---|---|---|---|---|');
for (const path of ['/v1/verdicts', '/v1/health', '/v1/targets', '/api/v2/components.json', '/metrics']) {
	for (const encoding of ['identity', 'gzip']) {
		const all: Awaited<ReturnType<typeof ask>>[] = [];
		for (let i = 0; i < rounds; i++) all.push(await ask(path, encoding));
		const [bytes, tookMs, stoodMs] = (['bytes', 'tookMs', 'stoodMs'] as const).map((of) => middle(all.map((one) => one[of]))) as [number, number, number];
		const copies = Array.from({ length: Math.ceil(bytes / 1_000) }, (_, i) => ({ id: i, text: 'x'.repeat(970) }));
		const bare = middle(
			Array.from({ length: rounds }, () => {
				const startedMs = performance.now();
				JSON.stringify(copies);
				return performance.now() - startedMs;
			}),
		);
		console.log(`| ${path} | ${encoding} | ${(bytes / 1e6).toFixed(1)} | ${tookMs.toFixed(0)} | ${stoodMs.toFixed(0)} | ${(stoodMs / bare).toFixed(1)} |`);
	}
}
await server.close();
