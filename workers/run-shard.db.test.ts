import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { fallbackPrice, reservationMicroUsd } from '#core/cost.ts';
import { silentLog } from '#core/log.ts';
import type { ProbeResult } from '#core/probe-result.ts';
import { shardOf } from '#core/schedule.ts';
import { setBackOff } from '#db/back-offs.ts';
import { readBudgetDay } from '#db/budget.ts';
import { dayOf, ensurePartitions } from '#db/partitions.ts';
import { insertResults } from '#db/probe-results.ts';
import { listResults } from '#db/read-results.ts';
import { registerTargets } from '#db/targets.ts';
import { createTestDatabase, type TestDatabase } from '#test/postgres.ts';
import { sampleNow, sampleResult, sampleTarget } from '#test/sample-results.ts';
import { openCanaryTests } from './probe/test-canaries.ts';
import { bookedMicroUsd, type Probe, runShard, type ScheduleTools } from './run-shard.ts';
import { settleSchedule } from './settle-schedule.ts';
import { nominalTick, type ShardTick, shardCount, slotGraceMs, tickEveryMs, tickLeadMs, tickOf, tickOffsetMs, ticksBehind } from './shard-ticks.ts';

const target = sampleTarget('acme:small:chat', { intervalMs: 500, price: { inputUsdPerMTok: 1, outputUsdPerMTok: 1 } });
const shard = shardOf(target.id, shardCount);
const bounds = { now: sampleNow + 600_000, retentionDays: 14 };
let house: TestDatabase;
let probes: Probe[];
let now: number;

beforeEach(async () => {
	house = await createTestDatabase();
	await registerTargets(house.db, [target], sampleNow - 600_000);
	await ensurePartitions(house.db, sampleNow);
	probes = [];
	now = sampleNow;
});
afterEach(() => house.drop());

/** The clock jumps to each slot; the probe is answered at once. */
const tools = (changes: Partial<ScheduleTools> = {}): ScheduleTools => ({
	db: house.db,
	log: silentLog,
	vantage: 'local',
	now: () => now,
	waitUntil: async () => {},
	stopping: () => false,
	targets: () => [target],
	capMicroUsd: () => 1e9,
	runProbe: async (probe) => {
		probes.push(probe);
		return sampleResult({ slotAt: probe.slotAt, startedAt: probe.slotAt, kind: probe.kind, costMicroUsd: 7 });
	},
	canaryTests: openCanaryTests({ db: house.db, log: silentLog }),
	record: async (result: ProbeResult) => void (await insertResults(house.db, [result], bounds)),
	...changes,
});

const recorded = async () => (await listResults(house.db, { targetId: target.id, limit: 500 })).results.map(({ result }) => result);

