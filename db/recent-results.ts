import type { RecentResults } from '#core/target-view.ts';
import { findNames } from './names.ts';
import { findRemarks } from './remarks.ts';
import { kindCodes } from './result-codes.ts';
import { detailKey, findDetails, type ResultRow } from './result-row.ts';
import { findSeries } from './series.ts';
import { type Db, instant, query, type Sql } from './sql.ts';
import { neverStarted, readCode, startInDetails } from './stored-columns.ts';

type ResultFacts = Pick<ResultRow, 'seq' | 'slot_at' | 'start_delay_ms' | 'code' | 'series_key' | 'remark_key'>;
interface RecentRow extends ResultFacts {
	readonly target_id: string;
	readonly vantage: string;
}

/** The newest three that are good or bad, and the newest of all, of each series: a target has few. */
const selectRecent = query<RecentRow>(
	'probe_results_recent',
	`select t.target_id, v.name as vantage, p.seq, p.slot_at, p.start_delay_ms, p.code, p.series_key, p.remark_key
	from targets t
	join series s using (target_key)
	join vantages v using (vantage_key)
	cross join lateral (
		(select r.seq, r.slot_at, r.start_delay_ms, r.code, r.series_key, r.remark_key from probe_results r
		where r.series_key = s.series_key and r.slot_at > $1::timestamptz and r.start_delay_ms <> ${neverStarted}
		order by r.slot_at desc limit 1)
		union
		(select r.seq, r.slot_at, r.start_delay_ms, r.code, r.series_key, r.remark_key from probe_results r
		where r.series_key = s.series_key and r.slot_at > $1::timestamptz and r.start_delay_ms <> ${neverStarted} and (r.code & 128) = 0
		order by r.slot_at desc limit 3)
	) p
	where t.removed_at is null and s.kind < 2
	order by t.target_id, v.name, p.slot_at desc, p.seq desc`,
);

// Without a join: what the keys stand for is known here.
const selectNews = query<ResultFacts>(
	'probe_results_news',
	'select seq, slot_at, start_delay_ms, code, series_key, remark_key from probe_results where seq > $2::bigint and slot_at > $1::timestamptz',
);

type ByTarget = Map<string, Record<string, RecentResults>>;

/** What is newest of each configured target and vantage that has a result since `sinceAt`: target id → vantage → facts. Manual probes stay out. */
export async function readRecentResults(sql: Sql, sinceAt: number): Promise<ByTarget> {
	return toRecent(sql, new Map(), [...byGroup(await sql.run(selectRecent, [instant(sinceAt)])).values()]);
}

const byGroup = (rows: readonly RecentRow[]) => Map.groupBy(rows, ({ target_id, vantage }) => `${target_id} ${vantage}`);
const isValid = ({ code }: RecentRow) => readCode(code).sli !== 'excluded';

/** @param groups of a target and a vantage each, the newest first. @returns `known` with them */
async function toRecent(sql: Sql, known: ByTarget, groups: readonly (readonly RecentRow[])[]): Promise<ByTarget> {
	const words = await findWords(
		sql,
		groups.flatMap(([first]) => first ?? []),
	);
	// Another map each time: who read the last one goes on with it.
	const byTarget = new Map(known);
	for (const [i, rows] of groups.entries()) {
		const [first] = rows;
		if (first === undefined) continue;
		const startedAt = ({ slot_at, start_delay_ms }: RecentRow) => slot_at + (start_delay_ms === startInDetails ? 0 : start_delay_ms);
		const valid = rows.filter(isValid).slice(0, validKept);
		byTarget.set(first.target_id, {
			...byTarget.get(first.target_id),
			[first.vantage]: {
				measuredAt: words[i]?.startedAt ?? startedAt(first),
				validAt: valid.length === 0 ? null : Math.max(...valid.map(startedAt)),
				outcome: readCode(first.code).outcome,
				subcode: words[i]?.subcode ?? null,
				retryAfterMs: words[i]?.retryAfterMs ?? null,
				votes: valid.map(({ code }) => readCode(code).sli),
			},
		});
	}
	return byTarget;
}

