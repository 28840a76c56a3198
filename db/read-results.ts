import type { RecentResults } from '#core/build-snapshot.ts';
import type { Outcome } from '#core/outcome.ts';
import type { ProbeKind, SlotKey } from '#core/probe-result.ts';
import { targetId } from '#core/target.ts';
import { findKeys } from './names.ts';
import { kindCodes, outcomeCodes, outcomeOfCode, sliOfCode } from './result-codes.ts';
import { parseResultId, type ResultRow, resultColumns, type StoredResult, toStoredResults } from './result-row.ts';
import { instant, query, type Sql } from './sql.ts';

const selectAfter = query<ResultRow>(
	'probe_results_after',
	`select ${resultColumns} from probe_results p where p.seq > $1::bigint order by p.seq limit $2::int`,
);

const selectDay = query<ResultRow>(
	'probe_results_day',
	`select ${resultColumns} from probe_results p
	where p.slot_at >= $1::timestamptz and p.slot_at < $1::timestamptz + interval '1 day' and p.seq > $2::bigint order by p.seq limit $3::int`,
);

const selectPage = query<ResultRow>(
	'probe_results_page',
	`select ${resultColumns} from probe_results p
	where p.target_key = $1::int and (p.slot_at, p.vantage_key, p.canary_key, p.kind) < ($2::timestamptz, $3::int, $4::int, $5::int)
		and ($6::int[] is null or p.kind = any($6::int[])) and ($7::int is null or p.outcome = $7::int)
	order by p.slot_at desc, p.vantage_key desc, p.canary_key desc, p.kind desc limit $8::int`,
);

const selectOne = query<ResultRow>(
	'probe_results_one',
	`select ${resultColumns} from probe_results p
	where p.target_key = $1::int and p.slot_at = $2::timestamptz and p.vantage_key = $3::int and p.canary_key = $4::int and p.kind = $5::int`,
);

const selectLatest = query<ResultRow>(
	'probe_results_latest',
	`select ${resultColumns}
	from targets t cross join vantages v
	cross join lateral (
		select * from probe_results r
		where r.target_key = t.target_key and r.vantage_key = v.vantage_key and r.slot_at > $1::timestamptz and r.started_at is not null
		order by r.slot_at desc limit 1
	) p
	where t.removed_at is null`,
);

interface RecentRow {
	readonly target_id: string;
	readonly vantage: string;
	readonly started_at: number;
	readonly outcome: number;
	readonly subcode: string | null;
	readonly retry_after_ms: number | null;
	readonly valid_at: number | null;
	readonly votes: readonly number[];
}

const selectRecent = query<RecentRow>(
	'probe_results_recent',
	`select t.target_id, v.name as vantage, newest.started_at, newest.outcome, newest.evidence ->> 'subcode' as subcode, newest.retry_after_ms,
		valid.valid_at, coalesce(valid.votes, '{}') as votes
	from targets t cross join vantages v
	cross join lateral (
		select r.started_at, r.outcome, r.evidence, r.retry_after_ms from probe_results r
		where r.target_key = t.target_key and r.vantage_key = v.vantage_key and r.slot_at > $1::timestamptz and r.started_at is not null and r.kind < 2
		order by r.slot_at desc limit 1
	) newest
	cross join lateral (
		select max(started_at) as valid_at, array_agg(sli order by slot_at desc) as votes
		from (
			select r.started_at, r.sli, r.slot_at from probe_results r
			where r.target_key = t.target_key and r.vantage_key = v.vantage_key and r.slot_at > $1::timestamptz and r.started_at is not null and r.kind < 2
				and r.sli < 2
			order by r.slot_at desc limit 3
		) newest_valid
	) valid
	where t.removed_at is null`,
);

const selectWithout = query<{ ordinal: number }>(
	'probe_results_without',
	`select given.ordinal
	from unnest($1::text[], $2::text[], $3::text[], $4::int[], $5::float8[]) with ordinality as given(target_id, vantage, canary, kind, slot_s, ordinal)
	left join targets t on t.target_id = given.target_id
	left join vantages v on v.name = given.vantage
	left join canaries c on c.name = given.canary
	where not exists (
		select from probe_results p
		where p.target_key = t.target_key and p.slot_at = to_timestamp(given.slot_s) and p.vantage_key = v.vantage_key and p.canary_key = c.canary_key
			and p.kind = given.kind
	)
	order by given.ordinal`,
);

/** Results committed after `seq`, in order of commit; none at or below the last `seq` of the answer can still appear. */
export async function readResultsAfter(sql: Sql, seq: number, limit: number): Promise<StoredResult[]> {
	return toStoredResults(sql, await sql.run(selectAfter, [seq, limit]));
}

/** Results of one UTC day (YYYY-MM-DD) for the export, in order of commit; page with the last `seq`. */
export async function readResultsOfDay(sql: Sql, day: string, afterSeq: number, limit: number): Promise<StoredResult[]> {
	return toStoredResults(sql, await sql.run(selectDay, [`${day}T00:00:00Z`, afterSeq, limit]));
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
	const rows = await sql.run(selectOne, [slot.targetKey, instant(slot.slotAt), slot.vantageKey, slot.canaryKey, kindCodes[slot.kind]]);
	return (await toStoredResults(sql, rows))[0] ?? null;
}

/** The newest result that ran since `sinceAt`, of each configured target and vantage that has one. */
export async function latestPerTarget(sql: Sql, sinceAt: number): Promise<StoredResult[]> {
	return toStoredResults(sql, await sql.run(selectLatest, [instant(sinceAt)]));
}

/** What is newest of each configured target and vantage that has a result since `sinceAt`: target id → vantage → facts. Manual probes stay out. */
export async function readRecentResults(sql: Sql, sinceAt: number): Promise<Map<string, Record<string, RecentResults>>> {
	const byTarget = new Map<string, Record<string, RecentResults>>();
	for (const row of await sql.run(selectRecent, [instant(sinceAt)])) {
		byTarget.set(row.target_id, {
			...byTarget.get(row.target_id),
			[row.vantage]: {
				measuredAt: row.started_at,
				validAt: row.valid_at,
				outcome: outcomeOfCode(row.outcome),
				subcode: row.subcode,
				retryAfterMs: row.retry_after_ms,
				votes: row.votes.map(sliOfCode),
			},
		});
	}
	return byTarget;
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
