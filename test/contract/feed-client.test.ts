/** The library that a router embeds, on real sockets: right with a good feed, harmless with any other. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { createSigner, makeSigningKey } from '#api/sign-feed.ts';
import { type Change, createHealthClient, type HealthClient, type HealthClientOptions } from '#client/health-client.ts';
import type { State } from '#core/state.ts';
import { sampleSnapshot } from '#test/sample-snapshot.ts';
import { serveSample } from '#test/serve-sample.ts';

const model = 'meta/llama';
const [a, b, c] = ['one:meta/llama:chat', 'two:meta/llama:chat', 'three:meta/llama:chat'];
const made = Date.UTC(2026, 10, 23, 12);

const closers: (() => Promise<void> | void)[] = [];
afterEach(async () => {
	for (const close of closers.splice(0).reverse()) await close();
});

type Answer = (req: IncomingMessage, res: ServerResponse) => void;

interface Feed {
	readonly url: string;
	answer: Answer;
	/** Resolves when `count` more requests came: all polls before the last of them are done with then. */
	polls(count: number): Promise<void>;
}

async function serveFeed(answer: Answer): Promise<Feed> {
	const waiting: { left: number; done: () => void }[] = [];
	const feed = {
		url: '',
		answer,
		polls: (count: number) => new Promise<void>((done) => waiting.push({ left: count, done })),
	};
	const server = createServer((req, res) => {
		for (const one of waiting) if (--one.left === 0) one.done();
		feed.answer(req, res);
	});
	await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
	feed.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
	closers.push(() => {
		server.closeAllConnections();
		return new Promise<void>((done) => server.close(() => done()));
	});
	return feed;
}

const bodyOf = (states: Record<string, State>) =>
	JSON.stringify({
		schema: 'linnet.verdicts/1',
		simulated: false,
		targets: Object.fromEntries(Object.entries(states).map(([id, state]) => [id, { state, reason: 'measured', since: '2026-11-23T11:00:00.000Z' }])),
	});

function freshHeaders(generatedAt = made, lifeMs = 60_000): Record<string, string> {
	return {
		'Linnet-Generated-At': new Date(generatedAt).toISOString(),
		'Linnet-Stale-After': new Date(generatedAt + lifeMs).toISOString(),
		Date: new Date(generatedAt).toUTCString(),
	};
}

const verdicts =
	(states: Record<string, State>, generatedAt = made, lifeMs = 60_000): Answer =>
	(_req, res) =>
		res.writeHead(200, freshHeaders(generatedAt, lifeMs)).end(bodyOf(states));

const mixed = verdicts({ [a]: 'major_outage', [b]: 'operational', [c]: 'degraded_performance' });

interface Started {
	readonly client: HealthClient;
	readonly clock: { ms: number };
	readonly errors: readonly unknown[];
	/** Resolves when `count` more polls have failed. */
	failed(count: number): Promise<void>;
	/** Resolves with the next changes. */
	changes(): Promise<readonly Change[]>;
}

/** A client with a clock of its own that polls at once. */
function start(options: Partial<HealthClientOptions> & { url: string }): Started {
	const clock = { ms: 1_000 };
	const errors: unknown[] = [];
	const waiting: { at: number; done: () => void }[] = [];
	const onError = (error: unknown) => {
		errors.push(error);
		for (const one of waiting) if (errors.length >= one.at) one.done();
	};
	const client = createHealthClient({ pollMs: 2, now: () => clock.ms, onError, ...options });
	closers.push(() => client.close());
	return {
		client,
		clock,
		errors,
		failed: (count) => new Promise((done) => waiting.push({ at: errors.length + count, done })),
		changes: () =>
			new Promise((resolve) => {
				const end = client.onChange((changes) => {
					end();
					resolve(changes);
				});
			}),
	};
}

