import { afterEach, beforeEach, expect, it } from 'vitest';
import { outcomes, sliOf } from '#core/outcome.ts';
import { missedSlot, type ProbeResult } from '#core/probe-result.ts';
import { rollupOf } from '#core/rollup.ts';
import { windowMs } from '#core/snapshot.ts';
import { windowFigures } from '#core/window-figures.ts';
import { createTestDatabase, type TestDatabase } from '#test/postgres.ts';
import { sampleNow, sampleResult, sampleTarget } from '#test/sample-results.ts';
import { type BriefFigures, type BriefReader, briefWindows, createBriefReader } from './brief-windows.ts';
import { insertResults } from './probe-results.ts';
import { readResultsAfter } from './read-results.ts';
import type { Db } from './sql.ts';
import { registerTargets } from './targets.ts';

const ids = ['acme:small:chat', 'acme:large:chat', 'acme:silent:chat'];
const minute = 60_000;
let database: TestDatabase;
let db: Db;
let reader: BriefReader;
beforeEach(async () => {
	database = await createTestDatabase();
	db = database.db;
	reader = createBriefReader(db);
	await registerTargets(
		db,
		ids.map((id) => sampleTarget(id)),
		sampleNow,
	);
});
afterEach(() => database.drop());

const insert = (results: readonly ProbeResult[]) => insertResults(db, results, { now: sampleNow + 86_400_000, retentionDays: 400 });
const at = (slotAt: number, overrides: Partial<ProbeResult> = {}) => sampleResult({ slotAt, startedAt: slotAt + 2, ...overrides });

/** What the raw results of the record add up to. */
async function fromRaw(now: number): Promise<Map<string, BriefFigures>> {
	const raw = (await readResultsAfter(db, 0, 100_000)).filter(({ result }) => result.kind === 'scheduled');
	const found = new Map<string, BriefFigures>();
	for (const id of ids) {
		const figures = briefWindows.flatMap((window) => {
			const own = raw.filter(({ targetId, result }) => targetId === id && result.slotAt >= now - windowMs[window]).map(({ result }) => result);
			const byCanary = [...Map.groupBy(own, ({ canary }) => canary)].map(([canary, results]) => [canary, rollupOf(results)] as const);
			return own.length === 0 ? [] : [[window, windowFigures(window, { all: rollupOf(own), byCanary: Object.fromEntries(byCanary) })] as const];
		});
		if (figures.length > 0) found.set(id, Object.fromEntries(figures));
	}
	return found;
}

/** Numbers in 0..1, the same on every run. */
function sequence(seed: number): () => number {
	let state = seed;
	return () => {
		state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
		return state / 2 ** 32;
	};
}

function anyResult(random: () => number, now: number): ProbeResult {
	const pick = <T>(words: readonly T[]): T => words[Math.floor(random() * words.length)] as T;
	const outcome = random() < 0.6 ? 'ok' : pick(outcomes);
	// Most are new, some older than what is kept, some a little ahead.
	const slotAt = Math.round(now - random() ** 3 * 80 * minute + 2_000);
	const slot = { model: pick(['small', 'large']), vantage: pick(['local', 'fra']), canary: pick(['echo', 'echo', 'tool']), outcome, sli: sliOf(outcome, true) };
	const result = at(slotAt, { ...slot, kind: random() < 0.9 ? 'scheduled' : 'confirmation', ttftMs: random() * 3_000 });
	return random() < 0.1 ? missedSlot(result, 'missed_slot') : result;
}

it.each([11, 12, 13])('says at any time what the raw results add up to, whatever comes late, twice or instead of a missed slot: seed %i', async (seed) => {
	const random = sequence(seed);
	let now = sampleNow;
	for (let step = 0; step < 12; step++) {
		const results = Array.from({ length: Math.floor(random() * 60) }, () => anyResult(random, now));
		const markers = results.filter(() => random() < 0.2).map((result) => missedSlot(result, 'missed_slot'));
		await insert(markers);
		if (random() < 0.5) await reader.read(now);
		await insert(results);
		// Now and then the clock is set back, stands, or is away for longer than a silence.
		now += Math.round(random() < 0.15 ? -7 * minute : random() < 0.2 ? 12 * minute : random() * 4 * minute);
		expect(await reader.read(now)).toEqual(await fromRaw(now));
	}
	expect(await reader.read(now + 3 * 60 * minute)).toEqual(new Map());
});

it('a result is in a window from its slot until the window has passed it, to the millisecond', async () => {
	await insert([at(sampleNow)]);
	for (const window of briefWindows) {
		const [last, gone] = [await reader.read(sampleNow + windowMs[window]), await reader.read(sampleNow + windowMs[window] + 1)];
		expect([last.get('acme:small:chat')?.[window]?.count, gone.get('acme:small:chat')?.[window]]).toEqual([1, undefined]);
	}
});

it('a target that neither gained nor lost a result keeps its very figures', async () => {
	await insert([at(sampleNow - minute), at(sampleNow - 4 * minute, { model: 'large' })]);
	const first = await reader.read(sampleNow);
	await insert([at(sampleNow)]);
	const second = await reader.read(sampleNow + 1_000);
	expect(second.get('acme:small:chat')).not.toBe(first.get('acme:small:chat'));
	expect(second.get('acme:large:chat')).toBe(first.get('acme:large:chat'));
	expect((await reader.read(sampleNow + 2 * minute)).get('acme:large:chat')).toMatchObject({ '30m': { count: 1 } });
	expect((await reader.read(sampleNow + 2 * minute)).get('acme:large:chat')).not.toHaveProperty('5m');
});

it('what is committed while the hour is read the first time is not passed over', async () => {
	expect(await reader.read(sampleNow)).toEqual(new Map());
	await insert([at(sampleNow)]);
	const [one, other] = await Promise.all([reader.read(sampleNow + 1), insert([at(sampleNow + 1)])]);
	expect([1, 2]).toContain(one.get('acme:small:chat')?.['5m']?.count);
	expect(other.inserted).toBe(1);
	expect((await reader.read(sampleNow + 2)).get('acme:small:chat')?.['5m']?.count).toBe(2);
});
