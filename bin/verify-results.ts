/** Recomputes what was published from the exported files alone: no database, no service. */
import { createHash, createPublicKey, verify } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { signedBytes } from '#api/sign-feed.ts';
import type { ProbeResult } from '#core/probe-result.ts';
import { figuresOf, fromPublished, type PublishedResult, publishedColumns, toCsvLine, toJsonLine } from '#core/published-result.ts';
import { mergeRollups, type Rollup, rollupOf } from '#core/rollup.ts';
import { hashOf, type Manifest, manifestFreshness, manifestName, manifestSchema, resultsFolder, rowHash, rowsName } from './day-manifest.ts';
import { ExpectedError } from './expected-error.ts';
import { exportedDays } from './export-results.ts';

export interface Verification {
	readonly days: number;
	readonly rows: number;
	/** Figures that were recomputed and agree. */
	readonly figures: number;
	/** Empty: everything holds. In words for people, each with its place. */
	readonly faults: readonly string[];
	/** Of the newest manifest; null when it is not signed. */
	readonly publicKey: string | null;
}

/** A changed file has as many faults as rows; the first ones say it. */
const faultsADay = 20;

/** @throws ExpectedError when there is nothing to verify */
export async function verifyResults(dir: string): Promise<Verification> {
	const folder = join(dir, resultsFolder);
	const days = await exportedDays(folder);
	if (days.length === 0) throw new ExpectedError(`expected ${folder} to hold days of results (linnet export DIR --results), found no manifest`, 2);
	const key = await publishedKey(dir);
	const published = await publishedDays(dir);
	const faults: string[] = [];
	const total = { rows: 0, figures: 0 };
	let previous: Manifest['previous'] = null;
	let publicKey: string | null = null;
	for (const day of days) {
		const bytes = await readFile(join(folder, manifestName(day)));
		const manifest = readManifest(bytes);
		if (manifest === null || manifest.day !== day) {
			faults.push(`${manifestName(day)}: expected a manifest of ${day} (linnet.results/1)`);
			previous = { day, sha256: hashOf(bytes) };
			continue;
		}
		if (JSON.stringify(manifest.previous) !== JSON.stringify(previous)) faults.push(chainFault(day, manifest.previous, previous));
		const signature = await checkSignature(folder, manifest, bytes, key);
		if (signature.fault !== null) faults.push(signature.fault);
		publicKey = signature.publicKey;
		const checked = await verifyDay(folder, manifest, published);
		faults.push(...checked.faults.slice(0, faultsADay));
		if (checked.faults.length > faultsADay) faults.push(`${day}: and ${checked.faults.length - faultsADay} more`);
		total.rows += checked.rows;
		total.figures += checked.figures;
		previous = { day, sha256: hashOf(bytes) };
	}
	return { days: days.length, ...total, faults, publicKey };
}

function readManifest(bytes: Buffer): Manifest | null {
	try {
		return manifestSchema.parse(JSON.parse(bytes.toString()));
	} catch {
		return null;
	}
}

function chainFault(day: string, named: Manifest['previous'], found: Manifest['previous']): string {
	const words = (link: Manifest['previous']) => (link === null ? 'no day before it' : `${link.day} (${link.sha256.slice(0, 12)}…)`);
	const what = named !== null && named.day === found?.day ? `the manifest of ${named.day} was changed` : 'a day is missing, or one was put in';
	return `${day}: the chain breaks: ${what}. It was exported after ${words(named)}, here it stands after ${words(found)}`;
}

const keySchema = z.object({ publicKey: z.string() });
const signatureSchema = z.object({ publicKey: z.string(), signature: z.string() });

/** The key that the site publishes beside; null without one. */
async function publishedKey(dir: string): Promise<string | null> {
	const text = await readFile(join(dir, 'key.json'), 'utf8').catch(() => null);
	return text === null ? null : keySchema.parse(JSON.parse(text)).publicKey;
}

async function checkSignature(folder: string, manifest: Manifest, bytes: Buffer, key: string | null) {
	const name = `${manifestName(manifest.day)}.sig`;
	const text = await readFile(join(folder, name), 'utf8').catch(() => null);
	if (text === null) return { fault: `${name}: expected the signature of the manifest, found none`, publicKey: null };
	const parsed = signatureSchema.safeParse(parseJson(text));
	if (!parsed.success) return { fault: `${name}: expected publicKey and signature`, publicKey: null };
	const { publicKey, signature } = parsed.data;
	if (key !== null && key !== publicKey) return { fault: `${name}: signed by ${publicKey}, the site's key is ${key}`, publicKey };
	const x = Buffer.from(publicKey, 'base64').toString('base64url');
	const holds = (() => {
		try {
			const own = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
			return verify(null, signedBytes(manifestFreshness(manifest), bytes), own, Buffer.from(signature, 'base64'));
		} catch {
			return false;
		}
	})();
	return { fault: holds ? null : `${name}: the signature is not of this manifest`, publicKey };
}

