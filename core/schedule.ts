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

/** ms into the interval, 0 ≤ offset < intervalMs. */
export function offsetOf(spec: SlotSpec): number {
	return Math.floor((hash32(seriesKey(spec)) / 2 ** 32) * spec.target.intervalMs);
}

// Asked at every tick of every series. Kept by the list: weak entries of 10,000 series took 33 of the 58 ms for which a full collection held up the slots.
const withOffsets = keepFor((specs: readonly SlotSpec[]) => specs.map((spec) => [spec, offsetOf(spec)] as const));

/** All canaries of a target share a shard, so that one worker sees the target's slots in order. */
export function shardOf(targetId: string, shardCount: number): number {
	return hash32(`shard\n${targetId}`) % shardCount;
}

/** Slots with from ≤ slotAt < to, earliest first. */
export function slotsDue(specs: readonly SlotSpec[], from: number, to: number): DueSlot[] {
	const due: DueSlot[] = [];
	for (const [spec, offset] of withOffsets(specs)) {
		const every = spec.target.intervalMs;
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

export function seriesOf(target: Target, vantage: string): SlotSpec[] {
	return target.canaries.map((canary) => ({ target, canary: canary.name, vantage }));
}

const specsByVantage = keepFor<readonly Target[], Map<string, readonly SlotSpec[]>>(() => new Map());

/** Of one list of targets the same list each time, so that what is reckoned of it can be kept. */
export function specsOf(targets: readonly Target[], vantage: string): readonly SlotSpec[] {
	const known = specsByVantage(targets);
	const specs = known.get(vantage) ?? targets.flatMap((target) => seriesOf(target, vantage));
	known.set(vantage, specs);
	return specs;
}
