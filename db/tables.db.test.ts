import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Snapshot } from '#core/snapshot.ts';
import { readSnapshot } from '#core/snapshot-text.ts';
import { createTestDatabase, type TestDatabase } from '#test/postgres.ts';
import { sampleIncident } from '#test/sample-incident.ts';
import { sampleNow } from '#test/sample-results.ts';
import { activeBackOffs, clearBackOffs, setBackOff } from './back-offs.ts';
import { readBudgetDay, releaseExpired, reserve, settle, trimReservations } from './budget.ts';
import { addJournalStep, readCheckpoint, readEvaluatorHead, readJournalAfter, writeCheckpoint } from './evaluator-state.ts';
import { findIncident, listIncidents, listOpenIncidents, openIncident, reopenIncident, resolveIncident, updateIncident } from './incidents.ts';
import { acquireLease, assertLease, releaseLease, renewLease } from './leases.ts';
import { listen } from './listen.ts';
import { readMeta, rememberDemoStart } from './meta.ts';
import { readScheduleProgress, setScheduleProgress } from './schedule-progress.ts';
import { publishSnapshot, readLatestSnapshot, readLatestSnapshotNumber, snapshotChannel, unpackSnapshot } from './snapshots.ts';
import { type Db, isUnavailable, openDb, query, transaction } from './sql.ts';

let database: TestDatabase;
let db: Db;
beforeEach(async () => {
	database = await createTestDatabase();
	db = database.db;
});
afterEach(() => database.drop());

const minute = 60_000;

