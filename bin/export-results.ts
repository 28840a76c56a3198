/** Days of results as files that an outsider can recompute every published figure from. */
import { createHash } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileWriter, parquetWriteRows } from 'hyparquet-writer';
import type { Signer } from '#api/sign-feed.ts';
import { figuresOf, type PublishedColumn, publishedColumns, toCsvLine, toJsonLine, toPublished } from '#core/published-result.ts';
import { listDays } from '#db/partitions.ts';
import { readResultsOfDay } from '#db/read-results.ts';
import type { StoredResult } from '#db/result-row.ts';
import { readRollupsOfDay } from '#db/rollups.ts';
import type { Db } from '#db/sql.ts';
import { hashOf, type Manifest, manifestFreshness, manifestName, manifestSchema, resultsFolder, rowHash, rowsName } from './day-manifest.ts';
import { ExpectedError } from './expected-error.ts';

const pageRows = 5_000;

type ColumnType = 'STRING' | 'TIMESTAMP' | 'INT32' | 'DOUBLE' | 'JSON';
/** Of a Parquet file; those that are not named are STRING. Times are ms. */
const parquetTypes: Partial<Record<PublishedColumn, ColumnType>> = {
	...{ slotAt: 'TIMESTAMP', startedAt: 'TIMESTAMP', httpStatus: 'INT32', inputTokens: 'INT32', outputTokens: 'INT32', evidence: 'JSON' },
	...{ dnsMs: 'DOUBLE', connectMs: 'DOUBLE', tlsMs: 'DOUBLE', ttfbMs: 'DOUBLE', ttftMs: 'DOUBLE', maxGapMs: 'DOUBLE', totalMs: 'DOUBLE', lagMs: 'DOUBLE' },
	...{ outputTokensPerSecond: 'DOUBLE', costMicroUsd: 'DOUBLE', retryAfterMs: 'DOUBLE' },
};
const parquetColumns = [...publishedColumns, 'hash' as const].map((name) => ({
	...{ name, type: (name === 'hash' ? undefined : parquetTypes[name]) ?? ('STRING' as const), nullable: true },
}));

export interface ExportedDay {
	readonly day: string;
	/** `kept`: it was there with the same rows. */
	readonly what: 'written' | 'kept';
	readonly rows: number;
}

/**
 * Writes into `dir`/results the given day, or every day that has ended, has results and is newer than those that are there.
 * Rollups must be up to date.
 * @throws ExpectedError when a day that is there already, or that later days are chained to, would have to change
 */
export async function exportResults(
	db: Db,
	dir: string,
	{ day, now, signer }: { readonly day: string | null; readonly now: number; readonly signer: Signer },
): Promise<ExportedDay[]> {
	const folder = join(dir, resultsFolder);
	await mkdir(folder, { recursive: true });
	const today = new Date(now).toISOString().slice(0, 10);
	const there = await exportedDays(folder);
	if (day !== null && day >= today) throw new ExpectedError(`--day: expected a UTC day that has ended, got ${day} (today is ${today})`, 2);
	const recorded = (await listDays(db, 'probe_results')).filter((one) => one < today);
	const days = day === null ? recorded.filter((one) => one > (there.at(-1) ?? '')) : [day];
	if (day !== null && !recorded.includes(day))
		throw new ExpectedError(
			`--day: expected a day that the record holds${recorded.length === 0 ? '' : ` (${recorded[0]} to ${recorded.at(-1)})`}, got ${day}`,
			2,
		);
	const exported: ExportedDay[] = [];
	for (const one of days) {
		const made = await exportDayCleanly(db, folder, one, { now, signer, there: [...there, ...exported.map((done) => done.day)] });
		// A day without a result is no link of the chain.
		if (made !== null) exported.push(made);
	}
	return exported;
}

/** Days that have a manifest in the folder, ascending. */
export async function exportedDays(folder: string): Promise<string[]> {
	const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
		if (error.code === 'ENOENT') return [];
		throw error;
	});
	return names.flatMap((name) => /^(\d{4}-\d\d-\d\d)\.manifest\.json$/.exec(name)?.[1] ?? []).sort();
}

interface DayContext {
	readonly now: number;
	readonly signer: Signer;
	readonly there: readonly string[];
}

const formats = ['csv', 'ndjson', 'parquet'] as const;

/** What was written and not needed, or not finished, does not stay. */
async function exportDayCleanly(db: Db, folder: string, day: string, context: DayContext): Promise<ExportedDay | null> {
	try {
		return await exportDay(db, folder, day, context);
	} finally {
		for (const name of [...formats.map((format) => rowsName(day, format)), manifestName(day)]) await rm(join(folder, `${name}.new`), { force: true });
	}
}

