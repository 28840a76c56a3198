import type { Outcome } from '#core/outcome.ts';
import type { ProbeKind, SlotKey } from '#core/probe-result.ts';
import { targetId } from '#core/target.ts';
import { findKeys } from './names.ts';
import { kindCodes, outcomeCodes } from './result-codes.ts';
import { parseResultId, type ResultRow, resultColumns, type StoredResult, toStoredResults } from './result-row.ts';
import { instant, query, type Sql } from './sql.ts';
import { neverStarted } from './stored-columns.ts';

const selectAfter = query<ResultRow>(
	'probe_results_after',
	`select ${resultColumns} from probe_results p where p.seq > $1::bigint and p.seq <= $2::bigint order by p.seq limit $3::int`,
);

const selectDay = query<ResultRow>(
	'probe_results_day',
	`select ${resultColumns} from probe_results p
	where p.slot_at >= $1::timestamptz and p.slot_at < $1::timestamptz + interval '1 day' and (p.series_key, p.slot_at) > ($2::int, $3::timestamptz)
	order by p.series_key, p.slot_at limit $4::int`,
);

// Each series gives its newest, so that no index over the whole target is needed beside that of the slots.
const selectPage = query<ResultRow>(
	'probe_results_page',
	`select ${resultColumns}
	from series s
	cross join lateral (
		select * from probe_results r
		where r.series_key = s.series_key and r.slot_at <= $2::timestamptz
			and (r.slot_at < $2::timestamptz or (s.vantage_key, s.canary_key, s.kind) < ($3::int, $4::int, $5::int))
			and ($7::int is null or (r.code & 63) = $7::int)
		order by r.slot_at desc limit $8::int
	) p
	where s.target_key = $1::int and ($6::int[] is null or s.kind = any($6::int[]))
	order by p.slot_at desc, s.vantage_key desc, s.canary_key desc, s.kind desc limit $8::int`,
);

const selectSlots = query<ResultRow>(
	'probe_results_slots',
	`select ${resultColumns}
	from unnest($1::int[], $2::float8[]) as given(series_key, slot_s)
	cross join lateral (select * from probe_results r where r.series_key = given.series_key and r.slot_at = to_timestamp(given.slot_s) limit 1) p`,
);

const selectSeriesKey = query<{ key: number }>(
	'series_find',
	`select series_key as key from series where target_key = $1::int and vantage_key = $2::int and canary_key = $3::int and kind = $4::int`,
);

const selectLatest = query<ResultRow>(
	'probe_results_latest',
	`select distinct on (s.target_key, s.vantage_key) ${resultColumns}
	from targets t
	join series s using (target_key)
	cross join lateral (
		select * from probe_results r
		where r.series_key = s.series_key and r.slot_at > $1::timestamptz and r.start_delay_ms <> ${neverStarted}
		order by r.slot_at desc limit 1
	) p
	where t.removed_at is null
	order by s.target_key, s.vantage_key, p.slot_at desc`,
);

const selectWithout = query<{ ordinal: number }>(
	'probe_results_without',
	`select given.ordinal
	from unnest($1::text[], $2::text[], $3::text[], $4::int[], $5::float8[]) with ordinality as given(target_id, vantage, canary, kind, slot_s, ordinal)
	left join targets t on t.target_id = given.target_id
	left join vantages v on v.name = given.vantage
	left join canaries c on c.name = given.canary
	left join series s on s.target_key = t.target_key and s.vantage_key = v.vantage_key and s.canary_key = c.canary_key and s.kind = given.kind
	where not exists (
		select from probe_results p
		where p.series_key = s.series_key and p.slot_at = to_timestamp(given.slot_s)
	)
	order by given.ordinal`,
);

const selectLastSeq = query<{ seq: number }>('probe_results_last_seq', 'select last_value as seq from probe_result_seq');

/** Number of the newest result, or of one that was about to be; 0 before the first. */
export async function readLastSeq(sql: Sql): Promise<number> {
	return (await sql.run(selectLastSeq))[0]?.seq ?? 0;
}

/**
 * Reads on from a sequence number in one statement over a bounded stretch of numbers, a longer one while there is nothing in it: numbers
 * that duplicates have burned leave gaps. Always from the same start: with two statements for two stretches, what is committed between
 * them into the first would be passed over.
 */
