/** Which slots are due when: pure arithmetic, stable over restarts, so that load is flat and never a herd. */
import { hash32 } from './hash.ts';
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

/** Asked at every tick of every series. */
const offsets = new WeakMap<SlotSpec, number>();

/** ms into the interval, 0 ≤ offset < intervalMs. */
export function offsetOf(spec: SlotSpec): number {
	const offset = offsets.get(spec) ?? Math.floor((hash32(seriesKey(spec)) / 2 ** 32) * spec.target.intervalMs);
	offsets.set(spec, offset);
	return offset;
}

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

const specsOfTarget = new WeakMap<Target, Map<string, readonly SlotSpec[]>>();

/** The same objects each time, so that what is reckoned of them can be kept. */
export function specsOf(targets: readonly Target[], vantage: string): SlotSpec[] {
	return targets.flatMap((target) => {
		const known = specsOfTarget.get(target) ?? new Map<string, readonly SlotSpec[]>();
		specsOfTarget.set(target, known);
		const specs = known.get(vantage) ?? target.canaries.map((canary) => ({ target, canary: canary.name, vantage }));
		known.set(vantage, specs);
		return specs;
	});
}