describe('incidents', () => {
	const update = (at: number, status: 'resolved' | 'monitoring' | 'identified') => ({ at, status, body: `now ${status}` });

	it('keep every transition of their life, counted', async () => {
		const incident = sampleIncident();
		expect(await transaction(db, (tx) => openIncident(tx, incident))).toBe(1);
		expect(await findIncident(db, 'i-1')).toEqual(incident);
		const evidence = { ...incident.evidence, bad: 9 };
		expect(await transaction(db, (tx) => updateIncident(tx, 'i-1', { update: update(sampleNow + 1, 'monitoring'), impact: 'critical' }))).toBe(2);
		expect(await transaction(db, (tx) => resolveIncident(tx, 'i-1', { update: update(sampleNow + 2, 'resolved'), evidence }))).toBe(3);
		expect(await listOpenIncidents(db)).toEqual([]);
		expect(await transaction(db, (tx) => reopenIncident(tx, 'i-1', { update: update(sampleNow + 3, 'identified'), reason: 'again' }))).toBe(4);
		expect(await listOpenIncidents(db)).toEqual([
			{
				...incident,
				evidence,
				reason: 'again',
				impact: 'critical',
				relapseCount: 1,
				updates: [...incident.updates, update(sampleNow + 1, 'monitoring'), update(sampleNow + 2, 'resolved'), update(sampleNow + 3, 'identified')],
			},
		]);
	});

	it('are at most one open of a scope and condition, also where the scope is "all"', async () => {
		const monitor = { scope: { provider: null, model: null, operation: null, vantage: 'local' }, cause: 'monitor' } as const;
		await transaction(db, (tx) => openIncident(tx, sampleIncident(monitor)));
		await expect(transaction(db, (tx) => openIncident(tx, sampleIncident({ ...monitor, id: 'i-2' })))).rejects.toThrow(/incidents_one_open/);
		await transaction(db, (tx) => openIncident(tx, sampleIncident({ ...monitor, id: 'i-3', condition: 'slow' })));
		await transaction(db, (tx) => resolveIncident(tx, 'i-1', { update: update(sampleNow, 'resolved') }));
		await transaction(db, (tx) => openIncident(tx, sampleIncident({ ...monitor, id: 'i-2' })));
		await expect(transaction(db, (tx) => reopenIncident(tx, 'i-1', { update: update(sampleNow, 'identified') }))).rejects.toThrow(/incidents_one_open/);
	});

	it('do not resolve twice', async () => {
		await transaction(db, (tx) => openIncident(tx, sampleIncident()));
		const resolve = () => transaction(db, (tx) => resolveIncident(tx, 'i-1', { update: update(sampleNow, 'resolved') }));
		const ends = await Promise.allSettled([resolve(), resolve(), resolve()]);
		expect(ends.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected', 'rejected']);
		expect((await findIncident(db, 'i-1'))?.updates).toHaveLength(2);
	});

	it('are listed newest first, the open ones whatever their age', async () => {
		for (let i = 0; i < 5; i++) {
			const incident = sampleIncident({ id: `i-${i}`, scope: { provider: `p${i}`, model: null, operation: null, vantage: null }, detectedAt: sampleNow + i });
			await transaction(db, (tx) => openIncident(tx, incident));
			if (i > 0) await transaction(db, (tx) => resolveIncident(tx, incident.id, { update: update(sampleNow + i * minute, 'resolved') }));
		}
		const ids = async (options: Parameters<typeof listIncidents>[1]) => (await listIncidents(db, options)).map(({ id }) => id);
		expect(await ids({ resolvedSinceAt: sampleNow + 3 * minute, limit: 9 })).toEqual(['i-4', 'i-3', 'i-0']);
		expect(await ids({ resolvedSinceAt: 0, limit: 2 })).toEqual(['i-4', 'i-3']);
		expect(await ids({ resolvedSinceAt: 0, limit: 2, before: { id: 'i-3', detectedAt: sampleNow + 3 } })).toEqual(['i-2', 'i-1']);
	});
});

describe('the evaluator’s state', () => {
	const step = (journalNumber: number, readThroughSeq: number) => ({ journalNumber, readThroughSeq, at: sampleNow + journalNumber, inputs: null, doubts: [] });

	it('takes each step once, and never goes back', async () => {
		expect(await readEvaluatorHead(db, 'e')).toEqual({ journalNumber: 0, readThroughSeq: 0 });
		await transaction(db, (tx) => addJournalStep(tx, 'e', { ...step(1, 10), inputs: [{ type: 'tick' }] }));
		await transaction(db, (tx) => addJournalStep(tx, 'e', step(2, 12)));
		for (const number of [2, 1, 4])
			await expect(transaction(db, (tx) => addJournalStep(tx, 'e', step(number, 13)))).rejects.toThrow(/judged further|23505|duplicate/);
		expect(await readEvaluatorHead(db, 'e')).toEqual({ journalNumber: 2, readThroughSeq: 12 });
		expect((await readJournalAfter(db, 'e', 0)).map(({ journalNumber, inputs }) => [journalNumber, inputs])).toEqual([
			[1, [{ type: 'tick' }]],
			[2, null],
		]);
	});

	it('is the last checkpoint, and the journal behind it is forgotten', async () => {
		expect(await readCheckpoint(db, 'e')).toBeNull();
		for (const number of [1, 2, 3]) await transaction(db, (tx) => addJournalStep(tx, 'e', step(number, number)));
		await transaction(db, (tx) =>
			writeCheckpoint(tx, 'e', {
				journalNumber: 1,
				readThroughSeq: 1,
				parts: new Map([
					['a', '1'],
					['b', '2'],
				]),
			}),
		);
		await transaction(db, (tx) => writeCheckpoint(tx, 'e', { journalNumber: 2, readThroughSeq: 2, parts: new Map([['a', '3']]) }));
		expect(await readCheckpoint(db, 'e')).toEqual({ journalNumber: 2, readThroughSeq: 2, parts: new Map([['a', '3']]) });
		expect((await readJournalAfter(db, 'e', 2)).map(({ journalNumber }) => journalNumber)).toEqual([3]);
		expect(await readJournalAfter(db, 'e', 0)).toHaveLength(1);
	});
});

describe('leases', () => {
	it('belong to one holder at a time, each with a larger token', async () => {
		const won = (await Promise.all(['a', 'b', 'c'].map((holder) => acquireLease(db, 'l', holder, minute)))).filter((lease) => lease !== null);
		expect(won).toHaveLength(1);
		const [first] = won;
		expect(await renewLease(db, first!, minute)).toBe(true);
		await releaseLease(db, first!);
		const second = await acquireLease(db, 'l', 'b', minute);
		expect(second!.token).toBeGreaterThan(first!.token);
		expect(await renewLease(db, first!, minute)).toBe(false);
		await releaseLease(db, first!);
		expect(await acquireLease(db, 'l', 'c', minute), 'an old holder can not free it').toBeNull();
	});

	it('expire by themselves, and stay with a holder that is late as long as nobody has taken them', async () => {
		const lease = await acquireLease(db, 'l', 'a', 0);
		expect(await renewLease(db, lease!, 0)).toBe(true);
		expect(await acquireLease(db, 'l', 'b', minute)).not.toBeNull();
		expect(await renewLease(db, lease!, minute)).toBe(false);
	});

	it('one that seems to last for hours, because the clock of the server was set back, is free, and its holder is fenced', async () => {
		const before = await acquireLease(db, 'l', 'a', 120 * minute);
		expect(await acquireLease(db, 'l', 'b', minute)).not.toBeNull();
		expect(await renewLease(db, before!, minute)).toBe(false);
	});

	it('fence off the commit of whoever has lost one, and keep the next holder waiting for one that is under way', async () => {
		const lost = await acquireLease(db, 'l', 'a', 0);
		await transaction(db, async (tx) => {
			await assertLease(tx, lost!);
			// The next one can't take it before this transaction ends.
			await expect(
				transaction(db, async (other) => {
					await other.execute("set local lock_timeout = '50ms'");
					await acquireLease(other, 'l', 'b', minute);
				}),
			).rejects.toThrow(/lock timeout/);
		});
		await acquireLease(db, 'l', 'b', minute);
		await expect(transaction(db, (tx) => assertLease(tx, lost!))).rejects.toThrow(/another process has it/);
	});
});

describe('snapshots', () => {
	const build = (number: number) => ({ number, generatedAt: new Date(sampleNow).toISOString(), title: 'ü', targets: [] }) as unknown as Snapshot;

	it('are numbered without a gap, whoever publishes, and the last ten are kept', async () => {
		expect(await readLatestSnapshot(db)).toBeNull();
		const published = await Promise.all(Array.from({ length: 25 }, () => publishSnapshot(db, build)));
		expect(published.map(({ number }) => number).sort((a, b) => a - b)).toEqual(Array.from({ length: 25 }, (_, i) => i + 1));
		expect(await readLatestSnapshotNumber(db)).toBe(25);
		const kept = await db.run(query<{ number: number }>('kept_snapshots', 'select number from snapshots order by number'));
		expect(kept.map(({ number }) => number)).toEqual(Array.from({ length: 10 }, (_, i) => i + 16));
		expect(readSnapshot(unpackSnapshot((await readLatestSnapshot(db))!.packed))).toEqual(build(25));
		await expect(publishSnapshot(db, (number) => build(number + 1))).rejects.toThrow(/number 26/);
	});

	it('wake the listeners, who are told to look again after every lost connection', async () => {
		const heard: string[] = [];
		let connections = 0;
		let wake = () => {};
		const until = async (done: () => boolean) => {
			while (!done()) {
				await new Promise<void>((resolve) => {
					wake = resolve;
				});
			}
		};
		const told = () => wake();
		const ear = listen({
			url: database.url,
			channels: [snapshotChannel],
			onNotify: (_channel, payload) => {
				heard.push(payload);
				told();
			},
			onConnect: () => {
				connections += 1;
				told();
			},
			onError: () => {},
		});
		await until(() => connections === 1);
		await publishSnapshot(db, build);
		await until(() => heard.length === 1);
		await db.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name = 'linnet listen'");
		await until(() => connections === 2);
		await publishSnapshot(db, build);
		await until(() => heard.length === 2);
		expect(heard).toEqual(['1', '2']);
		await ear.close();
	});
});

describe('the budget', () => {
	const ask = (id: string, estimateMicroUsd: number) => ({ id, estimateMicroUsd });
	const day = '2026-11-23';

	it('is never passed, however many reserve, settle and expire at once', async () => {
		const capMicroUsd = 1_000;
		const pools = Array.from({ length: 4 }, () => openDb({ url: database.url, max: 2 }));
		await Promise.all(
			pools.map(async (pool, p) => {
				for (let i = 0; i < 15; i++) {
					const asks = [0, 1, 2].map((k) => ask(`${p}-${i}-${k}`, 7 + ((p + i + k) % 5) * 9.5));
					const { granted, denied, held } = await reserve(pool, asks, { now: sampleNow, capMicroUsd, holdMs: i % 3 === 0 ? 0 : minute });
					expect(granted.size + denied.size + held.size).toBe(3);
					const { reservedMicroUsd, spentMicroUsd } = await readBudgetDay(db, day);
					expect(reservedMicroUsd + spentMicroUsd).toBeLessThanOrEqual(capMicroUsd);
					for (const id of granted) if (i % 2 === 0) await settle(pool, id, 3);
					await releaseExpired(pool, sampleNow);
				}
			}),
		);
		await Promise.all(pools.map((pool) => pool.close()));
		await releaseExpired(db, sampleNow + 2 * minute);
		const { reservedMicroUsd, spentMicroUsd } = await readBudgetDay(db, day);
		expect(reservedMicroUsd).toBe(0);
		expect(spentMicroUsd).toBeLessThanOrEqual(capMicroUsd);
		expect(spentMicroUsd).toBeGreaterThan(capMicroUsd / 2);
	});

	it('lets a cheap probe through where a costly one no longer fits', async () => {
		const { granted, denied } = await reserve(db, [ask('a', 60), ask('b', 60), ask('c', 40)], { now: sampleNow, capMicroUsd: 100 });
		expect([...granted]).toEqual(['a', 'c']);
		expect([...denied]).toEqual(['b']);
	});

	it('grants a probe once in its life, so that a job that runs twice sends it once', async () => {
		const options = { now: sampleNow, capMicroUsd: 100 };
		const twice = await Promise.all([1, 2, 3].map(() => reserve(db, [ask('a', 10)], options)));
		expect(twice.filter(({ granted }) => granted.has('a'))).toHaveLength(1);
		await settle(db, 'a', 4);
		expect(await reserve(db, [ask('a', 10), ask('a', 10)], options)).toEqual({ granted: new Set(), denied: new Set(), held: new Set(['a']) });
		expect(await readBudgetDay(db, day)).toEqual({ reservedMicroUsd: 0, spentMicroUsd: 4 });
	});

	it('charges what a probe did cost once, and the estimate when nobody says', async () => {
		await reserve(db, [ask('a', 10.2), ask('b', 20)], { now: sampleNow, capMicroUsd: 100, holdMs: minute });
		expect(await readBudgetDay(db, day)).toEqual({ reservedMicroUsd: 31, spentMicroUsd: 0 });
		expect(await settle(db, 'a', 0.4)).toBe(true);
		expect(await settle(db, 'a', 9)).toBe(false);
		expect(await releaseExpired(db, sampleNow + minute - 1)).toBe(0);
		expect(await releaseExpired(db, sampleNow + minute)).toBe(1);
		expect(await settle(db, 'b', 1)).toBe(false);
		expect(await readBudgetDay(db, day)).toEqual({ reservedMicroUsd: 0, spentMicroUsd: 21 });
		expect(await trimReservations(db, sampleNow + 2 * minute)).toBe(2);
	});

	it('charges the day of the reservation, and begins each UTC day anew', async () => {
		const late = Date.UTC(2026, 10, 23, 23, 59);
		await reserve(db, [ask('a', 100)], { now: late, capMicroUsd: 100 });
		expect((await reserve(db, [ask('b', 100)], { now: late + 2 * minute, capMicroUsd: 100 })).granted.size).toBe(1);
		await settle(db, 'a', 50);
		expect(await readBudgetDay(db, day)).toEqual({ reservedMicroUsd: 0, spentMicroUsd: 50 });
		expect(await readBudgetDay(db, '2026-11-24')).toEqual({ reservedMicroUsd: 100, spentMicroUsd: 0 });
	});
});

describe('back-offs', () => {
	const backOff = { reason: 'credentials', firstMs: 3_600_000, longestMs: 86_400_000 };
	const untilOf = async (id: string) => ((await activeBackOffs(db, 'local', sampleNow)).get(id)?.untilAt ?? sampleNow) - sampleNow;

	it('double from the first to the longest, and start anew once they are cleared', async () => {
		const lengths: number[] = [];
		for (let i = 0; i < 7; i++) {
			await setBackOff(db, ['a'], { ...backOff, at: sampleNow });
			lengths.push((await untilOf('a')) / 3_600_000);
		}
		expect(lengths).toEqual([1, 2, 4, 8, 16, 24, 24]);
		await clearBackOffs(db, ['a']);
		expect(await untilOf('a')).toBe(0);
		await setBackOff(db, ['a'], { ...backOff, at: sampleNow });
		expect(await untilOf('a')).toBe(3_600_000);
	});

	it('are left alone while they run, when asked, and hold every vantage unless one is named', async () => {
		await setBackOff(db, ['a'], { ...backOff, at: sampleNow });
		await setBackOff(db, ['a', 'b'], { ...backOff, at: sampleNow + minute, onlyExpired: true });
		expect(await untilOf('a')).toBe(3_600_000);
		expect(await untilOf('b')).toBe(3_600_000 + minute);
		await setBackOff(db, ['c'], { ...backOff, at: sampleNow, vantage: 'fra' });
		expect([...(await activeBackOffs(db, 'local', sampleNow)).keys()]).toEqual(['a', 'b']);
		expect([...(await activeBackOffs(db, 'fra', sampleNow)).keys()]).toEqual(['a', 'b', 'c']);
		expect([...(await activeBackOffs(db, 'fra', sampleNow + 3_600_000)).keys()]).toEqual(['b']);
	});
});

describe('the rest', () => {
	it('moves the progress of a schedule forward only', async () => {
		expect(await readScheduleProgress(db, 'local', 3)).toBeNull();
		await setScheduleProgress(db, 'local', 3, sampleNow);
		await setScheduleProgress(db, 'local', 3, sampleNow - 1);
		expect(await readScheduleProgress(db, 'local', 3)).toBe(sampleNow);
	});

	it('remembers who it is, and the first start of the demo', async () => {
		const meta = await readMeta(db);
		expect(meta.installationId).toMatch(/^[0-9a-f-]{36}$/);
		expect(meta.demoStartedAt).toBeNull();
		expect(await rememberDemoStart(db, sampleNow)).toBe(sampleNow);
		expect(await rememberDemoStart(db, sampleNow + 1)).toBe(sampleNow);
	});

	it('tells an absent server from wrong data', async () => {
		const absent = openDb({ url: 'postgres://127.0.0.1:9/none' });
		await expect(absent.execute('select 1').catch((error) => isUnavailable(error))).resolves.toBe(true);
		await absent.close();
		await expect(db.execute('select 1/0').catch((error) => isUnavailable(error))).resolves.toBe(false);
		const own = openDb({ url: database.url, max: 1 });
		const ended = own.execute('select pg_terminate_backend(pg_backend_pid())').catch((error) => isUnavailable(error));
		await expect(ended).resolves.toBe(true);
		await own.close();
	});

	it('gives times as ms and counts as numbers, and refuses what a number can not hold', async () => {
		const at = Date.UTC(1999, 0, 2, 3, 4, 5, 6);
		expect(await db.execute('select $1::timestamptz as at, 9007199254740991::bigint as most, null::timestamptz as none', [new Date(at).toISOString()])).toEqual(
			[{ at, most: 9_007_199_254_740_991, none: null }],
		);
		await expect(db.execute('select 9007199254740993::bigint as wrong')).rejects.toThrow(/2\^53/);
	});
});
