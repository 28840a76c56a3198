import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { countSlots, offsetOf, type SlotSpec, shardOf, slotsDue } from './schedule.ts';
import type { Target } from './target.ts';

const spec = (id: string, intervalMs = 60_000): SlotSpec => ({ target: { id, intervalMs } as Target, canary: 'echo', vantage: 'local' });
const from = Date.UTC(2026, 10, 23);

describe('the schedule', () => {
	it('gives each series one slot an interval, at its own stable offset', () => {
		const due = slotsDue([spec('a')], from, from + 3_600_000);
		expect(due).toHaveLength(60);
		expect(new Set(due.map(({ slotAt }) => slotAt % 60_000))).toEqual(new Set([offsetOf(spec('a'))]));
	});

	it('cut anywhere, the windows hold each slot once', () => {
		fc.assert(
			fc.property(fc.integer({ min: 0, max: 600_000 }), fc.integer({ min: 1_000, max: 90_000 }), (cut, intervalMs) => {
				const specs = [spec('a', intervalMs), spec('b', intervalMs)];
				const slots = (start: number, end: number) => slotsDue(specs, start, end).map(({ slotAt, target }) => `${target.id}${slotAt}`);
				const parts = [...slots(from, from + cut), ...slots(from + cut, from + 600_000)];
				expect(parts.sort()).toEqual(slots(from, from + 600_000).sort());
				expect(countSlots(specs[0] as SlotSpec, from, from + cut)).toBe(slotsDue(specs.slice(0, 1), from, from + cut).length);
			}),
		);
	});

	it('spreads near ids evenly: no herd', () => {
		const tenths = new Array<number>(10).fill(0);
		for (let i = 0; i < 10_000; i += 1) {
			const tenth = Math.floor(offsetOf(spec(`provider:model-${i}:chat`)) / 6_000);
			tenths[tenth] = (tenths[tenth] ?? 0) + 1;
		}
		// 1,000 expected in each; 5 σ = 150.
		for (const count of tenths) expect(Math.abs(count - 1_000)).toBeLessThan(150);
	});

	it('deals targets to shards evenly and stably', () => {
		const shards = Array.from({ length: 8_000 }, (_, i) => shardOf(`p:m${i}:chat`, 8));
		for (let shard = 0; shard < 8; shard += 1) expect(Math.abs(shards.filter((one) => one === shard).length - 1_000)).toBeLessThan(150);
		expect(shardOf('p:m1:chat', 8)).toBe(shards[1]);
	});

	it('lists slots earliest first', () => {
		const due = slotsDue([spec('a'), spec('b'), spec('c', 7_000)], from, from + 300_000);
		expect(due.map(({ slotAt }) => slotAt)).toEqual(due.map(({ slotAt }) => slotAt).sort((a, b) => a - b));
	});
});
