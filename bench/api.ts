/**
 * What serving costs: requests a second of the API against a bare node:http server that sends the same bytes, and nginx with the same file
 * (one worker; `apt-get install nginx-light`). Then an even load, alone and beside 1,000 readers of events. Prints tables of ratios.
 * `node bench/api.ts [seconds]`; needs `wrk`. Servers and load share the machine's cores, so read the ratios, not the figures.
 */
import { execFile, fork } from 'node:child_process';
import { once } from 'node:events';
import { Agent, createServer, get } from 'node:http';
import { availableParallelism, constants, loadavg, setPriority } from 'node:os';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { largeFleet } from '#test/large-fleet.ts';
import { sampleNow } from '#test/sample-snapshot.ts';
import { serveSample } from '#test/serve-sample.ts';
import { startNginx } from './api-nginx.ts';

const run = promisify(execFile);
const connections = 64;
const readers = 1_000;
const rounds = 3;
const pacedPerSecond = 1_000;

interface Listening {
	readonly url: string;
}

interface Measured {
	readonly perSecond: number;
	readonly p99: string;
	/** CPU of the server's own process. */
	readonly cpuUsPerRequest: number;
}

/** Path, headers, and the file that nginx serves for it; null: it can't. */
const cases = [
	['verdicts, gzip', '/v1/verdicts', { 'Accept-Encoding': 'gzip' }, 'verdicts'],
	['verdicts, 304', '/v1/verdicts', { 'If-None-Match': '*' }, 'verdicts'],
	['health, gzip', '/v1/health', { 'Accept-Encoding': 'gzip' }, 'health'],
	['health, brotli', '/v1/health', { 'Accept-Encoding': 'br' }, null],
	['health, plain', '/v1/health', {}, 'health'],
	['health, filtered', '/v1/health?provider=openai&operation=chat', { 'Accept-Encoding': 'gzip' }, 'filtered'],
	['check', `/check/${encodeURIComponent('openai:meta-llama/llama-3.3-70b-instruct-v0:chat')}`, {}, 'check'],
	['overview, brotli', '/', { 'Accept-Encoding': 'br' }, null],
] as const satisfies readonly (readonly [string, string, Readonly<Record<string, string>>, string | null])[];

/** A child's part: the API, or a server that knows each answer beforehand and nothing else. */
async function serveChild(kind: string): Promise<void> {
	const api = await serveSample({ now: () => sampleNow });
	const snapshot = largeFleet(1);
	await api.publish(snapshot);
	let url = api.url;
	if (kind === 'bare') {
		const answers = new Map<string, { status: number; headers: Record<string, string>; body: Buffer }>();
		for (const [name, path, headers] of cases) {
			// Raw bytes are wanted, and fetch would decode them; wrk's own headers are sent below.
			const { stdout } = await run('curl', ['-s', '-i', ...Object.entries(headers).flatMap(([key, value]) => ['-H', `${key}: ${value}`]), api.url + path], {
				encoding: 'buffer',
				maxBuffer: 1e8,
			});
			const end = stdout.indexOf('\r\n\r\n');
			const [first = '', ...lines] = stdout.subarray(0, end).toString('latin1').split('\r\n');
			const kept = lines.map((line) => line.split(/: (.*)/s)).filter(([key]) => !/^(date|connection|keep-alive)$/i.test(key ?? ''));
			answers.set(name, { status: Number(first.split(' ')[1]), headers: Object.fromEntries(kept), body: stdout.subarray(end + 4) });
		}
		const server = createServer((req, res) => {
			const answer = answers.get(String(req.headers['x-case']));
			res.writeHead(answer?.status ?? 404, answer?.headers ?? {});
			res.end(answer?.body);
		});
		server.listen(0, '127.0.0.1');
		await once(server, 'listening');
		url = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
	}
	let number = 1;
	const loop = monitorEventLoopDelay({ resolution: 1 });
	loop.enable();
	process.on('message', (asked) => {
		if (asked === 'cpu') process.send?.(process.cpuUsage());
		else if (asked === 'delay') {
			process.send?.([50, 99, 99.9].map((q) => loop.percentile(q) / 1e6));
			loop.reset();
		}
		// One target changes its verdict at each: what a busy day looks like.
		else
			setInterval(
				() =>
					api.snapshots.put({
						...snapshot,
						number: ++number,
						targets: snapshot.targets.map((target, index) => (index === number % 50 ? { ...target, reason: `changed ${number}` } : target)),
					}),
				1_000,
			);
	});
	process.on('disconnect', () => process.exit(0));
	process.send?.({ url } satisfies Listening);
}

