/**
 * How fast the cores are, by two measurements that are known of the machine on which the aims in ms were set: undici alone, over fresh connections, each of
 * 20 chunks stamped and thrown away. No more than a hint, and the two disagree: what is slower here is not all slower by as much.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { bareStream } from './bare-request.ts';

interface Yardstick {
	readonly streamsPerSecond: number;
	readonly firstMs: number;
	readonly gapMs: number;
	/** CPU ms a stream on the machine on which the aims were set. */
	readonly thereMs: number;
}

export const yardsticks: readonly Yardstick[] = [
	{ streamsPerSecond: 164, firstMs: 1_500, gapMs: 80, thereMs: 0.85 },
	{ streamsPerSecond: 106, firstMs: 370, gapMs: 30, thereMs: 1.32 },
];

/**
 * Each takes `seconds` and 8 to warm up, in a process of its own. Rejects when that process fails.
 * @returns CPU ms a stream here, of each yardstick
 */
export async function measureYardsticks(seconds: number): Promise<number[]> {
	const taken: number[] = [];
	for (const yardstick of yardsticks) taken.push(await measure(yardstick, seconds));
	return taken;
}

async function measure({ streamsPerSecond, firstMs, gapMs }: Yardstick, seconds: number): Promise<number> {
	const pace = JSON.stringify({ ttftMs: firstMs, tokensPerSecond: 1_000 / gapMs });
	const simulator: ChildProcess = fork(new URL('./bench-simulator.ts', import.meta.url), [pace]);
	const [baseUrl] = await once(simulator, 'message');
	const client = fork(fileURLToPath(import.meta.url), [String(baseUrl), String(seconds), String(streamsPerSecond)]);
	const cpuMs = await new Promise<number>((resolve, reject) => {
		client.once('message', (ms) => resolve(Number(ms)));
		client.once('exit', (code) => reject(new Error(`the yardstick's process ended with ${code}`)));
	});
	simulator.disconnect();
	return cpuMs;
}

async function play(stream: () => Promise<void>, streamsPerSecond: number, seconds: number): Promise<number> {
	const startedAt = performance.now();
	let started = 0;
	for (let left = seconds; left > 0; left = seconds - (performance.now() - startedAt) / 1_000) {
		for (const due = (seconds - left) * streamsPerSecond; started < due; started++) void stream();
		await pause(5);
	}
	return started;
}

if (process.send !== undefined && process.argv[1] === fileURLToPath(import.meta.url)) {
	const [, , baseUrl = '', seconds, streamsPerSecond] = process.argv;
	const stream = bareStream(baseUrl);
	await play(stream, Number(streamsPerSecond), 8);
	const before = process.cpuUsage();
	const streams = await play(stream, Number(streamsPerSecond), Number(seconds));
	const { user, system } = process.cpuUsage(before);
	process.send((user + system) / 1_000 / streams, () => process.exit());
}