describe('with a fresh feed', () => {
	test('it ranks by state, keeps your order among equals, and leaves only a confirmed outage', async () => {
		const feed = await serveFeed(mixed);
		const { client } = start({ url: feed.url });
		await client.ready;
		expect(client.rank(model)).toEqual([b, c, a]);
		expect(client.rank(model, [c, a, b, 'four:meta/llama:chat'])).toEqual([b, c, 'four:meta/llama:chat', a]);
		expect([a, b, c, 'nobody:x:chat'].map((id) => client.isHealthy(id))).toEqual([false, true, true, true]);
		expect(client.state(a)).toEqual({ state: 'major_outage', reason: 'measured', since: '2026-11-23T11:00:00.000Z' });
		expect(client.rank('__proto__')).toEqual([]);
		expect(client.state('constructor').state).toBe('unknown');
	});

	test('it asks with the ETag, and a 304 with a new making keeps the verdicts fresh', async () => {
		const feed = await serveFeed((_req, res) => res.writeHead(200, { ...freshHeaders(), ETag: '"x"' }).end(bodyOf({ [a]: 'major_outage' })));
		const { client, clock } = start({ url: feed.url });
		await client.ready;
		const seen: (string | undefined)[] = [];
		feed.answer = (req, res) => {
			seen.push(req.headers['if-none-match']);
			res.writeHead(304, { ...freshHeaders(made + 50_000), ETag: '"x"' }).end();
		};
		clock.ms += 50_000;
		await feed.polls(3);
		expect(new Set(seen)).toEqual(new Set(['"x"']));
		clock.ms += 59_000;
		expect(client.isHealthy(a)).toBe(false);
		clock.ms += 2_000;
		expect(client.isHealthy(a)).toBe(true);
	});

	test('listeners hear each change once, one that throws harms nobody, and who left hears nothing', async () => {
		const feed = await serveFeed(mixed);
		const { client, errors } = start({ url: feed.url });
		const heard: Change[][] = [];
		client.onChange(() => {
			throw new Error('listener');
		});
		client.onChange((changes) => heard.push([...changes]));
		client.onChange(() => heard.push([]))();
		await client.ready;
		await feed.polls(2);
		expect(heard.map((changes) => changes.map(({ id, previous, state }) => [id, previous, state]))).toEqual([
			[
				[a, 'unknown', 'major_outage'],
				[b, 'unknown', 'operational'],
				[c, 'unknown', 'degraded_performance'],
			],
		]);
		expect(errors.map(String)).toEqual(['Error: listener']);
		feed.answer = verdicts({ [a]: 'operational', [b]: 'operational' }, made + 1_000);
		await feed.polls(3);
		expect(heard[1]?.map(({ id, previous, state }) => [id, previous, state])).toEqual([
			[a, 'major_outage', 'operational'],
			[c, 'degraded_performance', 'unknown'],
		]);
		expect(heard).toHaveLength(2);
	});

	test('it reads the full feed too, and prefers the quicker of two that are well', async () => {
		const server = await serveSample({ now: Date.now });
		closers.push(() => server.close());
		const snapshot = sampleSnapshot({ providers: 6, modelsPerProvider: 6, hostile: false, now: Date.now() });
		await server.publish(snapshot);
		const { client } = start({ url: `${server.url}/v1/health` });
		await client.ready;
		const one = snapshot.targets[0]?.model ?? '';
		const members = snapshot.targets.filter((target) => target.model === one);
		const ranked = client.rank(one);
		expect([...ranked].sort()).toEqual(members.map((target) => target.id).sort());
		const well = ranked.flatMap((id) => members.find((target) => target.id === id && target.state === 'operational')?.ttftMs?.p95 ?? []);
		expect(well).toEqual([...well].sort((x, y) => x - y));
	});
});

