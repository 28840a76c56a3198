import { type Db, query, type Sql, transaction } from './sql.ts';

const dayMs = 86_400_000;

const ensureDays = query<{ made: boolean }>('partitions_ensure', 'select ensure_day_partition(day) as made from unnest($1::date[]) as wanted(day)');

const listPartitions = query<{ name: string }>(
	'partitions_list',
	`select c.relname as name from pg_inherits i join pg_class c on c.oid = i.inhrelid
	where i.inhparent = 'probe_results'::regclass and c.relname ~ '^probe_results_[0-9]{8}$' order by c.relname`,
);

const trimDefault = query('partitions_trim_default', 'delete from probe_results_default where slot_at < $1::timestamptz');

/** UTC day of an instant, YYYY-MM-DD. */
export function dayOf(at: number): string {
	return new Date(at).toISOString().slice(0, 10);
}

/** Makes the partitions of the given UTC days (YYYY-MM-DD) where they are missing; rows that wait in the default partition move in. */
export async function ensureDayPartitions(sql: Sql, days: readonly string[]): Promise<number> {
	return (await sql.run(ensureDays, [days])).filter(({ made }) => made).length;
}

/** Yesterday to `daysAhead` days from now. @returns how many were made. */
export function ensurePartitions(db: Db, now: number, daysAhead = 3): Promise<number> {
	return ensureDayPartitions(
		db,
		Array.from({ length: daysAhead + 2 }, (_, i) => dayOf(now + (i - 1) * dayMs)),
	);
}

/** Drops every day that ended more than `retentionDays` days ago. @returns the days dropped, YYYY-MM-DD. */
export async function dropExpiredPartitions(db: Db, now: number, retentionDays: number): Promise<string[]> {
	const oldest = dayOf(now - retentionDays * dayMs);
	const days = (await db.run(listPartitions)).map(({ name }) => name.replace(/^probe_results_(\d{4})(\d\d)(\d\d)$/, '$1-$2-$3')).filter((day) => day < oldest);
	for (const day of days) {
		await transaction(db, async (tx) => {
			// The drop waits for every reader and lets no new one in meanwhile: rather give up and try at the next pruning.
			await tx.execute("set local lock_timeout = '5s'");
			await tx.execute(`drop table probe_results_${day.replaceAll('-', '')}`);
		});
	}
	await db.run(trimDefault, [`${oldest}T00:00:00Z`]);
	return days;
}
