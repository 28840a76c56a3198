import fc from 'fast-check';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { sliOf } from '#core/outcome.ts';
import { missedSlot, type ProbeResult } from '#core/probe-result.ts';
import { createTestDatabase, type TestDatabase } from '#test/postgres.ts';
import { sampleNow, sampleResult, sampleTarget } from '#test/sample-results.ts';
import { readHeadroom } from './headroom.ts';
import { encodeLog } from './log-code.ts';
import { dropExpiredPartitions, ensurePartitions } from './partitions.ts';
import { insertResults } from './probe-results.ts';
import { listQuarantine } from './quarantine.ts';
import { findResult, listResults, readResultsAfter, readResultsOfDay, slotsWithoutResult } from './read-results.ts';
import { createRecentReader, readRecentResults } from './recent-results.ts';
import { remarksAtMost } from './remarks.ts';
import { kindCodes, outcomeCodes, phaseCodes, sliCodes } from './result-codes.ts';
import { listMarks } from './series-marks.ts';
import { type Db, openDb, transaction } from './sql.ts';
import { listTargetKeys, registerTargets } from './targets.ts';

const bounds = { now: sampleNow, retentionDays: 14 };
const dayMs = 86_400_000;
const minutes = (count: number, first: Partial<ProbeResult> = {}) =>
	Array.from({ length: count }, (_, i) => sampleResult({ ...first, slotAt: sampleNow - i * 60_000, startedAt: sampleNow - i * 60_000 + 1 }));

let database: TestDatabase;
let db: Db;
beforeEach(async () => {
	database = await createTestDatabase();
	db = database.db;
	await registerTargets(db, [sampleTarget('acme:small:chat'), sampleTarget('acme:org/large:v2:chat')], sampleNow);
});
afterEach(() => database.drop());

const stored = async () => (await readResultsAfter(db, 0, 1_000)).map(({ result }) => result);

it('gives back what was recorded', async () => {
	const results = [
		sampleResult(),
		sampleResult({ model: 'org/large:v2', slotAt: sampleNow + 7, startedAt: sampleNow + 9 }),
		missedSlot(sampleResult({ slotAt: sampleNow + 60_000 }), 'missed_slot'),
		sampleResult({
			slotAt: sampleNow + 1,
			outcome: 'server_error',
			sli: 'bad',
			phase: 'headers',
			httpStatus: 503,
			retryAfterMs: 30_000,
			evidence: { message: 'ça "va" {}, \\ ü' },
		}),
	];
	expect(await insertResults(db, results, bounds)).toEqual({ inserted: 4, replaced: 0, duplicates: 0, quarantined: 0 });
	expect(await stored()).toEqual(results);
	const again = await readResultsOfDay(db, '2026-11-23', null, 10);
	const inOrder = (list: readonly ProbeResult[]) => list.toSorted((a, b) => a.slotAt - b.slotAt);
	expect(inOrder(again.map(({ result }) => result))).toEqual(inOrder(results));
	for (const { id, result } of again) expect((await findResult(db, id))?.result).toEqual(result);
});

it('records a slot once, however often it comes and in whatever batches', async () => {
	const results = minutes(20);
	await insertResults(db, results.slice(0, 12), bounds);
	expect(await insertResults(db, [...results, ...results], bounds)).toMatchObject({ inserted: 8, replaced: 0, duplicates: 32 });
	const writers = await Promise.all([1, 2, 3].map(() => insertResults(db, minutes(40), bounds)));
	expect(writers.reduce((sum, { inserted }) => sum + inserted, 0)).toBe(20);
	expect(await stored()).toHaveLength(40);
});

it('lets a late result replace the missed marker of its slot, and nothing else', async () => {
	const late = sampleResult({ outcome: 'server_error', sli: 'bad', phase: 'headers' });
	await insertResults(db, [missedSlot(late, 'missed_slot')], bounds);
	const [marker] = await readResultsAfter(db, 0, 10);
	expect(await insertResults(db, [late], bounds)).toMatchObject({ inserted: 0, replaced: 1 });
	expect(await insertResults(db, [missedSlot(late, 'budget'), late], bounds)).toMatchObject({ inserted: 0, replaced: 0, duplicates: 2 });
	expect(await stored()).toEqual([late]);
	const fresh = await readResultsAfter(db, marker?.seq ?? 0, 10);
	expect(
		fresh.map(({ id }) => id),
		'a reader that saw the marker sees the result',
	).toEqual([marker?.id]);
});

