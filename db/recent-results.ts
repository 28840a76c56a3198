import type { RecentResults } from '#core/target-view.ts';
import { findRemarks } from './remarks.ts';
import { detailKey, findDetails } from './result-row.ts';
import { type Db, instant, query, type Sql } from './sql.ts';
import { neverStarted, readCode, startInDetails } from './stored-columns.ts';

interface RecentRow {
	readonly target_id: string;
	readonly vantage: string;
	readonly seq: number;
	readonly slot_at: number;
	readonly start_delay_ms: number;
	readonly code: number;
	readonly series_key: number;
	readonly remark_key: number;
}

/** The newest three that are good or bad, and the newest of all, of each series: a target has few. */
const recentQuery = (name: string, ofTargets: string) =>
	query<RecentRow>(
		name,
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
		where t.removed_at is null and s.kind < 2 ${ofTargets}
		order by t.target_id, v.name, p.slot_at desc`,
	);

const selectRecent = recentQuery('probe_results_recent', '');
const selectRecentOf = recentQuery('probe_results_recent_of', 'and t.target_key = any($2::int[])');
const selectNewsAfter = query<{ target_key: number; seq: number }>(
	'probe_results_news',
	'select s.target_key, max(p.seq) as seq from probe_results p join series s using (series_key) where p.seq > $1::bigint group by s.target_key',
);

type ByTarget = Map<string, Record<string, RecentResults>>;

/** What is newest of each configured target and vantage that has a result since `sinceAt`: target id → vantage → facts. Manual probes stay out. */
export async function readRecentResults(sql: Sql, sinceAt: number): Promise<ByTarget> {
	return toRecent(sql, await sql.run(selectRecent, [instant(sinceAt)]));
}

async function toRecent(sql: Sql, rows: readonly RecentRow[]): Promise<ByTarget> {
	const groups = [...Map.groupBy(rows, ({ target_id, vantage }) => `${target_id} ${vantage}`).values()];
	const newest = groups.flatMap(([first]) => first ?? []);
	const words = await findWords(sql, newest);
	const byTarget: ByTarget = new Map();
	for (const [i, [first, ...others]] of groups.entries()) {
		if (first === undefined) continue;
		const startedAt = ({ slot_at, start_delay_ms }: RecentRow) => slot_at + (start_delay_ms === startInDetails ? 0 : start_delay_ms);
		const valid = [first, ...others].filter(({ code }) => readCode(code).sli !== 'excluded').slice(0, 3);
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

/**
 * Reads only the targets that have news: of 10,000 all of them are 1.8 million buffers, at each publication. No result appears at or below a number
 * that was seen, so nothing is passed over. Keeps its answer in memory: one for a process.
 */
export function createRecentReader(db: Db): RecentReader {
	let kept: { readonly at: number; readonly found: ByTarget } | null = null;
	let seenSeq = 0;
	const newest = (rows: readonly { readonly seq: number }[]) => rows.reduce((highest, { seq }) => Math.max(highest, seq), seenSeq);
	const read = async (now: number, sinceAt: number): Promise<ByTarget> => {
		if (kept === null || now - kept.at >= allEveryMs || now < kept.at) {
			const rows = await db.run(selectRecent, [instant(sinceAt)]);
			kept = { at: now, found: await toRecent(db, rows) };
			seenSeq = newest(rows);
			return kept.found;
		}
		const news = await db.run(selectNewsAfter, [seenSeq]);
		if (news.length === 0) return kept.found;
		const rows = await db.run(selectRecentOf, [instant(sinceAt), news.map(({ target_key }) => target_key)]);
		// Another list each time: who read the last one goes on with it.
		kept = { at: kept.at, found: new Map([...kept.found, ...(await toRecent(db, rows))]) };
		// Of the news, not of what was read after it: what another target got between the two statements has still to be heard.
		seenSeq = newest(news);
		return kept.found;
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
