/** Whatever happens in whatever order, what providers can bill for a day never passes its cap, and no less is booked than they bill. */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { reservationMicroUsd } from '#core/cost.ts';
import { silentLog } from '#core/log.ts';
import { planCadence } from '#core/plan-cadence.ts';
import type { ProbeResult } from '#core/probe-result.ts';
import { shardOf } from '#core/schedule.ts';
import type { Target } from '#core/target.ts';
import { readBudgetDay, releaseExpired, trimReservations } from '#db/budget.ts';
import { dayOf } from '#db/partitions.ts';
import { createTestDatabase, type TestDatabase } from '#test/postgres.ts';
import { sampleNow, sampleResult, sampleTarget } from '#test/sample-results.ts';
import { type Probe, runConfirmation, runShard, type ScheduleTools } from './run-shard.ts';
import { shardCount, tickEveryMs } from './shard-ticks.ts';

const dayMs = 86_400_000;
/** Not `fc.double`: nearly all of its numbers are next to nothing, and no budget would ever be short. */
const tenths = (most: number) => fc.integer({ min: 0, max: most }).map((value) => value / 10);

/** What a provider does with a probe that was sent: its bill as a share of the most it can be, and what we hear of it. */
const fate = fc.oneof(
	{ weight: 5, arbitrary: fc.record({ heard: fc.constant('bill' as const), share: tenths(10) }) },
	{ weight: 2, arbitrary: fc.record({ heard: fc.constant('refused' as const), share: fc.constant(0) }) },
	// Answered and billed, and the answer was lost on its way: the dearest case.
	{ weight: 1, arbitrary: fc.record({ heard: fc.constant('nothing' as const), share: fc.constant(1) }) },
);
type Fate = typeof fate extends fc.Arbitrary<infer T> ? T : never;
/** How the run of a tick ends. `after`: probes sent until then. */
const ending = fc.oneof(
	{ weight: 4, arbitrary: fc.record({ kind: fc.constant('well' as const) }) },
	{ weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('dies before recording' as const, 'dies before settling' as const), after: fc.nat(4) }) },
	{ weight: 2, arbitrary: fc.record({ kind: fc.constant('stops' as const), after: fc.nat(4), takenOver: fc.boolean() }) },
	{ weight: 1, arbitrary: fc.record({ kind: fc.constant('freezes' as const) }) },
);
const step = fc.oneof(
	{
		weight: 8,
		arbitrary: fc.record({
			type: fc.constant('tick' as const),
			workers: fc.array(ending, { minLength: 1, maxLength: 3 }),
			fates: fc.array(fate, { minLength: 3, maxLength: 9 }),
		}),
	},
	{
		weight: 2,
		arbitrary: fc.record({
			type: fc.constant('confirm' as const),
			target: fc.nat(2),
			twice: fc.boolean(),
			fates: fc.array(fate, { minLength: 1, maxLength: 3 }),
		}),
	},
	{ weight: 2, arbitrary: fc.record({ type: fc.constant('wait' as const), ms: fc.constantFrom(1_000, 601_000, dayMs / 2) }) },
	{ weight: 2, arbitrary: fc.constant({ type: 'expire' as const }) },
	{ weight: 1, arbitrary: fc.constant({ type: 'thaw' as const }) },
	{ weight: 1, arbitrary: fc.constant({ type: 'trim' as const }) },
);
const price = fc.oneof(
	{ weight: 1, arbitrary: fc.constant(null) },
	{
		weight: 4,
		arbitrary: fc.record({ inputUsdPerMTok: tenths(300), outputUsdPerMTok: tenths(1_200) }),
	},
);

let house: TestDatabase;
beforeAll(async () => {
	house = await createTestDatabase();
});
afterAll(() => house.drop());

class Died extends Error {}

