/**
 * How true are the times that a probe records? A server in its own process knows when it really sent each chunk; the difference is the error,
 * the loopback's own way there and back included. Beside it: bare undici, an official SDK, and the floor, a client that does nothing but stamp
 * what its socket reads: what the floor shows is the server's, the kernel's and the neighbours' part. Each client has a process of its own, and
 * rounds take turns: on a shared machine one round says more about the neighbours than about the client, so best, middle and worst are shown.
 * Arguments: rounds (default 3), then the levels to play (default all).
 *
 * Measured on two shared cores, p99 of the first token's error with 100 streams under way, middle of three rounds: V8 lets the nursery grow to
 * 16 MB, and while it is collected the process stands still: 2.8 ms (4 to 14 on a busier machine). With 4 MB (bin/lean-process.ts) or 8 it is 1.3,
 * with 2 MB 0.8, with 1 MB 1.5; below 4 each probe takes a tenth more CPU. Tried and left out: stamping at the socket and parsing a turn later (41
 * against 6 ms at 500 streams and 470 answers a second: it makes garbage and turns, and what waits does so in the kernel), a larger old space and
 * scavenging on one thread (no difference).
 */
import { type ChildProcess, fork } from 'node:child_process';
import { loadavg } from 'node:os';
import { leanNodeOptions } from '#bin/lean-process.ts';
import type { ClientName, Measured, Play, Played } from './prober.ts';
import type { TrueTimes } from './stamping-server.ts';

interface Level {
	readonly streams: number;
	/** ms to the first token, ms between tokens: with 20 tokens it makes the rate. */
	readonly pace: readonly [firstMs: number, gapMs: number];
	/** 0: each stream once. */
	readonly ms: number;
	readonly starts: 'spread' | 'at once';
	readonly what: string;
}

const levels: Readonly<Record<string, Level>> = {
	'1': { streams: 1, pace: [500, 20], ms: 6_000, starts: 'spread', what: 'one stream' },
	'100': { streams: 100, pace: [500, 20], ms: 4_000, starts: 'spread', what: '100 streams, 110 a second' },
	// 10,000 targets every minute are 167 a second; so many are under way at once when an answer takes 3 s.
	'500': { streams: 500, pace: [1_200, 95], ms: 6_000, starts: 'spread', what: '500 streams, 167 a second: a fleet of 10,000 targets' },
	'500-fast': { streams: 500, pace: [500, 20], ms: 3_500, starts: 'spread', what: '500 streams, 550 a second: a fleet of 33,000 targets' },
	'herd-100': { streams: 100, pace: [500, 20], ms: 0, starts: 'at once', what: '100 streams started at once' },
	'herd-500': { streams: 500, pace: [1_200, 95], ms: 0, starts: 'at once', what: '500 streams started at once' },
};

interface Contender {
	readonly name: string;
	readonly client: ClientName;
	readonly paced: boolean;
	readonly processes: number;
	readonly smallNursery: boolean;
}

const bare = { paced: false, processes: 1, smallNursery: false } as const;
const contenders: readonly Contender[] = [
	{ ...bare, name: 'linnet', client: 'probe', paced: true, smallNursery: true },
	{ ...bare, name: 'linnet, starts not paced', client: 'probe', smallNursery: true },
	{ ...bare, name: 'linnet, nursery of 16 MB', client: 'probe', paced: true },
	{ ...bare, name: 'linnet, two processes', client: 'probe', paced: true, smallNursery: true, processes: 2 },
	{ ...bare, name: 'undici request', client: 'undici' },
	{ ...bare, name: 'openai SDK', client: 'sdk' },
	{ ...bare, name: 'floor: a bare socket', client: 'socket' },
];

const truth = new Map<string, TrueTimes>();
const server = fork(new URL('./stamping-server.ts', import.meta.url));
const origin = await new Promise<string>((resolve) => {
	server.on('message', (message) => {
		if (typeof message === 'string') resolve(message);
		else for (const times of message as TrueTimes[]) truth.set(times.id, times);
	});
});
const crews = new Map(
	contenders.map((one) => [
		one,
		Array.from({ length: one.processes }, () =>
			fork(new URL('./prober.ts', import.meta.url), [], { execArgv: one.smallNursery ? [...leanNodeOptions('probe')] : ['--max-semi-space-size=16'] }),
		),
	]),
);

function playIn(child: ChildProcess, play: Play): Promise<Played> {
	return new Promise((resolve, reject) => {
		const fail = (code: number | null) => reject(new Error(`a prober ended with code ${code}`));
		child.once('exit', fail);
		child.once('message', (message) => {
			child.off('exit', fail);
			resolve(message as Played);
		});
		child.send(play);
	});
}

const keys = ['ttftMs', 'maxGapMs', 'totalMs'] as const;
type Key = (typeof keys)[number];

interface Round {
	readonly answers: number;
	readonly perSecond: number;
	readonly cpuMsEach: number;
	readonly errors: Readonly<Record<Key, readonly number[]>>;
}