it('prefers the result to the marker of the same slot in one batch', async () => {
	await insertResults(db, [missedSlot(sampleResult(), 'missed_slot'), sampleResult(), missedSlot(sampleResult(), 'budget')], bounds);
	expect(await stored()).toEqual([sampleResult()]);
});

const refused: Record<string, Partial<ProbeResult>> = {
	'from the future': { slotAt: sampleNow + 600_001 },
	'older than the retention': { slotAt: sampleNow - 15 * dayMs },
	'unknown target': { model: 'never configured' },
	oversized: { evidence: { message: 'x'.repeat(9_000) } },
	'unknown code': { outcome: 'exploded' as 'ok' },
	'invalid ttftMs': { ttftMs: Number.NaN },
	'invalid inputTokens': { inputTokens: 2 ** 40 },
	'invalid time': { slotAt: Number.NaN },
	'invalid httpStatus': { httpStatus: 70_000 },
};

it('refuses what can not be right into the quarantine, with the reason, and records its neighbours', async () => {
	const neighbours = minutes(3);
	const batch = [neighbours[0]!, ...Object.values(refused).map((wrong) => sampleResult(wrong)), ...neighbours.slice(1)];
	expect(await insertResults(db, batch, bounds)).toMatchObject({ inserted: 3, quarantined: Object.keys(refused).length });
	expect((await listQuarantine(db, 100)).map(({ reason }) => reason).sort()).toEqual(Object.keys(refused).sort());
});

it('records the neighbours of anything at all, which is recorded cleaned or kept in the quarantine', async () => {
	const wild = fc.oneof(
		fc.anything({ withNullPrototype: false }),
		fc.string({ unit: 'binary' }),
		fc.double(),
		fc.constantFrom('\u0000', '\uD800', 'x'.repeat(10_000), -1, 1e300, Number.NaN, Number.POSITIVE_INFINITY, {}, [], '__proto__', 'toString', null, undefined),
	);
	let round = 0;
	await fc.assert(
		fc.asyncProperty(
			fc.array(fc.tuple(fc.constantFrom(...(Object.keys(sampleResult()) as (keyof ProbeResult)[])), wild), { minLength: 1, maxLength: 5 }),
			async (spoiled) => {
				round += 1;
				const slotAt = (i: number) => sampleNow - round * 1_000 - i;
				const neighbours = [0, 1].map((i) => sampleResult({ slotAt: slotAt(i), startedAt: slotAt(i) }));
				const bad = spoiled.map(
					([field, value], i) => ({ ...sampleResult({ slotAt: slotAt(i + 10), startedAt: slotAt(i + 10) }), [field]: value }) as ProbeResult,
				);
				const { inserted, duplicates, replaced, quarantined } = await insertResults(db, [neighbours[0]!, ...bad, neighbours[1]!], bounds);
				expect(inserted + duplicates + replaced + quarantined).toBe(bad.length + 2);
				const kept = await readResultsAfter(db, 0, 10_000);
				const slots = new Set(kept.map(({ result }) => result.slotAt));
				expect(neighbours.every((one) => slots.has(one.slotAt))).toBe(true);
			},
		),
		{ numRuns: 60, interruptAfterTimeLimit: 15_000 },
	);
});

it('survives a row that only the database refuses', async () => {
	await db.execute('alter table probe_results add constraint no_teapot check (input_tokens <> 418)');
	const batch = [...minutes(6), sampleResult({ slotAt: sampleNow + 1, inputTokens: 418 }), sampleResult({ slotAt: sampleNow + 2 })];
	expect(await insertResults(db, batch, bounds)).toEqual({ inserted: 7, replaced: 0, duplicates: 0, quarantined: 1 });
	expect((await listQuarantine(db, 1))[0]?.reason).toMatch(/no_teapot/);
});

