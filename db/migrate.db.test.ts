import { readdir } from 'node:fs/promises';
import { afterEach, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '#test/postgres.ts';
import { migrate } from './migrate.ts';
import { ensureDayPartitions } from './partitions.ts';
import { openDb, queries } from './sql.ts';

let database: TestDatabase | undefined;
afterEach(async () => {
	await database?.drop();
	database = undefined;
});

it('migrates once, however many processes do it at the same time', async () => {
	database = await createTestDatabase({ migrated: false });
	const pools = [1, 2, 3, 4].map(() => openDb({ url: database!.url, max: 1 }));
	const applied = await Promise.all(pools.map(migrate));
	await Promise.all(pools.map((pool) => pool.close()));
	const numbers = (await readdir(new URL('./migrations/', import.meta.url))).map((name) => Number(name.slice(0, 4)));
	expect(applied.filter((list) => list.length > 0)).toEqual([numbers]);
	expect(await migrate(database.db)).toEqual([]);
});

it('refuses to run on a schema that is newer than the code', async () => {
	database = await createTestDatabase();
	await database.db.execute("insert into linnet.migrations (number, name) values (9999, '9999_future.sql')");
	await expect(migrate(database.db)).rejects.toThrow(/at migration 9999/);
});

it('says what every table and column holds', async () => {
	database = await createTestDatabase();
	const silent = await database.db.execute<{ place: string }>(`
		select c.relname || coalesce('.' || a.attname, '') as place
		from pg_class c
		left join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
		where c.relnamespace = 'linnet'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
			and (col_description(c.oid, a.attnum) is null or obj_description(c.oid, 'pg_class') is null)`);
	expect(silent).toEqual([]);
	const counted = await database.db.execute<{ count: number }>(
		"select count(*) from pg_class where relnamespace = 'linnet'::regnamespace and relkind in ('r', 'p')",
	);
	expect(counted[0]?.count).toBeGreaterThan(15);
});

it('understands every query that the code will ask', async () => {
	database = await createTestDatabase();
	for (const file of await readdir(import.meta.dirname)) {
		if (file.endsWith('.ts') && !file.endsWith('.test.ts')) await import(/* @vite-ignore */ `./${file.slice(0, -3)}.ts`);
	}
	expect(queries.size).toBeGreaterThan(20);
	const refused: string[] = [];
	for (const { name, text } of queries.values()) {
		await database.db.execute(`prepare "${name}" as ${text}`).catch((error: Error) => refused.push(`${name}: ${error.message}`));
	}
	expect(refused).toEqual([]);
});

it('has Postgres analyse only what conditions ask for, in the partition of a new day too', async () => {
	database = await createTestDatabase();
	await ensureDayPartitions(database.db, ['2026-11-21'], ['probe_results', 'result_details', 'rollups_5m']);
	const analysed = await database.db.execute<{ table: string; columns: string[] }>(`
		select c.relname as "table", array_agg(a.attname::text order by a.attname) filter (where coalesce(a.attstattarget, -1) <> 0) as columns
		from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0
		where c.relnamespace = 'linnet'::regnamespace and c.relkind in ('r', 'p') and c.relname ~ '^(probe_results|result_details|rollups_[^_]*)($|_20)'
		group by c.relname`);
	expect(Object.fromEntries(analysed.map(({ table, columns }) => [table, columns.join(' ')]))).toEqual({
		probe_results: 'code seq series_key slot_at start_delay_ms',
		probe_results_20261121: 'code seq series_key slot_at start_delay_ms',
		result_details: 'series_key slot_at',
		result_details_20261121: 'series_key slot_at',
		rollups_5m: 'bucket_at series_key',
		rollups_5m_20261121: 'bucket_at series_key',
		rollups_hour: 'bucket_at series_key',
		rollups_day: 'bucket_at series_key',
	});
});
