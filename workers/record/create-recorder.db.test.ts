import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Log, silentLog } from '#core/log.ts';
import { missedSlot, type ProbeResult } from '#core/probe-result.ts';
import { type EmbeddedPostgres, openEmbeddedPostgres } from '#db/embedded.ts';
import { migrate } from '#db/migrate.ts';
import { listQuarantine } from '#db/quarantine.ts';
import { readResultsAfter } from '#db/read-results.ts';
import { type Db, openDb } from '#db/sql.ts';
import { registerTargets } from '#db/targets.ts';
import { createTestDatabase, type TestDatabase } from '#test/postgres.ts';
import { sampleNow, sampleResult, sampleTarget } from '#test/sample-results.ts';
import { createRecorder, type Recorder } from './create-recorder.ts';
import { encodeLine } from './spool-line.ts';

const nowhere = 'postgres://127.0.0.1:9/none';
const now = () => sampleNow;
const slots = (count: number, first = 0, more: Partial<ProbeResult> = {}) =>
	Array.from({ length: count }, (_, i) => sampleResult({ slotAt: sampleNow - (first + i) * 1_000, startedAt: sampleNow - (first + i) * 1_000 + 5, ...more }));
const bySlot = (results: readonly ProbeResult[]) => results.toSorted((a, b) => a.slotAt - b.slotAt);
const stored = async (db: Db) => bySlot((await readResultsAfter(db, 0, 100_000)).map(({ result }) => result));

let spoolDir: string;
const recorders: Recorder[] = [];
const open = (db: Db, more: { log?: Log; spoolMaxBytes?: number; spoolFileBytes?: number } = {}) => {
	const recorder = createRecorder({ db, spoolDir, log: silentLog, now, ...more });
	recorders.push(recorder);
	return recorder;
};
beforeEach(async () => {
	spoolDir = join(await mkdtemp(join(tmpdir(), 'linnet-spool-')), 'spool');
});
afterEach(async () => {
	await Promise.all(recorders.splice(0).map((recorder) => recorder.close()));
	await rm(join(spoolDir, '..'), { recursive: true, force: true });
});

function collectErrors(): { log: Log; errors: string[] } {
	const errors: string[] = [];
	return { errors, log: { ...silentLog, error: (_facts, message) => errors.push(message) } };
}

describe('with a database', () => {
	let database: TestDatabase;
	beforeEach(async () => {
		database = await createTestDatabase();
		await registerTargets(database.db, [sampleTarget('acme:small:chat')], sampleNow);
	});
	afterEach(async () => {
		await Promise.all(recorders.splice(0).map((recorder) => recorder.close()));
		await database.drop();
	});

	it('has a result in the database when it says so, and nothing on the disk', async () => {
		const recorder = open(database.db);
		const results = slots(1_700);
		await Promise.all(results.map((result) => recorder.record(result)));
		expect(await stored(database.db)).toEqual(bySlot(results));
		expect(recorder.pendingCount()).toBe(0);
		expect(await readdir(spoolDir).catch(() => [])).toEqual([]);
	});

	it('waits instead of growing when more comes than the database takes', async () => {
		const recorder = open(database.db);
		let most = 0;
		const watch = async (result: ProbeResult) => {
			const recorded = recorder.record(result);
			most = Math.max(most, recorder.pendingCount());
			await recorded;
		};
		await Promise.all(slots(12_000, 0, { startedAt: null }).map(watch));
		expect(most).toBeLessThanOrEqual(10_500);
		expect(await stored(database.db)).toHaveLength(12_000);
	});

	it('records at its start what a killed process left on the disk, in files cut anywhere, and puts damaged lines aside', async () => {
		await mkdir(spoolDir);
		const left = slots(6);
		await writeFile(join(spoolDir, '000000000000001-1-000001.open'), left.slice(0, 3).map(encodeLine).join(''));
		await writeFile(join(spoolDir, '000000000000002-1-000002.sealed'), `${left.slice(3, 5).map(encodeLine).join('')}${encodeLine(left[5]!).slice(0, -20)}`);
		await writeFile(join(spoolDir, '000000000000003-1-000003.open'), `deadbeef {"slotAt":1}\n${encodeLine(sampleResult({ model: 'unknown' }))}`);
		const recorder = open(database.db);
		await recorder.drained();
		expect(await stored(database.db)).toEqual(bySlot(left.slice(0, 5)));
		expect((await listQuarantine(database.db, 9)).map(({ reason }) => reason).sort()).toEqual(['damaged on the disk', 'unknown target']);
		expect(await readdir(spoolDir)).toEqual([]);
	});

	it('loses nothing that a killed process has acknowledged', async () => {
		const script = `
			import { createRecorder } from '#workers/record/create-recorder.ts';
			import { silentLog } from '#core/log.ts';
			import { openDb } from '#db/sql.ts';
			import { sampleNow, sampleResult } from '#test/sample-results.ts';
			const db = openDb({ url: ${JSON.stringify(nowhere)} });
			const recorder = createRecorder({ db, spoolDir: ${JSON.stringify(spoolDir)}, log: silentLog, now: () => sampleNow, spoolFileBytes: 4000 });
			for (let i = 0; ; i++) {
				const slotAt = sampleNow - i;
				recorder.record(sampleResult({ slotAt })).then(() => console.log(slotAt));
				if (i % 20 === 19) await recorder.flush();
			}`;
		const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', script], { cwd: process.cwd(), stdio: ['ignore', 'pipe', 'inherit'] });
		const acknowledged: number[] = [];
		const recorder = open(database.db);
		// A second process drains the same directory while the first one writes into it.
		let again: Recorder | undefined;
		for await (const line of createInterface({ input: child.stdout })) {
			acknowledged.push(Number(line));
			if (acknowledged.length === 400) again = open(database.db);
			if (acknowledged.length === 1_000) child.kill('SIGKILL');
		}
		await again?.drained();
		await recorder.close();
		const last = open(database.db);
		await last.drained();
		const recorded = new Set((await stored(database.db)).map(({ slotAt }) => slotAt));
		expect(acknowledged.length).toBeGreaterThanOrEqual(1_000);
		expect(acknowledged.filter((slotAt) => !recorded.has(slotAt))).toEqual([]);
		expect(await readdir(spoolDir)).toEqual([]);
	});
});

