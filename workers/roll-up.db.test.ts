import { afterEach, beforeEach, expect, it } from 'vitest';
import { silentLog } from '#core/log.ts';
import { type Outcome, outcomes, sliOf } from '#core/outcome.ts';
import { missedSlot, type ProbeResult } from '#core/probe-result.ts';
import { emptyRollup, type Rollup, type RollupStep, rollupOf, rollupSteps } from '#core/rollup.ts';
import { longWindows, windowMs } from '#core/snapshot.ts';
import { windowFigures } from '#core/window-figures.ts';
import { createBriefReader } from '#db/brief-windows.ts';
import { readDayRollups } from '#db/day-rollups.ts';
import { packDays } from '#db/packed-rollups.ts';
import { insertResults } from '#db/probe-results.ts';
import { readResultsAfter } from '#db/read-results.ts';
import { createRollupReader } from '#db/rollup-reader.ts';
import { type RolledWindow, readRange, readSeries, readSliCounts, readWindowRollups, type WindowRollup, windowStart } from '#db/rollups.ts';
import { type Db, openDb } from '#db/sql.ts';
import { registerTargets } from '#db/targets.ts';
import { createTestDatabase, type TestDatabase } from '#test/postgres.ts';
import { sampleNow, sampleResult, sampleTarget } from '#test/sample-results.ts';
import { rollUp } from './roll-up.ts';

let database: TestDatabase;
let db: Db;
beforeEach(async () => {
	database = await createTestDatabase();
	db = database.db;
	await registerTargets(db, [sampleTarget('acme:small:chat'), sampleTarget('acme:large:chat')], sampleNow);
});
afterEach(() => database.drop());

const tools = () => ({ db, log: silentLog, now: () => sampleNow });
const insert = (results: readonly ProbeResult[]) => insertResults(db, results, { now: sampleNow, retentionDays: 400 });

/** Same numbers on every run, spread like a bad day. */
function sequence(seed: number): () => number {
	let state = seed;
	return () => {
		state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
		return state / 2 ** 32;
	};
}

function mixedResults(count: number, spanMs: number): ProbeResult[] {
	const random = sequence(7);
	return Array.from({ length: count }, (_, i) => {
		const outcome = random() < 0.6 ? 'ok' : (outcomes[Math.floor(random() * outcomes.length)] as Outcome);
		const slotAt = sampleNow - Math.floor((i / count) * spanMs);
		const slot = {
			slotAt,
			startedAt: slotAt + 2,
			model: random() < 0.5 ? 'small' : 'large',
			vantage: random() < 0.7 ? 'local' : 'fra',
			canary: random() < 0.8 ? 'echo' : 'tool',
			kind: random() < 0.9 ? ('scheduled' as const) : ('confirmation' as const),
		};
		if (random() < 0.05) return missedSlot(sampleResult(slot), 'missed_slot');
		const outputTokens = Math.floor(random() * 100);
		// Whole micro-dollars: sums of fractions would differ in the last digit by their order.
		const costMicroUsd = random() < 0.2 ? null : Math.floor(random() * 500);
		return sampleResult({
			...slot,
			outcome,
			sli: sliOf(outcome, true),
			ttftMs: random() * 2_000,
			totalMs: random() < 0.1 ? null : random() * 9_000,
			outputTokens,
			costMicroUsd,
		});
	});
}

async function expectRollupsOfRaw(): Promise<void> {
	const raw = (await readResultsAfter(db, 0, 100_000)).filter(({ result }) => result.kind === 'scheduled');
	for (const step of Object.keys(rollupSteps) as RollupStep[]) {
		for (const targetId of ['acme:small:chat', 'acme:large:chat']) {
			for (const vantage of ['local', 'fra']) {
				for (const canary of ['echo', 'tool']) {
					const own = raw
						.filter(({ targetId: id, result }) => id === targetId && result.vantage === vantage && result.canary === canary)
						.map(({ result }) => result);
					const expected = [...Map.groupBy(own, ({ slotAt }) => Math.floor(slotAt / rollupSteps[step]) * rollupSteps[step])]
						.map(([at, results]) => ({ at, rollup: rollupOf(results) }))
						.sort((a, b) => a.at - b.at);
					const found = await readSeries(db, targetId, { fromAt: 0, toAt: sampleNow + 1e9, step, vantage, canary });
					expect(found, `${step} ${targetId} ${vantage} ${canary}`).toEqual(expected);
				}
			}
		}
	}
}

it('has in every rollup what the raw results of its bucket add up to', async () => {
	await insert(mixedResults(4_000, 3 * 86_400_000));
	await rollUp(tools());
	await expectRollupsOfRaw();
});

it('gives the same digits for late, repeated, replaced and out-of-order results, one at a time or all at once', async () => {
	const results = mixedResults(300, 7_200_000);
	for (let i = 0; i < results.length; i += 60) {
		const batch = results.slice(i, i + 60);
		await insert(batch.toReversed().map((result, k) => (k % 3 === 0 ? missedSlot(result, 'missed_slot') : result)));
		await rollUp(tools());
		await insert(batch);
		await rollUp(tools());
		await rollUp(tools());
	}
	await expectRollupsOfRaw();
});