function parseJson(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch {
		return null;
	}
}

interface CheckedDay {
	readonly rows: number;
	readonly figures: number;
	readonly faults: string[];
}

async function verifyDay(folder: string, manifest: Manifest, published: PublishedDays): Promise<CheckedDay> {
	const { day } = manifest;
	const faults: string[] = [];
	const sums = createSums();
	const series = new Map<string, { rows: number; hash: ReturnType<typeof createHash> }>();
	const [csv, json] = [lines(folder, rowsName(day, 'csv')), lines(folder, rowsName(day, 'ndjson'))];
	let rows = 0;
	try {
		const head = await csv.next();
		const expectedHead = [...publishedColumns, 'hash'].join(',');
		if (head.done || head.value !== expectedHead) faults.push(`${rowsName(day, 'csv')}: expected the columns ${expectedHead}`);
		for (;;) {
			const [inCsv, inJson] = [await csv.next(), await json.next()];
			if (inJson.done && inCsv.done) break;
			rows += 1;
			if (inJson.done) {
				faults.push(`${rowsName(day, 'ndjson')} line ${rows}: missing; the CSV has ${clip(String(inCsv.value))}`);
				continue;
			}
			const checked = checkRow(inJson.value, day);
			const where = `${rowsName(day, 'ndjson')} line ${rows}`;
			if (typeof checked === 'string') {
				faults.push(`${where}: ${checked}`);
				continue;
			}
			const { row, hash, stated, result } = checked;
			if (hash !== stated) faults.push(`${where}: record ${name(row)} was changed: its hash is ${hash}, it was exported with ${stated}`);
			const line = `${toCsvLine(row)},${stated}`;
			if (inCsv.done) faults.push(`${rowsName(day, 'csv')}: record ${name(row)} is missing`);
			else if (inCsv.value !== line)
				faults.push(`${rowsName(day, 'csv')} line ${rows + 1}: record ${name(row)} differs from the NDJSON: ${difference(inCsv.value, line)}`);
			const key = seriesName(row as Record<string, unknown>);
			const own = series.get(key) ?? { rows: 0, hash: createHash('sha256') };
			series.set(key, own);
			own.rows += 1;
			own.hash.update(stated);
			if (result.kind === 'scheduled') sums.add(String(row.target), result);
		}
	} catch (error) {
		faults.push(`${day}: ${(error as Error).message}`);
	} finally {
		await csv.return(undefined);
		await json.return(undefined);
	}
	if (rows !== manifest.rows) faults.push(`${day}: exported with ${manifest.rows} records, the files hold ${rows}`);
	for (const stated of manifest.series) {
		const key = seriesName(stated);
		const own = series.get(key);
		series.delete(key);
		if (own === undefined) faults.push(`${day}: every record of ${key} is missing`);
		else if (own.rows !== stated.rows) faults.push(`${day}: ${key} was exported with ${stated.rows} records, the files hold ${own.rows}`);
		else if (own.hash.digest('hex') !== stated.sha256) faults.push(`${day}: a record of ${key} was changed together with its hash`);
	}
	for (const key of series.keys()) faults.push(`${day}: ${key} was not in the export`);
	for (const file of manifest.files) {
		const found = await hashFile(join(folder, file.name));
		if (found === null) faults.push(`${file.name}: missing`);
		else if (found !== file.sha256)
			faults.push(`${file.name}: changed since its export (sha256 ${found.slice(0, 12)}…, exported with ${file.sha256.slice(0, 12)}…)`);
	}
	const figures = compareFigures(manifest, sums.all(), published, faults);
	return { rows, figures, faults };
}

const name = (row: PublishedResult) => `${row.id} (${row.target}, canary ${row.canary}, vantage ${row.vantage}, slot ${row.slotAt})`;
const seriesName = ({ target, vantage, canary, kind }: Record<string, unknown>) => `${target} from ${vantage}, canary ${canary}, ${kind}`;
const clip = (text: string) => (text.length > 80 ? `${text.slice(0, 80)}…` : text);

