import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Snapshot } from '#core/snapshot.ts';
import { packSnapshot } from '#db/snapshots.ts';
import { renderSite } from '#status-page/render-site.ts';
import { writeSite } from '#status-page/write-site.ts';
import { sampleNow, sampleSnapshot } from '#test/sample-snapshot.ts';
import { keepSite, type SiteKeeper } from './keep-site.ts';
import { openSiteWriter } from './write-site-apart.ts';

const snapshot = sampleSnapshot({ providers: 2, modelsPerProvider: 2 });
let dir: string;
let clock: { now: number };
let timers: { run: () => void; at: number }[];
let keeper: SiteKeeper;
const overview = () => readFile(join(dir, 'index.html'), 'utf8');
const staleMark = /<html[^>]* data-stale/;

beforeEach(async () => {
	dir = await mkdtemp(join(tmpdir(), 'linnet-site-'));
	clock = { now: sampleNow };
	timers = [];
	keeper = keepSite({
		write: (rendered, now) => writeSite(renderSite(rendered, { now }), dir),
		now: () => clock.now,
		later: (run, afterMs) => {
			const timer = { run, at: clock.now + afterMs };
			timers.push(timer);
			return () => timers.splice(timers.indexOf(timer), 1);
		},
		onError: (error) => {
			throw error;
		},
	});
});
afterEach(async () => {
	await rm(dir, { recursive: true });
});

async function take(taken: Snapshot): Promise<void> {
	keeper.take(taken);
	await keeper.settled();
}

/** The next timer runs at its time. */
function ring(): void {
	const [timer] = timers.splice(0, 1);
	if (timer === undefined) throw new Error('Expected a timer');
	clock.now = timer.at;
	timer.run();
}

test('when the deadline passes without another snapshot the page on disk says unknown, once, and heals with the next', async () => {
	await take(snapshot);
	expect(await overview()).not.toMatch(staleMark);
	ring();
	expect(clock.now).toBeGreaterThan(Date.parse(snapshot.staleAfter));
	expect(timers).toEqual([]);
	await keeper.settled();
	expect(await overview()).toMatch(staleMark);
	await take({ ...snapshot, staleAfter: new Date(clock.now + 60_000).toISOString() });
	expect(await overview()).not.toMatch(staleMark);
});

test('each snapshot moves the deadline; a closed keeper renders no more', async () => {
	await take(snapshot);
	await take({ ...snapshot, staleAfter: new Date(sampleNow + 75_000).toISOString() });
	expect(timers.map(({ at }) => at - sampleNow)).toEqual([75_001]);
	keeper.close();
	expect(timers).toEqual([]);
});

test('the same verdicts are not rendered again until the page is old', async () => {
	await take(snapshot);
	await rm(join(dir, 'index.html'));
	clock.now += 12_500;
	await take(snapshot);
	await expect(overview()).rejects.toThrow('ENOENT');
	clock.now += 1;
	await take(snapshot);
	expect(await overview()).toContain('data-generated');
});

test('a page that takes long is rendered more seldom, and a changed verdict waits as long as the last rendering took', async () => {
	let count = 0;
	const own = keepSite({
		write: async () => {
			count += 1;
			clock.now += 9_000;
		},
		now: () => clock.now,
		later: (run, afterMs) => {
			timers.push({ run, at: clock.now + afterMs });
			return () => {};
		},
		onError: () => {},
	});
	own.take(snapshot);
	await own.settled();
	clock.now += 9_000;
	own.take(snapshot);
	await own.settled();
	expect(count).toBe(1);
	clock.now += 1_001;
	own.take(snapshot);
	await own.settled();
	expect(count).toBe(2);
	timers = [];
	own.take({ ...snapshot, staleAfter: new Date(sampleNow).toISOString(), verdictRevision: 'changed' });
	expect(timers.map(({ at }) => at - clock.now)).toEqual([9_000]);
	ring();
	await own.settled();
	expect(count).toBe(3);
});

test('of snapshots that come while one is rendered only the newest is rendered next', async () => {
	for (const revision of ['a', 'b', 'c']) keeper.take({ ...snapshot, verdictRevision: revision });
	await keeper.settled();
	expect(await overview()).toContain('data-revision="c"');
});

test('a write that fails is told, and the next snapshot is rendered though nothing changed', async () => {
	const problems: unknown[] = [];
	let fails = true;
	const own = keepSite({
		write: async (rendered, now) => {
			if (fails) throw new Error('disk full');
			await writeSite(renderSite(rendered, { now }), dir);
		},
		now: () => clock.now,
		later: () => () => {},
		onError: (error) => problems.push(error),
	});
	own.take(snapshot);
	await own.settled();
	fails = false;
	own.take(snapshot);
	await own.settled();
	expect(problems.map(String)).toEqual(['Error: disk full']);
	expect(await overview()).toContain('data-generated');
});

test('a process of its own writes the site, tells when the disk refuses, and goes on', async () => {
	const blocked = openSiteWriter('/dev/null/site', null);
	await expect(blocked.write(packSnapshot(JSON.stringify(snapshot)), clock.now)).rejects.toThrow('ENOTDIR');
	await expect(blocked.write(Buffer.from('no JSON'), clock.now)).rejects.toThrow('SyntaxError');
	await blocked.close();
	const writer = openSiteWriter(dir, null);
	await writer.write(packSnapshot(JSON.stringify(snapshot)), clock.now);
	expect(await overview()).toContain('data-generated');
	const cutOff = writer.write(packSnapshot(JSON.stringify(snapshot)), clock.now);
	await Promise.all([expect(cutOff).rejects.toThrow('SIGKILL'), writer.close()]);
	await writer.write(packSnapshot(JSON.stringify(snapshot)), clock.now);
	await writer.close();
});