export async function readStretch<Row>(sql: Sql, seq: number, limit: number, read: (throughSeq: number) => Promise<Row[]>): Promise<Row[]> {
	const last = await readLastSeq(sql);
	for (let length = limit * 4; seq < last; length *= 8) {
		const rows = await read(seq + length);
		if (rows.length > 0 || seq + length >= last) return rows;
	}
	return [];
}

/** Results committed after `seq`, in order of commit; none at or below the last `seq` of the answer can still appear. Empty when there is none yet. */
export async function readResultsAfter(sql: Sql, seq: number, limit: number): Promise<StoredResult[]> {
	return toStoredResults(sql, await readStretch(sql, seq, limit, (throughSeq) => sql.run(selectAfter, [seq, throughSeq, limit])));
}

/** Results of one UTC day (YYYY-MM-DD) for the export, series by series in order of their slots; page with the last of the answer. */
export async function readResultsOfDay(sql: Sql, day: string, after: StoredResult | null, limit: number): Promise<StoredResult[]> {
	const from = `${day}T00:00:00Z`;
	return toStoredResults(sql, await sql.run(selectDay, [from, after?.seriesKey ?? 0, after === null ? from : instant(after.result.slotAt), limit]));
}

/** The results of given slots, those that there are. */
export async function readResultsOfSlots(sql: Sql, slots: readonly { readonly seriesKey: number; readonly slotAt: number }[]): Promise<StoredResult[]> {
	return toStoredResults(sql, await sql.run(selectSlots, [slots.map(({ seriesKey }) => seriesKey), slots.map(({ slotAt }) => slotAt / 1_000)]));
}

export interface ListResultsOptions {
	readonly targetId: string;
	/** `next` of the page before; null or absent for the first. A result id is a cursor too: what is older than it. */
	readonly before?: string | null;
	readonly limit: number;
	readonly kinds?: readonly ProbeKind[];
	readonly outcome?: Outcome;
}

/** Newest first. `next` is null on the last page. An unknown target has no results. @throws RangeError when the cursor is none. */
export async function listResults(
	sql: Sql,
	{ targetId: id, before, limit, kinds, outcome }: ListResultsOptions,
): Promise<{ results: StoredResult[]; next: string | null }> {
	const key = (await findKeys(sql, 'target', [id])).get(id);
	const cursor = before == null ? null : parseResultId(before);
	if (before != null && cursor === null) throw new RangeError(`Expected \`before\` to be the cursor of a page, got "${before}"`);
	if (key === undefined) return { results: [], next: null };
	const start = cursor === null ? ['infinity', 0, 0, 0] : [instant(cursor.slotAt), cursor.vantageKey, cursor.canaryKey, kindCodes[cursor.kind]];
	const kindList = kinds === undefined ? null : kinds.map((kind) => kindCodes[kind]);
	const rows = await sql.run(selectPage, [key, ...start, kindList, outcome === undefined ? null : outcomeCodes[outcome], limit + 1]);
	const results = await toStoredResults(sql, rows.slice(0, limit));
	return { results, next: rows.length > limit ? (results.at(-1)?.id ?? null) : null };
}

/** Null when there is no such result. */
export async function findResult(sql: Sql, id: string): Promise<StoredResult | null> {
	const slot = parseResultId(id);
	if (slot === null) return null;
	const [key] = await sql.run(selectSeriesKey, [slot.targetKey, slot.vantageKey, slot.canaryKey, kindCodes[slot.kind]]);
	if (key === undefined) return null;
	return (await readResultsOfSlots(sql, [{ seriesKey: key.key, slotAt: slot.slotAt }]))[0] ?? null;
}

/** The newest result that ran since `sinceAt`, of each configured target and vantage that has one. */
export async function latestPerTarget(sql: Sql, sinceAt: number): Promise<StoredResult[]> {
	return toStoredResults(sql, await sql.run(selectLatest, [instant(sinceAt)]));
}

/** Those of the slots that have neither a result nor a missed marker, in the given order. */
export async function slotsWithoutResult<Slot extends SlotKey>(sql: Sql, slots: readonly Slot[]): Promise<Slot[]> {
	if (slots.length === 0) return [];
	const rows = await sql.run(selectWithout, [
		slots.map(targetId),
		slots.map(({ vantage }) => vantage),
		slots.map(({ canary }) => canary),
		slots.map(({ kind }) => kindCodes[kind]),
		slots.map(({ slotAt }) => slotAt / 1_000),
	]);
	return rows.flatMap(({ ordinal }) => slots[ordinal - 1] ?? []);
}
