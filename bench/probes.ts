/**
 * `--memory N`: N probes through one process, and its memory along the way, in place of the comparison.
 * Otherwise probes per CPU-second: runProbe beside undici with a fresh connection that reads and throws away, and beside one that parses events.
 * All in one run against the same simulator (own process), interleaved, so that the ratios hold on a noisy machine.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { watchLoopLag } from '#workers/probe/loop-lag.ts';
import { runProbe } from '#workers/probe/run-probe.ts';
import { bareRequest, benchTarget } from './bare-request.ts';

const streamsAtOnce = 40;
const roundMs = 3_000;
const rounds = 3;
const pace = process.argv.includes('--memory') ? { ttftMs: 5, tokensPerSecond: 2_000 } : { ttftMs: 60, tokensPerSecond: 250 };

const child: ChildProcess = fork(new URL('./bench-simulator.ts', import.meta.url), [JSON.stringify(pace)]);
const baseUrl = await new Promise<string>((resolve) => child.once('message', (url) => resolve(String(url))));
const target = benchTarget(baseUrl);
const lag = watchLoopLag({ limitMs: Number.POSITIVE_INFINITY });
const tools = { now: Date.now, readSecret: () => 'bench-key', lag, controls: () => [] };

async function probe(): Promise<void> {
	const result = await runProbe(tools, { target, canary: { name: 'echo', type: 'echo' }, vantage: 'local', kind: 'manual', slotAt: 0 });
	if (result.outcome !== 'ok') throw new Error(`Expected ok, got ${result.outcome}: ${JSON.stringify(result.evidence)}`);
}

const contenders: Record<string, () => Promise<void>> = {
	'undici, fresh, bytes thrown away': bareRequest(baseUrl, false),
	'undici, fresh, events parsed': bareRequest(baseUrl, true),
	runProbe: probe,
};
const sums = new Map<string, { streams: number; cpuMs: number; wallMs: number }>();

async function compareThroughput(): Promise<void> {
	for (let round = -1; round < rounds; round++) {
		for (const [name, run] of Object.entries(contenders)) {
			const cpu = process.cpuUsage();
			const startedAt = performance.now();
			let streams = 0;
			const lane = async () => {
				while (performance.now() - startedAt < (round < 0 ? 500 : roundMs)) {
					await run();
					streams++;
				}
			};
			await Promise.all(Array.from({ length: streamsAtOnce }, lane));
			const { user, system } = process.cpuUsage(cpu);
			// The first round only warms the code.
			if (round < 0) continue;
			const sum = sums.get(name) ?? { streams: 0, cpuMs: 0, wallMs: 0 };
			sums.set(name, { streams: sum.streams + streams, cpuMs: sum.cpuMs + (user + system) / 1_000, wallMs: sum.wallMs + performance.now() - startedAt });
		}
	}

	const perCpuSecond = ({ streams, cpuMs }: { streams: number; cpuMs: number }) => (streams / cpuMs) * 1_000;
	const own = sums.get('runProbe');
	console.log(`${streamsAtOnce} streams at once, 22 tokens of ${1_000 / pace.tokensPerSecond} ms, ${rounds} rounds of ${roundMs / 1_000} s each\n`);
	console.log('| | streams/s | streams per CPU-second | CPU ms per stream | runProbe is |');
	console.log('|---|---|---|---|---|');
	for (const [name, sum] of sums) {
		const ratio = own === undefined ? 0 : perCpuSecond(own) / perCpuSecond(sum);
		const cells = [(sum.streams / sum.wallMs) * 1_000, perCpuSecond(sum)].map((value) => value.toFixed(0));
		console.log(`| ${name} | ${cells.join(' | ')} | ${(sum.cpuMs / sum.streams).toFixed(2)} | ${ratio.toFixed(2)} × |`);
	}
}

/** Memory after every twentieth part. The collector runs before each reading, so that a leak is told from garbage. */
async function watchMemory(probes: number): Promise<void> {
	setFlagsFromString('--expose-gc');
	const collect = runInNewContext('gc') as () => void;
	const readings: { readonly done: number; readonly rssMb: number; readonly heapMb: number }[] = [];
	const read = (done: number) => {
		collect();
		const { rss, heapUsed } = process.memoryUsage();
		readings.push({ done, rssMb: rss / 1_048_576, heapMb: heapUsed / 1_048_576 });
	};
	let started = 0;
	let done = 0;
	const step = Math.ceil(probes / 20);
	const lane = async () => {
		while (started < probes) {
			started++;
			await probe();
			if (++done % step === 0) read(done);
		}
	};
	await Promise.all(Array.from({ length: streamsAtOnce }, lane));
	console.log('| probes | RSS MB | heap MB |\n|---|---|---|');
	for (const { done: at, rssMb, heapMb } of readings) console.log(`| ${at} | ${rssMb.toFixed(1)} | ${heapMb.toFixed(2)} |`);
	// The first quarter warms code and caches.
	const settled = readings.slice(Math.floor(readings.length / 4));
	const [first, last] = [settled[0], settled.at(-1)];
	if (first === undefined || last === undefined || last.done === first.done) return;
	const perProbe = (pick: (reading: (typeof readings)[number]) => number) => ((pick(last) - pick(first)) * 1_048_576) / (last.done - first.done);
	console.log(
		`\nFrom probe ${first.done} on: heap ${perProbe((r) => r.heapMb).toFixed(1)} bytes a probe, RSS ${perProbe((r) => r.rssMb).toFixed(1)} bytes a probe.`,
	);
}

const memoryAt = process.argv.indexOf('--memory');
if (memoryAt < 0) await compareThroughput();
else await watchMemory(Number(process.argv[memoryAt + 1] ?? 20_000));
lag.stop();
child.disconnect();