describe('a tick of a shard', () => {
	it('runs every slot of its window once', async () => {
		await runShard(tools(), { shard, tickAt: sampleNow });
		expect(probes).toHaveLength(tickEveryMs / target.intervalMs);
		expect(new Set(probes.map(({ slotAt }) => slotAt)).size).toBe(probes.length);
	});

	it('runs fewer slots while results wait on a disk that fills, and none when it is full', async () => {
		await runShard(tools({ pressure: async () => ({ keepOneIn: null, reason: 'full' }) }), { shard, tickAt: sampleNow });
		expect(probes).toEqual([]);
		for (let tick = 0; tick < 4; tick += 1) {
			now = sampleNow + tick * tickEveryMs;
			await runShard(tools({ pressure: async () => ({ keepOneIn: 2, reason: 'half full' }) }), { shard, tickAt: now });
		}
		expect(probes).toHaveLength((2 * tickEveryMs) / target.intervalMs);
	});

	it('the windows of following ticks neither overlap nor leave a gap', async () => {
		for (let tick = 0; tick < 6; tick += 1) {
			now = sampleNow + tick * tickEveryMs;
			await runShard(tools(), { shard, tickAt: now });
		}
		const slots = probes.map(({ slotAt }) => slotAt).sort((a, b) => a - b);
		expect(slots).toHaveLength(30);
		expect(new Set(slots.slice(1).map((slot, i) => slot - (slots[i] ?? 0)))).toEqual(new Set([target.intervalMs]));
	});

	it('run twice, each slot is recorded once', async () => {
		await Promise.all([runShard(tools(), { shard, tickAt: sampleNow }), runShard(tools(), { shard, tickAt: sampleNow })]);
		expect(await recorded()).toHaveLength(5);
	});

	it('told to stop it hands over what has not begun, and another worker runs just that', async () => {
		let stopping = false;
		const handedOver: ShardTick[] = [];
		const stops = tools({
			stopping: () => stopping,
			runProbe: async (probe) => {
				probes.push(probe);
				stopping = probes.length === 2;
				return sampleResult({ slotAt: probe.slotAt, startedAt: probe.slotAt, costMicroUsd: 7 });
			},
			// One slot after the other, as the clock has it.
			waitUntil: async (at) => void (await vi.waitUntil(() => stopping || probes.length >= Math.floor((at - sampleNow - 2_000) / 1_000))),
			handOver: async (tick) => void handedOver.push(tick),
		});
		await runShard(stops, { shard, tickAt: sampleNow });
		expect(probes).toHaveLength(2);
		expect(handedOver).toEqual([{ shard, tickAt: sampleNow, everyMs: tickEveryMs }]);
		await runShard(tools(), { shard, tickAt: sampleNow });
		expect(new Set(probes.map(({ slotAt }) => slotAt)).size).toBe(5);
		expect(probes).toHaveLength(5);
		expect((await recorded()).every(({ startedAt }) => startedAt !== null)).toBe(true);
		expect(await readBudgetDay(house.db, dayOf(sampleNow))).toEqual({ reservedMicroUsd: 0, spentMicroUsd: 35 });
	});

	it('leaves the targets of other shards alone', async () => {
		await runShard(tools(), { shard: (shard + 1) % shardCount, tickAt: sampleNow });
		expect(probes).toEqual([]);
	});

	it('the nominal time holds against jitter of the queue, and shards are staggered', () => {
		for (let one = 0; one < shardCount; one += 1) {
			const nominal = Math.floor(sampleNow / tickEveryMs) * tickEveryMs + tickOffsetMs(one);
			for (const jitter of [-40, 0, 40, 900]) expect(nominalTick(one, nominal + jitter)).toBe(nominal);
		}
		expect(new Set(Array.from({ length: shardCount }, (_, one) => tickOffsetMs(one))).size).toBe(shardCount);
	});
});

describe('money', () => {
	it('a probe that the budget can’t pay is not sent, and its slot is recorded as missed', async () => {
		const cap = 2 * reservationMicroUsd(target);
		await runShard(
			tools({
				capMicroUsd: () => cap,
				runProbe: async (probe) => {
					probes.push(probe);
					return sampleResult({ slotAt: probe.slotAt, costMicroUsd: reservationMicroUsd(target) });
				},
			}),
			{ shard, tickAt: sampleNow },
		);
		expect(probes).toHaveLength(2);
		const missed = (await recorded()).filter(({ startedAt }) => startedAt === null);
		expect(missed.map(({ outcome, sli, evidence }) => [outcome, sli, evidence?.subcode])).toEqual(
			Array.from({ length: 3 }, () => ['monitor_fault', 'excluded', 'budget']),
		);
	});

	it('what a probe did cost is booked, and the rest of its reservation is free again', async () => {
		await runShard(tools(), { shard, tickAt: sampleNow });
		expect(await readBudgetDay(house.db, '2026-11-23')).toEqual({ reservedMicroUsd: 0, spentMicroUsd: 35 });
	});
});