it('keeps a result whose text Postgres would refuse', async () => {
	const nasty = 'a\u0000b\uD800c';
	await insertResults(db, [sampleResult({ servedModel: nasty, requestId: nasty, evidence: { message: nasty } })], bounds);
	expect((await stored())[0]).toMatchObject({ servedModel: 'a\uFFFDb\uFFFDc', requestId: 'a\uFFFDb\uFFFDc', evidence: { message: 'a\uFFFDb\uFFFDc' } });
});

it('shows no reader a later result before an earlier one, with many writers', async () => {
	const writers = Array.from({ length: 6 }, () => openDb({ url: database.url, max: 1 }));
	await insertResults(db, [sampleResult({ slotAt: sampleNow - dayMs })], bounds);
	let writing = true;
	const seen: number[] = [];
	const reader = (async () => {
		let last = 0;
		for (let rest = true; rest; ) {
			rest = writing;
			for (;;) {
				const page = await readResultsAfter(db, last, 50);
				seen.push(...page.map(({ seq }) => seq));
				last = page.at(-1)?.seq ?? last;
				if (page.length === 0) break;
			}
		}
	})();
	await Promise.all(
		writers.map(async (writer, w) => {
			for (let i = 0; i < 25; i++) {
				await insertResults(
					writer,
					[0, 1, 2].map((k) => sampleResult({ slotAt: sampleNow - w * 3_600_000 - i * 1_000 - k })),
					bounds,
				);
			}
		}),
	);
	writing = false;
	await reader;
	await Promise.all(writers.map((writer) => writer.close()));
	expect(seen).toHaveLength(1 + 6 * 25 * 3);
});

it('pages through a target newest first without loss or repeat, while new results come', async () => {
	await insertResults(db, [...minutes(30), ...minutes(30, { vantage: 'fra' }), ...minutes(5, { model: 'org/large:v2' })], bounds);
	const ids: string[] = [];
	let before: string | null = null;
	do {
		const page: Awaited<ReturnType<typeof listResults>> = await listResults(db, { targetId: 'acme:small:chat', before, limit: 7 });
		ids.push(...page.results.map(({ id }) => id));
		before = page.next;
		await insertResults(db, [sampleResult({ slotAt: sampleNow + ids.length })], bounds);
	} while (before !== null);
	const all = (await listResults(db, { targetId: 'acme:small:chat', limit: 1_000 })).results;
	expect(ids).toEqual(all.filter(({ result }) => result.slotAt <= sampleNow).map(({ id }) => id));
	expect(new Set(ids).size).toBe(60);
	expect(all.map(({ result }) => result.slotAt)).toEqual(all.map(({ result }) => result.slotAt).toSorted((a, b) => b - a));
	await expect(listResults(db, { targetId: 'acme:small:chat', before: "'; drop", limit: 1 })).rejects.toThrow(RangeError);
	expect(await listResults(db, { targetId: 'none:such:chat', limit: 1 })).toEqual({ results: [], next: null });
});

it('filters by kind and outcome', async () => {
	await insertResults(
		db,
		[sampleResult(), sampleResult({ kind: 'confirmation' }), sampleResult({ kind: 'manual', outcome: 'overloaded', sli: 'bad' })],
		bounds,
	);
	const kinds = async (options: object) =>
		(await listResults(db, { targetId: 'acme:small:chat', limit: 9, ...options })).results.map(({ result }) => result.kind);
	expect(await kinds({ kinds: ['confirmation', 'scheduled'] })).toEqual(['confirmation', 'scheduled']);
	expect(await kinds({ outcome: 'overloaded' })).toEqual(['manual']);
});

it('knows the slots that have neither result nor marker', async () => {
	const slots = minutes(6);
	await insertResults(db, [slots[1]!, missedSlot(slots[4]!, 'missed_slot')], bounds);
	const unknown = { ...slots[0]!, vantage: 'never seen' };
	expect(await slotsWithoutResult(db, [...slots, unknown])).toEqual([slots[0], slots[2], slots[3], slots[5], unknown]);
});

