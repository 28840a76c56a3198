import { type Histogram, mergeHistograms } from '#core/histogram.ts';
import { type Db, instant, query, type Sql, transaction } from './sql.ts';

const insertReports = query<{ id: string }>(
	'observations_insert',
	`insert into observations (source, report_id, target_key, from_at, to_at, outcomes, ttft_buckets, ttft_counts, received_at)
	select wanted.source, wanted.id, t.target_key, wanted.from_at, wanted.to_at, wanted.outcomes,
		array(select jsonb_array_elements_text(wanted.ttft -> 'buckets')::smallint), array(select jsonb_array_elements_text(wanted.ttft -> 'counts')::integer),
		$8::timestamptz
	from unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::timestamptz[], $6::jsonb[], $7::jsonb[])
		as wanted(source, id, target_id, from_at, to_at, outcomes, ttft)
	join targets t on t.target_id = wanted.target_id
	on conflict do nothing
	returning report_id as id`,
);

// A few at a time: a report never waits for a long clean-up.
const trimReports = query(
	'observations_trim',
	'delete from observations where (source, report_id) in (select source, report_id from observations where to_at < $1::timestamptz limit 2000)',
);

const selectTargets = query<{ id: string }>('observations_targets', 'select target_id as id from targets where target_id = any($1::text[])');

interface ReportRow {
	readonly targetId: string;
	readonly source: string;
	readonly fromAt: number;
	readonly toAt: number;
	readonly outcomes: Readonly<Record<string, number>>;
	readonly buckets: readonly number[];
	readonly counts: readonly number[];
}

const selectRecent = query<ReportRow>(
	'observations_recent',
	`select t.target_id as "targetId", o.source, o.from_at as "fromAt", o.to_at as "toAt", o.outcomes, o.ttft_buckets as buckets, o.ttft_counts as counts
	from observations o join targets t using (target_key)
	where o.to_at > $1::timestamptz and t.removed_at is null order by o.to_at desc limit $2::int`,
);

const keptMs = 7 * 86_400_000;
/** A flood of reports must not fill the memory of whoever shows them. */
const readAtMost = 20_000;

/** What one router saw of one target over some time. */
export interface Observation {
	readonly source: string;
	/** The reporter's own; the same from the same source is stored once, the first. */
	readonly id: string;
	readonly targetId: string;
	/** ms since epoch. */
	readonly fromAt: number;
	readonly toAt: number;
	/** Requests per outcome code. */
	readonly outcomes: Readonly<Record<string, number>>;
	/** Of answers that were ok, ms. */
	readonly ttft: Histogram;
}

export interface Recorded {
	readonly accepted: number;
	/** Known already. */
	readonly duplicates: number;
	/** Reported on, but never measured here. */
	readonly unknownTargets: readonly string[];
}

/** Reports of one source on one target, added up. */
export interface ObservedTraffic extends Omit<Observation, 'id'> {
	readonly reportCount: number;
}

/** All in one transaction, or none. */
export function recordObservations(db: Db, observations: readonly Observation[], now: number): Promise<Recorded> {
	const column = <Value>(pick: (one: Observation) => Value) => observations.map(pick);
	return transaction(db, async (tx) => {
		await tx.run(trimReports, [instant(now - keptMs)]);
		const wanted = [...new Set(column(({ targetId }) => targetId))];
		const known = new Set((await tx.run(selectTargets, [wanted])).map(({ id }) => id));
		const stored = await tx.run(insertReports, [
			column(({ source }) => source),
			column(({ id }) => id),
			column(({ targetId }) => targetId),
			column(({ fromAt }) => instant(fromAt)),
			column(({ toAt }) => instant(toAt)),
			column(({ outcomes }) => JSON.stringify(outcomes)),
			column(({ ttft }) => JSON.stringify(ttft)),
			instant(now),
		]);
		const recordable = observations.filter(({ targetId }) => known.has(targetId)).length;
		return { accepted: stored.length, duplicates: recordable - stored.length, unknownTargets: wanted.filter((id) => !known.has(id)) };
	});
}

/** What ended after `sinceAt`, the newest 20,000 reports, added up per target and source; by target, then source. */
export async function readObservedTraffic(sql: Sql, sinceAt: number): Promise<ObservedTraffic[]> {
	const rows = await sql.run(selectRecent, [instant(sinceAt), readAtMost]);
	return [...Map.groupBy(rows, ({ targetId, source }) => `${targetId}\n${source}`)]
		.sort(([a], [b]) => (a < b ? -1 : 1))
		.flatMap(([, group]) => {
			const [first] = group;
			if (first === undefined) return [];
			const outcomes: Record<string, number> = {};
			for (const row of group) for (const [code, count] of Object.entries(row.outcomes)) outcomes[code] = (outcomes[code] ?? 0) + count;
			return {
				targetId: first.targetId,
				source: first.source,
				fromAt: Math.min(...group.map(({ fromAt }) => fromAt)),
				toAt: Math.max(...group.map(({ toAt }) => toAt)),
				reportCount: group.length,
				outcomes,
				ttft: mergeHistograms(group.map(({ buckets, counts }) => ({ buckets, counts }))),
			};
		});
}
