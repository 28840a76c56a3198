import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { sampleNow, sampleSnapshot } from '#test/sample-snapshot.ts';
import { keepSite, type SiteKeeper } from './keep-site.ts';

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
		dir,
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
afterEach(() => rm(dir, { recursive: true }));

/** The next timer runs at its time. */
function ring(): void {
	const [timer] = timers.splice(0, 1);
	if (timer === undefined) throw new Error('Expected a timer');
	clock.now = timer.at;
	timer.run();
}

test('when the deadline passes without another snapshot the page on disk says unknown, once, and heals with the next', async () => {
	await keeper.take(snapshot);
	expect(await overview()).not.toMatch(staleMark);
	ring();
	expect(clock.now).toBeGreaterThan(Date.parse(snapshot.staleAfter));
	expect(timers).toEqual([]);
	// The next write waits for the one under way.
	await keeper.take({ ...snapshot, verdictRevision: 'later', staleAfter: new Date(sampleNow - 1).toISOString() });
	expect(await overview()).toMatch(staleMark);
	await keeper.take({ ...snapshot, staleAfter: new Date(clock.now + 60_000).toISOString() });
	expect(await overview()).not.toMatch(staleMark);
});

test('each snapshot moves the deadline; a closed keeper renders no more', async () => {
	await keeper.take(snapshot);
	await keeper.take({ ...snapshot, staleAfter: new Date(sampleNow + 75_000).toISOString() });
	expect(timers.map(({ at }) => at - sampleNow)).toEqual([75_001]);
	keeper.close();
	expect(timers).toEqual([]);
});

test('the same verdicts are not rendered again until the page is old', async () => {
	await keeper.take(snapshot);
	await rm(join(dir, 'index.html'));
	clock.now += 15_000;
	await keeper.take(snapshot);
	await expect(overview()).rejects.toThrow('ENOENT');
	clock.now += 1;
	await keeper.take(snapshot);
	expect(await overview()).toContain('data-generated');
});
