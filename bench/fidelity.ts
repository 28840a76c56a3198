/**
 * How true are the times that a probe records? A server in its own process knows when it really sent each chunk; the difference is the error
 * (the loopback's own way there and back included). At 1, 100 and 500 streams at once, beside bare undici and an official SDK in the same run.
 */
import { fork } from 'node:child_process';
import { createParser } from 'eventsource-parser';
import OpenAI from 'openai';
import { request } from 'undici';
import type { Target } from '#core/target.ts';
import { dialects } from '#providers/index.ts';
import { watchLoopLag } from '#workers/probe/loop-lag.ts';
import { runProbe } from '#workers/probe/run-probe.ts';
import type { TrueTimes } from './stamping-server.ts';

const levels = [1, 100, 500];
const levelMs = 2_000;
/** A delay of the own event loop up to here is called quiet. */
const quietMs = 20;

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

type Times = TrueTimes & { readonly lagMs: number };

async function byProbe(): Promise<Times> {
	const result = await runProbe(tools, { target, canary: { name: 'echo', type: 'echo' }, vantage: 'local', kind: 'manual', slotAt: 0 });
	if (result.ttftMs === null) throw new Error(`Expected an answer, got ${result.outcome}`);
	const total = (result.totalMs ?? 0) - (result.connectMs ?? 0);
	return { id: result.requestId ?? '', ttftMs: result.ttftMs, maxGapMs: result.maxGapMs ?? 0, totalMs: total, lagMs: result.lagMs ?? 0 };
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
		stop: (id: string): Times => ({ id, ttftMs: firstAt - startedAt, maxGapMs, totalMs: performance.now() - startedAt, lagMs: lag.worstSince(startedAt) }),
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

function quantile(values: readonly number[], q: number): string {
	const sorted = values.toSorted((a, b) => a - b);
	return (sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN).toFixed(2);
}

console.log('Error in ms (measured − true), p50 / p99\n');
console.log('| streams at once | client | answers | ttft | longest gap | total | ttft while the loop was quiet | quiet |');
console.log('|---|---|---|---|---|---|---|---|');
for (const streams of levels) {
	for (const [name, run] of Object.entries(contenders)) {
		const measured: Times[] = [];
		const startedAt = performance.now();
		const lane = async (i: number) => {
			// Spread over an answer's length, as slots are: a herd would measure the herd.
			await new Promise((resolve) => setTimeout(resolve, (i / streams) * levelMs));
			while (performance.now() - startedAt < levelMs) measured.push(await run());
		};
		await Promise.all(Array.from({ length: streams }, (_, i) => lane(i)));
		// The server's last words come over another pipe.
		await new Promise((resolve) => setTimeout(resolve, 100));
		const pairs = measured.flatMap((times) => {
			const real = truth.get(times.id);
			return real === undefined ? [] : [{ times, real }];
		});
		const quiet = pairs.filter(({ times }) => times.lagMs < quietMs);
		const error = (pick: (times: TrueTimes) => number, of = pairs) => {
			const errors = of.map(({ times, real }) => pick(times) - pick(real));
			return `${quantile(errors, 0.5)} / ${quantile(errors.map(Math.abs), 0.99)}`;
		};
		console.log(
			`| ${streams} | ${name} | ${pairs.length} | ${error((t) => t.ttftMs)} | ${error((t) => t.maxGapMs)} | ${error((t) => t.totalMs)} | ${error((t) => t.ttftMs, quiet)} | ${Math.round((quiet.length / pairs.length) * 100)} % |`,
		);
	}
}
lag.stop();
child.disconnect();
