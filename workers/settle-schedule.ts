/** Finds slots that were due and have no result, whatever the reason (a worker killed, a lost job, the service off), and records them as missed. */
import type { Log } from '#core/log.ts';
import { missedSlot } from '#core/probe-result.ts';
import { type DueSlot, slotsDue, specsOf } from '#core/schedule.ts';
import type { Target } from '#core/target.ts';
import { insertResults } from '#db/probe-results.ts';
import { slotsWithoutResult } from '#db/read-results.ts';
import { firstSlotsSince, pullBackScheduleProgress, readScheduleProgress, setScheduleProgress } from '#db/schedule-progress.ts';
import type { Db } from '#db/sql.ts';
import { firstScheduledAt } from '#db/targets.ts';
import { slotKey } from './run-shard.ts';
import { shardCount, slotGraceMs, targetsOfShard, tickEveryMs, tickLeadMs } from './shard-ticks.ts';

export interface SettleTools {
	readonly db: Db;
	readonly log: Log;
	now(): number;
	targets(): readonly Target[];
	readonly retentionDays: number;
}

/** A longer gap is left as a gap: coverage counts due slots by arithmetic, so it sees them all the same, without millions of rows. */
export const longestMarkedGapMs = 3_600_000;
const slotsPerStep = 5_000;
/** More than the first ticks of a vantage take. */
const newForMs = 60_000;

/** @returns the number of slots newly marked as missed */
export async function settleSchedule(tools: SettleTools, vantages: readonly string[]): Promise<number> {
	const { db, log, now, targets } = tools;
	const firstAt = await firstScheduledAt(db, targets());
	let marked = 0;
	for (const vantage of vantages) {
		let firstSlots: ReadonlyMap<string, number> | undefined;
		for (let shard = 0; shard < shardCount; shard += 1) {
			const own = targetsOfShard(targets(), shard);
			if (own.length === 0) continue;
			// What may still be running or on its way is left alone.
			const through = now() - Math.max(...own.map(({ timeouts }) => timeouts.totalMs)) - slotGraceMs - 2 * tickEveryMs;
			const settled = await readScheduleProgress(db, vantage, shard);
			if (settled === null) {
				// A vantage that has never run: its first ticks are still to come.
				await setScheduleProgress(db, vantage, shard, now() + 2 * tickEveryMs + tickLeadMs);
				continue;
			}
			if (settled >= through) {
				// Only of a new vantage, or when the clock was set back or timeouts are longer than before. What it owes begins where it ran first: a worker killed within seconds leaves no hole.
				firstSlots ??= await firstSlotsSince(db, vantage, through - newForMs);
				const begunAt = Math.min(firstOf(firstSlots, own), firstOf(firstSlots, targets()) + tickEveryMs);
				if (begunAt < settled) await pullBackScheduleProgress(db, vantage, shard, begunAt);
				continue;
			}
			const from = Math.max(settled, through - longestMarkedGapMs);
			if (from > settled) log.warn({ vantage, shard, fromAt: settled, toAt: from }, 'gap in the schedule: nothing ran');
			const due = slotsDue(specsOf(own, vantage), from, through).filter((slot) => slot.slotAt >= (firstAt.get(slot.target.id) ?? Number.POSITIVE_INFINITY));
			for (let start = 0; start < due.length; start += slotsPerStep) marked += await mark(tools, due.slice(start, start + slotsPerStep));
			await setScheduleProgress(db, vantage, shard, through);
		}
	}
	if (marked > 0) log.warn({ count: marked }, 'slots missed');
	return marked;
}

/** ms since epoch; infinity: none of them has run. */
function firstOf(firstSlots: ReadonlyMap<string, number>, targets: readonly Target[]): number {
	return targets.reduce((first, { id }) => Math.min(first, firstSlots.get(id) ?? first), Number.POSITIVE_INFINITY);
}

async function mark({ db, now, retentionDays }: SettleTools, due: readonly DueSlot[]): Promise<number> {
	const keys = due.map((slot) => slotKey(slot, 'scheduled'));
	const missing = await slotsWithoutResult(db, keys);
	if (missing.length === 0) return 0;
	const { inserted } = await insertResults(
		db,
		missing.map((slot) => missedSlot(slot, 'missed_slot')),
		{ now: now(), retentionDays },
	);
	return inserted;
}
