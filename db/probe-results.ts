import { isDeepStrictEqual } from 'node:util';
import type { ProbeResult } from '#core/probe-result.ts';
import { targetId } from '#core/target.ts';
import { noteHeadroom } from './headroom.ts';
import { findKeys, internNames } from './names.ts';
import { dayOf, ensureDayPartitions } from './partitions.ts';
import { cleanText, quarantine, type Refusal } from './quarantine.ts';
import { readResultsOfSlots } from './read-results.ts';
import { defaultRetentionDays, type InsertBounds, refusalOf } from './refuse-result.ts';
import { internRemarks, type Remark, remarkId } from './remarks.ts';
import { kindCodes } from './result-codes.ts';
import { internSeries, type SeriesParts, seriesId } from './series.ts';
import { type Db, isUnavailable, query } from './sql.ts';
import {
	detailColumns,
	isShared,
	type NarrowRow,
	narrowColumns,
	neverStarted,
	noDetails,
	overflowOf,
	remarkOf,
	replacedBit,
	storedForm,
} from './stored-columns.ts';

export { defaultRetentionDays, type InsertBounds } from './refuse-result.ts';

const names = Object.keys(narrowColumns);
const picks = Object.values(narrowColumns).map(({ of }) => of);
const detailNames = Object.keys(detailColumns);
const instants = (columns: readonly string[]) => columns.map((name) => (name.endsWith('_at') ? `to_timestamp(${name})` : name)).join(', ');
const unnested = (columns: Readonly<Record<string, { readonly type: string }>>, first: number) =>
	`unnest(${Object.values(columns)
		.map(({ type }, i) => `$${first + i}::${type}[]`)
		.join(', ')}) as given(${Object.keys(columns).join(', ')})`;

// unnest with ON CONFLICT in batches of 200 to 1000: COPY is faster, and can't skip a duplicate (bench/record.ts prints both).
const insertText = `insert into probe_results (${names.join(', ')})
	select ${instants(names)} from ${unnested(narrowColumns, 1)}
	on conflict (series_key, slot_at) do update set
		seq = excluded.seq, ${names.map((name) => (name === 'code' ? `code = excluded.code | ${replacedBit}` : `${name} = excluded.${name}`)).join(', ')}
		where probe_results.start_delay_ms = ${neverStarted} and excluded.start_delay_ms <> ${neverStarted}`;

const insertRows = query<{ code: number }>('probe_results_insert', `${insertText} returning code`);

const insertWithDetails = query<{ code: number }>(
	'probe_results_insert_with_details',
	`with stored as (${insertText} returning series_key, slot_at, code), detailed as (
		insert into result_details (${detailNames.join(', ')})
		select given.*
		from (select ${detailNames.map((name) => (name.endsWith('_at') ? `to_timestamp(${name}) as ${name}` : name)).join(', ')}
			from ${unnested(detailColumns, names.length + 1)}) given
		join stored using (series_key, slot_at)
		on conflict (series_key, slot_at) do update set ${detailNames.map((name) => `${name} = excluded.${name}`).join(', ')}
	)
	select code from stored`,
);

export interface InsertedCounts {
	readonly inserted: number;
	/** Results that came for a slot already marked as missed. */
	readonly replaced: number;
	/** Slots that had their result already. */
	readonly duplicates: number;
	/** Refused, and kept in the quarantine with the reason. */
	readonly quarantined: number;
}

const slotDiffers = 'another result of a slot that has one';

/**
 * Records results in one round trip, each slot once: a real result replaces a missed marker, the same one that comes again is dropped, and
 * another one of the same slot is refused. A result that can't be recorded goes to the quarantine and never hurts its neighbours.
 * @throws only when the database is away (`isUnavailable`): then the batch can be given again.
 */
export async function insertResults(db: Db, results: readonly ProbeResult[], given: Partial<InsertBounds> = {}): Promise<InsertedCounts> {
	const bounds = { now: Date.now(), retentionDays: defaultRetentionDays, ...given };
	const refusals: Refusal[] = [];
	const sound = results.filter((result) => {
		const reason = refusalOf(result, bounds);
		if (reason !== null) refusals.push({ reason, document: result });
		return reason === null;
	});
	const keyed = await findSeriesKeys(db, sound, refusals);
	const bySlot = new Map<string, { readonly seriesKey: number; readonly result: ProbeResult }>();
	const repeats: { seriesKey: number; result: ProbeResult }[] = [];
	for (const { seriesKey, result } of keyed) {
		// ON CONFLICT DO UPDATE must not meet one row twice.
		const slot = `${seriesKey} ${Math.round(result.slotAt)}`;
		const earlier = bySlot.get(slot);
		if (earlier === undefined || (earlier.result.startedAt === null && result.startedAt !== null)) bySlot.set(slot, { seriesKey, result });
		if (earlier !== undefined) repeats.push({ seriesKey, result });
	}
	const rows = await toNarrowRows(db, [...bySlot.values()]);
	await ensureDays(db, rows);
	const { inserted, replaced, refused } = await insertOrSplit(db, rows, refusals);
	const dropped = rows.length - inserted - replaced - refused;
	const others = await findOthers(db, dropped > 0 ? [...rows, ...repeats] : repeats);
	refusals.push(...others.map(({ result }) => ({ reason: slotDiffers, document: result })));
	await quarantine(db, refusals);
	await noteHeadroom(db, sound, bounds.now);
	return { inserted, replaced, duplicates: dropped + repeats.length - others.length, quarantined: refusals.length };
}

