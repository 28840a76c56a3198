import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createSigner, makeSigningKey } from '#api/sign-feed.ts';
import { silentLog } from '#core/log.ts';
import { type Outcome, outcomes, sliOf } from '#core/outcome.ts';
import { missedSlot } from '#core/probe-result.ts';
import { fromPublished, type PublishedResult, toCsvLine, toJsonLine } from '#core/published-result.ts';
import { insertResults } from '#db/probe-results.ts';
import { registerTargets } from '#db/targets.ts';
import { createRandom } from '#simulator/fleet.ts';
import { createTestDatabase, type TestDatabase } from '#test/postgres.ts';
import { sampleNow, sampleResult, sampleTarget } from '#test/sample-results.ts';
import { rollUp } from '#workers/roll-up.ts';
import { hashOf, type Manifest, rowHash } from './day-manifest.ts';
import { exportResults } from './export-results.ts';
import { verifyResults } from './verify-results.ts';

const dayMs = 86_400_000;
const signer = createSigner(makeSigningKey());
let database: TestDatabase;
let dir: string;

beforeEach(async () => {
	database = await createTestDatabase();
	dir = await mkdtemp(join(tmpdir(), 'linnet-results-'));
	await registerTargets(database.db, [sampleTarget('acme:small:chat'), sampleTarget('acme:large:chat')], sampleNow);
	const random = createRandom(3);
	const results = Array.from({ length: 600 }, (_, i) => {
		const slotAt = sampleNow - Math.floor((i * 3.4 * dayMs) / 600);
		const outcome = random() < 0.7 ? 'ok' : (outcomes[Math.floor(random() * outcomes.length)] as Outcome);
		const slot = sampleResult({
			...{ slotAt, startedAt: slotAt + 1, model: random() < 0.5 ? 'small' : 'large', vantage: random() < 0.5 ? 'local' : 'fra', outcome },
			...{ sli: sliOf(outcome, true), kind: random() < 0.9 ? ('scheduled' as const) : ('confirmation' as const), ttftMs: random() * 2_000 },
			...{ costMicroUsd: Math.round(random() * 1e6) / 1_000, evidence: outcome === 'ok' ? null : { message: `said "no", ${i},\tagain` } },
		});
		return random() < 0.05 ? missedSlot(slot, 'missed_slot') : slot;
	});
	await insertResults(database.db, results, { now: sampleNow, retentionDays: 400 });
	await rollUp({ db: database.db, log: silentLog, now: () => sampleNow });
});
afterEach(async () => {
	await database.drop();
	await rm(dir, { recursive: true });
});

const days = ['2026-11-20', '2026-11-21', '2026-11-22'];
const file = (name: string) => join(dir, 'results', name);
const exportAll = (day: string | null = null) => exportResults(database.db, dir, { day, now: sampleNow, signer });
async function change(name: string, edit: (text: string) => string): Promise<void> {
	const before = await readFile(file(name), 'utf8');
	const after = edit(before);
	expect(after).not.toBe(before);
	await writeFile(file(name), after);
}

