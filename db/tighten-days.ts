/**
 * Closed days of results take less room. Each series appends to its own place in the index of slots, so of a large fleet its pages split in halves of
 * which the left one is never filled: 42 bytes a result of 250 targets, against 32 of one that is built at once.
 */
import { dayOf } from './partitions.ts';
import { advisoryLocks, type Db, openDb, query } from './sql.ts';

/** Built at once it has 31; late results loosen it a little. */
const looseBytesPerRow = 36;

const selectLoose = query<{ index: string }>(
	'tighten_loose',
	`select i.indexrelid::regclass::text as index
	from pg_inherits h join pg_class c on c.oid = h.inhrelid join pg_index i on i.indrelid = c.oid and i.indisunique and i.indisvalid
	where h.inhparent = to_regclass('probe_results') and c.relname ~ '^probe_results_[0-9]{8}$' and c.relname < $1::text
		and pg_relation_size(i.indexrelid) > ${looseBytesPerRow} * greatest(c.reltuples, 0) + 65536 and c.reltuples > 0
	order by c.relname`,
);
// What a process that died at it has left; nobody reads it, and every late result would be written to it.
const selectAbandoned = query<{ index: string }>(
	'tighten_abandoned',
	`select i.indexrelid::regclass::text as index
	from pg_index i join pg_class x on x.oid = i.indexrelid join pg_class c on c.oid = i.indrelid
	where not i.indisvalid and x.relname ~ '_cc(new|old)[0-9]*$' and c.relname ~ '^probe_results_[0-9]{8}$'`,
);

/**
 * Builds the loose indexes of days that ended before the one of `beforeAt` anew, while results are written and read; one process at a time.
 * @returns the indexes
 */
export async function tightenDays(db: Db, beforeAt: number): Promise<string[]> {
	const before = `probe_results_${dayOf(beforeAt).replaceAll('-', '')}`;
	if ((await db.run(selectLoose, [before])).length === 0 && (await db.run(selectAbandoned)).length === 0) return [];
	// Of 10,000 targets a day takes longer than any other statement may.
	const own = openDb({ url: db.url, max: 1, statementTimeoutMs: 3_600_000, name: 'linnet tighten' });
	try {
		const [lock] = await own.execute<{ held: boolean }>(`select pg_try_advisory_lock(${advisoryLocks.tighten}) as held`);
		if (lock?.held !== true) return [];
		for (const { index } of await own.run(selectAbandoned)) await own.execute(`drop index concurrently if exists ${index}`);
		const loose = (await own.run(selectLoose, [before])).map(({ index }) => index);
		for (const index of loose) await own.execute(`reindex index concurrently ${index}`);
		return loose;
	} finally {
		await own.close();
	}
}