async function findSeriesKeys(db: Db, results: readonly ProbeResult[], refusals: Refusal[]): Promise<{ seriesKey: number; result: ProbeResult }[]> {
	const targetKeys = await findKeys(db, 'target', results.map(targetId));
	const known = results.filter((result) => {
		const isKnown = targetKeys.has(targetId(result));
		if (!isKnown) refusals.push({ reason: 'unknown target', document: result });
		return isKnown;
	});
	const column = (pick: (result: ProbeResult) => string) => known.map((result) => cleanText(pick(result)));
	const vantageKeys = await internNames(
		db,
		'vantage',
		column(({ vantage }) => vantage),
	);
	const canaryKeys = await internNames(
		db,
		'canary',
		column(({ canary }) => canary),
	);
	const parts = known.map(
		(result): SeriesParts => ({
			targetKey: targetKeys.get(targetId(result)) ?? 0,
			vantageKey: vantageKeys.get(cleanText(result.vantage)) ?? 0,
			canaryKey: canaryKeys.get(cleanText(result.canary)) ?? 0,
			kind: kindCodes[result.kind],
		}),
	);
	const seriesKeys = await internSeries(db, parts);
	return known.map((result, i) => ({ seriesKey: seriesKeys.get(seriesId(parts[i] as SeriesParts)) ?? 0, result }));
}

async function toNarrowRows(db: Db, keyed: readonly { seriesKey: number; result: ProbeResult }[]): Promise<NarrowRow[]> {
	const drafts = keyed.map(({ seriesKey, result }) => {
		const remark = remarkOf(result);
		return { seriesKey, result, remark, remarkId: remarkId(remark), overflow: overflowOf(result) };
	});
	const wanted = new Map<string, Remark>();
	for (const { remark, remarkId: id, overflow } of drafts) if (overflow === null && !isEmpty(remark) && isShared(remark)) wanted.set(id, remark);
	const keys = await internRemarks(db, wanted);
	return drafts.map(({ seriesKey, result, remark, remarkId: id, overflow }) => {
		const remarkKey = overflow === null && wanted.has(id) ? keys.get(id) : undefined;
		if (remarkKey !== undefined) return { seriesKey, result, remarkKey, details: null };
		const details = overflow === null && isEmpty(remark) ? null : { ...(overflow ?? noDetails), ...remark };
		return { seriesKey, result, remarkKey: 0, details };
	});
}

const isEmpty = ({ httpStatus, servedModel, evidence }: Remark) => httpStatus === null && servedModel === null && evidence === null;

/** A marker and a result are not two results. */
function isAnother(a: ProbeResult, b: ProbeResult): boolean {
	return a.startedAt !== null && b.startedAt !== null && !isDeepStrictEqual(storedForm(a), storedForm(b));
}

/** Those that were not recorded because their slot has another result. */
async function findOthers<Row extends Pick<NarrowRow, 'seriesKey' | 'result'>>(db: Db, rows: readonly Row[]): Promise<Row[]> {
	if (rows.length === 0) return [];
	const stored = await readResultsOfSlots(
		db,
		rows.map(({ seriesKey, result }) => ({ seriesKey, slotAt: Math.round(result.slotAt) })),
	);
	const bySlot = new Map(stored.map(({ seriesKey, result }) => [`${seriesKey} ${result.slotAt}`, result]));
	return rows.filter(({ seriesKey, result }) => {
		const known = bySlot.get(`${seriesKey} ${Math.round(result.slotAt)}`);
		return known !== undefined && isAnother(known, result);
	});
}

/** Halves a batch that the database refuses until the one bad row is alone. */
async function insertOrSplit(db: Db, rows: readonly NarrowRow[], refusals: Refusal[]): Promise<{ inserted: number; replaced: number; refused: number }> {
	if (rows.length === 0) return { inserted: 0, replaced: 0, refused: 0 };
	try {
		const values = picks.map((pick) => rows.map(pick));
		const detailed = rows.flatMap((row) => (row.details === null ? [] : [[row, row.details] as const]));
		const stored =
			detailed.length === 0
				? await db.run(insertRows, values)
				: await db.run(insertWithDetails, [...values, ...Object.values(detailColumns).map(({ of }) => detailed.map(([row, details]) => of(row, details)))]);
		const replaced = stored.filter(({ code }) => (code & replacedBit) !== 0).length;
		return { inserted: stored.length - replaced, replaced, refused: 0 };
	} catch (error) {
		if (isUnavailable(error)) throw error;
		const [only] = rows;
		if (rows.length === 1 && only !== undefined) {
			refusals.push({ reason: `refused by the database: ${error instanceof Error ? error.message : String(error)}`, document: only.result });
			return { inserted: 0, replaced: 0, refused: 1 };
		}
		const middle = rows.length >> 1;
		const left = await insertOrSplit(db, rows.slice(0, middle), refusals);
		const right = await insertOrSplit(db, rows.slice(middle), refusals);
		return { inserted: left.inserted + right.inserted, replaced: left.replaced + right.replaced, refused: left.refused + right.refused };
	}
}

const madeDays = new WeakMap<object, Set<string>>();

async function ensureDays(db: Db, rows: readonly NarrowRow[]): Promise<void> {
	const made = madeDays.get(db.pool) ?? new Set();
	madeDays.set(db.pool, made);
	const wanted = [...new Set(rows.map(({ result }) => dayOf(result.slotAt)))].filter((day) => !made.has(day));
	if (wanted.length === 0) return;
	await ensureDayPartitions(db, wanted);
	for (const day of wanted) made.add(day);
}