it('tells the newest facts of each target and vantage', async () => {
	const at = (i: number, more: Partial<ProbeResult>) => sampleResult({ slotAt: sampleNow - i * 1_000, startedAt: sampleNow - i * 1_000, ...more });
	await insertResults(
		db,
		[
			at(1, { kind: 'manual' }),
			at(2, { outcome: 'rate_limited', sli: 'excluded', retryAfterMs: 5_000, evidence: { subcode: 'tokens' } }),
			at(3, { outcome: 'server_error', sli: 'bad', kind: 'confirmation' }),
			...[4, 5, 6, 7].map((i) => at(i, {})),
			missedSlot(at(0, {}), 'missed_slot'),
		],
		bounds,
	);
	expect(await readRecentResults(db, sampleNow - dayMs)).toEqual(
		new Map([
			[
				'acme:small:chat',
				{
					local: {
						measuredAt: sampleNow - 2_000,
						validAt: sampleNow - 3_000,
						outcome: 'rate_limited',
						subcode: 'tokens',
						retryAfterMs: 5_000,
						votes: ['bad', 'good', 'good'],
					},
				},
			],
		]),
	);
});

it('the newest facts are the same to who reads on as to who reads everything, whatever comes in whatever order', async () => {
	const result = fc.record({
		target: fc.constantFrom('acme:small:chat', 'acme:org/large:v2:chat'),
		ago: fc.integer({ min: 0, max: 40 }),
		vantage: fc.constantFrom('local', 'eu'),
		kind: fc.constantFrom('scheduled' as const, 'confirmation' as const, 'manual' as const),
		outcome: fc.constantFrom('ok' as const, 'server_error' as const, 'rate_limited' as const, null),
	});
	const batches = fc.array(fc.array(result, { maxLength: 6 }), { minLength: 6, maxLength: 6 });
	const reader = createRecentReader(db);
	for (const batch of fc.sample(batches, { numRuns: 4, seed: 7 }).flat()) {
		const results = batch.map(({ target, ago, vantage, kind, outcome }) => {
			const [provider = '', ...rest] = target.split(':');
			const slotAt = sampleNow - ago * 1_000;
			const slot = { provider, model: rest.slice(0, -1).join(':'), slotAt, vantage, kind };
			return outcome === null
				? missedSlot(sampleResult(slot), 'missed_slot')
				: sampleResult({ ...slot, startedAt: slotAt + 5, outcome, sli: sliOf(outcome, null) });
		});
		await insertResults(db, results, bounds);
		expect(await reader.read(sampleNow, sampleNow - dayMs)).toEqual(await readRecentResults(db, sampleNow - dayMs));
	}
	expect((await readRecentResults(db, sampleNow - dayMs)).size).toBe(2);
});

it('what is recorded of another target between the statements of a reader is in its next answer', async () => {
	const at = (model: string, ago: number) => sampleResult({ model, slotAt: sampleNow - ago * 1_000, startedAt: sampleNow - ago * 1_000 });
	await insertResults(db, [at('small', 9), at('org/large:v2', 9)], bounds);
	let between = async () => {};
	const watched: Db = {
		...db,
		async run(asked, parameters) {
			const rows = await db.run(asked, parameters);
			if (asked.name === 'probe_results_news') await between();
			return rows;
		},
	};
	const reader = createRecentReader(watched);
	const read = () => reader.read(sampleNow, sampleNow - dayMs);
	await read();
	await insertResults(db, [at('small', 8)], bounds);
	between = async () => {
		between = async () => {};
		await insertResults(db, [at('org/large:v2', 7)], bounds);
		await insertResults(db, [at('small', 6)], bounds);
	};
	await read();
	expect(await read()).toEqual(await readRecentResults(db, sampleNow - dayMs));
});

it('keeps the key and the first day of a target that leaves and comes back', async () => {
	const before = await listTargetKeys(db);
	await registerTargets(db, [sampleTarget('acme:new:chat')], sampleNow + 1_000);
	expect((await listTargetKeys(db)).filter(({ removedAt }) => removedAt === null).map(({ id }) => id)).toEqual(['acme:new:chat']);
	await registerTargets(db, [sampleTarget('acme:small:chat'), sampleTarget('acme:org/large:v2:chat')], sampleNow + 2_000);
	expect((await listTargetKeys(db)).filter(({ removedAt }) => removedAt === null)).toEqual(before);
});

