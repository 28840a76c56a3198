/** One tick of a shard: runs every slot due in the tick's window, each at its own millisecond. */

import pLimit, { type LimitFunction } from 'p-limit';
import { type CadencePlan, keepsSlot } from '#core/cadence.ts';
import { costMicroUsd, fallbackPrice, reservationMicroUsd } from '#core/cost.ts';
import type { Log } from '#core/log.ts';
import { missedSlot, type ProbeKind, type ProbeResult } from '#core/probe-result.ts';
import type { ProbeSteps } from '#core/probe-road.ts';
import { type DueSlot, slotsDue, specsOf } from '#core/schedule.ts';
import { isKept, type SpoolPressure } from '#core/spool-pressure.ts';
import type { Canary, Target } from '#core/target.ts';
import { activeBackOffs } from '#db/back-offs.ts';
import { giveBack, reserve } from '#db/budget.ts';
import type { Db } from '#db/sql.ts';
import { settlerOf } from './book-costs.ts';
import type { CanaryTests } from './probe/test-canaries.ts';
import { type ShardTick, slotGraceMs, targetsOfShard, tickEveryMs, tickLeadMs } from './shard-ticks.ts';

export interface Probe {
	readonly target: Target;
	readonly canary: Canary;
	readonly vantage: string;
	readonly kind: ProbeKind;
	readonly slotAt: number;
}

export interface ScheduleTools {
	readonly db: Db;
	readonly log: Log;
	readonly vantage: string;
	now(): number;
	/** Resolves at the wall-clock time, at once when it has passed or the worker stops. */
	waitUntil(at: number): Promise<void>;
	/** True once the worker is told to stop: slots that have not begun are handed over. */
	stopping(): boolean;
	/** The slots of a tick that have not begun here are for another worker; absent: they are left to be marked as missed. */
	handOver?(tick: ShardTick): Promise<void>;
	targets(): readonly Target[];
	/** Spend allowed per UTC day, all vantages together. */
	capMicroUsd(): number;
	runProbe(probe: Probe): Promise<ProbeResult>;
	/** What targets have accepted: results of others do not count. */
	readonly canaryTests: CanaryTests;
	/** Resolves when the result is durable. */
	record(result: ProbeResult): Promise<void>;
	/** Which slots a short budget leaves out; null, or absent: none. */
	cadence?(): Promise<CadencePlan | null>;
	/** Whether to probe less while results wait on the disk; absent: never. */
	pressure?(): Promise<SpoolPressure>;
	/** Hears of each probe that ran and is recorded, when each of its steps was taken. */
	onRoad?(steps: ProbeSteps, target: Target, result: ProbeResult): void;
}

/** Resolves when every slot of the window is recorded. A job that runs twice probes each slot once: the reservation is the claim. */
export async function runShard(tools: ScheduleTools, { shard, tickAt, everyMs = tickEveryMs }: ShardTick): Promise<void> {
	const job = { tickAt, takenAt: tools.now() };
	const from = tickAt + tickLeadMs;
	const own = targetsOfShard(tools.targets(), shard);
	const due = slotsDue(specsOf(own, tools.vantage), from, from + everyMs).filter((slot) => slot.slotAt > tools.now() - slotGraceMs);
	if (due.length === 0) return;

	// What is left out is found afterwards and marked as missed.
	const pressure = await tools.pressure?.();
	const kept = pressure === undefined ? due : due.filter(({ slotAt, target }) => isKept(pressure, slotAt, target.intervalMs));
	const paused = await activeBackOffs(tools.db, tools.vantage, tools.now());
	const plan = (await tools.cadence?.()) ?? null;
	const refusalOf = (slot: DueSlot) => (paused.has(slot.target.id) ? 'backed_off' : keepsSlot(plan, slot, slot.slotAt) ? null : 'budget_stretched');
	const open: DueSlot[] = [];
	const refused: Promise<void>[] = [];
	for (const slot of kept) {
		const why = refusalOf(slot);
		if (why === null) open.push(slot);
		else refused.push(tools.record(missedSlot(slotKey(slot, 'scheduled'), why)));
	}
	await Promise.all([...refused, ...(await runReserved(tools, open, 'scheduled', job, () => tools.handOver?.({ shard, tickAt, everyMs })))]);
}

/** A probe that the detector asked for. */
export async function runConfirmation(tools: ScheduleTools, ask: { targetId: string; canary: string; slotAt: number }): Promise<void> {
	const target = tools.targets().find(({ id }) => id === ask.targetId);
	const takenAt = tools.now();
	if (target === undefined || takenAt > ask.slotAt + 60_000) return;
	const slot = { target, canary: ask.canary, vantage: tools.vantage, slotAt: ask.slotAt };
	await Promise.all(await runReserved(tools, [slot], 'confirmation', { tickAt: null, takenAt }));
}

