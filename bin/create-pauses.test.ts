import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createPauses } from './create-pauses.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('each ends after its own time, and all of them when the signal does', async () => {
	const stopping = new AbortController();
	const pause = createPauses(stopping.signal);
	const ended: number[] = [];
	for (const ms of [300, 100, 200, 400]) void pause(ms).then(() => ended.push(ms));
	await vi.advanceTimersByTimeAsync(250);
	expect(ended).toEqual([100, 200]);
	stopping.abort();
	await vi.advanceTimersByTimeAsync(0);
	expect(ended).toEqual([100, 200, 300, 400]);
	expect(vi.getTimerCount()).toBe(0);
	void pause(500).then(() => ended.push(500));
	await vi.advanceTimersByTimeAsync(0);
	expect(ended.at(-1)).toBe(500);
	expect(vi.getTimerCount()).toBe(0);
});