it('puts a sum that was damaged right with the next part that begins in it, and at once where the damage shows', async () => {
	const at = (slotAt: number) => insert([sampleResult({ slotAt, startedAt: slotAt })]);
	const hourAt = Math.floor(sampleNow / rollupSteps.hour) * rollupSteps.hour;
	await at(hourAt);
	await rollUp(tools());
	await db.execute('update rollups_hour set good_count = 40');
	await db.execute('update rollups_day set good_count = 0, ttft_buckets = $1, ttft_counts = $2', ['{}', '{}']);
	await at(hourAt + 1_000);
	await rollUp(tools());
	const hour = async () => (await readSeries(db, 'acme:small:chat', { fromAt: 0, toAt: sampleNow + 1e9, step: 'hour' }))[0]?.rollup.good;
	expect(await hour()).toBe(41);
	await at(hourAt + rollupSteps.five_minutes);
	await rollUp(tools());
	expect(await hour()).toBe(3);
	await at(hourAt + rollupSteps.hour);
	await rollUp(tools());
	await expectRollupsOfRaw();
});

it('goes through a long backlog in steps', async () => {
	const slots = Array.from({ length: 12_000 }, (_, i) => missedSlot(sampleResult({ slotAt: sampleNow - i * 1_000 }), 'missed_slot'));
	await insert(slots);
	await rollUp({ ...tools(), resultsPerStep: 5_000 });
	const [today] = await readSeries(db, 'acme:small:chat', { fromAt: 0, toAt: sampleNow + 1, step: 'day' });
	expect(today?.rollup).toMatchObject({ count: 12_000, missed: 12_000, excluded: 0 });
});

it('lets only one process roll up at a time, and loses nothing when two try', async () => {
	const others = [1, 2, 3].map(() => openDb({ url: database.url, max: 1 }));
	for (const batch of [mixedResults(500, 3_600_000), mixedResults(500, 1_800_000)]) {
		await insert(batch);
		await Promise.all(others.map((other) => rollUp({ ...tools(), db: other })));
	}
	await rollUp(tools());
	await Promise.all(others.map((other) => other.close()));
	await expectRollupsOfRaw();
});

const rolled = ['1d', ...longWindows] as const;
const short = (rollup: Rollup): Rollup => ({ ...rollup, total: emptyRollup.total });
const long = (rollup: Rollup): Rollup => ({ ...short(rollup), outcomes: {}, ttft: emptyRollup.ttft, speed: emptyRollup.speed });

it('answers the window of a day exactly, and the longer ones with the results since the hour that holds their start', async () => {
	const results = mixedResults(3_000, 95 * 86_400_000);
	// A clock that stands on no bucket's edge.
	const now = sampleNow + 754_321;
	await insert(results);
	await insert(mixedResults(500, 7_200_000).map((result) => ({ ...result, vantage: 'edge' })));
	await rollUp(tools());
	const raw = (await readResultsAfter(db, 0, 100_000)).filter(({ result }) => result.kind === 'scheduled');
	const found = await readWindowRollups(db, { now, windows: rolled });
	for (const window of rolled) {
		const startAt = now - windowMs[window];
		const from = windowMs[window] > 86_400_000 ? Math.floor(startAt / rollupSteps.hour) * rollupSteps.hour : startAt;
		expect(windowStart(window, now)).toBe(from);
		for (const targetId of ['acme:small:chat', 'acme:large:chat']) {
			const own = raw.filter(({ targetId: id, result }) => id === targetId && result.slotAt >= from).map(({ result }) => result);
			const expected = (list: ProbeResult[]) => (windowMs[window] > 86_400_000 ? long(rollupOf(list)) : short(rollupOf(list)));
			const got = found.get(targetId)?.[window];
			expect(got?.all, `${window} ${targetId}`).toEqual(own.length === 0 ? undefined : expected(own));
			for (const canary of ['echo', 'tool']) {
				const ofCanary = own.filter((result) => result.canary === canary);
				expect(got?.byCanary[canary], `${window} ${targetId} ${canary}`).toEqual(ofCanary.length === 0 ? undefined : expected(ofCanary));
			}
		}
	}
});

it('tells the counts of each UTC day', async () => {
	await insert(mixedResults(2_000, 10 * 86_400_000));
	await rollUp(tools());
	const days = (await readDayRollups(db, '2026-11-20', '2026-11-23')).get('acme:small:chat');
	const expected = await readSeries(db, 'acme:small:chat', { fromAt: Date.UTC(2026, 10, 20), toAt: sampleNow + 1, step: 'day' });
	expect(expected.map(({ at }) => new Date(at).toISOString().slice(0, 10))).toEqual(['2026-11-20', '2026-11-21', '2026-11-22', '2026-11-23']);
	for (const { at, rollup } of expected) expect(days?.of(at)).toEqual({ good: rollup.good, bad: rollup.bad, excluded: rollup.excluded });
	expect(days?.of(Date.UTC(2026, 10, 19))).toEqual({ good: 0, bad: 0, excluded: 0 });
});

