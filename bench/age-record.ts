/** A record of minutes becomes one of months: what a reading of windows or a new sum of a day meets in a service that has run for long. */
import type { Db } from '#db/sql.ts';

/** Every series gets rollups like its newest ones: of 5 minutes for 25 hours, of hours for three days, of days for ninety. */
export async function ageRecord(db: Db): Promise<void> {
	for (const [table, step, count] of [
		['rollups_5m', '5 minutes', 300],
		['rollups_hour', '1 hour', 72],
		['rollups_day', '1 day', 90],
	] as const) {
		const columns = (
			await db.execute<{ name: string }>(`select attname as name from pg_attribute where attrelid = '${table}'::regclass and attnum > 0 order by attnum`)
		)
			.map(({ name }) => name)
			.filter((name) => name !== 'bucket_at')
			.join(', ');
		await db.execute(
			`insert into ${table} (bucket_at, ${columns}) select bucket_at - n * interval '${step}', ${columns}
			from (select distinct on (series_key) * from ${table} order by series_key, bucket_at desc) newest, generate_series(1, ${count}) n
			on conflict do nothing`,
		);
	}
	await db.execute('vacuum analyze');
}
