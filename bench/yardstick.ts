/**
 * How fast the cores are, by a measurement that is known of the machine on which the aims in ms were set: undici alone, 164 streams a second over
 * fresh connections, the first of 20 chunks after 1.5 s, the others 80 ms apart, each stamped and thrown away. It took 0.85 ms of CPU a stream there.
 * No more than a hint: streams 30 ms apart, 106 a second, took 1.32 ms there, and where this yardstick says 1.8 they say 1.3.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { bareStream } from './bare-request.ts';

export const yardstickThereMs = 0.85;
const streamsPerSecond = 164;

/**
 * Takes `seconds` and 8 to warm up, in a process of its own. Rejects when that process fails.
 * @returns CPU ms a stream here
 */
export async function measureYardstick(seconds: number): Promise<number> {
	const simulator: ChildProcess = fork(new URL('./bench-simulator.ts', import.meta.url), [JSON.stringify({ ttftMs: 1_500, tokensPerSecond: 12.5 })]);
	const [baseUrl] = await once(simulator, 'message');
	const client = fork(fileURLToPath(import.meta.url), [String(baseUrl), String(seconds)]);
	const cpuMs = await new Promise<number>((resolve, reject) => {
		client.once('message', (ms) => resolve(Number(ms)));
		client.once('exit', (code) => reject(new Error(`the yardstick's process ended with ${code}`)));
	});
	simulator.disconnect();
	return cpuMs;
}

async function play(stream: () => Promise<void>, seconds: number): Promise<number> {
	const startedAt = performance.now();
	let started = 0;
	for (let left = seconds; left > 0; left = seconds - (performance.now() - startedAt) / 1_000) {
		for (const due = (seconds - left) * streamsPerSecond; started < due; started++) void stream();
		await pause(5);
	}
	return started;
}

if (process.send !== undefined && process.argv[1] === fileURLToPath(import.meta.url)) {
	const stream = bareStream(process.argv[2] ?? '');
	await play(stream, 8);
	const before = process.cpuUsage();
	const streams = await play(stream, Number(process.argv[3]));
	const { user, system } = process.cpuUsage(before);
	process.send((user + system) / 1_000 / streams, () => process.exit());
}
