/** One client of the fidelity benchmark in a process of its own, so that no other's garbage is collected in its time. Told over IPC what to play. */
import { connect } from 'node:net';
import { createParser } from 'eventsource-parser';
import OpenAI from 'openai';
import { request } from 'undici';
import type { Canary, Target } from '#core/target.ts';
import { watchLoopLag } from '#workers/probe/loop-lag.ts';
import { paceStarts } from '#workers/probe/pace-starts.ts';
import { runProbe } from '#workers/probe/run-probe.ts';
import { benchTarget } from './bare-request.ts';

export interface Play {
	readonly client: ClientName;
	/** Of the stamping server, with the pace in its path. */
	readonly baseUrl: string;
	readonly streams: number;
	/** How long new answers are asked for; 0: each stream once. */
	readonly ms: number;
	/** The first starts are spread over this; 0: all at once. */
	readonly spreadMs: number;
	readonly paced: boolean;
}

/** What a client measured, ms from the request's start (totals: from the connection's). */
export interface Measured {
	readonly id: string;
	readonly ttftMs: number;
	readonly maxGapMs: number;
	readonly totalMs: number;
}

export interface Played {
	readonly measured: readonly Measured[];
	readonly tookMs: number;
	readonly cpuMs: number;
}

type Ask = () => Promise<Measured>;

const lag = watchLoopLag({ limitMs: Number.POSITIVE_INFINITY });
const tools = { now: Date.now, readSecret: () => 'bench-key', lag, controls: () => [] };
const canary: Canary = { name: 'words', type: 'custom', prompt: 'Say words.', expect: { pattern: 'word' } };

function byProbe(baseUrl: string): Ask {
	const timeouts = { connectMs: 10_000, firstTokenMs: 20_000, stallMs: 20_000, totalMs: 30_000 };
	const target: Target = { ...benchTarget(baseUrl), timeouts, canaries: [canary], maxConcurrency: 1_000 };
	return async () => {
		const result = await runProbe(tools, { target, canary, vantage: 'local', kind: 'manual', slotAt: 0 });
		if (result.outcome !== 'ok' || result.ttftMs === null) throw new Error(`Expected an answer, got ${result.outcome}: ${JSON.stringify(result.evidence)}`);
		return { id: result.requestId ?? '', ttftMs: result.ttftMs, maxGapMs: result.maxGapMs ?? 0, totalMs: (result.totalMs ?? 0) - (result.connectMs ?? 0) };
	};
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
		stop: (id: string): Measured => ({ id, ttftMs: firstAt - startedAt, maxGapMs, totalMs: performance.now() - startedAt }),
	};
}

function byUndici(baseUrl: string): Ask {
	return async () => {
		const watch = stopwatch();
		const { headers, body } = await request(`${baseUrl}/chat/completions`, { method: 'POST', body: '{}', reset: true });
		const text = new TextDecoder();
		const parser = createParser({
			onEvent({ data }) {
				if (data !== '[DONE]' && JSON.parse(data).choices[0]?.delta.content) watch.token();
			},
		});
		for await (const chunk of body) parser.feed(text.decode(chunk, { stream: true }));
		return watch.stop(String(headers['x-request-id']));
	};
}

function bySdk(baseUrl: string): Ask {
	const sdk = new OpenAI({ apiKey: 'bench-key', baseURL: baseUrl, maxRetries: 0 });
	return async () => {
		const watch = stopwatch();
		let id = '';
		for await (const chunk of await sdk.chat.completions.create({ model: 'bench-model', messages: [{ role: 'user', content: 'hello' }], stream: true })) {
			id = chunk.id;
			if (chunk.choices[0]?.delta.content) watch.token();
		}
		return watch.stop(id);
	};
}

/** The floor: what Node on this machine can know at all. It reads nothing, it only stamps each chunk of the socket. */
function bySocket(baseUrl: string): Ask {
	const { hostname, port, pathname } = new URL(baseUrl);
	return () =>
		new Promise((resolve, reject) => {
			const socket = connect({ host: hostname, port: Number(port), noDelay: true });
			let watch: ReturnType<typeof stopwatch> | null = null;
			let id = '';
			socket.once('error', reject).once('connect', () => {
				watch = stopwatch();
				socket.write(`POST ${pathname}/chat/completions HTTP/1.1\r\nhost: bench\r\ncontent-length: 2\r\n\r\n{}`);
			});
			socket.on('data', (chunk) => {
				if (id === '') {
					id = /x-request-id: (\S+)/.exec(chunk.toString('latin1'))?.[1] ?? '';
					return;
				}
				watch?.token();
				if (watch === null || !chunk.includes('[DONE]')) return;
				resolve(watch.stop(id));
				socket.destroy();
			});
		});
}

const clients = { probe: byProbe, undici: byUndici, sdk: bySdk, socket: bySocket } as const satisfies Record<string, (baseUrl: string) => Ask>;
export type ClientName = keyof typeof clients;

async function play({ client, baseUrl, streams, ms, spreadMs, paced }: Play): Promise<Played> {
	const ask = clients[client](baseUrl);
	const pace = paceStarts();
	const measured: Measured[] = [];
	const cpu = process.cpuUsage();
	const startedAt = performance.now();
	const one = async () => {
		const waitMs = paced ? pace.admit(performance.now()) - performance.now() : 0;
		if (waitMs > 0) await sleep(waitMs);
		measured.push(await ask());
	};
	const lane = async (i: number) => {
		// Spread over an answer's length, as slots are.
		await sleep((i / streams) * spreadMs);
		do await one();
		while (performance.now() - startedAt < ms);
	};
	await Promise.all(Array.from({ length: streams }, (_, i) => lane(i)));
	const { user, system } = process.cpuUsage(cpu);
	return { measured, tookMs: performance.now() - startedAt, cpuMs: (user + system) / 1_000 };
}

function sleep(ms: number): Promise<void> {
	return new Promise((resolve) => setTimeout(resolve, ms));
}

process.on('message', (message) => void play(message as Play).then((played) => process.send?.(played)));
process.once('disconnect', () => process.exit(0));