function trueMs(times: TrueTimes, key: Key): number {
	if (key === 'maxGapMs') return times.maxGapMs;
	return (key === 'ttftMs' ? times.firstAt : times.lastAt) - times.receivedAt;
}

async function playRound(contender: Contender, level: Level): Promise<Round> {
	const children = crews.get(contender) ?? [];
	const [firstMs, gapMs] = level.pace;
	const spreadMs = level.starts === 'spread' ? firstMs + 19 * gapMs : 0;
	const streams = Math.ceil(level.streams / children.length);
	const play: Play = { client: contender.client, baseUrl: `${origin}/${firstMs}-${gapMs}/v1`, streams, ms: level.ms, spreadMs, paced: contender.paced };
	const played = await Promise.all(children.map((child) => playIn(child, play)));
	// The server's last words come in batches, over another pipe.
	await new Promise((resolve) => setTimeout(resolve, 300));
	const measured = played.flatMap((one) => one.measured);
	const pairs = measured.flatMap((times): { times: Measured; real: TrueTimes }[] => {
		const real = truth.get(times.id);
		truth.delete(times.id);
		return real === undefined ? [] : [{ times, real }];
	});
	const errors = (key: Key) => pairs.map(({ times, real }) => times[key] - trueMs(real, key));
	return {
		answers: pairs.length,
		perSecond: (pairs.length / Math.max(...played.map(({ tookMs }) => tookMs))) * 1_000,
		cpuMsEach: played.reduce((sum, { cpuMs }) => sum + cpuMs, 0) / measured.length,
		errors: { ttftMs: errors('ttftMs'), maxGapMs: errors('maxGapMs'), totalMs: errors('totalMs') },
	};
}

function quantile(values: readonly number[], q: number): number {
	const sorted = values.toSorted((a, b) => a - b);
	return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN;
}

const rounds = Number(process.argv[2] ?? 3);
const wanted = process.argv.slice(3);
const known = Object.keys(levels);
const unknown = wanted.filter((name) => !known.includes(name));
if (!Number.isInteger(rounds) || rounds < 1 || unknown.length > 0) {
	console.error(`Expected a number of rounds and levels of ${known.join(', ')}, got ${process.argv.slice(2).join(' ')}`);
	process.exit(2);
}
/** Two processes and the nursery matter where there is a crowd, paced starts where there is a herd. */
const plays = (contender: Contender, { streams, starts }: Level) =>
	!(contender.processes > 1 && streams < 500) &&
	!(contender.client === 'probe' && !contender.paced && starts === 'spread') &&
	!(streams === 1 && contender.client === 'probe' && !contender.smallNursery);

// Warm code, as in a service that has run for a minute.
const warmUp: Level = { streams: 60, pace: [200, 10], ms: 2_000, starts: 'spread', what: 'warm-up' };
for (const contender of contenders) await playRound(contender, warmUp);
console.log('Error in ms (measured − true). Each cell: p99 of the best / middle / worst round; below truth: the lowest error of all rounds.');
for (const name of wanted.length > 0 ? wanted : known) {
	const level = levels[name];
	if (level === undefined) continue;
	const playing = contenders.filter((contender) => plays(contender, level));
	const played = new Map<Contender, Round[]>(playing.map((contender) => [contender, []]));
	for (let round = 0; round < rounds; round++) for (const contender of playing) played.get(contender)?.push(await playRound(contender, level));
	console.log(`\n${level.what}\n`);
	console.log('| client | answers | per second | CPU ms each | ttft p50 | ttft | longest gap | total | ttft below truth | total below truth |');
	console.log('|---|---|---|---|---|---|---|---|---|---|');
	for (const [contender, own] of played) {
		const p99s = (key: Key) => {
			const each = own.map((round) => quantile(round.errors[key].map(Math.abs), 0.99)).sort((a, b) => a - b);
			return [each[0], each[Math.floor(each.length / 2)], each.at(-1)].map((ms) => ms?.toFixed(2)).join(' / ');
		};
		const mean = (pick: (round: Round) => number) => own.reduce((sum, round) => sum + pick(round), 0) / own.length;
		const lowest = (key: Key) => Math.min(0, ...own.flatMap((round) => round.errors[key])).toFixed(2);
		const p50 = quantile(
			own.flatMap((round) => round.errors.ttftMs),
			0.5,
		).toFixed(2);
		const counts = [own.reduce((sum, { answers }) => sum + answers, 0), mean((r) => r.perSecond).toFixed(0), mean((r) => r.cpuMsEach).toFixed(2)];
		console.log(`| ${[contender.name, ...counts, p50, ...keys.map(p99s), lowest('ttftMs'), lowest('totalMs')].join(' | ')} |`);
	}
}
console.log(
	`\nLoad average while it ran: ${loadavg()
		.map((load) => load.toFixed(1))
		.join(' ')}`,
);
for (const child of [server, ...[...crews.values()].flat()]) child.disconnect();