const failures: Record<string, Answer> = {
	'hangs before headers': () => {},
	'hangs in the body': (_req, res) => void res.writeHead(200, freshHeaders(made + 1)).write('{"schema":'),
	'cuts the connection': (_req, res) => void res.socket?.destroy(),
	'answers 500': (_req, res) => void res.writeHead(500).end('oops'),
	'answers nothing': (_req, res) => void res.writeHead(200, freshHeaders(made + 1)).end(),
	'answers garbage': (_req, res) => void res.writeHead(200, freshHeaders(made + 1)).end('<html>502</html>'),
	'answers null': (_req, res) => void res.writeHead(200, freshHeaders(made + 1)).end('null'),
	'answers another document': (_req, res) => void res.writeHead(200, freshHeaders(made + 1)).end('{"schema":"other/1","targets":{}}'),
	'answers a list for targets': (_req, res) => void res.writeHead(200, freshHeaders(made + 1)).end('{"schema":"linnet.verdicts/1","targets":[]}'),
	'answers one odd entry': (_req, res) =>
		void res
			.writeHead(200, freshHeaders(made + 1))
			.end(JSON.stringify({ schema: 'linnet.verdicts/1', targets: { [b]: { state: 'major_outage', reason: 'x' }, [c]: null } })),
	'does not say how fresh': (_req, res) => void res.writeHead(200).end(bodyOf({ [b]: 'major_outage' })),
	'says a deadline that is none': (_req, res) =>
		void res.writeHead(200, { 'Linnet-Generated-At': 'soon', 'Linnet-Stale-After': 'later' }).end(bodyOf({ [b]: 'major_outage' })),
	'answers 304 to nobody': (_req, res) => void res.writeHead(304).end(),
	'sends an older document': verdicts({ [b]: 'major_outage' }, made - 5_000),
	'redirects in circles': (req, res) => void res.writeHead(302, { Location: req.url }).end(),
};

describe('whatever the API does', () => {
	test.each(Object.keys(failures))('it %s: the last verdicts hold until their deadline, then everything is healthy and nothing is dropped', async (name) => {
		const feed = await serveFeed(mixed);
		const { client, clock, failed, changes } = start({ url: feed.url, timeoutMs: name.startsWith('hangs') ? 300 : 5_000 });
		await changes();
		feed.answer = failures[name] as Answer;
		await failed(2);
		expect(client.rank(model)).toEqual([b, c, a]);
		expect(client.isHealthy(a)).toBe(false);
		clock.ms += 60_001;
		expect(client.rank(model)).toEqual([a, b, c]);
		expect([a, b, c].map((id) => client.isHealthy(id))).toEqual([true, true, true]);
		expect(client.state(a).state).toBe('unknown');
		const healed = changes();
		feed.answer = verdicts({ [a]: 'operational', [b]: 'major_outage' }, made + 90_000);
		await healed;
		expect(client.isHealthy(b)).toBe(false);
	});

	test.each(Object.keys(failures).filter((name) => name !== 'sends an older document'))('it %s from the start: your order stands', async (name) => {
		const feed = await serveFeed(failures[name] as Answer);
		const { client } = start({ url: feed.url, targets: [b, a], timeoutMs: name.startsWith('hangs') ? 60 : 5_000 });
		expect(client.rank(model)).toEqual([b, a]);
		await client.ready;
		expect(client.rank(model)).toEqual([b, a]);
		expect(client.rank(model, [c, a])).toEqual([c, a]);
		expect(client.isHealthy(b)).toBe(true);
	});

	test('nobody listens there, or the address is none', async () => {
		for (const url of ['http://127.0.0.1:1', 'no address']) {
			const { client, errors } = start({ url, targets: [a] });
			await client.ready;
			expect([client.rank(model), client.isHealthy(a), errors.length]).toEqual([[a], true, 1]);
		}
	});

	test('a fetch that heeds no abort does not stop the polling', async () => {
		let calls = 0;
		const twice = Promise.withResolvers<void>();
		const { client } = start({
			url: 'http://127.0.0.1:1',
			timeoutMs: 60,
			fetch: () => {
				if (++calls === 2) twice.resolve();
				return new Promise<Response>(() => {});
			},
		});
		await Promise.all([client.ready, twice.promise]);
		expect(client.rank(model, [a])).toEqual([a]);
	});

	test('a body without end is given up', async () => {
		const feed = await serveFeed((_req, res) => {
			res.writeHead(200, freshHeaders());
			const pump = () => {
				while (!res.destroyed && res.write('x'.repeat(65_536)));
			};
			res.on('drain', pump);
			pump();
		});
		const { client } = start({ url: feed.url, targets: [a], timeoutMs: 20_000, pollMs: 1_000_000 });
		await client.ready;
		expect(client.rank(model)).toEqual([a]);
	});
});

