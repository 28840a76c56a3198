import { mkdtemp, rm, stat, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { keepAlive } from './keep-alive.ts';

let dir: string;
let close: () => void;
const warned: unknown[] = [];
const log = { debug() {}, info() {}, warn: (facts: object) => void warned.push(facts), error() {} };
const closing = { add: (_: string, end: () => Promise<void> | void) => void (close = end as () => void) };
/** ms since epoch; 0: there is no file. */
const touchedAt = async () => (await stat(join(dir, 'data', 'alive')).catch(() => null))?.mtimeMs ?? 0;
/** Not by vitest's polls: they move the clock. */
const until = async (check: () => Promise<boolean> | boolean) => {
	while (!(await check())) await new Promise(setImmediate);
};

beforeEach(async () => {
	vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
	dir = await mkdtemp(join(tmpdir(), 'linnet-alive-'));
	warned.length = 0;
});
afterEach(async () => {
	close();
	vi.useRealTimers();
	await rm(dir, { recursive: true, force: true });
});

it('a worker’s sign of life is there at its start, is renewed every 10 s while its loop turns, and stays when it ends', async () => {
	keepAlive(join(dir, 'data'), log, closing);
	await until(async () => (await touchedAt()) > 0);
	await utimes(join(dir, 'data', 'alive'), 1, 1);
	vi.advanceTimersByTime(9_999);
	expect(await touchedAt()).toBe(1_000);
	vi.advanceTimersByTime(1);
	await until(async () => (await touchedAt()) > 1_000);
	close();
	await utimes(join(dir, 'data', 'alive'), 1, 1);
	vi.advanceTimersByTime(60_000);
	expect([await touchedAt(), vi.getTimerCount(), warned]).toEqual([1_000, 0, []]);
});

it('what can’t be written is said, and the worker goes on', async () => {
	keepAlive('/dev/null/data', log, closing);
	await until(() => warned.length > 0);
	expect(warned).toEqual([{ problem: expect.stringContaining('ENOTDIR') }]);
	expect(vi.getTimerCount()).toBe(1);
});
