import { type Db, query, type Sql, transaction } from './sql.ts';

const dayMs = 86_400_000;

const bases = { probe_results: 'slot_at', result_details: 'slot_at', rollups_5m: 'bucket_at' } as const;
export type DailyTable = keyof typeof bases;
const resultTables = ['probe_results', 'result_details'] as const satisfies readonly DailyTable[];

const ensureDays = query<{ made: boolean }>(
	'partitions_ensure',
	'select ensure_day_partition($1::text, $2::text, day) as made from unnest($3::date[]) as wanted(day)',
);

const listPartitions = query<{ name: string }>(
	'partitions_list',
	`select c.relname as name from pg_inherits i join pg_class c on c.oid = i.inhrelid
	where i.inhparent = to_regclass($1::text) and c.relname ~ ('^' || $1::text || '_[0-9]{8}$') order by c.relname`,
);

const trims = {
	probe_results: query('partitions_trim_results', 'delete from probe_results_default where slot_at < $1::timestamptz'),
	result_details: query('partitions_trim_details', 'delete from result_details_default where slot_at < $1::timestamptz'),
};

const databaseClock = query<{ now: number }>('partitions_clock', 'select now() as now');

const summarize = query(
	'partitions_summarize',
	`select brin_summarize_new_values(i.inhrelid) from pg_inherits i join pg_class c on c.oid = i.inhrelid
	join pg_inherits t on t.inhparent = to_regclass('probe_results') join pg_index x on x.indrelid = t.inhrelid and x.indexrelid = i.inhrelid
	where i.inhparent = to_regclass('probe_results_seq')`,
);

/** UTC day of an instant, YYYY-MM-DD. */
export function dayOf(at: number): string {
	return new Date(at).toISOString().slice(0, 10);
}

/** Makes the partitions of the given UTC days (YYYY-MM-DD) of the results where they are missing; rows that wait in the default partition move in. */
export async function ensureDayPartitions(sql: Sql, days: readonly string[], tables: readonly DailyTable[] = resultTables): Promise<number> {
	let made = 0;
	for (const table of tables) made += (await sql.run(ensureDays, [table, bases[table], days])).filter((row) => row.made).length;
	return made;
}

/** Yesterday to `daysAhead` days from now. @returns how many were made. */
export function ensurePartitions(db: Db, now: number, daysAhead = 3): Promise<number> {
	return ensureDayPartitions(
		db,
		Array.from({ length: daysAhead + 2 }, (_, i) => dayOf(now + (i - 1) * dayMs)),
		[...resultTables, 'rollups_5m'],
	);
}

/** UTC days that a table has a partition of, ascending. */
export async function listDays(sql: Sql, table: DailyTable): Promise<string[]> {
	return (await sql.run(listPartitions, [table])).map(({ name }) => name.replace(/^.*_(\d{4})(\d\d)(\d\d)$/, '$1-$2-$3'));
}

/** @throws when a reader holds it for longer than 5 s: it is dropped at the next pruning. */
export async function dropDay(db: Db, table: DailyTable, day: string): Promise<void> {
	await transaction(db, async (tx) => {
		// The drop waits for every reader and lets no new one in meanwhile.
		await tx.execute("set local lock_timeout = '5s'");
		await tx.execute(`drop table if exists ${table}_${day.replaceAll('-', '')}`);
	});
}

/**
 * Drops every day of results that ended more than `retentionDays` days ago. The age is told by the clock that is behind: ours, the database's,
 * or a day after the newest day that has results. So a clock that jumps ahead drops nothing that newer results have not outlived.
 * @returns the days dropped, YYYY-MM-DD.
 */
export async function dropExpiredPartitions(db: Db, now: number, retentionDays: number, databaseNow?: number): Promise<string[]> {
	const days = await listDays(db, 'probe_results');
	const newest = await newestDayWithResults(db, days);
	const clock = databaseNow ?? (await db.run(databaseClock))[0]?.now ?? now;
	const trusted = Math.min(now, clock, newest === null ? now : Date.parse(`${newest}T00:00:00Z`) + 2 * dayMs);
	const oldest = dayOf(trusted - retentionDays * dayMs);
	const expired = days.filter((day) => day < oldest);
	for (const day of expired) for (const table of resultTables) await dropDay(db, table, day);
	for (const table of resultTables) await db.run(trims[table], [`${oldest}T00:00:00Z`]);
	return expired;
}

async function newestDayWithResults(db: Db, days: readonly string[]): Promise<string | null> {
	for (const day of days.toReversed()) {
		const [found] = await db.execute<{ some: boolean }>(`select exists (select from probe_results_${day.replaceAll('-', '')}) as some`);
		if (found?.some) return day;
	}
	return null;
}

/** Lets the index by seq know of the pages that came since: what it does not know, every reader must look through. Gives up when a neighbour is at it. */
export async function summarizeResults(db: Db): Promise<void> {
	await transaction(db, async (tx) => {
		await tx.execute("set local lock_timeout = '200ms'");
		await tx.run(summarize);
	});
}
