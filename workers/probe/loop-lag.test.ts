import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { isBent, type LoopLag, watchLoopLag } from './loop-lag.ts';

let lag: LoopLag | null = null;
afterEach(() => lag?.stop());

function block(ms: number): void {
	const until = performance.now() + ms;
	while (performance.now() < until);
}

test('a block is seen while it still goes on, before any timer could tell', () => {
	lag = watchLoopLag();
	const since = performance.now();
	block(120);
	expect(lag.worstSince(since)).toBeGreaterThanOrEqual(95);
});

test('a block is still known after it', async () => {
	lag = watchLoopLag();
	await wait(30);
	const since = performance.now();
	block(120);
	await wait(30);
	expect(lag.worstSince(since)).toBeGreaterThanOrEqual(95);
});

test('a block from before the probe does not count: no delay is longer than the time since', async () => {
	lag = watchLoopLag();
	await wait(30);
	block(100);
	const since = performance.now();
	expect(lag.worstSince(since)).toBeLessThanOrEqual(performance.now() - since);
	await wait(30);
	expect(lag.worstSince(since)).toBeLessThanOrEqual(performance.now() - since);
});

test('the limit is stated', () => {
	lag = watchLoopLag({ limitMs: 50 });
	expect(lag.limitMs).toBe(50);
});

test.each([
	[50, 60, false],
	[51, 60, true],
	[51, 1_019, true],
	[51, 1_021, false],
	[400, 30_000, false],
	[1_501, 30_000, true],
])('a delay of %d ms in a probe of %d ms bends it: %s', (lagMs, totalMs, bent) => {
	expect(isBent({ limitMs: 50 }, lagMs, totalMs)).toBe(bent);
});
