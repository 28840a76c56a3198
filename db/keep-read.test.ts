import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { keepRead } from './keep-read.ts';

beforeEach(() => void vi.useFakeTimers({ now: 1_000_000 }));
afterEach(() => void vi.useRealTimers());

it.each([
	['a quick read is kept for a moment', 2, 20],
	['a slow one longer', 200, 2_000],
	['none longer than allowed', 5_000, 30_000],
])('%s', async (_, tookMs, keptMs) => {
	let count = 0;
	const read = keepRead(
		async () => {
			vi.advanceTimersByTime(tookMs);
			count += 1;
			return count;
		},
		{ perReadMs: 10, atMostMs: 30_000 },
	);
	expect(read.isDue(1_000_000)).toBe(true);
	expect(await read(1_000_000)).toBe(1);
	expect(await read(1_000_000 + keptMs - 1)).toBe(1);
	expect([keptMs - 1, keptMs, -1].map((later) => read.isDue(1_000_000 + later))).toEqual([false, true, true]);
	expect(await read(1_000_000 + keptMs)).toBe(2);
	// The clock was set back: what is kept is not known to be young.
	expect(await read(900_000)).toBe(3);
});

it('the first, for which all was cold, is kept no longer than is said of it', async () => {
	let count = 0;
	const read = keepRead(
		async () => {
			vi.advanceTimersByTime(2_000);
			count += 1;
			return count;
		},
		{ perReadMs: 10, atMostMs: 30_000, firstAtMostMs: 5_000 },
	);
	const found: number[] = [];
	for (const later of [0, 4_999, 5_000, 24_999, 25_000]) found.push(await read(1_000_000 + later));
	expect(found).toEqual([1, 1, 2, 2, 3]);
});

it('one that is long and large is kept until the next mark', async () => {
	let [tookMs, isLarge] = [40, true];
	const read = keepRead(
		async (now) => {
			vi.advanceTimersByTime(tookMs);
			return now;
		},
		{ perReadMs: 100, atMostMs: 10_000, firstAtMostMs: 2_000 },
		{ fromMs: 5_000, everyMs: 60_000, lateMs: 7_000, isLarge: () => isLarge },
	);
	const mark = 1_027_000;
	expect(await read(1_000_000)).toBe(1_000_000);
	expect(await read(1_002_000)).toBe(1_002_000);
	tookMs = 80;
	expect(await read(1_006_000)).toBe(1_006_000);
	expect(await read(mark - 1)).toBe(1_006_000);
	expect(await read(mark)).toBe(mark);
	expect(await read(mark + 59_999)).toBe(mark);
	isLarge = false;
	expect(await read(mark + 60_000)).toBe(mark + 60_000);
	expect(await read(mark + 68_000)).toBe(mark + 68_000);
});

it('what could not be read is not kept', async () => {
	let fails = true;
	const read = keepRead(
		async () => {
			if (fails) throw new Error('away');
			return 1;
		},
		{ perReadMs: 1_000, atMostMs: 30_000 },
	);
	await expect(read(1_000_000)).rejects.toThrow('away');
	fails = false;
	expect(await read(1_000_001)).toBe(1);
});