async function runReserved(
	tools: ScheduleTools,
	slots: readonly DueSlot[],
	kind: ProbeKind,
	job: Pick<ProbeSteps, 'tickAt' | 'takenAt'>,
	handOver: () => Promise<void> | undefined = () => undefined,
): Promise<Promise<void>[]> {
	if (slots.length === 0) return [];
	await tools.canaryTests.learn(slots.map(({ target }) => target));
	const asks = slots.map((slot) => ({ id: reservationId(slot, kind), estimateMicroUsd: reservationMicroUsd(slot.target, slot.canary) }));
	const reservingAt = tools.now();
	const { granted, denied } = await reserve(tools.db, asks, { now: reservingAt, capMicroUsd: tools.capMicroUsd() });
	const steps = { ...job, reservingAt, reservedAt: tools.now() };
	const turns = slots
		.filter((slot) => granted.has(reservationId(slot, kind)))
		.map((slot) => ({ slot, begins: tools.waitUntil(slot.slotAt).then(() => !tools.stopping()) }));
	const turnOf = new Map(turns.map(({ slot, begins }) => [slot, begins]));
	const leave = async () => {
		const left: string[] = [];
		for (const { slot, begins } of turns) if (!(await begins)) left.push(reservationId(slot, kind));
		if (left.length === 0) return;
		// Given back first: the reservation is the claim, and who has it not may not send the probe.
		await giveBack(tools.db, left);
		await handOver();
	};
	const runs = slots.map(async (slot) => {
		const begins = turnOf.get(slot);
		if (begins !== undefined) return (await begins) ? runSlot(tools, slot, kind, steps) : undefined;
		// Neither granted nor denied: another run of this job has sent it, and either records it or dies; then the slot is settled as missed.
		// A confirmation that the budget denies is no missed slot: nothing was due.
		if (kind === 'scheduled' && denied.has(reservationId(slot, kind))) await tools.record(missedSlot(slotKey(slot, kind), 'budget'));
	});
	return [...runs, leave()];
}

const limits = new Map<string, LimitFunction>();

/** One bound per provider and process, whatever shard the slot is in. */
function limitOf({ provider, maxConcurrency }: Target): LimitFunction {
	const key = `${provider}\n${maxConcurrency}`;
	const limit = limits.get(key) ?? pLimit(maxConcurrency);
	limits.set(key, limit);
	return limit;
}

async function runSlot(tools: ScheduleTools, slot: DueSlot, kind: ProbeKind, steps: Omit<ProbeSteps, 'recordingAt' | 'recordedAt'>): Promise<void> {
	const canary = slot.target.canaries.find(({ name }) => name === slot.canary);
	if (canary === undefined) return;
	const sent = await limitOf(slot.target)(() => tools.runProbe({ target: slot.target, canary, vantage: slot.vantage, kind, slotAt: slot.slotAt }));
	const result = await tools.canaryTests.test(slot.target, canary, sent);
	const recordingAt = tools.now();
	await tools.record(result);
	tools.onRoad?.({ ...steps, recordingAt, recordedAt: tools.now() }, slot.target, result);
	await settlerOf(tools.db).settle(reservationId(slot, kind), bookedMicroUsd(slot.target, slot.canary, result));
}

/** What a probe is booked at: its cost, or for a model without a price its tokens at the fallback price. Where nothing tells, all that was reserved. */
export function bookedMicroUsd(
	target: Target,
	canaryName: string,
	{
		costMicroUsd: cost,
		httpStatus,
		phase,
		inputTokens,
		outputTokens,
	}: Pick<ProbeResult, 'costMicroUsd' | 'httpStatus' | 'phase' | 'inputTokens' | 'outputTokens'>,
): number {
	if (cost !== null) return cost;
	const reserved = reservationMicroUsd(target, canaryName);
	if (httpStatus === null) return phase === 'headers' ? reserved : 0;
	if (httpStatus < 200 || httpStatus > 299) return 0;
	return inputTokens === null || outputTokens === null ? reserved : Math.min(reserved, costMicroUsd(fallbackPrice, inputTokens, outputTokens));
}

export function slotKey(slot: DueSlot, kind: ProbeKind) {
	const { provider, model, operation } = slot.target;
	return { provider, model, operation, canary: slot.canary, vantage: slot.vantage, kind, slotAt: slot.slotAt };
}

function reservationId(slot: DueSlot, kind: ProbeKind): string {
	return `${slot.target.id}|${slot.canary}|${slot.vantage}|${kind}|${slot.slotAt}`;
}
