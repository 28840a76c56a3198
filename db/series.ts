import { type Db, query, type Sql } from './sql.ts';

/** What a result or a rollup is of, in keys. */
export interface SeriesParts {
	readonly targetKey: number;
	readonly vantageKey: number;
	readonly canaryKey: number;
	/** Code of the kind. */
	readonly kind: number;
}

type SeriesRow = SeriesParts & { readonly key: number };
const seriesColumns = 'series_key as key, target_key as "targetKey", vantage_key as "vantageKey", canary_key as "canaryKey", kind';

const selectByKey = query<SeriesRow>('series_by_key', `select ${seriesColumns} from series where series_key = any($1::int[])`);

const selectByParts = query<SeriesRow>(
	'series_by_parts',
	`select ${seriesColumns} from series
	join unnest($1::int[], $2::int[], $3::int[], $4::int[]) as wanted(target_key, vantage_key, canary_key, kind) using (target_key, vantage_key, canary_key, kind)`,
);

const insertSeries = query(
	'series_add',
	`insert into series (target_key, vantage_key, canary_key, kind)
	select target_key, vantage_key, canary_key, kind from unnest($1::int[], $2::int[], $3::int[], $4::int[]) as wanted(target_key, vantage_key, canary_key, kind)
	where not exists (
		select from series known where (known.target_key, known.vantage_key, known.canary_key, known.kind) = (wanted.target_key, wanted.vantage_key,
			wanted.canary_key, wanted.kind)
	)
	on conflict do nothing`,
);

interface Known {
	readonly keyOf: Map<string, number>;
	readonly partsOf: Map<number, SeriesParts>;
}

/** A series never loses its key, so what is known stays true. */
const cache = new WeakMap<object, Known>();

function knownTo(sql: Sql): Known {
	const known = cache.get(sql.pool) ?? { keyOf: new Map(), partsOf: new Map() };
	cache.set(sql.pool, known);
	return known;
}

function remember({ keyOf, partsOf }: Known, rows: readonly SeriesRow[]): void {
	for (const { key, ...parts } of rows) {
		keyOf.set(seriesId(parts), key);
		partsOf.set(key, parts);
	}
}

/** One text for one series, to look its key up by. */
export function seriesId({ targetKey, vantageKey, canaryKey, kind }: SeriesParts): string {
	return `${targetKey} ${vantageKey} ${canaryKey} ${kind}`;
}

/** `seriesId` → key of all wanted; the new ones are added. */
export async function internSeries(db: Db, wanted: readonly SeriesParts[]): Promise<ReadonlyMap<string, number>> {
	const known = knownTo(db);
	const missing = () => [...new Map(wanted.map((parts) => [seriesId(parts), parts])).values()].filter((parts) => !known.keyOf.has(seriesId(parts)));
	const unread = missing();
	if (unread.length === 0) return known.keyOf;
	remember(known, await db.run(selectByParts, columnsOf(unread)));
	const fresh = missing();
	if (fresh.length > 0) {
		await db.run(insertSeries, columnsOf(fresh));
		// Some may have been added by another process.
		remember(known, await db.run(selectByParts, columnsOf(fresh)));
	}
	return known.keyOf;
}

function columnsOf(series: readonly SeriesParts[]): number[][] {
	const column = (pick: (parts: SeriesParts) => number) => series.map(pick);
	return [column((p) => p.targetKey), column((p) => p.vantageKey), column((p) => p.canaryKey), column((p) => p.kind)];
}

/** key → series of all wanted keys. */
export async function findSeries(sql: Sql, wanted: Iterable<number>): Promise<ReadonlyMap<number, SeriesParts>> {
	const known = knownTo(sql);
	const missing = [...new Set(wanted)].filter((key) => !known.partsOf.has(key));
	if (missing.length > 0) remember(known, await sql.run(selectByKey, [missing]));
	return known.partsOf;
}
