/** Which slots are due when: pure arithmetic, stable over restarts, so that load is flat and never a herd. */
import { hash32 } from './hash.ts';
import { keepFor } from './keep-for.ts';
import type { Target } from './target.ts';

export interface SlotSpec {
	readonly target: Target;
	readonly canary: string;
	readonly vantage: string;
}

export interface DueSlot extends SlotSpec {
	/** ms since epoch, the slot's own millisecond. */
	readonly slotAt: number;
}

function seriesKey({ target, canary, vantage }: SlotSpec): string {
	return `${target.id}\n${canary}\n${vantage}`;
}

/** ms into the interval, 0 ≤ offset < intervalMs. Asked at every tick of every series. */
export const offsetOf = keepFor((spec: SlotSpec): number => Math.floor((hash32(seriesKey(spec)) / 2 ** 32) * spec.target.intervalMs));

/** All canaries of a target share a shard, so that one worker sees the target's slots in order. */
export function shardOf(targetId: string, shardCount: number): number {
	return hash32(`shard\n${targetId}`) % shardCount;
}

/** Slots with from ≤ slotAt < to, earliest first. */
export function slotsDue(specs: Iterable<SlotSpec>, from: number, to: number): DueSlot[] {
	const due: DueSlot[] = [];
	for (const spec of specs) {
		const every = spec.target.intervalMs;
		const offset = offsetOf(spec);
		for (let slotAt = Math.ceil((from - offset) / every) * every + offset; slotAt < to; slotAt += every) {
			due.push({ ...spec, slotAt });
		}
	}
	return due.sort((a, b) => a.slotAt - b.slotAt);
}

/** Number of slots with from ≤ slotAt < to, without listing them. */
export function countSlots(spec: SlotSpec, from: number, to: number): number {
	const every = spec.target.intervalMs;
	const offset = offsetOf(spec);
	return Math.max(0, Math.ceil((to - offset) / every) - Math.ceil((from - offset) / every));
}

const specsOfTarget = keepFor((target: Target) => {
	const byVantage = new Map<string, readonly SlotSpec[]>();
	return (vantage: string) => {
		const specs = byVantage.get(vantage) ?? target.canaries.map((canary) => ({ target, canary: canary.name, vantage }));
		byVantage.set(vantage, specs);
		return specs;
	};
});

/** The same objects each time, so that what is reckoned of them can be kept. */
export function specsOf(targets: readonly Target[], vantage: string): SlotSpec[] {
	return targets.flatMap((target) => specsOfTarget(target)(vantage));
}
