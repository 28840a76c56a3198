/**
 * CPU per probe with everything: schedule, queue, budget, record, roll-up, verdict, page and API, beside the bare undici loop (fresh connections,
 * events parsed) on the same simulator, in one run. Real service processes and their own Postgres; the simulator's CPU is not counted.
 * Arguments: targets (default 1,000), probed every so many seconds (default 10), measured for so many seconds (default 60).
 */
import { type ChildProcess, fork } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';
import { createParser } from 'eventsource-parser';
import { Client } from 'undici';
import { dialects } from '#providers/index.ts';
import { startService, stopServices } from '#test/e2e/service.ts';
import { family, sumByName } from './process-family.ts';

const [targets = 1_000, everySeconds = 10, seconds = 60] = process.argv.slice(2).map(Number);
const providers = 4;
const words = 'alfa bravo charlie delta echo foxtrot golf hotel india juliett kilo lima mike november oscar papa quebec romeo sierra tango uniform victor';
const prompt = `Reply with exactly: ${words}`;

const simulator: ChildProcess = fork(new URL('./bench-simulator.ts', import.meta.url), [JSON.stringify({ ttftMs: 60, tokensPerSecond: 250 })]);
const baseUrl = await new Promise<string>((resolve) => simulator.once('message', (url) => resolve(String(url))));
/** Requests that it has had so far. */
const asked = () =>
	new Promise<number>((resolve) => {
		simulator.once('message', (count) => resolve(Number(count)));
		simulator.send('count');
	});

const config = [
	`interval: ${everySeconds}s`,
	'timeouts: { connect: 5s, firstToken: 10s, stall: 10s, total: 20s }',
	'budget: { usdPerDay: 1000000 }',
	'providers:',
	...Array.from({ length: providers }, (_, provider) => [
		`  - id: bench-${provider}`,
		'    dialect: openai-chat',
		`    baseUrl: ${baseUrl}`,
		'    apiKeyEnv: null',
		'    maxConcurrency: 1000',
		'    headers: { authorization: Bearer bench }',
		'    models:',
		...Array.from(
			{ length: targets / providers },
			(_, i) => `      - { model: bench/m${i}, upstreamModel: bench-model, canaries: [{ name: words, prompt: "${prompt}", expect: { text: "${words}" } }] }`,
		),
	]).flat(),
].join('\n');

const chat = dialects['openai-chat'];
if (chat === undefined) throw new Error('openai-chat is gone');
const { origin, pathname } = new URL(baseUrl);

async function bareLoop(forMs: number): Promise<number> {
	const body = JSON.stringify({ model: 'bench-model', messages: [{ role: 'user', content: prompt }], stream: true });
	const headers = { 'content-type': 'application/json', authorization: 'Bearer bench' };
	const startedAt = performance.now();
	const cpu = process.cpuUsage();
	let streams = 0;
	const lane = async () => {
		while (performance.now() - startedAt < forMs) {
			const client = new Client(origin, { allowH2: false });
			const { body: stream } = await client.request({ path: `${pathname}/chat/completions`, method: 'POST', headers, body });
			const text = new TextDecoder();
			let answer = '';
			const parser = createParser({
				onEvent({ data }) {
					if (data !== '[DONE]') answer += JSON.parse(data).choices?.[0]?.delta?.content ?? '';
				},
			});
			for await (const chunk of stream) parser.feed(text.decode(chunk, { stream: true }));
			if (answer.trim() !== words) throw new Error(`Expected ${words}, got ${answer}`);
			await client.destroy();
			streams++;
		}
	};
	await Promise.all(Array.from({ length: 20 }, lane));
	const { user, system } = process.cpuUsage(cpu);
	return (user + system) / 1_000 / streams;
}

await bareLoop(2_000);
const service = await startService({ config });
// Every target has been probed, and the code is warm.
await pause(Math.max(15, everySeconds * 1.5) * 1_000);
const [countBefore, before] = [await asked(), sumByName(await family(service.pid), 'cpuMs')];
const startedAt = performance.now();
await pause(seconds * 1_000);
const [countAfter, after] = [await asked(), sumByName(await family(service.pid), 'cpuMs')];
const tookSeconds = (performance.now() - startedAt) / 1_000;
const health = (await (await fetch(`${service.url}/v1/health`)).json()) as { targets: { state: string }[] };
const wellCount = health.targets.filter(({ state }) => state === 'operational').length;
await stopServices();
const bareMs = await bareLoop(5_000);
simulator.disconnect();

const probes = countAfter - countBefore;
console.log(
	`${targets} targets every ${everySeconds} s: ${(probes / tookSeconds).toFixed(0)} probes a second, ${wellCount} of ${health.targets.length} operational at the end\n`,
);
console.log('| | CPU ms a probe | of the bare loop |');
console.log('|---|---|---|');
let sum = 0;
for (const [name, cpuMs] of after) {
	const each = (cpuMs - (before.get(name) ?? 0)) / probes;
	sum += each;
	console.log(`| ${name} | ${each.toFixed(2)} | ${(each / bareMs).toFixed(2)} × |`);
}
console.log(`| **the whole service** | ${sum.toFixed(2)} | **${(sum / bareMs).toFixed(2)} ×** |`);
console.log(`| bare undici loop | ${bareMs.toFixed(2)} | 1 × |`);
