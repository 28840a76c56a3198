import { countOf, mergeHistograms, quantile } from '#core/histogram.ts';
import type { FleetEvidence, LatencyDay, ShownResult } from '#core/target-evidence.ts';
import { findKeys, findNames } from './names.ts';
import { dayOf } from './partitions.ts';
import { type ResultRow, resultColumns, toStoredResults } from './result-row.ts';
import { instant, query, type Sql } from './sql.ts';

interface LatencyRow {
	readonly target_key: number;
	readonly canary_key: number;
	readonly ttft_buckets: readonly number[] | null;
	readonly ttft_counts: readonly number[] | null;
}

const selectLatencyOfDay = query<LatencyRow>(
	'latency_of_day',
	`select s.target_key, s.canary_key, r.ttft_buckets, r.ttft_counts from rollups_day r join series s using (series_key)
	where r.bucket_at = $1::timestamptz and s.kind = 0 and ($2::int[] is null or s.target_key = any($2::int[]))`,
);

// Each series gives its newest, by the key of its slots: one statement for many targets.
const selectNewest = query<ResultRow>(
	'probe_results_newest',
	`select ${resultColumns}
	from series s
	cross join lateral (
		select * from probe_results r where r.series_key = s.series_key and r.slot_at > $2::timestamptz order by r.slot_at desc limit $3::int
	) p
	where s.target_key = any($1::int[])
	order by p.slot_at desc`,
);

const selectConfigured = query<{ key: number }>('targets_configured', 'select target_key as key from targets where removed_at is null order by target_key');
const countConfigured = query<{ count: number }>('targets_count', 'select count(*) as count from targets where removed_at is null');

export interface EvidenceReader {
	/**
	 * Of configured targets, the newest results of a day, and 30 days of latency.
	 * @param targetIds null: of all; kept for fifty times as long as reading took, a minute at most
	 */
	read(now: number, targetIds: readonly string[] | null): Promise<FleetEvidence>;
}

const dayMs = 86_400_000;
const shownDays = 30;
/** Each as its page shows it; of a large fleet fewer, since each costs 250 bytes of memory and of a page. */
const [resultsOfSmall, resultsOfLarge, largeFrom] = [20, 5, 400];
const targetsPerRead = 500;
const keptPerReadMs = 50;
const keptAtMostMs = 60_000;

/** Target id → canary → latency of one day. */
type DayLatency = ReadonlyMap<string, ReadonlyMap<string, Omit<LatencyDay, 'date'>>>;

export function createEvidenceReader(sql: Sql): EvidenceReader {
	/** Days that have ended: a result may come a day late, so only those before yesterday are read once. */
	const ended = new Map<string, DayLatency>();
	let kept: { at: number; forMs: number; found: FleetEvidence } | null = null;
	const readDays = async (now: number, keys: readonly number[] | null) => {
		const dates = Array.from({ length: shownDays }, (_, i) => dayOf(now - (shownDays - 1 - i) * dayMs));
		const days: [string, DayLatency][] = [];
		for (const [i, date] of dates.entries()) {
			const hasEnded = i < shownDays - 2;
			const day = ended.get(date) ?? (await readLatencyOfDay(sql, date, hasEnded ? null : keys));
			if (hasEnded) ended.set(date, day);
			days.push([date, day]);
		}
		for (const date of ended.keys()) if (!dates.includes(date)) ended.delete(date);
		return days;
	};
	return {
		async read(now, targetIds) {
			if (targetIds === null && kept !== null && now >= kept.at && now - kept.at < kept.forMs) return kept.found;
			const startedMs = performance.now();
			const keys = targetIds === null ? (await sql.run(selectConfigured)).map(({ key }) => key) : await keysOf(sql, targetIds);
			const fleet = targetIds === null ? keys.length : ((await sql.run(countConfigured))[0]?.count ?? 0);
			const results = await readNewest(sql, keys, now - dayMs, fleet > largeFrom ? resultsOfLarge : resultsOfSmall);
			const days = await readDays(now, targetIds === null ? null : keys);
			const ids = targetIds ?? new Set([...results.keys(), ...days.flatMap(([, day]) => [...day.keys()])]);
			const found = new Map([...ids].map((id) => [id, { ...latencyOf(id, days), results: results.get(id) ?? [] }]));
			if (targetIds === null) kept = { at: now, forMs: Math.min(keptAtMostMs, keptPerReadMs * (performance.now() - startedMs)), found };
			return found;
		},
	};
}