it('marks from when on a target is probed in another way, also when it was away meanwhile, and a rename starts a history of its own', async () => {
	const id = 'acme:small:chat';
	const marks = (of = id) => listMarks(db, of, { fromAt: 0, toAt: sampleNow + dayMs });
	await insertResults(db, [sampleResult()], bounds);
	await registerTargets(db, [sampleTarget(id)], sampleNow + 1_000);
	expect(await marks()).toEqual([]);
	await registerTargets(db, [sampleTarget(id, { dialect: 'openai-responses', upstreamModel: 'small-3' })], sampleNow + 2_000);
	const changed = [
		{ at: sampleNow + 2_000, aspect: 'model name', before: 'small', after: 'small-3' },
		{ at: sampleNow + 2_000, aspect: 'protocol', before: 'openai-chat', after: 'openai-responses' },
	];
	expect(await marks()).toEqual(changed);
	await registerTargets(db, [sampleTarget('acme:renamed:chat')], sampleNow + 3_000);
	await registerTargets(
		db,
		[sampleTarget(id, { dialect: 'openai-responses', upstreamModel: 'small-3', canaries: [{ name: 'json', type: 'json' }] })],
		sampleNow + 4_000,
	);
	expect((await marks()).slice(2).map(({ at, aspect, before, after }) => [at, aspect, before === '', after === ''])).toEqual([
		[sampleNow + 4_000, 'canaries', false, false],
		[sampleNow + 4_000, 'canary echo', false, true],
		[sampleNow + 4_000, 'canary json', true, false],
	]);
	expect(await marks('acme:renamed:chat')).toEqual([]);
	expect((await listResults(db, { targetId: id, limit: 9 })).results).toHaveLength(1);
});

it('records a late result of a day without a partition, drops whole days at the retention, and refuses nothing of the days kept', async () => {
	await ensurePartitions(db, sampleNow);
	const days = [0, 1, 5, 13, 14].map((age) => sampleResult({ slotAt: sampleNow - age * dayMs, startedAt: null }));
	expect(await insertResults(db, days, bounds)).toMatchObject({ inserted: 5, quarantined: 0 });
	expect(await db.execute('select count(*) as count from probe_results_default')).toEqual([{ count: 0 }]);
	expect(await dropExpiredPartitions(db, sampleNow, 5)).toEqual(['2026-11-09', '2026-11-10']);
	expect((await stored()).map(({ slotAt }) => slotAt)).toEqual(days.slice(0, 3).map(({ slotAt }) => slotAt));
	// The process still believes in the day's partition: the row waits in the default one, and moves when the partition comes back.
	expect(await insertResults(db, [days[3]!], bounds)).toMatchObject({ inserted: 1 });
	expect(await db.execute('select count(*) as count from probe_results_default')).toEqual([{ count: 1 }]);
	await ensurePartitions(db, days[3]!.slotAt);
	expect(await db.execute('select count(*) as count from probe_results_default')).toEqual([{ count: 0 }]);
	expect(await stored()).toHaveLength(4);
});

it('rolls back what a failed transaction wrote', async () => {
	const failing = transaction(db, async (tx) => {
		await tx.execute("insert into quarantine (reason, document) values ('x', 'x')");
		throw new Error('no');
	});
	await expect(failing).rejects.toThrow('no');
	expect(await listQuarantine(db, 1)).toEqual([]);
});

it('refuses another result of a slot that has one, in one batch or in two, and keeps the first', async () => {
	const first = sampleResult();
	const other = sampleResult({ outcome: 'server_error', sli: 'bad', phase: 'headers', httpStatus: 503, evidence: { message: 'busy' } });
	expect(await insertResults(db, [first, other, first], bounds)).toEqual({ inserted: 1, replaced: 0, duplicates: 1, quarantined: 1 });
	const neighbour = sampleResult({ slotAt: sampleNow + 1 });
	expect(await insertResults(db, [other, first, neighbour], bounds)).toEqual({ inserted: 1, replaced: 0, duplicates: 1, quarantined: 1 });
	expect(await stored()).toEqual([first, neighbour]);
	expect((await listQuarantine(db, 9)).map(({ reason }) => reason)).toEqual(Array(2).fill('another result of a slot that has one'));
});

