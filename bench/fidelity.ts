/**
 * How true are the times that a probe records? A server in its own process knows when it really sent each chunk; the difference is the error
 * (the loopback's own way there and back included). At 1, 100 and 500 streams at once, beside bare undici and an official SDK, in rounds that
 * take turns: on a shared machine one round says more about the neighbours than about the client, so the best and the middle one are shown.
 * Rounds: the first argument, default 5.
 *
 * Tried and left out: stamping at the socket and parsing a turn later. With 100 and 300 first tokens written at once the p99 did not differ
 * (7.1 and 8.4 ms, 24.8 and 23.8 ms; middle of 14 rounds each): what waits does so in the kernel, not between the stamp and the parser.
 */
import { fork } from 'node:child_process';
import { loadavg } from 'node:os';
import { createParser } from 'eventsource-parser';
import OpenAI from 'openai';
import { request } from 'undici';
import type { Target } from '#core/target.ts';
import { dialects } from '#providers/index.ts';
import { watchLoopLag } from '#workers/probe/loop-lag.ts';
import { runProbe } from '#workers/probe/run-probe.ts';
import type { TrueTimes } from './stamping-server.ts';

const levels = [1, 100, 500];
const roundMs = 3_000;
const rounds = Number(process.argv[2] ?? 5);

const truth = new Map<string, TrueTimes>();
const child = fork(new URL('./stamping-server.ts', import.meta.url));
const origin = await new Promise<string>((resolve) => {
	child.on('message', (message) => {
		if (typeof message === 'string') resolve(message);
		else truth.set((message as TrueTimes).id, message as TrueTimes);
	});
});

const chat = dialects['openai-chat'];
if (chat === undefined) throw new Error('openai-chat is gone');
const target: Target = {
	id: 'bench:bench/model:chat',
	provider: 'bench',
	providerName: 'bench',
	model: 'bench/model',
	operation: 'chat',
	upstreamModel: 'bench-model',
	dialect: 'openai-chat',
	baseUrl: `${origin}/v1`,
	apiKeyEnv: 'BENCH_KEY',
	headers: {},
	intervalMs: 1_000,
	timeouts: { connectMs: 10_000, firstTokenMs: 20_000, stallMs: 20_000, totalMs: 30_000 },
	flags: chat.defaultFlags,
	canaries: [],
	price: null,
	maxConcurrency: 1_000,
	statusPageUrl: null,
};
const lag = watchLoopLag({ limitMs: Number.POSITIVE_INFINITY });
const tools = { now: Date.now, readSecret: () => 'bench-key', lag, controls: () => [] };

type Times = TrueTimes;

async function byProbe(): Promise<Times> {
	const result = await runProbe(tools, { target, canary: { name: 'echo', type: 'echo' }, vantage: 'local', kind: 'manual', slotAt: 0 });
	if (result.ttftMs === null) throw new Error(`Expected an answer, got ${result.outcome}`);
	const total = (result.totalMs ?? 0) - (result.connectMs ?? 0);
	return { id: result.requestId ?? '', ttftMs: result.ttftMs, maxGapMs: result.maxGapMs ?? 0, totalMs: total };
}

/** Keeps the marks of a stream that is read as chunks of text. */
function stopwatch() {
	const startedAt = performance.now();
	let firstAt = 0;
	let lastAt = 0;
	let maxGapMs = 0;
	return {
		token() {
			const now = performance.now();
			if (firstAt === 0) firstAt = now;
			else maxGapMs = Math.max(maxGapMs, now - lastAt);
			lastAt = now;
		},
		stop: (id: string): Times => ({ id, ttftMs: firstAt - startedAt, maxGapMs, totalMs: performance.now() - startedAt }),
	};
}

async function byUndici(): Promise<Times> {
	const watch = stopwatch();
	const { headers, body } = await request(`${origin}/v1/chat/completions`, { method: 'POST', body: '{}', reset: true });
	const text = new TextDecoder();
	const parser = createParser({
		onEvent({ data }) {
			if (data !== '[DONE]' && JSON.parse(data).choices[0]?.delta.content) watch.token();
		},
	});
	for await (const chunk of body) parser.feed(text.decode(chunk, { stream: true }));
	return watch.stop(String(headers['x-request-id']));
}

