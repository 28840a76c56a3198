/**
 * What serving costs: requests a second of the API against a bare node:http server that sends the same bytes. Prints a table of ratios.
 * `node bench/api.ts [seconds]`; needs `wrk`. Servers and load share the machine's cores, so read the ratios, not the figures.
 */
import { execFile, fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { sampleNow, sampleSnapshot } from '#test/sample-snapshot.ts';
import { serveSample } from '#test/serve-sample.ts';

const run = promisify(execFile);
const connections = 64;

interface Listening {
	readonly url: string;
}

interface Measured {
	readonly perSecond: number;
	readonly p99: string;
	/** CPU of the server's own process. */
	readonly cpuUsPerRequest: number;
}

const cases = [
	['verdicts, 200', '/v1/verdicts', {}],
	['verdicts, 304', '/v1/verdicts', { 'If-None-Match': '*' }],
	['health, brotli', '/v1/health', { 'Accept-Encoding': 'br' }],
	['health, plain', '/v1/health', { 'Accept-Encoding': 'identity' }],
	['check', `/check/${encodeURIComponent('openai:meta-llama/llama-3.3-70b-instruct:chat')}`, {}],
	['overview, brotli', '/', { 'Accept-Encoding': 'br' }],
] as const satisfies readonly (readonly [string, string, Readonly<Record<string, string>>])[];

/** A child's part: the API, or a server that knows each answer beforehand and nothing else. */
async function serveChild(kind: string): Promise<void> {
	const api = await serveSample({ now: () => sampleNow });
	await api.publish(sampleSnapshot({ providers: 20, modelsPerProvider: 8 }));
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
	process.on('message', () => process.send?.(process.cpuUsage()));
	process.on('disconnect', () => process.exit(0));
	process.send?.({ url } satisfies Listening);
}

interface Rival {
	measure(name: string, path: string, headers: Readonly<Record<string, string>>, seconds: number): Promise<Measured>;
	stop(): Promise<void>;
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
		async measure(name, path, headers, seconds) {
			const load = async (duration: number) => {
				const fields = Object.entries({ 'X-Case': name, ...headers }).flatMap(([key, value]) => ['-H', `${key}: ${value}`]);
				return (await run('wrk', ['-t1', `-c${connections}`, `-d${duration}s`, '--latency', ...fields, url + path])).stdout;
			};
			await load(1);
			const before = await cpuUs();
			const text = await load(seconds);
			const spent = (await cpuUs()) - before;
			const requests = Number(/(\d+) requests in/.exec(text)?.[1]);
			return { perSecond: Number(/Requests\/sec:\s+([\d.]+)/.exec(text)?.[1]), p99: /99%\s+(\S+)/.exec(text)?.[1] ?? '', cpuUsPerRequest: spent / requests };
		},
		async stop() {
			child.disconnect();
			await once(child, 'exit');
		},
	};
}

if (process.argv[2] === '--serve') await serveChild(process.argv[3] ?? '');
else {
	const seconds = Number(process.argv[2] ?? 3);
	const api = await startRival('api');
	const bare = await startRival('bare');
	const rows = [];
	// Case by case and one after the other, so that a neighbour's load falls on both.
	for (const [name, path, headers] of cases) {
		const own = await api.measure(name, path, headers, seconds);
		const other = await bare.measure(name, path, headers, seconds);
		rows.push({
			answer: name,
			'API req/s': Math.round(own.perSecond),
			'bare req/s': Math.round(other.perSecond),
			'of bare': (own.perSecond / other.perSecond).toFixed(2),
			'API p99': own.p99,
			'API CPU µs': own.cpuUsPerRequest.toFixed(0),
			'bare CPU µs': other.cpuUsPerRequest.toFixed(0),
		});
	}
	await api.stop();
	await bare.stop();
	console.table(rows);
}
