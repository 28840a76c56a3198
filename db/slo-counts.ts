import type { SliCounts } from '#core/slo.ts';
import { instant, query, type Sql } from './sql.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

interface CountRow {
	readonly ordinal: number;
	readonly good: number;
	readonly bad: number;
}

// A bucket belongs to a window that its end reaches into: a window is at most one bucket longer than it says, never shorter.
const select = (name: string, table: string, bucket: string) =>
	query<CountRow>(
		name,
		`select asked.ordinal::int as ordinal, coalesce(sum(r.good_count), 0)::bigint as good, coalesce(sum(r.bad_count), 0)::bigint as bad
		from unnest($1::text[], $2::timestamptz[]) with ordinality as asked(target_ids, from_at, ordinal)
		left join targets t on t.target_id = any(string_to_array(asked.target_ids, chr(10)))
		left join series s on s.target_key = t.target_key and s.kind = 0
		left join ${table} r on r.series_key = s.series_key and r.bucket_at > asked.from_at - interval '${bucket}' and r.bucket_at <= $3::timestamptz
		group by asked.ordinal order by asked.ordinal`,
	);

const tables = [
	{ upToMs: 6 * hourMs, counts: select('slo_counts_5m', 'rollups_5m', '5 minutes') },
	{ upToMs: 7 * dayMs, counts: select('slo_counts_hour', 'rollups_hour', '1 hour') },
	{ upToMs: Number.POSITIVE_INFINITY, counts: select('slo_counts_day', 'rollups_day', '1 day') },
] as const;

export interface WindowAsked {
	readonly targetIds: readonly string[];
	readonly windowMs: number;
}

/** Scheduled results of each window up to now, from the finest sums that go back so far. In the order asked. */
export async function readSloCounts(sql: Sql, asked: readonly WindowAsked[], now: number): Promise<SliCounts[]> {
	const counts: SliCounts[] = asked.map(() => ({ good: 0, bad: 0 }));
	let from = 0;
	for (const { upToMs, counts: statement } of tables) {
		const places = asked.flatMap(({ windowMs }, i) => (windowMs > from && windowMs <= upToMs ? [i] : []));
		from = upToMs;
		if (places.length === 0) continue;
		const ids = places.map((i) => asked[i]?.targetIds.join('\n') ?? '');
		const since = places.map((i) => instant(now - (asked[i]?.windowMs ?? 0)));
		for (const { ordinal, good, bad } of await sql.run(statement, [ids, since, instant(now)])) counts[places[ordinal - 1] ?? 0] = { good, bad };
	}
	return counts;
}