const sdk = new OpenAI({ apiKey: 'bench-key', baseURL: `${origin}/v1`, maxRetries: 0 });
async function bySdk(): Promise<Times> {
	const watch = stopwatch();
	let id = '';
	for await (const chunk of await sdk.chat.completions.create({ model: 'bench-model', messages: [{ role: 'user', content: 'hello' }], stream: true })) {
		id = chunk.id;
		if (chunk.choices[0]?.delta.content) watch.token();
	}
	return watch.stop(id);
}

const contenders: Record<string, () => Promise<Times>> = { runProbe: byProbe, 'undici request': byUndici, 'openai SDK': bySdk };

function quantile(values: readonly number[], q: number): number {
	const sorted = values.toSorted((a, b) => a - b);
	return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN;
}

interface Round {
	readonly answers: number;
	readonly perSecond: number;
	readonly cpuMsEach: number;
	readonly errors: Readonly<Record<'ttftMs' | 'maxGapMs' | 'totalMs', readonly number[]>>;
}

async function playRound(run: () => Promise<Times>, streams: number, ms: number): Promise<Round> {
	const measured: Times[] = [];
	const cpu = process.cpuUsage();
	const startedAt = performance.now();
	const lane = async (i: number) => {
		// Spread over an answer's length, as slots are: a herd would measure the herd.
		await new Promise((resolve) => setTimeout(resolve, (i / streams) * 900));
		while (performance.now() - startedAt < ms) measured.push(await run());
	};
	await Promise.all(Array.from({ length: streams }, (_, i) => lane(i)));
	const { user, system } = process.cpuUsage(cpu);
	const tookMs = performance.now() - startedAt;
	// The server's last words come over another pipe.
	await new Promise((resolve) => setTimeout(resolve, 100));
	const pairs = measured.flatMap((times) => {
		const real = truth.get(times.id);
		truth.delete(times.id);
		return real === undefined ? [] : [{ times, real }];
	});
	const errors = (key: 'ttftMs' | 'maxGapMs' | 'totalMs') => pairs.map(({ times, real }) => times[key] - real[key]);
	return {
		answers: pairs.length,
		perSecond: (pairs.length / tookMs) * 1_000,
		cpuMsEach: (user + system) / 1_000 / measured.length,
		errors: { ttftMs: errors('ttftMs'), maxGapMs: errors('maxGapMs'), totalMs: errors('totalMs') },
	};
}

console.log('Error in ms (measured − true): p50 / p99 of the best round, and the p99 of the middle round. Below truth: the lowest error of all rounds.\n');
console.log('| streams | client | answers | per second | CPU ms each | ttft | longest gap | total | ttft, middle p99 | ttft below truth |');
console.log('|---|---|---|---|---|---|---|---|---|---|');
for (const run of Object.values(contenders)) await playRound(run, 20, 1_000);
for (const streams of levels) {
	const played = new Map<string, Round[]>(Object.keys(contenders).map((name) => [name, []]));
	for (let round = 0; round < rounds; round++) {
		for (const [name, run] of Object.entries(contenders)) played.get(name)?.push(await playRound(run, streams, roundMs));
	}
	for (const [name, own] of played) {
		const p99 = (round: Round, key: keyof Round['errors']) => quantile(round.errors[key].map(Math.abs), 0.99);
		const cell = (key: keyof Round['errors']) => {
			const best = own.toSorted((a, b) => p99(a, key) - p99(b, key))[0];
			return best === undefined ? '' : `${quantile(best.errors[key], 0.5).toFixed(2)} / ${p99(best, key).toFixed(2)}`;
		};
		const middle = quantile(
			own.map((round) => p99(round, 'ttftMs')),
			0.5,
		);
		const mean = (pick: (round: Round) => number) => own.reduce((sum, round) => sum + pick(round), 0) / own.length;
		const lowest = Math.min(0, ...own.flatMap((round) => round.errors.ttftMs));
		const cells = [streams, name, own.reduce((sum, { answers }) => sum + answers, 0), mean((r) => r.perSecond).toFixed(0), mean((r) => r.cpuMsEach).toFixed(2)];
		console.log(`| ${[...cells, cell('ttftMs'), cell('maxGapMs'), cell('totalMs'), middle.toFixed(2), lowest.toFixed(2)].join(' | ')} |`);
	}
}
console.log(
	`\nLoad average while it ran: ${loadavg()
		.map((load) => load.toFixed(1))
		.join(' ')}`,
);
lag.stop();
child.disconnect();