interface Rival {
	readonly url: string;
	/** From now on a new snapshot every second. */
	publish(): void;
	/** How late the server's own event loop was since the last time, ms at p50, p99 and p99.9: what it does to its requests, whoever else needs the cores. */
	delays(): Promise<readonly number[]>;
	measure(name: string, path: string, headers: Readonly<Record<string, string>>, seconds: number): Promise<Measured>;
	stop(): Promise<void>;
}

/** Rates averaged; the worst p99. */
function summed(parts: readonly Measured[]): Measured {
	const mean = (pick: (part: Measured) => number) => parts.reduce((sum, part) => sum + pick(part), 0) / parts.length;
	const worst = parts.reduce((a, b) => (toMs(b.p99) > toMs(a.p99) ? b : a));
	return { perSecond: mean((part) => part.perSecond), p99: worst.p99, cpuUsPerRequest: mean((part) => part.cpuUsPerRequest) };
}

function toMs(text: string): number {
	return Number.parseFloat(text) * (text.endsWith('us') ? 0.001 : text.endsWith('ms') ? 1 : 1_000);
}

async function measure(url: string, cpuUs: () => Promise<number>, name: string, headers: Readonly<Record<string, string>>, seconds: number): Promise<Measured> {
	const load = async (duration: number) => {
		const fields = Object.entries({ 'X-Case': name, ...headers }).flatMap(([key, value]) => ['-H', `${key}: ${value}`]);
		return (await run('wrk', ['-t1', `-c${connections}`, `-d${Math.max(1, Math.round(duration))}s`, '--latency', ...fields, url])).stdout;
	};
	const before = await cpuUs();
	const text = await load(seconds);
	const spent = (await cpuUs()) - before;
	const requests = Number(/(\d+) requests in/.exec(text)?.[1]);
	if (/Non-2xx/.test(text) && !name.endsWith('304')) throw new Error(`Expected only good answers of ${url}, got:\n${text}`);
	return { perSecond: Number(/Requests\/sec:\s+([\d.]+)/.exec(text)?.[1]), p99: /99%\s+([\d.]+\w+)/.exec(text)?.[1] ?? '', cpuUsPerRequest: spent / requests };
}

async function startRival(kind: 'api' | 'bare'): Promise<Rival> {
	const child = fork(fileURLToPath(import.meta.url), ['--serve', kind]);
	const [{ url }] = (await once(child, 'message')) as [Listening];
	const cpuUs = async () => {
		child.send('cpu');
		const [usage] = (await once(child, 'message')) as [NodeJS.CpuUsage];
		return usage.user + usage.system;
	};
	return {
		url,
		publish: () => void child.send('publish'),
		async delays() {
			child.send('delay');
			return ((await once(child, 'message')) as [number[]])[0];
		},
		measure: (name, path, headers, seconds) => measure(url + path, cpuUs, name, headers, seconds),
		async stop() {
			child.disconnect();
			await once(child, 'exit');
		},
	};
}

/** Opens readers of events in a process of their own, which works when nobody else wants to: what they do elsewhere is no cost of the server. Resolves when each has all of the first snapshot, and a change after it. */
async function readEvents(url: string): Promise<void> {
	setPriority(constants.priority.PRIORITY_LOW);
	await Promise.all(
		Array.from(
			{ length: readers },
			() =>
				new Promise<void>((resolve, reject) => {
					const isChange = (chunk: Buffer) => {
						if (chunk.includes('event: delta')) resolve();
					};
					get(`${url}/v1/health/events`, (res) => res.on('data', isChange)).on('error', reject);
				}),
		),
	);
	process.on('disconnect', () => process.exit(0));
	process.send?.('open');
}

/**
 * Requests at an even pace, each timed from when it was due, so that a server that stands still is charged with all that had to wait.
 * Far below what it can serve: at full load whatever is done besides shows, readers or not.
 */
async function pace(url: string, headers: Readonly<Record<string, string>>, seconds: number): Promise<void> {
	const agent = new Agent({ keepAlive: true, maxSockets: connections });
	const tookMs: number[] = [];
	const startedMs = performance.now();
	let [sent, done] = [0, 0];
	await new Promise<void>((resolve, reject) => {
		const timer = setInterval(() => {
			for (; sent < ((performance.now() - startedMs) / 1_000) * pacedPerSecond && sent < seconds * pacedPerSecond; sent++) {
				const dueMs = startedMs + (sent / pacedPerSecond) * 1_000;
				get(url, { agent, headers }, (res) => {
					res.resume().on('end', () => {
						tookMs.push(performance.now() - dueMs);
						if (++done < seconds * pacedPerSecond) return;
						clearInterval(timer);
						resolve();
					});
				}).on('error', reject);
			}
		}, 1);
	});
	agent.destroy();
	tookMs.sort((a, b) => a - b);
	process.send?.([0.5, 0.99, 0.999].map((q) => tookMs[Math.floor(q * tookMs.length)]?.toFixed(1)));
	process.disconnect();
}