it('keeps what is too large for a narrow column, and every detail of a failure', async () => {
	const large = [
		sampleResult({ inputTokens: 2_000_000, outputTokens: 40_000, costMicroUsd: 9_876_543.21 }),
		sampleResult({ slotAt: sampleNow + 1, startedAt: sampleNow - 86_400_000 }),
		sampleResult({ slotAt: sampleNow + 2, startedAt: sampleNow + 2 - 32_766, costMicroUsd: 2_147_483.647, inputTokens: 32_767 }),
		sampleResult({
			slotAt: sampleNow + 3,
			...{ outcome: 'rate_limited', sli: 'excluded', phase: 'headers', httpStatus: 429, retryAfterMs: 7 },
			evidence: { message: 'slow down', rateLimit: { requestsLimit: 9, requestsRemaining: 0, tokensLimit: null, tokensRemaining: null, resetMs: 1_500 } },
		}),
	];
	await insertResults(db, large, bounds);
	expect(await stored()).toEqual(large);
	expect(await insertResults(db, large, bounds)).toMatchObject({ inserted: 0, duplicates: 4, quarantined: 0 });
});

it('keeps headers of ample headroom once a target, and with the result those that say something new', async () => {
	const limits = (requestsRemaining: number) => ({
		evidence: { rateLimit: { requestsLimit: 100, requestsRemaining, tokensLimit: null, tokensRemaining: null, resetMs: 60_000 } },
	});
	const results = [99, 98, 9].map((left, i) => sampleResult({ slotAt: sampleNow + i, startedAt: sampleNow + i, ...limits(left) }));
	await insertResults(db, results, bounds);
	expect((await stored()).map(({ evidence }) => evidence?.rateLimit?.requestsRemaining ?? null)).toEqual([null, null, 9]);
	expect(await readHeadroom(db, 0)).toEqual([
		{
			...{ targetId: 'acme:small:chat', vantage: 'local', at: sampleNow + 2, requestsLimit: 100, requestsRemaining: 9, tokensLimit: null },
			...{ tokensRemaining: null, resetMs: 60_000 },
		},
	]);
});

it('writes headers that tell the same of a target no more than once in minutes, and at once what has moved', async () => {
	const limits = (requestsRemaining: number) => ({
		evidence: { rateLimit: { requestsLimit: 1_000, requestsRemaining, tokensLimit: null, tokensRemaining: null, resetMs: null } },
	});
	const told: (readonly [number | null, number])[] = [];
	for (const [afterMs, left] of [
		...([0, 60_000, 120_000] as const).map((ms, i) => [ms, 999 - i] as const),
		[180_000, 996],
		[240_000, 900],
		[300_000, 901],
	] as const) {
		const at = sampleNow + afterMs;
		await insertResults(db, [sampleResult({ slotAt: at, startedAt: at, ...limits(left) })], { ...bounds, now: at });
		const [known] = await readHeadroom(db, 0);
		told.push([known?.requestsRemaining ?? null, (known?.at ?? 0) - sampleNow]);
	}
	expect(told).toEqual([
		[999, 0],
		[999, 0],
		[999, 0],
		[996, 180_000],
		[900, 240_000],
		[900, 240_000],
	]);
});

it('headers that come within seconds of the last write wait for the next one, and none is lost', async () => {
	const told = async (model: string, afterMs: number) => {
		const at = sampleNow + afterMs;
		const requestsRemaining = 90 - afterMs / 200;
		const limits = { rateLimit: { requestsLimit: 100, requestsRemaining, tokensLimit: null, tokensRemaining: null, resetMs: null } };
		await insertResults(db, [sampleResult({ model, slotAt: at, startedAt: at, evidence: limits })], { ...bounds, now: at });
		return (await readHeadroom(db, 0)).map(({ targetId, at: toldAt }) => `${targetId} ${toldAt - sampleNow}`).sort();
	};
	expect(await told('small', 0)).toEqual(['acme:small:chat 0']);
	expect(await told('org/large:v2', 100)).toEqual(['acme:small:chat 0']);
	expect(await told('org/large:v2', 200)).toEqual(['acme:small:chat 0']);
	expect(await told('small', 2_000)).toEqual(['acme:org/large:v2:chat 200', 'acme:small:chat 0']);
	// Each target's own at most every ten seconds.
	expect(await told('small', 12_000)).toEqual(['acme:org/large:v2:chat 200', 'acme:small:chat 12000']);
});