describe('exported results', () => {
	test('hold every ended day once, chained and signed, and the published figures are recomputed from them', async () => {
		const exported = await exportAll();
		expect(exported.map(({ day, what }) => [day, what])).toEqual(days.map((day) => [day, 'written']));
		const verified = await verifyResults(dir);
		expect(verified).toMatchObject({ days: 3, faults: [], publicKey: signer.publicKey });
		expect(verified.rows).toBe(exported.reduce((sum, { rows }) => sum + rows, 0));
		expect(verified.rows).toBeGreaterThan(450);
		expect(verified.figures).toBeGreaterThan(100);
		expect(await exportAll()).toEqual([]);
		expect(await exportAll('2026-11-21')).toMatchObject([{ what: 'kept' }]);
		expect((await readdir(join(dir, 'results'))).filter((name) => name.endsWith('.new'))).toEqual([]);
	});

	test('are not changed by what comes late, nor put into the chain out of order', async () => {
		await exportAll('2026-11-21');
		await expect(exportAll('2026-11-20')).rejects.toThrow(/2026-11-21 is exported already and is not chained to it/);
		await expect(exportAll('2026-11-23')).rejects.toThrow(/expected a UTC day that has ended/);
		await insertResults(database.db, [sampleResult({ slotAt: Date.UTC(2026, 10, 21, 5, 1, 7), startedAt: null })], { now: sampleNow, retentionDays: 400 });
		await expect(exportAll('2026-11-21')).rejects.toThrow(/an exported day is not changed/);
		expect((await verifyResults(dir)).faults).toEqual([]);
	});

	test('a changed record is named, in whichever way it was changed', async () => {
		await exportAll();
		const [day = ''] = days;
		const lines = (await readFile(file(`${day}.ndjson`), 'utf8')).split('\n');
		const index = lines.findIndex((line) => line.includes('"outcome":"ok"') && line.includes('"kind":"scheduled"') && !line.includes('"startedAt":null'));
		const line = lines[index] ?? '';
		const { hash, ...row } = JSON.parse(line) as PublishedResult & { hash: string };
		const forged: PublishedResult = { ...row, outcome: 'server_error', sli: 'bad' };
		const forgedLine = toJsonLine(forged);
		const forgedHash = rowHash(forgedLine);
		const restore = async () => {
			await rm(join(dir, 'results'), { recursive: true });
			await exportAll();
		};

		// The text alone.
		await change(`${day}.ndjson`, (text) => text.replace(line, `${forgedLine.slice(0, -1)},"hash":"${hash}"}`));
		expect((await verifyResults(dir)).faults.join('\n')).toContain(`record ${row.id} (acme:`);
		await restore();
		// The CSV alone.
		await change(`${day}.csv`, (text) => text.replace(`${toCsvLine(row)},${hash}`, `${toCsvLine(forged)},${hash}`));
		expect((await verifyResults(dir)).faults.join('\n')).toMatch(new RegExp(`record ${row.id} .* differs from the NDJSON: "server_error`));
		await restore();
		// Both, with a hash that fits: its series and the day's figures tell.
		await change(`${day}.ndjson`, (text) => text.replace(line, `${forgedLine.slice(0, -1)},"hash":"${forgedHash}"}`));
		await change(`${day}.csv`, (text) => text.replace(`${toCsvLine(row)},${hash}`, `${toCsvLine(forged)},${forgedHash}`));
		const faults = (await verifyResults(dir)).faults.join('\n');
		expect(faults).toContain(`a record of ${row.target} from ${row.vantage}, canary echo, scheduled was changed together with its hash`);
		expect(faults).toContain(`${day} ${row.target}, canary echo, good: published as`);
	});

	test('a record or a day that was taken away, and a figure that was polished, are named', async () => {
		await exportAll();
		const [first = '', second = '', third = ''] = days;
		for (const format of ['csv', 'ndjson']) await change(`${third}.${format}`, (text) => `${text.trimEnd().split('\n').slice(0, -1).join('\n')}\n`);
		expect((await verifyResults(dir)).faults.join('\n')).toMatch(/was exported with \d+ records, the files hold \d+/);
		await rm(join(dir, 'results'), { recursive: true });
		await exportAll();
		const manifest = JSON.parse(await readFile(file(`${second}.manifest.json`), 'utf8')) as Manifest;
		const own = manifest.figures['acme:small:chat']?.echo as { bad: number };
		own.bad = 0;
		await writeFile(file(`${second}.manifest.json`), `${JSON.stringify(manifest, null, '\t')}\n`);
		const faults = (await verifyResults(dir)).faults;
		expect(faults.join('\n')).toContain(`${second} acme:small:chat, canary echo, bad: published as 0, the records add up to`);
		expect(faults.join('\n')).toContain('the signature is not of this manifest');
		expect(faults.join('\n')).toContain(`${third}: the chain breaks: the manifest of ${second} was changed`);
		for (const suffix of ['csv', 'ndjson', 'parquet', 'manifest.json', 'manifest.json.sig']) await rm(file(`${second}.${suffix}`));
		expect((await verifyResults(dir)).faults).toEqual([expect.stringContaining(`${third}: the chain breaks: a day is missing, or one was put in`)]);
		expect(hashOf(await readFile(file(`${first}.manifest.json`)))).toHaveLength(64);
	});

	test('garbage in a file is a fault with its line, never a crash', async () => {
		await exportAll();
		await change('2026-11-21.ndjson', (text) => `not json\n{"a":1}\n[]\n${text.slice(0, 900)}`);
		await rm(file('2026-11-22.csv'));
		await writeFile(file('2026-11-20.parquet'), 'PAR1');
		const { faults } = await verifyResults(dir);
		expect(faults.join('\n')).toContain('2026-11-21.ndjson line 1: expected a JSON object');
		expect(faults.join('\n')).toContain('2026-11-22.csv: missing');
		expect(faults.join('\n')).toContain('2026-11-20.parquet: changed since its export');
		await expect(verifyResults(join(dir, 'nowhere'))).rejects.toThrow(/found no manifest/);
	});

	test('a row says the same after it was written and read', async () => {
		await exportAll();
		const lines = (await readFile(file('2026-11-22.ndjson'), 'utf8')).trimEnd().split('\n');
		for (const line of lines) {
			const { hash, ...row } = JSON.parse(line) as PublishedResult & { hash: string };
			expect(rowHash(toJsonLine(row))).toBe(hash);
			expect(new Date(fromPublished(row).slotAt).toISOString()).toBe(row.slotAt);
		}
		const inParquet = await parquetReadObjects({ file: await asyncBufferFromFile(file('2026-11-22.parquet')) });
		// Dates become the ISO text of the other two.
		expect(JSON.parse(JSON.stringify(inParquet))).toEqual(lines.map((line) => JSON.parse(line)));
	});
});