async function measurePaced(url: string, headers: Readonly<Record<string, string>>, seconds: number): Promise<string> {
	const child = fork(fileURLToPath(import.meta.url), ['--pace', url, JSON.stringify(headers), String(seconds)]);
	const [found] = (await once(child, 'message')) as [string[]];
	return found.join(' / ');
}

async function compareWithEvents(api: Rival, seconds: number): Promise<void> {
	const asked = [cases[1], cases[6]];
	api.publish();
	const rows = [...asked.map(([answer]) => answer), 'the server’s loop'].map((answer) => ({ answer, alone: [] as string[], 'beside readers': [] as string[] }));
	const measureAll = async (column: 'alone' | 'beside readers') => {
		await api.delays();
		for (const [i, [, path, headers]] of asked.entries()) rows[i]?.[column].push(await measurePaced(api.url + path, headers, seconds));
		rows.at(-1)?.[column].push((await api.delays()).map((ms) => ms.toFixed(1)).join(' / '));
	};
	for (let round = 0; round < rounds; round++) {
		await measureAll('alone');
		const crowd = fork(fileURLToPath(import.meta.url), ['--read', api.url]);
		await once(crowd, 'message');
		await measureAll('beside readers');
		crowd.disconnect();
		await once(crowd, 'exit');
	}
	console.log(
		`\n${pacedPerSecond} requests a second and a new snapshot every second, alone and beside ${readers} readers of events: ms at p50 / p99 / p99.9, in turns`,
	);
	console.table(rows.map((row) => ({ ...row, alone: row.alone.join(', '), 'beside readers': row['beside readers'].join(', ') })));
}

if (process.argv[2] === '--serve') await serveChild(process.argv[3] ?? '');
else if (process.argv[2] === '--read') await readEvents(process.argv[3] ?? '');
else if (process.argv[2] === '--pace') await pace(process.argv[3] ?? '', JSON.parse(process.argv[4] ?? '{}'), Number(process.argv[5]));
else {
	const seconds = Number(process.argv[2] ?? 3);
	const api = await startRival('api');
	const bare = await startRival('bare');
	const files = new Map<string, string>();
	for (const [, path, , file] of cases) if (file !== null && !files.has(file)) files.set(file, await (await fetch(api.url + path)).text());
	const nginx = await startNginx(files);
	if (nginx === null) console.error('nginx is not installed: its column is MISSING (apt-get install nginx-light)');
	const rows = [];
	for (const [name, path, headers, file] of cases) {
		const all: { own: Measured[]; other: Measured[]; third: Measured[] } = { own: [], other: [], third: [] };
		// In turns, so that a neighbour's load falls on all; the first round warms up.
		for (let round = 0; round <= rounds; round++) {
			const own = await api.measure(name, path, headers, seconds / rounds);
			const other = await bare.measure(name, path, headers, seconds / rounds);
			const third = nginx === null || file === null ? null : await measure(`${nginx.url}/${file}.json`, nginx.cpuUs, name, headers, seconds / rounds);
			if (round === 0) continue;
			all.own.push(own);
			all.other.push(other);
			if (third !== null) all.third.push(third);
		}
		const [own, other, third] = [summed(all.own), summed(all.other), all.third.length === 0 ? null : summed(all.third)];
		rows.push({
			answer: name,
			'API req/s': Math.round(own.perSecond),
			'bare req/s': Math.round(other.perSecond),
			'of bare per CPU': (other.cpuUsPerRequest / own.cpuUsPerRequest).toFixed(2),
			'of bare': (own.perSecond / other.perSecond).toFixed(2),
			'nginx req/s': third === null ? '' : Math.round(third.perSecond),
			'of nginx per CPU': third === null ? '' : (third.cpuUsPerRequest / own.cpuUsPerRequest).toFixed(2),
			'API p99': own.p99,
			'bare p99': other.p99,
			'API CPU µs': own.cpuUsPerRequest.toFixed(0),
			'bare CPU µs': other.cpuUsPerRequest.toFixed(0),
			'nginx CPU µs': third === null ? '' : third.cpuUsPerRequest.toFixed(0),
		});
	}
	console.log(
		`Load average ${loadavg()
			.map((load) => load.toFixed(1))
			.join(' ')}, ${availableParallelism()} cores`,
	);
	console.table(rows);
	await bare.stop();
	await nginx?.stop();
	await compareWithEvents(api, seconds);
	await api.stop();
}