it('reads for a publisher what the plain reads say, once what hardly moves has been read again', async () => {
	const reader = createRollupReader(db);
	const figuresAt = async (now: number) => {
		const figuresOf = (windows: Partial<Record<RolledWindow, WindowRollup>>) =>
			Object.fromEntries(rolled.flatMap((name) => (windows[name] === undefined ? [] : [[name, windowFigures(name, windows[name])]])));
		const slow = await readWindowRollups(db, { now, windows: rolled });
		const brief = await createBriefReader(db).read(now);
		return new Map([...slow].map(([id, windows]) => [id, { ...figuresOf(windows), ...brief.get(id) }]));
	};
	const publish = async (now: number) => ({ windows: await reader.windows(now), days: await reader.days(now) });
	await insert(mixedResults(500, 40 * 86_400_000));
	await rollUp(tools());
	const first = await publish(sampleNow);
	expect(first.windows).toEqual({ countedAt: sampleNow, of: await figuresAt(sampleNow) });
	expect(first.days).toEqual(await readDayRollups(db, '2026-08-25', '2026-11-24'));
	await insert(mixedResults(50, 240_000).map((result) => ({ ...result, vantage: 'late' })));
	await rollUp(tools());
	const soon = await publish(sampleNow + 1_000);
	expect(soon.windows.of.get('acme:small:chat')?.['5m']?.count).toBeGreaterThan(first.windows.of.get('acme:small:chat')?.['5m']?.count ?? 0);
	expect(soon.days).toEqual(await readDayRollups(db, '2026-08-25', '2026-11-24'));
	const later = await publish(sampleNow + 121_000);
	expect(later.windows).toEqual({ countedAt: sampleNow + 121_000, of: await figuresAt(sampleNow + 121_000) });
});

it('merges any long stretch of one target from days and hours, as the raw results add up', async () => {
	await insert(mixedResults(3_000, 80 * 86_400_000));
	await rollUp(tools());
	const raw = (await readResultsAfter(db, 0, 100_000)).filter(({ targetId, result }) => targetId === 'acme:small:chat' && result.kind === 'scheduled');
	for (const [fromAt, toAt] of [
		[sampleNow - 90 * 86_400_000, sampleNow + 3_600_000],
		[sampleNow - 30 * 86_400_000 + 1_234_567, sampleNow - 5 * 86_400_000],
		[sampleNow - 4 * 3_600_000, sampleNow - 3_600_000],
	] as const) {
		const hourMs = 3_600_000;
		const own = raw.filter(({ result: { slotAt, canary } }) => slotAt >= Math.floor(fromAt / hourMs) * hourMs && slotAt < toAt && canary === 'echo');
		expect(own.length).toBeGreaterThan(0);
		expect(await readRange(db, 'acme:small:chat', { fromAt, toAt, canary: 'echo' })).toEqual(rollupOf(own.map(({ result }) => result)));
	}
});

it('counts good and bad over the windows of burn rates', async () => {
	await insert(mixedResults(2_000, 4 * 86_400_000));
	await rollUp(tools());
	const raw = (await readResultsAfter(db, 0, 100_000)).filter(({ targetId, result }) => targetId === 'acme:large:chat' && result.kind === 'scheduled');
	const windowsMs = [300_000, 3_600_000, 21_600_000, 259_200_000];
	const counts = (await readSliCounts(db, { now: sampleNow + 123_456, windowsMs })).get('acme:large:chat');
	for (const lengthMs of windowsMs) {
		const bucketMs = lengthMs > 86_400_000 ? 3_600_000 : 300_000;
		const from = Math.floor((sampleNow + 123_456 - lengthMs) / bucketMs) * bucketMs;
		const count = (sli: string) => raw.filter(({ result }) => result.slotAt >= from && result.sli === sli).length;
		expect(counts?.get(lengthMs), String(lengthMs)).toEqual({ good: count('good'), bad: count('bad') });
	}
});

it('packs the days that ended, draws them as before, and opens one again for a late result', async () => {
	await insert(mixedResults(2_000, 6 * 86_400_000));
	await rollUp(tools());
	const series = async () => readSeries(db, 'acme:small:chat', { fromAt: sampleNow - 7 * 86_400_000, toAt: sampleNow + 1, step: 'five_minutes' });
	const before = await series();
	expect(await packDays(db, sampleNow - 86_400_000)).toHaveLength(5);
	expect(await db.execute("select count(*) as count from rollups_5m where bucket_at < '2026-11-22'")).toEqual([{ count: 0 }]);
	expect(await series()).toEqual(before);
	await insert(
		mixedResults(100, 5 * 86_400_000).map((result) => ({
			...result,
			slotAt: result.slotAt - 77_000,
			startedAt: result.startedAt === null ? null : result.startedAt - 77_000,
		})),
	);
	await rollUp(tools());
	await expectRollupsOfRaw();
	await packDays(db, sampleNow - 86_400_000);
	await packDays(db, sampleNow - 86_400_000);
	await expectRollupsOfRaw();
	expect(await db.execute("select count(*) as count from rollups_5m_default where bucket_at < '2026-11-22'")).toEqual([{ count: 0 }]);
});
