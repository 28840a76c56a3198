import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Snapshot } from '#core/snapshot.ts';
import { sampleNow, sampleSnapshot } from '#test/sample-snapshot.ts';
import { type SampleServer, serveSample } from '#test/serve-sample.ts';

const base = sampleSnapshot({ providers: 2, modelsPerProvider: 8, hostile: false });
let server: SampleServer;
beforeEach(async () => {
	server = await serveSample();
});
afterEach(() => server.close());

/** The n-th snapshot; the target at `down` is in an outage. */
function nth(n: number, down: number | null = null): Snapshot {
	const targets = base.targets.map((target, index) => (index === down ? { ...target, state: 'major_outage' as const, reason: `outage ${n}` } : target));
	return { ...base, number: base.number + n, generatedAt: new Date(sampleNow + n * 15_000).toISOString(), targets };
}

interface Received {
	readonly id: string;
	readonly event: string;
	readonly data: { snapshot: number; staleAfter: string; targets: Record<string, { state: string } | null> };
}

async function open(lastId?: string): Promise<{ next(): Promise<Received>; stop(): Promise<void> }> {
	const control = new AbortController();
	const headers = lastId === undefined ? {} : { 'Last-Event-ID': lastId };
	const response = await fetch(`${server.url}/v1/health/events`, { signal: control.signal, headers });
	expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
	const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
	let text = '';
	return {
		async next() {
			for (;;) {
				const end = text.indexOf('\n\n');
				if (end === -1) {
					const chunk = await reader?.read();
					if (chunk === undefined || chunk.done) throw new Error('Expected an event, got the end');
					text += chunk.value;
					continue;
				}
				const block = text.slice(0, end);
				text = text.slice(end + 2);
				const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1];
				const data = field('data');
				if (data !== undefined) return { id: field('id') ?? '', event: field('event') ?? '', data: JSON.parse(data) };
			}
		},
		async stop() {
			control.abort();
			await reader?.cancel().catch(() => {});
		},
	};
}

test('a new reader gets everything, then only what changed', async () => {
	server.snapshots.put(nth(0));
	const stream = await open();
	const first = await stream.next();
	expect([first.event, Object.keys(first.data.targets).length]).toEqual(['snapshot', 16]);
	server.snapshots.put(nth(1, 6));
	const second = await stream.next();
	expect([second.event, second.data.targets]).toEqual([
		'delta',
		{ [base.targets[6]?.id ?? '']: { state: 'major_outage', reason: 'outage 1', since: base.targets[6]?.since } },
	]);
	server.snapshots.put(nth(2, 6));
	server.snapshots.put({ ...nth(3, 6), targets: nth(2, 6).targets.slice(1) });
	expect(Object.keys((await stream.next()).data.targets)).toEqual([base.targets[6]?.id]);
	expect((await stream.next()).data.targets).toEqual({ [base.targets[0]?.id ?? '']: null });
	await stream.stop();
});

test('a reader that was cut off gets what it missed, once and in order', async () => {
	server.snapshots.put(nth(0));
	const before = await open();
	const { id } = await before.next();
	await before.stop();
	for (const n of [1, 2, 3]) server.snapshots.put(nth(n, n));
	const after = await open(id);
	const received = [await after.next(), await after.next(), await after.next()];
	expect(received.map(({ event, data }) => [event, data.snapshot - base.number])).toEqual([
		['delta', 1],
		['delta', 2],
		['delta', 3],
	]);
	await after.stop();
	const upToDate = await open(received[2]?.id);
	server.snapshots.put(nth(4));
	expect((await upToDate.next()).data.snapshot - base.number).toBe(4);
	await upToDate.stop();
});

test.each(['nonsense', '1-1', ''])('a reader with an id that nobody knows (%j) gets everything', async (id) => {
	server.snapshots.put(nth(0));
	const stream = await open(id);
	expect((await stream.next()).event).toBe('snapshot');
	await stream.stop();
});

test('a reader that came before the first snapshot gets it when it is there', async () => {
	const stream = await open();
	server.snapshots.put(nth(0));
	expect((await stream.next()).event).toBe('snapshot');
	await stream.stop();
});

test('replaying the events gives the verdicts of the last snapshot, however they changed', async () => {
	server.snapshots.put(nth(0));
	const stream = await open();
	const held = new Map(Object.entries((await stream.next()).data.targets));
	const plan = [3, null, 7, 7, 2, null, 15];
	for (const [index, down] of plan.entries()) server.snapshots.put(nth(index + 1, down));
	for (const _ of plan) {
		for (const [id, verdict] of Object.entries((await stream.next()).data.targets)) held.set(id, verdict);
	}
	const verdicts = (await (await fetch(`${server.url}/v1/verdicts`)).json()) as { targets: Record<string, { state: string }> };
	expect(Object.fromEntries(held)).toEqual(verdicts.targets);
	await stream.stop();
});

test('a server that stops ends its streams instead of waiting for them', async () => {
	const own = await serveSample();
	const response = await fetch(`${own.url}/v1/health/events`);
	const ended = response.text();
	await own.close();
	expect(await ended).toContain('retry: 3000');
});
