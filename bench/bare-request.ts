/** What a probe sends, by undici alone: the measure that the others are held against in the same run. */
import { createParser } from 'eventsource-parser';
import { Client } from 'undici';
import type { Target } from '#core/target.ts';
import { dialects } from '#providers/index.ts';

const chat = dialects['openai-chat'];
if (chat === undefined) throw new Error('openai-chat is gone');
const { buildRequest, defaultFlags } = chat;

/** The model of bench-simulator.ts. */
export function benchTarget(baseUrl: string): Target {
	return {
		id: 'bench:bench/model:chat',
		provider: 'bench',
		providerName: 'bench',
		model: 'bench/model',
		operation: 'chat',
		upstreamModel: 'bench-model',
		dialect: 'openai-chat',
		baseUrl,
		apiKeyEnv: 'BENCH_KEY',
		headers: {},
		intervalMs: 1_000,
		timeouts: { connectMs: 5_000, firstTokenMs: 10_000, stallMs: 10_000, totalMs: 20_000 },
		flags: defaultFlags,
		canaries: [],
		price: null,
		maxConcurrency: 100,
		statusPageUrl: null,
	};
}

/**
 * One stream over a fresh connection, read as a stream of Node's.
 * @param parse false: bytes are thrown away
 */
export function bareRequest(baseUrl: string, parse: boolean): () => Promise<void> {
	const { origin, options } = echoRequest(baseUrl, words);
	return async () => {
		const client = new Client(origin, { allowH2: false });
		const { body: stream } = await client.request(options);
		const text = new TextDecoder();
		let count = 0;
		const parser = createParser({
			onEvent({ data }) {
				if (data !== '[DONE]' && JSON.parse(data).choices?.[0]?.delta?.content) count++;
			},
		});
		for await (const chunk of stream) if (parse) parser.feed(text.decode(chunk, { stream: true }));
		if (parse && count !== words.length) throw new Error(`Expected ${words.length} tokens, got ${count}`);
		await client.destroy();
	};
}

/**
 * One stream of 20 chunks, what begins and ends it included, over a fresh connection by the barest means that undici has: each chunk is stamped as it
 * comes and thrown away.
 */
export function bareStream(baseUrl: string): () => Promise<void> {
	const { origin, options } = echoRequest(baseUrl, words.slice(0, 18));
	return () =>
		new Promise((resolve, reject) => {
			const client = new Client(origin, { allowH2: false });
			const stamps: number[] = [];
			const stamp = () => {
				stamps.push(performance.now());
			};
			client.dispatch(options, {
				onRequestStart: stamp,
				onResponseStart: stamp,
				onResponseData: stamp,
				onResponseEnd: () => void client.destroy().then(resolve, reject),
				onResponseError: (_, error) => reject(error),
			});
		});
}

const words =
	'alfa bravo charlie delta echo foxtrot golf hotel india juliett kilo lima mike november oscar papa quebec romeo sierra tango uniform victor'.split(' ');

function echoRequest(baseUrl: string, asked: readonly string[]) {
	const { origin, pathname } = new URL(baseUrl);
	const { path, headers, body } = buildRequest(benchTarget(baseUrl), { prompt: `Reply with exactly: ${asked.join(' ')}`, form: null });
	return { origin, options: { path: pathname + path, method: 'POST' as const, headers: { ...headers, authorization: 'Bearer bench-key' }, body } };
}