function checkRow(line: string, day: string): { row: PublishedResult; hash: string; stated: string; result: ProbeResult } | string {
	const value = parseJson(line);
	if (typeof value !== 'object' || value === null) return `expected a JSON object, got ${clip(line)}`;
	const { hash: stated, ...row } = value as PublishedResult & { hash?: unknown };
	if (typeof stated !== 'string') return `expected a hash with the record, got ${clip(line)}`;
	try {
		const result = fromPublished(row);
		if (new Date(result.slotAt).toISOString().slice(0, 10) !== day) return `record ${name(row)} is not of this day`;
		return { row, hash: rowHash(toJsonLine(row)), stated, result };
	} catch (error) {
		return (error as Error).message;
	}
}

function difference(found: string, expected: string): string {
	let at = 0;
	while (at < found.length && found[at] === expected[at]) at += 1;
	const from = Math.max(0, expected.lastIndexOf(',', at - 1) + 1);
	return `"${clip(found.slice(from, at + 24))}" instead of "${clip(expected.slice(from, at + 24))}"`;
}

async function* lines(folder: string, file: string): AsyncGenerator<string, void, undefined> {
	yield* createInterface({ input: createReadStream(join(folder, file), 'utf8'), crlfDelay: Number.POSITIVE_INFINITY });
}

async function hashFile(path: string): Promise<string | null> {
	const hash = createHash('sha256');
	try {
		for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
		throw error;
	}
	return hash.digest('hex');
}

const mergeEvery = 2_000;

/** Adds results up by target and canary without keeping them. */
function createSums() {
	const groups = new Map<string, Map<string, { waiting: ProbeResult[]; sum: Rollup | null }>>();
	const settle = (own: { waiting: ProbeResult[]; sum: Rollup | null }): Rollup => {
		const fresh = rollupOf(own.waiting);
		own.waiting = [];
		own.sum = own.sum === null ? fresh : mergeRollups([own.sum, fresh]);
		return own.sum;
	};
	return {
		add(target: string, result: ProbeResult) {
			const canaries = groups.get(target) ?? new Map();
			groups.set(target, canaries);
			const own = canaries.get(result.canary) ?? { waiting: [], sum: null };
			canaries.set(result.canary, own);
			own.waiting.push(result);
			if (own.waiting.length >= mergeEvery) settle(own);
		},
		all: () => new Map([...groups].map(([target, canaries]) => [target, new Map([...canaries].map(([canary, own]) => [canary, settle(own)]))])),
	};
}

type Sums = ReturnType<ReturnType<typeof createSums>['all']>;

/** @returns how many figures agree */
function compareFigures(manifest: Manifest, sums: Sums, published: PublishedDays, faults: string[]): number {
	let agree = 0;
	const compare = (place: string, stated: unknown, found: unknown) => {
		if (JSON.stringify(stated) === JSON.stringify(found)) agree += 1;
		else faults.push(`${place}: published as ${clip(JSON.stringify(stated) ?? 'nothing')}, the records add up to ${clip(JSON.stringify(found) ?? 'nothing')}`);
	};
	const targets = new Set([...Object.keys(manifest.figures), ...sums.keys()]);
	for (const target of targets) {
		const own = sums.get(target) ?? new Map<string, Rollup>();
		const stated = manifest.figures[target] ?? {};
		for (const canary of new Set([...Object.keys(stated), ...own.keys()])) {
			const found = { ...figuresOf(own.get(canary) ?? rollupOf([])) } as Record<string, unknown>;
			for (const figure of Object.keys(found)) compare(`${manifest.day} ${target}, canary ${canary}, ${figure}`, stated[canary]?.[figure], found[figure]);
		}
		const onPage = published.get(target)?.get(manifest.day);
		if (onPage === undefined) continue;
		const { good, bad, excluded } = mergeRollups([...own.values()]);
		compare(`${manifest.day} ${target}, on its page`, onPage, { good, bad, excluded });
	}
	return agree;
}

type PublishedDays = ReadonlyMap<string, ReadonlyMap<string, { good: number; bad: number; excluded: number }>>;

const targetFileSchema = z.object({
	target: z.object({ id: z.string(), days: z.array(z.object({ date: z.string(), good: z.number(), bad: z.number(), excluded: z.number() })) }),
});

/** Days as the site in the same folder shows them, where it has any data. */
async function publishedDays(dir: string): Promise<PublishedDays> {
	const files = await readdir(join(dir, 'target')).catch(() => []);
	const days = new Map<string, Map<string, { good: number; bad: number; excluded: number }>>();
	for (const file of files.filter((one) => one.endsWith('.json'))) {
		const parsed = targetFileSchema.safeParse(parseJson(await readFile(join(dir, 'target', file), 'utf8')));
		if (!parsed.success) continue;
		const { id, days: shown } = parsed.data.target;
		days.set(id, new Map(shown.map(({ date, good, bad, excluded }) => [date, { good, bad, excluded }])));
	}
	return days;
}
