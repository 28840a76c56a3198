/** The schedule is cut into shards, and each shard's time into ticks: one job of the queue for all slots of its window. */
import { keepFor } from '#core/keep-for.ts';
import { shardOf } from '#core/schedule.ts';
import type { Target } from '#core/target.ts';
import type { JobData, Tick } from './queue.ts';

export interface ShardTick {
	readonly shard: number;
	/** Nominal time of the tick, ms since epoch. */
	readonly tickAt: number;
	/** How much of the schedule is its own, ms; left out: `tickEveryMs`. */
	readonly everyMs?: number;
}

/**
 * Shards of one vantage's schedule. Fixed: a slot's shard must not depend on how many workers there are, and more than 8 workers in one
 * vantage are beyond a million probes an hour.
 */
export const shardCount = 8;
export const tickEveryMs = 2_500;
/** A tick works on slots this far ahead, so that queue latency (p99 21 ms measured, seconds after a stall) does not show as lateness. */
export const tickLeadMs = 2_000;
/** A slot that is later than this is not run any more: it is recorded as missed. */
export const slotGraceMs = 5_000;

/** Nominal time of a tick from the job's own time, which may be off by some ms. Shards are staggered over the period. */
export function nominalTick(shard: number, jobAt: number, everyMs = tickEveryMs): number {
	const offset = tickOffsetMs(shard, everyMs);
	return Math.round((jobAt - offset) / everyMs) * everyMs + offset;
}

export function tickOffsetMs(shard: number, everyMs = tickEveryMs): number {
	return Math.floor((shard * everyMs) / shardCount);
}

/** The ticks whose slots may still be run, though nobody was there to take them, oldest first of each shard: a worker that starts takes these first. */
export function ticksBehind(now: number): ShardTick[] {
	return Array.from({ length: shardCount }, (_, shard) => {
		const newest = Math.floor((now - tickOffsetMs(shard)) / tickEveryMs) * tickEveryMs + tickOffsetMs(shard);
		const ticks: ShardTick[] = [];
		for (let tickAt = newest; tickAt + tickLeadMs + tickEveryMs > now - slotGraceMs; tickAt -= tickEveryMs) ticks.unshift({ shard, tickAt });
		return ticks;
	}).flat();
}

/** To be registered by each prober of a vantage. The period is part of the name: two versions with different ones, in an upgrade, keep their own ticks. */
export const shardTicks: readonly Tick[] = Array.from({ length: shardCount }, (_, shard) => ({
	id: `shard-${shard}-${tickEveryMs}`,
	everyMs: tickEveryMs,
	offsetMs: tickOffsetMs(shard),
	data: { job: 'shard', shard, everyMs: tickEveryMs },
}));

/** Of a tick whose job does not name its period: a version before this one made it. */
const unnamedEveryMs = 5_000;

/**
 * The tick that a job stands for, by the scheduler or left by another worker; null: a job of another kind.
 * @param jobAt when the job was due, ms since epoch
 */
export function tickOf({ job, shard, tickAt, everyMs }: JobData, jobAt: number): ShardTick | null {
	const tick = { shard: Number(shard), everyMs: Number(everyMs ?? unnamedEveryMs) };
	if (job === 'shard') return { ...tick, tickAt: nominalTick(tick.shard, jobAt, tick.everyMs) };
	return job === 'left' ? { ...tick, tickAt: Number(tickAt) } : null;
}

/** Of 10,000 targets the hashes of every tick took 5 % of a prober. */
const shardsOf = keepFor((targets: readonly Target[]) => {
	const shards = Array.from({ length: shardCount }, (): Target[] => []);
	for (const target of targets) shards[shardOf(target.id, shardCount)]?.push(target);
	return shards;
});

/** The same list as long as the configuration is the same. */
export function targetsOfShard(targets: readonly Target[], shard: number): readonly Target[] {
	return shardsOf(targets)[shard] ?? [];
}
