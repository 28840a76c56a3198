/** Every published number is what the published rows add up to: results → roll-up → snapshot → API, and back from `/v1/targets/{id}/results`. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { z } from 'zod';
import { createApp } from '#api/create-app.ts';
import { type resultsSchema, targetSchema } from '#api/schema.ts';
import { type RunningServer, serve } from '#api/serve.ts';
import { createSnapshotSource } from '#api/snapshot-source.ts';
import { createEvidence } from '#bin/evidence.ts';
import { histogramOf, quantile } from '#core/histogram.ts';
import { silentLog } from '#core/log.ts';
import { type Outcome, outcomes, ruleOf, sliOf } from '#core/outcome.ts';
import { missedSlot, type ProbeResult } from '#core/probe-result.ts';
import { type WindowName, windowMs } from '#core/snapshot.ts';
import { readSnapshot, writeSnapshot } from '#core/snapshot-text.ts';
import { insertResults } from '#db/probe-results.ts';
import { createRollupReader } from '#db/rollup-reader.ts';
import { registerTargets } from '#db/targets.ts';
import { createRandom } from '#simulator/fleet.ts';
import { createTestDatabase, type TestDatabase } from '#test/postgres.ts';
import { sampleNow, sampleResult, sampleTarget } from '#test/sample-results.ts';
import { createPublisher } from '#workers/publish-snapshot.ts';
import { rollUp } from '#workers/roll-up.ts';

type Row = z.infer<typeof resultsSchema>['results'][number];

// A clock that stands on no bucket's edge.
const now = sampleNow + 754_321;
const dayMs = 86_400_000;
const targets = [sampleTarget('acme:small:chat'), sampleTarget('acme:large:chat')];
let database: TestDatabase;
let server: RunningServer;

beforeEach(async () => {
	database = await createTestDatabase();
	await registerTargets(database.db, targets, now - 100 * dayMs);
});
afterEach(async () => {
	await server.close();
	await database.drop();
});

/** Bad days of every outcome, confirmations and missed slots among them; denser towards now. */
function record(): ProbeResult[] {
	const random = createRandom(11);
	return Array.from({ length: 2_400 }, (_, index) => {
		const outcome = random() < 0.7 ? 'ok' : (outcomes[Math.floor(random() * outcomes.length)] as Outcome);
		const slotAt = now - Math.floor((index / 2_400) ** 4 * 95 * dayMs) - index;
		const slot = {
			slotAt,
			startedAt: slotAt + 2,
			model: random() < 0.5 ? 'small' : 'large',
			vantage: random() < 0.7 ? 'local' : 'fra',
			kind: random() < 0.9 ? ('scheduled' as const) : ('confirmation' as const),
		};
		if (random() < 0.05) return missedSlot(sampleResult(slot), 'missed_slot');
		return sampleResult({
			...slot,
			outcome,
			sli: sliOf(outcome, random() < 0.5),
			ttftMs: 50 + random() * 2_000,
			outputTokensPerSecond: random() < 0.3 ? null : random() * 200,
		});
	});
}

async function readRows(id: string): Promise<Row[]> {
	const rows: Row[] = [];
	let next: string | null = '';
	while (next !== null) {
		const cursor: string = next === '' ? '' : `&cursor=${next}`;
		const page = (await (await fetch(`${server.url}/v1/targets/${id}/results?limit=500${cursor}`)).json()) as z.infer<typeof resultsSchema>;
		rows.push(...page.results);
		next = page.next;
	}
	return rows;
}

/** 95 % Wilson score interval, written out anew: the published one must not be its own witness. */
function interval(good: number, total: number): { low: number; high: number } {
	const z = 1.959963984540054;
	const p = good / total;
	const middle = (p + (z * z) / (2 * total)) / (1 + (z * z) / total);
	const half = (z / (1 + (z * z) / total)) * Math.sqrt((p * (1 - p)) / total + (z * z) / (4 * total * total));
	return { low: middle - half, high: middle + half };
}