it('interns what many results say alike, and no more than there is room for', async () => {
	await insertResults(db, minutes(30), bounds);
	expect(await db.execute('select count(*) as count from remarks')).toEqual([{ count: 1 }]);
	await insertResults(db, minutes(3, { canary: 'tool', servedModel: 'another', evidence: { deprecated: true, finishReason: 'x' } }), bounds);
	// jsonb gives keys in an order of its own: that must not make a second remark of the same words.
	const other = openDb({ url: database.url, max: 1 });
	await insertResults(other, minutes(3, { canary: 'third', servedModel: 'another', evidence: { finishReason: 'x', deprecated: true } }), bounds);
	expect(await db.execute('select count(*) as count from remarks')).toEqual([{ count: 2 }]);
	await db.execute(`insert into remarks (served_model) select 'm' || n from generate_series(1, ${remarksAtMost}) n`);
	const full = openDb({ url: database.url, max: 1 });
	const late = minutes(2, { canary: 'fourth', servedModel: 'one too many' });
	await insertResults(full, late, bounds);
	expect(await full.execute("select count(*) as count from remarks where served_model = 'one too many'")).toEqual([{ count: 0 }]);
	expect((await stored()).filter(({ canary }) => canary === 'fourth').map(({ servedModel }) => servedModel)).toEqual(['one too many', 'one too many']);
	await other.close();
	await full.close();
});

it('shows the same in the view for people', async () => {
	const failed = { outcome: 'server_error', sli: 'bad', phase: 'headers', httpStatus: 503, retryAfterMs: 9_000, evidence: { message: 'no' } } as const;
	await insertResults(
		db,
		[sampleResult(), sampleResult({ slotAt: sampleNow + 1, ...failed }), missedSlot(sampleResult({ slotAt: sampleNow + 2 }), 'budget')],
		bounds,
	);
	const rows = await db.execute(
		`select target_id, vantage, canary, kind, outcome, sli, phase, http_status, round(ttft_ms::numeric, 1)::float8 as ttft, input_tokens, retry_after_ms,
			cost_nano_usd, served_model, evidence, started_at - slot_at as late from results order by slot_at`,
	);
	const same = { target_id: 'acme:small:chat', vantage: 'local', canary: 'echo', kind: 'scheduled' };
	const good = { ...same, outcome: 'ok', sli: 'good', phase: null, http_status: 200, ttft: 210.5, input_tokens: 20, retry_after_ms: null };
	expect(rows).toMatchObject([
		{ ...good, cost_nano_usd: 12_500, served_model: 'small-2', evidence: { finishReason: 'stop' } },
		{ ...good, ...{ outcome: 'server_error', sli: 'bad', phase: 'headers', http_status: 503, retry_after_ms: 9_000, evidence: { message: 'no' } } },
		{ ...same, outcome: 'monitor_fault', sli: 'excluded', phase: 'schedule', ttft: null, input_tokens: null, late: null, evidence: { subcode: 'budget' } },
	]);
	const words = await db.execute<{ list: string; code: number; word: string }>('select * from result_words');
	const lists = { outcome: outcomeCodes, sli: sliCodes, phase: phaseCodes, kind: kindCodes };
	for (const [list, codes] of Object.entries(lists))
		expect(Object.fromEntries(words.filter((one) => one.list === list).map(({ word, code }) => [word, code]))).toEqual(codes);
	const values = [0, 0.01, 1, 33, 210.5, 9_000, 1e9];
	const coded = await db.execute<{ code: number }>('select code_of(v) as code from unnest($1::float8[]) v', [values]);
	expect(coded.map(({ code }) => code)).toEqual(values.map(encodeLog));
});