async function keysOf(sql: Sql, targetIds: readonly string[]): Promise<number[]> {
	const keys = await findKeys(sql, 'target', targetIds);
	return targetIds.flatMap((id) => keys.get(id) ?? []);
}

function latencyOf(id: string, days: readonly (readonly [string, DayLatency])[]): { canary: string | null; latencyDays: LatencyDay[] } {
	const counts = new Map<string, number>();
	for (const [, day] of days) for (const [canary, { count }] of day.get(id) ?? []) counts.set(canary, (counts.get(canary) ?? 0) + count);
	const [canary = null] = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)).map(([name]) => name);
	const latencyDays = days.flatMap(([date, day]) => {
		const own = canary === null ? undefined : day.get(id)?.get(canary);
		return own === undefined ? [] : [{ date, ...own }];
	});
	return { canary, latencyDays };
}

/** @param keys null: of all targets */
async function readLatencyOfDay(sql: Sql, date: string, keys: readonly number[] | null): Promise<DayLatency> {
	const rows = await sql.run(selectLatencyOfDay, [`${date}T00:00:00Z`, keys]);
	const targets = await findNames(
		sql,
		'target',
		rows.map((row) => row.target_key),
	);
	const canaries = await findNames(
		sql,
		'canary',
		rows.map((row) => row.canary_key),
	);
	const byTarget = new Map<string, Map<string, Omit<LatencyDay, 'date'>>>();
	for (const own of Map.groupBy(rows, ({ target_key, canary_key }) => `${target_key} ${canary_key}`).values()) {
		const [first] = own;
		const histogram = mergeHistograms(own.map(({ ttft_buckets, ttft_counts }) => ({ buckets: ttft_buckets ?? [], counts: ttft_counts ?? [] })));
		const [p50Ms, p95Ms] = [quantile(histogram, 0.5), quantile(histogram, 0.95)];
		if (first === undefined || p50Ms === null || p95Ms === null) continue;
		const id = targets.get(first.target_key) ?? '';
		const latencies = byTarget.get(id) ?? new Map<string, Omit<LatencyDay, 'date'>>();
		byTarget.set(id, latencies.set(canaries.get(first.canary_key) ?? '', { count: countOf(histogram), p50Ms, p95Ms }));
	}
	return byTarget;
}

async function readNewest(sql: Sql, keys: readonly number[], sinceAt: number, shown: number): Promise<Map<string, ShownResult[]>> {
	const byTarget = new Map<string, ShownResult[]>();
	for (let from = 0; from < keys.length; from += targetsPerRead) {
		const rows = await sql.run(selectNewest, [keys.slice(from, from + targetsPerRead), instant(sinceAt), shown]);
		for (const { targetId, result } of await toStoredResults(sql, rows)) {
			const own = byTarget.get(targetId) ?? [];
			byTarget.set(targetId, own);
			if (own.length < shown) own.push(toShown(result));
		}
	}
	return byTarget;
}

/** Only what is shown is kept. */
function toShown(result: ShownResult): ShownResult {
	const { slotAt, startedAt, vantage, canary, kind, outcome, sli, phase, httpStatus, dnsMs, connectMs, tlsMs, ttfbMs, ttftMs, totalMs, requestId } = result;
	return { slotAt, startedAt, vantage, canary, kind, outcome, sli, phase, httpStatus, dnsMs, connectMs, tlsMs, ttfbMs, ttftMs, totalMs, requestId };
}
