import { DayCounts } from '#core/day-counts.ts';
import { rollupSteps } from '#core/rollup.ts';
import { findNames } from './names.ts';
import { findSeries } from './series.ts';
import { type Db, query } from './sql.ts';

interface DaysRow {
	readonly series_key: number;
	readonly days: string;
	readonly good: string;
	readonly bad: string;
	readonly excluded: string;
}

// One row a series, its days as text: a row a day is 900,000 for 10,000 targets, and dearer to read than to add up (bench/history.ts). Day by day,
// since the index that holds the counts begins with the day.
const selectDays = query<DaysRow>(
	'rollups_days',
	`select series_key, array_agg(day)::text as days, array_agg(good_count)::text as good, array_agg(bad_count)::text as bad, array_agg(excluded_count)::text as excluded
	from (
		select own.series_key, (bucket_at at time zone 'UTC')::date - date '1970-01-01' as day, good_count, bad_count, excluded_count
		from generate_series($1::timestamptz, $2::timestamptz, interval '24 hours') as given(at)
		cross join lateral (select * from rollups_day r where r.bucket_at = given.at and r.series_key >= $3::int and r.series_key < $4::int) own
	) r
	group by series_key`,
);
const selectLastSeries = query<{ last: number }>('rollups_days_last', 'select coalesce(max(series_key), 0) as last from series');

/** Two at once: while the server reads one, the other is unpacked, which takes 50 ms; all in one would hold this process for a second. */
const seriesAtOnce = 1_000;
const lanes = 2;

/** Target id → counts of its UTC days, from `fromDay` to `toDay` (YYYY-MM-DD), both included. */
export async function readDayRollups(db: Db, fromDay: string, toDay: string): Promise<Map<string, DayCounts>> {
	const byTarget = new Map<string, DayCounts>();
	const firstDay = Date.parse(fromDay) / rollupSteps.day;
	const days = Date.parse(toDay) / rollupSteps.day + 1 - firstDay;
	const zeros = () => DayCounts.zeros(firstDay, days);
	const last = (await db.run(selectLastSeries))[0]?.last ?? 0;
	let next = 0;
	const walk = async () => {
		while (next <= last) {
			const from = next;
			next += seriesAtOnce;
			const rows = await db.run(selectDays, [`${fromDay}T00:00:00Z`, `${toDay}T00:00:00Z`, from, next]);
			await addDays(db, rows, byTarget, zeros);
		}
	};
	await Promise.all(Array.from({ length: lanes }, walk));
	for (const [id, counts] of byTarget) byTarget.set(id, counts.trimmed());
	return byTarget;
}

async function addDays(db: Db, rows: readonly DaysRow[], byTarget: Map<string, DayCounts>, zeros: () => DayCounts): Promise<void> {
	const series = await findSeries(
		db,
		rows.map((row) => row.series_key),
	);
	const targets = await findNames(
		db,
		'target',
		[...series.values()].map(({ targetKey }) => targetKey),
	);
	for (const row of rows) {
		const id = targets.get(series.get(row.series_key)?.targetKey ?? 0) ?? '';
		const counts = byTarget.get(id) ?? zeros();
		byTarget.set(id, counts);
		const [good, bad, excluded] = [row.good, row.bad, row.excluded].map(readNumbers);
		for (const [i, day] of readNumbers(row.days).entries()) counts.add(day, { good: good?.[i] ?? 0, bad: bad?.[i] ?? 0, excluded: excluded?.[i] ?? 0 });
	}
}

/** The text of an array of counts: `{1,22,3}`. By hand, since this reads millions of them. */
function readNumbers(text: string): number[] {
	const numbers: number[] = [];
	let number = 0;
	for (let at = 1; at < text.length; at++) {
		const digit = text.charCodeAt(at) - 48;
		if (digit >= 0 && digit <= 9) number = number * 10 + digit;
		else {
			numbers.push(number);
			number = 0;
		}
	}
	return numbers;
}