describe('age is counted on the own clock', () => {
	test.each([
		['a year behind', -31_536_000_000],
		['a year ahead', 31_536_000_000],
	])('the server’s clock stands %s', async (_name, offset) => {
		const feed = await serveFeed(verdicts({ [a]: 'major_outage' }, made + offset));
		const { client, clock } = start({ url: feed.url });
		await client.ready;
		clock.ms += 59_000;
		expect(client.isHealthy(a)).toBe(false);
		clock.ms += 1_001;
		expect(client.isHealthy(a)).toBe(true);
	});

	test('time that the document spent elsewhere counts', async () => {
		const feed = await serveFeed((_req, res) =>
			res.writeHead(200, { ...freshHeaders(), Date: new Date(made + 20_000).toUTCString(), Age: '30' }).end(bodyOf({ [a]: 'major_outage' })),
		);
		const { client, clock } = start({ url: feed.url });
		await client.ready;
		clock.ms += 9_999;
		expect(client.isHealthy(a)).toBe(false);
		clock.ms += 2;
		expect(client.isHealthy(a)).toBe(true);
	});

	test('a publisher that died looks dead on time, however often its last document is served', async () => {
		const feed = await serveFeed(mixed);
		const { client, clock } = start({ url: feed.url });
		await client.ready;
		clock.ms += 60_001;
		await feed.polls(3);
		expect(client.isHealthy(a)).toBe(true);
	});

	test('listeners are told when knowledge becomes too old', async () => {
		const feed = await serveFeed(verdicts({ [a]: 'major_outage' }, made, 1_500));
		const { client, changes } = start({ url: feed.url, now: () => performance.now() });
		await client.ready;
		expect((await changes()).map(({ id, previous, state }) => [id, previous, state])).toEqual([[a, 'major_outage', 'unknown']]);
	});
});

describe('with a public key', () => {
	const signer = createSigner(makeSigningKey());

	test('what the key signed is believed, also after a 304', async () => {
		const server = await serveSample({ signer, now: Date.now });
		closers.push(() => server.close());
		const snapshot = sampleSnapshot({ providers: 6, hostile: false, now: Date.now() });
		await server.publish(snapshot);
		const { client, errors, changes } = start({ url: server.url, publicKey: signer.publicKey });
		await client.ready;
		const down = snapshot.targets.find((target) => target.state === 'major_outage')?.id ?? '';
		expect([errors, client.isHealthy(down)]).toEqual([[], false]);
		server.snapshots.put({
			...snapshot,
			number: snapshot.number + 1,
			targets: snapshot.targets.map((target) => (target.id === down ? { ...target, state: 'operational' } : target)),
			generatedAt: new Date(Date.parse(snapshot.generatedAt) + 1).toISOString(),
		});
		expect((await changes()).map(({ id, state }) => [id, state])).toEqual([[down, 'operational']]);
		expect(errors).toEqual([]);
	});

	const body = bodyOf({ [a]: 'major_outage' });
	const headers = freshHeaders();
	const freshness = { generatedAt: headers['Linnet-Generated-At'] ?? '', staleAfter: headers['Linnet-Stale-After'] ?? '' };
	test.each([
		['no signature', {}],
		['another key', { 'Linnet-Signature': createSigner(makeSigningKey()).sign(freshness, Buffer.from(body)) }],
		['another body', { 'Linnet-Signature': signer.sign(freshness, Buffer.from(`${body} `)) }],
		['a later deadline', { 'Linnet-Signature': signer.sign(freshness, Buffer.from(body)), 'Linnet-Stale-After': new Date(made + 90_000).toISOString() }],
		['no base64', { 'Linnet-Signature': '%%%' }],
	])('%s: it is as if nothing had come', async (_name, changed: Record<string, string>) => {
		const feed = await serveFeed((_req, res) => res.writeHead(200, { ...headers, ...changed }).end(body));
		const { client, errors } = start({ url: feed.url, publicKey: signer.publicKey, targets: [a] });
		await client.ready;
		expect([errors.length, client.isHealthy(a), client.rank(model)]).toEqual([1, true, [a]]);
	});

	test('an old document that somebody kept is not believed again, even when ours is too old', async () => {
		const sign =
			(text: string, generatedAt: number): Answer =>
			(_req, res) => {
				const fresh = freshHeaders(generatedAt);
				const signature = signer.sign({ generatedAt: fresh['Linnet-Generated-At'] ?? '', staleAfter: fresh['Linnet-Stale-After'] ?? '' }, Buffer.from(text));
				res.writeHead(200, { ...fresh, 'Linnet-Signature': signature }).end(text);
			};
		const feed = await serveFeed(sign(bodyOf({ [a]: 'operational' }), made));
		const { client, clock, failed } = start({ url: feed.url, publicKey: signer.publicKey });
		await client.ready;
		feed.answer = sign(bodyOf({ [a]: 'major_outage' }), made - 1_000);
		clock.ms += 100_000;
		await failed(2);
		expect(client.isHealthy(a)).toBe(true);
	});

	test('a static copy is read with the proof beside it', async () => {
		const feed = await serveFeed((req, res) => {
			if (req.url === '/verdicts.json') res.writeHead(200, { Date: new Date(made).toUTCString() }).end(body);
			else if (req.url === '/verdicts.json.sig') res.end(JSON.stringify({ ...freshness, signature: signer.sign(freshness, Buffer.from(body)) }));
			else res.writeHead(404).end();
		});
		const { client, clock } = start({ url: `${feed.url}/verdicts.json`, publicKey: signer.publicKey });
		await client.ready;
		expect(client.isHealthy(a)).toBe(false);
		clock.ms += 60_001;
		expect(client.isHealthy(a)).toBe(true);
	});
});