describe('a model without a price', () => {
	const unpriced = { ...target, price: null };
	const reserved = reservationMicroUsd(unpriced);
	it('is settled so: five probes of 40 and 30 tokens', async () => {
		const runProbe = async ({ slotAt }: Probe) => sampleResult({ slotAt, costMicroUsd: null, inputTokens: 40, outputTokens: 30 });
		await runShard(tools({ targets: () => [unpriced], runProbe }), { shard, tickAt: sampleNow });
		const each = 40 * fallbackPrice.inputUsdPerMTok + 30 * fallbackPrice.outputUsdPerMTok;
		expect(each).toBeLessThan(reserved);
		expect(await readBudgetDay(house.db, dayOf(sampleNow))).toEqual({ reservedMicroUsd: 0, spentMicroUsd: 5 * each });
	});
	it.each([
		['its tokens at the fallback price', { inputTokens: 40, outputTokens: 30 }, 40 * fallbackPrice.inputUsdPerMTok + 30 * fallbackPrice.outputUsdPerMTok],
		['all that was reserved, when an accepted answer tells no tokens', { inputTokens: null, outputTokens: null }, reserved],
		['nothing, when it was refused', { httpStatus: 503, inputTokens: null, outputTokens: null }, 0],
		['nothing, when it never got there', { httpStatus: null, phase: 'connect' }, 0],
		['all that was reserved, when it was sent and nothing came', { httpStatus: null, phase: 'headers' }, reserved],
	] as const)('is booked at %s', (_, changes, micro) => {
		expect(bookedMicroUsd(unpriced, 'echo', sampleResult({ costMicroUsd: null, ...changes }))).toBe(micro);
	});
});

it('a target that is backed off is not probed; its slots are missed, not hidden', async () => {
	await setBackOff(house.db, [target.id], { reason: 'auth_failed', at: sampleNow, firstMs: 3_600_000, longestMs: 3_600_000 });
	await runShard(tools(), { shard, tickAt: sampleNow });
	expect(probes).toEqual([]);
	expect((await recorded()).map(({ evidence }) => evidence?.subcode)).toEqual(Array.from({ length: 5 }, () => 'backed_off'));
});

describe('a worker that starts', () => {
	it('takes each tick whose slots may still be run, up to where the next ticks go on', () => {
		const window = (tickAt: number) => [tickAt + tickLeadMs, tickAt + tickLeadMs + tickEveryMs] as const;
		fc.assert(
			fc.property(fc.nat(shardCount - 1), fc.integer({ min: sampleNow, max: sampleNow + 60_000 }), (ofShard, at) => {
				const ticks = ticksBehind(at)
					.filter((tick) => tick.shard === ofShard)
					.map(({ tickAt }) => tickAt);
				const windows = ticks.map(window);
				expect(ticks.every((tickAt) => tickAt <= at && nominalTick(ofShard, tickAt) === tickAt)).toBe(true);
				expect(windows[0]?.[0]).toBeLessThanOrEqual(at - slotGraceMs);
				expect(windows.slice(1).map(([from]) => from)).toEqual(windows.slice(0, -1).map(([, to]) => to));
				expect((ticks.at(-1) ?? 0) + tickEveryMs).toBeGreaterThan(at);
			}),
		);
	});

	it('runs what came due in the seconds before, late, and what is due until its first tick', async () => {
		now = sampleNow;
		for (const tick of ticksBehind(now)) await runShard(tools(), tick);
		const slots = probes.map(({ slotAt }) => slotAt).sort((a, b) => a - b);
		expect(slots[0]).toBeLessThanOrEqual(now - slotGraceMs + target.intervalMs);
		expect(slots.at(-1)).toBeGreaterThanOrEqual(now + tickLeadMs - target.intervalMs);
		expect(slots.map((slotAt) => slotAt - (slots[0] ?? 0))).toEqual(slots.map((_, i) => i * target.intervalMs));
	});
});