async function findWords(sql: Sql, rows: readonly RecentRow[]): Promise<{ subcode: string | null; retryAfterMs: number | null; startedAt: number | null }[]> {
	const remarks = await findRemarks(
		sql,
		rows.map((row) => row.remark_key),
	);
	const details = await findDetails(sql, rows);
	return rows.map((row) => {
		const own = details.get(detailKey(row));
		const evidence = own === undefined ? remarks.get(row.remark_key)?.evidence : own.evidence;
		return { subcode: evidence?.subcode ?? null, retryAfterMs: own?.retryAfterMs ?? null, startedAt: own?.startedAt ?? null };
	});
}

export interface RecentReader {
	/** As `readRecentResults`; what has left `sinceAt` behind goes within five minutes. */
	read(now: number, sinceAt: number): Promise<ReadonlyMap<string, Readonly<Record<string, RecentResults>>>>;
}

const allEveryMs = 300_000;
const validKept = 3;

interface KeptRecent {
	/** When everything was read. */
	readonly at: number;
	readonly found: ByTarget;
	/** Of each target and vantage what `found` was made of, the newest first. */
	readonly groups: Map<string, readonly RecentRow[]>;
	readonly seenSeq: number;
}

/**
 * Takes in only what is new: of 10,000 targets all of it is 1.8 million buffers, at each publication. No result appears at or below a number that was
 * seen, so nothing is passed over. Keeps its answer in memory: one for a process.
 */
export function createRecentReader(db: Db): RecentReader {
	let kept: KeptRecent | null = null;
	const newest = (rows: readonly ResultFacts[], seen: number) => rows.reduce((highest, { seq }) => Math.max(highest, seq), seen);
	const read = async (now: number, sinceAt: number): Promise<ByTarget> => {
		if (kept === null || now - kept.at >= allEveryMs || now < kept.at) {
			const rows = await db.run(selectRecent, [instant(sinceAt)]);
			const groups = new Map([...byGroup(rows)].map(([id, own]) => [id, newestOf(own)]));
			kept = { at: now, found: await toRecent(db, new Map(), [...groups.values()]), groups, seenSeq: newest(rows, 0) };
			return kept.found;
		}
		const { groups, seenSeq } = kept;
		const news = await db.run(selectNews, [instant(sinceAt), seenSeq]);
		const ran = byGroup(await toRecentRows(db, news));
		const moved = new Map([...ran].map(([id, own]) => [id, newestOf([...own, ...(groups.get(id) ?? [])])]));
		const found = moved.size === 0 ? kept.found : await toRecent(db, kept.found, [...moved.values()]);
		for (const [id, rows] of moved) groups.set(id, rows);
		kept = { at: kept.at, found, groups, seenSeq: newest(news, seenSeq) };
		return found;
	};
	let last: Promise<unknown> = Promise.resolve();
	return {
		read(now, sinceAt) {
			// One at a time: a slower one would put back what a later one has found.
			const own = last.then(() => read(now, sinceAt));
			last = own.catch(() => {});
			return own;
		},
	};
}

/** Of those that ran and are not by hand. */
async function toRecentRows(sql: Sql, rows: readonly ResultFacts[]): Promise<RecentRow[]> {
	const ran = rows.filter(({ start_delay_ms }) => start_delay_ms !== neverStarted);
	const series = await findSeries(
		sql,
		ran.map(({ series_key }) => series_key),
	);
	const parts = ran.map(({ series_key }) => series.get(series_key));
	const targets = await findNames(
		sql,
		'target',
		parts.map((one) => one?.targetKey ?? 0),
	);
	const vantages = await findNames(
		sql,
		'vantage',
		parts.map((one) => one?.vantageKey ?? 0),
	);
	return ran.flatMap((row, i) => {
		const { targetKey = 0, vantageKey = 0, kind = kindCodes.manual } = parts[i] ?? {};
		if (kind === kindCodes.manual) return [];
		return [{ ...row, target_id: targets.get(targetKey) ?? '', vantage: vantages.get(vantageKey) ?? '' }];
	});
}

/** All that an answer is made of, the newest first. */
function newestOf(rows: readonly RecentRow[]): RecentRow[] {
	const sorted = rows.toSorted((a, b) => b.slot_at - a.slot_at || b.seq - a.seq);
	return [...new Set([...sorted.slice(0, 1), ...sorted.filter(isValid).slice(0, validKept)])];
}