test('counts, ratios, intervals, percentiles and days are recomputed from the rows', async () => {
	await insertResults(database.db, record(), { now, retentionDays: 400 });
	await rollUp({ db: database.db, log: silentLog, now: () => now });
	const snapshot = await createPublisher({
		db: database.db,
		rollups: createRollupReader(database.db),
		now: () => now,
		targets: () => targets,
		status: () => ({ title: 'Proof', url: null }),
		simulated: false,
		intervalMs: () => 60_000,
		maintenances: async () => [],
		drill: null,
	}).publish();
	const snapshots = createSnapshotSource();
	snapshots.put(readSnapshot(writeSnapshot(snapshot)));
	const app = createApp({
		snapshots,
		evidence: createEvidence(database.db),
		now: () => now,
		log: silentLog,
		siteDir: null,
		version: 'test',
		readiness: () => ({ ready: true, checks: {} }),
	});
	server = await serve(app, { host: '127.0.0.1', port: 0 });

	for (const { id } of targets) {
		const { target } = targetSchema.parse(await (await fetch(`${server.url}/v1/targets/${id}`)).json());
		// The rule, in one sentence: scheduled results that ran since the window's start; above a day, since the full hour that holds it.
		const ran = (await readRows(id)).filter(({ kind, startedAt }) => kind === 'scheduled' && startedAt !== null);
		expect(ran.length).toBeGreaterThan(800);
		const since = (from: number) => ran.filter(({ slotAt }) => Date.parse(slotAt) >= from);
		const within = (window: WindowName) => {
			const startAt = now - windowMs[window];
			return since(windowMs[window] > dayMs ? Math.floor(startAt / 3_600_000) * 3_600_000 : startAt);
		};
		const count = (rows: readonly Row[], sli: Row['sli']) => rows.filter((row) => row.sli === sli).length;
		for (const window of Object.keys(windowMs) as WindowName[]) {
			const rows = within(window);
			const [good, bad, excluded] = [count(rows, 'good'), count(rows, 'bad'), count(rows, 'excluded')];
			const published = target.availability[window];
			expect({ window, good: published.good, bad: published.bad, excluded: published.excluded }).toEqual({ window, good, bad, excluded });
			expect(good + bad).toBeGreaterThan(0);
			expect(published.ratio).toBe(good / (good + bad));
			const { low, high } = interval(good, good + bad);
			expect(published.low).toBeCloseTo(low, 12);
			expect(published.high).toBeCloseTo(high, 12);
		}
		const half = within('30m');
		const capacity = (place: 'served' | 'refused') => half.filter(({ outcome }) => ruleOf(outcome).capacity === place).length;
		expect([target.capacity.served, target.capacity.refused]).toEqual([capacity('served'), capacity('refused')]);
		const day = within('1d');
		const quality = (place: 'right' | 'wrong') => day.filter(({ outcome }) => ruleOf(outcome).quality === place).length;
		expect([target.quality.right, target.quality.answered]).toEqual([quality('right'), quality('right') + quality('wrong')]);
		expect(target.outcomes).toEqual(Object.fromEntries([...Map.groupBy(day, ({ outcome }) => outcome)].map(([outcome, rows]) => [outcome, rows.length])));
		const tenth = (value: number | null) => (value === null ? null : Math.round(value * 10) / 10);
		for (const [rows, published] of [[half, target.ttftMs] as const, [day, target.ttftMs1d] as const]) {
			const times = histogramOf(rows.filter(({ outcome }) => outcome === 'ok').flatMap(({ ttftMs }) => ttftMs ?? []));
			const at = (q: number) => tenth(quantile(times, q));
			expect(published).toEqual({ p50: at(0.5), p90: at(0.9), p95: at(0.95), p99: at(0.99), count: times.counts.reduce((sum, one) => sum + one, 0) });
		}
		for (const { date, good, bad, excluded } of target.days) {
			const rows = ran.filter(({ slotAt }) => slotAt.slice(0, 10) === date);
			expect({ date, good, bad, excluded }).toEqual({ date, good: count(rows, 'good'), bad: count(rows, 'bad'), excluded: count(rows, 'excluded') });
		}
	}
});