describe('without a database', () => {
	it('asks for fewer and fewer probes before the spool is full, and says each step once', async () => {
		const { log, errors } = collectErrors();
		const db = openDb({ url: nowhere });
		const recorder = open(db, { log, spoolMaxBytes: 10.5 * Buffer.byteLength(encodeLine(slots(1)[0] as ProbeResult)) });
		expect(await recorder.pressure()).toEqual({ keepOneIn: 1, reason: null });
		const asked: (number | null)[] = [];
		for (const result of slots(10)) {
			await recorder.record(result);
			asked.push((await recorder.pressure()).keepOneIn);
		}
		expect(asked.filter((keep, i) => keep !== asked[i - 1])).toEqual([1, 2, 4, null]);
		expect(new Set(errors)).toEqual(new Set(['the disk fills while the database is away: probing slows down']));
		expect(errors).toHaveLength(3);
		await db.close();
	});

	it('keeps results in memory when the disk is full too, never says that they are safe, and says loudly that they are lost when it must go', async () => {
		const { log, errors } = collectErrors();
		const db = openDb({ url: nowhere });
		const recorder = open(db, { log, spoolMaxBytes: 1_500 });
		const ended = await Promise.allSettled(slots(2).map((result) => recorder.record(result)));
		expect(ended.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled']);
		const third = recorder.record(sampleResult({ slotAt: sampleNow + 1 })).catch((error: Error) => error.message);
		await vi.waitFor(() => expect(errors).toEqual(['neither the database nor the disk takes results: they wait in memory']));
		expect(recorder.pendingCount()).toBe(1);
		await recorder.close();
		expect(await third).toBe('the result could not be recorded');
		expect(errors.slice(1)).toEqual(['results lost: neither the database nor the disk takes them']);
		const files = await readdir(spoolDir);
		expect((await Promise.all(files.map((file) => readFile(join(spoolDir, file), 'utf8')))).join('').split('\n')).toHaveLength(3);
		await db.close();
	});
});

describe('with a database that goes and comes back', () => {
	let dataDir: string;
	let server: EmbeddedPostgres;
	let db: Db;
	const start = () => openEmbeddedPostgres({ dataDir, log: silentLog, durable: false });
	beforeEach(async () => {
		dataDir = await mkdtemp(join(tmpdir(), 'linnet-away-'));
		server = await start();
		db = openDb({ url: server.url });
		await migrate(db);
		await registerTargets(db, [sampleTarget('acme:small:chat')], sampleNow);
	});
	afterEach(async () => {
		await Promise.all(recorders.splice(0).map((recorder) => recorder.close()));
		await db.close();
		await server.stop();
		await rm(dataDir, { recursive: true, force: true });
	});

	it('records all results of an outage once, with their own times, and replaces what was marked as missed meanwhile', async () => {
		const recorder = open(db, { spoolFileBytes: 20_000 });
		const [before, meanwhile, after] = [slots(50), slots(300, 50), slots(50, 350)];
		await Promise.all(before.map((result) => recorder.record(result)));
		await server.stop();
		await Promise.all(meanwhile.map((result) => recorder.record(result)));
		expect(await recorder.spooledBytes()).toBeGreaterThan(0);
		server = await start();
		const other = openDb({ url: server.url, max: 1 });
		await Promise.all(after.map((result) => recorder.record(result)));
		const settler = open(other);
		await Promise.all(meanwhile.map((result) => settler.record(missedSlot(result, 'missed_slot'))));
		await recorder.drained();
		expect(await stored(db)).toEqual(bySlot([...before, ...meanwhile, ...after]));
		expect(await readdir(spoolDir)).toEqual([]);
		await recorder.record(sampleResult({ slotAt: sampleNow + 1_000 }));
		expect(await recorder.spooledBytes()).toBe(0);
		await settler.close();
		await other.close();
	});

	it('records what waited in memory, because the disk was full too, as soon as the server is back', async () => {
		const { log, errors } = collectErrors();
		const recorder = open(db, { log, spoolMaxBytes: 10 });
		await server.stop();
		const results = slots(700);
		const recorded = Promise.all(results.map((result) => recorder.record(result)));
		await vi.waitFor(() => expect(errors).toHaveLength(1));
		server = await start();
		await recorded;
		expect(await stored(db)).toEqual(bySlot(results));
	});

	it('loses nothing acknowledged when the server is killed at any moment', async () => {
		const recorder = open(db);
		const acknowledged: number[] = [];
		const results = slots(4_000);
		for (const [i, result] of results.entries()) {
			void recorder.record(result).then(() => acknowledged.push(result.slotAt));
			if (i % 100 === 99) await recorder.flush();
			if (i === 1_555) process.kill(Number.parseInt(await readFile(join(dataDir, 'data', 'postmaster.pid'), 'utf8'), 10), 'SIGKILL');
			if (i === 2_555) server = await start();
		}
		await recorder.drained();
		expect(acknowledged).toHaveLength(4_000);
		expect(await stored(db)).toEqual(bySlot(results));
	});
});