async function exportDay(db: Db, folder: string, day: string, { now, signer, there }: DayContext): Promise<ExportedDay | null> {
	const written = await writeRows(db, folder, day);
	const before = there.filter((one) => one < day).at(-1) ?? null;
	const content: Omit<Manifest, 'exportedAt'> = {
		schema: 'linnet.results/1',
		day,
		previous: before === null ? null : { day: before, sha256: hashOf(await readFile(join(folder, manifestName(before)))) },
		...written,
		figures: await figuresOfDay(db, day),
	};
	if (there.includes(day)) return compareDay(folder, day, content);
	const after = there.find((one) => one > day);
	if (after !== undefined)
		throw new ExpectedError(`${day}: ${after} is exported already and is not chained to it; export days in order, or start in an empty folder`);
	if (content.rows === 0) return null;
	for (const { name } of content.files) await rename(join(folder, `${name}.new`), join(folder, name));
	const manifest: Manifest = { ...content, exportedAt: new Date(now).toISOString() };
	const text = `${JSON.stringify(manifest, null, '\t')}\n`;
	const signature = signer.sign(manifestFreshness(manifest), Buffer.from(text));
	await writeFile(join(folder, `${manifestName(day)}.sig`), `${JSON.stringify({ algorithm: 'Ed25519', publicKey: signer.publicKey, signature })}\n`);
	// Last and at once: a day without its manifest is not exported.
	await writeFile(join(folder, `${manifestName(day)}.new`), text);
	await rename(join(folder, `${manifestName(day)}.new`), join(folder, manifestName(day)));
	return { day, what: 'written', rows: content.rows };
}

async function compareDay(folder: string, day: string, content: Omit<Manifest, 'exportedAt'>): Promise<ExportedDay> {
	const known = manifestSchema.parse(JSON.parse(await readFile(join(folder, manifestName(day)), 'utf8')));
	const found = new Map(content.files.map((file) => [file.name, file.sha256]));
	if (known.files.every((file) => found.get(file.name) === file.sha256)) return { day, what: 'kept', rows: known.rows };
	throw new ExpectedError(
		`${day} is exported with ${known.rows} rows and the record holds ${content.rows} now, or other ones (results that came late): an exported day is not changed. To publish it anew, remove its files and those of every later day from ${folder} and export again.`,
	);
}

async function writeRows(db: Db, folder: string, day: string): Promise<Pick<Manifest, 'rows' | 'files' | 'series'>> {
	const outputs = [
		{ name: rowsName(day, 'csv'), head: `${[...publishedColumns, 'hash'].join(',')}\n` },
		{ name: rowsName(day, 'ndjson'), head: '' },
	].map((output) => ({ ...output, hash: createHash('sha256'), bytes: 0 }));
	const handles = await Promise.all(outputs.map(({ name }) => open(join(folder, `${name}.new`), 'w')));
	const parquet = rowsName(day, 'parquet');
	const series: { target: string; vantage: string; canary: string; kind: string; rows: number; hash: ReturnType<typeof createHash> }[] = [];
	let rows = 0;
	try {
		const write = async (index: number, text: string) => {
			const output = outputs[index];
			if (output === undefined || text === '') return;
			output.hash.update(text);
			output.bytes += Buffer.byteLength(text);
			await handles[index]?.appendFile(text);
		};
		for (const [index, { head }] of outputs.entries()) await write(index, head);
		async function* walk() {
			let last: StoredResult | null = null;
			for (;;) {
				const page = await readResultsOfDay(db, day, last, pageRows);
				const texts = ['', ''];
				for (const one of page) {
					const { vantage, canary, kind, slotAt, startedAt } = one.result;
					if (last?.seriesKey !== one.seriesKey) series.push({ target: one.targetId, vantage, canary, kind, rows: 0, hash: createHash('sha256') });
					const row = toPublished(one.id, one.targetId, one.result);
					const line = toJsonLine(row);
					const hash = rowHash(line);
					texts[0] += `${toCsvLine(row)},${hash}\n`;
					texts[1] += `${line.slice(0, -1)},"hash":"${hash}"}\n`;
					const own = series.at(-1);
					if (own !== undefined) {
						own.rows += 1;
						own.hash.update(hash);
					}
					last = one;
					yield { ...row, slotAt: new Date(slotAt), startedAt: startedAt === null ? null : new Date(startedAt), hash };
				}
				for (const [index, text] of texts.entries()) await write(index, text);
				rows += page.length;
				if (page.length < pageRows) return;
			}
		}
		await parquetWriteRows({ writer: fileWriter(join(folder, `${parquet}.new`)), rows: walk(), columns: parquetColumns, rowGroupSize: 10 * pageRows });
		for (const handle of handles) await handle.sync();
	} finally {
		for (const handle of handles) await handle.close();
	}
	return {
		rows,
		files: [
			...outputs.map(({ name, bytes, hash }) => ({ name, bytes, sha256: hash.digest('hex') })),
			{ name: parquet, ...(await sealed(join(folder, `${parquet}.new`))) },
		],
		series: series.map(({ hash, ...own }) => ({ ...own, sha256: hash.digest('hex') })),
	};
}

/** Puts a file on the disk for good. */
async function sealed(path: string): Promise<{ bytes: number; sha256: string }> {
	const handle = await open(path, 'r+');
	try {
		await handle.sync();
		const hash = createHash('sha256');
		for await (const chunk of handle.createReadStream({ autoClose: false })) hash.update(chunk as Buffer);
		return { bytes: (await handle.stat()).size, sha256: hash.digest('hex') };
	} finally {
		await handle.close();
	}
}

async function figuresOfDay(db: Db, day: string): Promise<Manifest['figures']> {
	const figures: Manifest['figures'] = {};
	for (const { targetId, canary, rollup } of await readRollupsOfDay(db, day)) figures[targetId] = { ...figures[targetId], [canary]: { ...figuresOf(rollup) } };
	return figures;
}