describe('a tick of another version', () => {
	it('has the window of the period that it names, and its own of old where it names none', () => {
		const jobAt = sampleNow - (sampleNow % 10_000) + 12;
		expect(tickOf({ job: 'shard', shard: 0, everyMs: 10_000 }, jobAt)).toEqual({ shard: 0, tickAt: jobAt - 12, everyMs: 10_000 });
		expect(tickOf({ job: 'shard', shard: 4 }, jobAt + 2_500)).toEqual({ shard: 4, tickAt: jobAt - 12 + 2_500, everyMs: 5_000 });
		expect(tickOf({ job: 'left', shard: 4, tickAt: jobAt }, jobAt)).toEqual({ shard: 4, tickAt: jobAt, everyMs: 5_000 });
		expect(tickOf({ job: 'confirm', targetId: target.id }, jobAt)).toBe(null);
	});

	it('side by side with ours, each slot is run once and none is left out', async () => {
		for (let at = sampleNow; at < sampleNow + 20_000; at += 2_500) {
			now = at;
			const ticks = [{ shard, tickAt: now }, ...(at % 5_000 === sampleNow % 5_000 ? [{ shard, tickAt: now, everyMs: 5_000 }] : [])];
			await Promise.all(ticks.map((tick) => runShard(tools(), tick)));
		}
		const slots = probes.map(({ slotAt }) => slotAt).sort((a, b) => a - b);
		expect(slots).toEqual(Array.from({ length: 20_000 / target.intervalMs }, (_, i) => (slots[0] ?? 0) + i * target.intervalMs));
	});
});

describe('settling', () => {
	const settle = (at: number) => settleSchedule({ db: house.db, log: silentLog, now: () => at, targets: () => [target], retentionDays: 14 }, ['local']);

	it('slots that never ran are marked as missed, once, and those that ran are left alone', async () => {
		await settle(sampleNow);
		now = sampleNow + 15_000;
		await runShard(tools(), { shard, tickAt: now });
		const marked = await settle(sampleNow + 300_000);
		// From the first ticks of a new vantage (7 s) to what may still be running (70 s before), less the five that ran.
		expect(marked).toBe((300 - 7 - 70) * 2 - 5);
		expect(await settle(sampleNow + 300_000)).toBe(0);
	});

	it('a new vantage owes its slots from the first that ran', async () => {
		await settle(sampleNow);
		now = sampleNow;
		await runShard(tools(), { shard, tickAt: now });
		await settle(sampleNow + 15_000);
		const ran = (await recorded()).filter(({ startedAt }) => startedAt !== null).map(({ slotAt }) => slotAt);
		await settle(sampleNow + 300_000);
		const slots = (await recorded()).map(({ slotAt }) => slotAt);
		expect(Math.min(...slots)).toBe(Math.min(...ran));
		// Without a hole, also where the vantage was seconds old.
		expect(slots.length).toBe((Math.max(...slots) - Math.min(...slots)) / target.intervalMs + 1);
	});

	it('a result that comes after its slot was marked replaces the marker', async () => {
		await settle(sampleNow);
		await settle(sampleNow + 300_000);
		const before = await recorded();
		const slotAt = before[10]?.slotAt ?? 0;
		await insertResults(house.db, [sampleResult({ slotAt, startedAt: slotAt })], bounds);
		const after = await recorded();
		expect(after).toHaveLength(before.length);
		expect(after.filter(({ startedAt }) => startedAt !== null).map((result) => result.slotAt)).toEqual([slotAt]);
	});

	it('nothing was due before the target was first scheduled', async () => {
		const young = sampleTarget('acme:young:chat', { intervalMs: 1_000 });
		await registerTargets(house.db, [target, young], sampleNow + 200_000);
		const tools = { db: house.db, log: silentLog, targets: () => [young], retentionDays: 14 };
		await settleSchedule({ ...tools, now: () => sampleNow }, ['local']);
		await settleSchedule({ ...tools, now: () => sampleNow + 300_000 }, ['local']);
		const { results } = await listResults(house.db, { targetId: young.id, limit: 500 });
		expect(Math.min(...results.map(({ result }) => result.slotAt))).toBeGreaterThanOrEqual(sampleNow + 200_000);
	});
});