it('spend never passes the cap, over prices, outages, crashes, hand-overs, frozen workers and any interleaving', { timeout: 300_000 }, async () => {
	const { db } = house;
	const shard = 0;
	// All of one shard, so that a tick has slots of each.
	const ids = Array.from({ length: 200 }, (_, i) => `acme:m${i}:chat`).filter((id) => shardOf(id, shardCount) === shard);
	let run = 0;
	await fc.assert(
		fc.asyncProperty(
			fc.array(price, { minLength: 3, maxLength: 3 }),
			tenths(250),
			fc.array(step, { minLength: 6, maxLength: 16 }),
			fc.boolean(),
			async (prices, capInProbes, steps, planned) => {
				run += 1;
				let now = sampleNow + run * 30 * dayMs;
				const targets = prices.map((each, i): Target => sampleTarget(ids[i] ?? '', { intervalMs: 2_000, price: each }));
				const cap = Math.floor(capInProbes * Math.max(...targets.map((target) => reservationMicroUsd(target))));
				/** By the day that a probe was reserved on: what its provider bills. */
				const billed = new Map<string, number>();
				const frozen: { thaw: () => void; ended: Promise<unknown> }[] = [];
				let fates: readonly Fate[] = [];
				let sentCount = 0;

				// Each worker reads the day for itself, so two of them may follow different plans.
				const planOfNow = async () => {
					const { spentMicroUsd, reservedMicroUsd } = await readBudgetDay(db, dayOf(now));
					const rows = targets.map((target) => ({
						...{ id: target.id, provider: target.provider, intervalMs: target.intervalMs, probesPerSlot: 1, urgency: null, unstable: false },
						probeMicroUsd: reservationMicroUsd(target),
					}));
					const dayEndsAt = Math.min((Math.floor(now / dayMs) + 1) * dayMs, now + 40_000);
					return planCadence({ now, dayEndsAt, leftMicroUsd: cap - spentMicroUsd - reservedMicroUsd, vantages: ['local'], targets: rows, previous: null });
				};

				const worker = (
					how: { kind: string; after?: number; takenOver?: boolean },
					gate: Promise<void> | null,
					day: string,
					reached: () => void = () => {},
				): ScheduleTools => {
					let sent = 0;
					let dead = false;
					const die = () => {
						dead = true;
						throw new Died();
					};
					const tools: ScheduleTools = {
						...{ db, log: silentLog, vantage: 'local', now: () => now, targets: () => targets, capMicroUsd: () => cap },
						cadence: async () => (planned ? planOfNow() : null),
						async waitUntil() {
							reached();
							await gate;
						},
						stopping: () => how.kind === 'stops' && sent >= (how.after ?? 0),
						canaryTests: { learn: async () => {}, test: async (_target, _canary, result) => result },
						async handOver(tick) {
							if (how.takenOver) await runShard(worker({ kind: 'well' }, null, day), tick);
						},
						async runProbe({ target, canary, slotAt }: Probe): Promise<ProbeResult> {
							if (dead) throw new Died();
							sent += 1;
							sentCount += 1;
							const { heard, share } = fates[sentCount % fates.length] ?? { heard: 'bill', share: 1 };
							const most = reservationMicroUsd(target, canary.name);
							const bill = heard === 'refused' ? 0 : most * share;
							billed.set(day, (billed.get(day) ?? 0) + bill);
							if (how.kind === 'dies before recording' && sent > (how.after ?? 0)) die();
							const base = sampleResult({ slotAt, startedAt: slotAt, model: target.model });
							if (heard === 'refused')
								return {
									...base,
									outcome: 'server_error',
									sli: 'bad',
									httpStatus: 503,
									costMicroUsd: target.price === null ? null : 0,
									inputTokens: null,
									outputTokens: null,
								};
							// Of a model without a price only the tokens are told; none are when the answer was lost.
							const told = heard === 'bill' && target.price !== null ? bill : null;
							if (heard === 'nothing')
								return {
									...base,
									outcome: 'server_timeout',
									sli: 'bad',
									httpStatus: null,
									phase: 'headers',
									costMicroUsd: target.price === null ? null : most,
									inputTokens: null,
									outputTokens: null,
								};
							return { ...base, costMicroUsd: told, inputTokens: null, outputTokens: null };
						},
						async record() {
							if (dead) throw new Died();
							if (how.kind === 'dies before settling' && sent > (how.after ?? 0)) die();
						},
					};
					return tools;
				};
				const alive = (ended: Promise<unknown>) =>
					ended.catch((error) => {
						if (!(error instanceof Died)) throw error;
					});
				const check = async () => {
					for (const day of new Set([...billed.keys(), dayOf(now)])) {
						const { spentMicroUsd, reservedMicroUsd } = await readBudgetDay(db, day);
						const real = billed.get(day) ?? 0;
						expect(real, `${day}: billed at most what is booked`).toBeLessThanOrEqual(spentMicroUsd + reservedMicroUsd + 1e-6);
						expect(spentMicroUsd + reservedMicroUsd, `${day}: booked at most the cap`).toBeLessThanOrEqual(cap);
						expect(reservedMicroUsd).toBeGreaterThanOrEqual(0);
					}
				};

				for (const one of steps) {
					if (one.type === 'tick') {
						({ fates } = one);
						const day = dayOf(now);
						const tick = { shard, tickAt: Math.floor(now / tickEveryMs) * tickEveryMs };
						// Several at once with the same tick: a job that runs twice.
						await Promise.all(
							one.workers.map((how) => {
								if (how.kind !== 'freezes') return alive(runShard(worker(how, null, day), tick));
								const gate = Promise.withResolvers<void>();
								const reserved = Promise.withResolvers<void>();
								const ended = alive(runShard(worker({ kind: 'well' }, gate.promise, day, reserved.resolve), tick));
								frozen.push({ thaw: gate.resolve, ended });
								// The clock moves on when it has reserved what it will send after the thaw.
								return Promise.race([reserved.promise, ended]);
							}),
						);
						now += tickEveryMs;
					} else if (one.type === 'confirm') {
						({ fates } = one);
						const ask = { targetId: targets[one.target]?.id ?? '', canary: 'echo', slotAt: now };
						const day = dayOf(now);
						await Promise.all(Array.from({ length: one.twice ? 2 : 1 }, () => alive(runConfirmation(worker({ kind: 'well' }, null, day), ask))));
						now += 1;
					} else if (one.type === 'wait') now += one.ms;
					else if (one.type === 'expire') await releaseExpired(db, now);
					else if (one.type === 'trim') await trimReservations(db, now - 2 * dayMs);
					else {
						const [first] = frozen.splice(0, 1);
						first?.thaw();
						await first?.ended;
					}
					await check();
				}
				for (const { thaw, ended } of frozen) {
					thaw();
					await ended;
				}
				await releaseExpired(db, now + dayMs);
				await check();
			},
		),
		{ numRuns: 60 },
	);
});