test('a closed client asks no more and still answers', async () => {
	const feed = await serveFeed(mixed);
	const { client } = start({ url: feed.url });
	await client.ready;
	client.close();
	let asked = 0;
	feed.answer = () => asked++;
	await new Promise((done) => setImmediate(done));
	expect([asked, client.isHealthy(a), client.rank(model).length]).toEqual([0, false, 3]);
});

describe('with a stream of events', () => {
	const idle = { pollMs: 3_600_000, events: true };

	test('a verdict is known as soon as the stream rings, without waiting for a poll', async () => {
		const own = await serveSample({ now: Date.now });
		closers.push(() => own.close());
		const before = sampleSnapshot({ number: 1, now: Date.now() });
		await own.publish(before);
		const target = before.targets.find(({ state }) => state === 'operational')?.id ?? '';
		const { client, changes } = start({ url: own.url, ...idle });
		await client.ready;
		expect(client.state(target).state).toBe('operational');
		const next = changes();
		await own.publish(sampleSnapshot({ number: 2, now: Date.now(), states: { [target]: 'major_outage' } }));
		expect((await next).find(({ id }) => id === target)).toMatchObject({ state: 'major_outage', previous: 'operational' });
		expect(client.isHealthy(target)).toBe(false);
	});

	test('a server without a stream is polled as ever', async () => {
		const feed = await serveFeed((req, res) => (req.url === '/v1/verdicts' ? mixed(req, res) : res.writeHead(404).end()));
		const { client, failed } = start({ url: feed.url, events: true });
		await failed(1);
		await feed.polls(3);
		expect(client.isHealthy(a)).toBe(false);
	});

	test('a stream that breaks is opened again where it stopped', async () => {
		const resumed: (string | undefined)[] = [];
		const feed = await serveFeed((req, res) => {
			if (req.url === '/v1/verdicts') return mixed(req, res);
			resumed.push(req.headers['last-event-id'] as string | undefined);
			res.writeHead(200, { 'Content-Type': 'text/event-stream' }).end(`id: 7-1\nevent: delta\ndata: {}\n\n`);
		});
		const { failed } = start({ url: feed.url, events: true });
		await failed(2);
		expect(resumed.slice(0, 2)).toEqual([undefined, '7-1']);
	});

	test('what the stream says is not believed: with a key only the signed document is', async () => {
		const lie = JSON.stringify({ schema: 'linnet.verdicts/1', targets: { [b]: { state: 'major_outage', reason: 'no', since: '' } } });
		const feed = await serveFeed((req, res) => {
			if (req.url === '/v1/verdicts') return mixed(req, res);
			res.writeHead(200, { 'Content-Type': 'text/event-stream' }).write(`id: 1-1\nevent: snapshot\ndata: ${lie}\n\n`);
		});
		const { client } = start({ url: feed.url, ...idle });
		await client.ready;
		await feed.polls(1);
		expect(client.isHealthy(b)).toBe(true);
	});
});
