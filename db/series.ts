import { type Db, query, type Sql } from './sql.ts';

/** What a result or a rollup is of, in keys. */
export interface SeriesParts {
	readonly targetKey: number;
	readonly vantageKey: number;
	readonly canaryKey: number;
	/** Code of the kind. */
	readonly kind: number;
}

const selectSeries = query<SeriesParts & { key: number }>(
	'series_list',
	`select series_key as key, target_key as "targetKey", vantage_key as "vantageKey", canary_key as "canaryKey", kind from series`,
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

async function load(sql: Sql): Promise<Known> {
	const known = knownTo(sql);
	for (const { key, ...parts } of await sql.run(selectSeries)) {
		known.keyOf.set(seriesId(parts), key);
		known.partsOf.set(key, parts);
	}
	return known;
}

/** One text for one series, to look its key up by. */
export function seriesId({ targetKey, vantageKey, canaryKey, kind }: SeriesParts): string {
	return `${targetKey} ${vantageKey} ${canaryKey} ${kind}`;
}

/** `seriesId` → key of all wanted; the new ones are added. */
export async function internSeries(db: Db, wanted: readonly SeriesParts[]): Promise<ReadonlyMap<string, number>> {
	const known = knownTo(db);
	const isNew = (parts: SeriesParts) => !known.keyOf.has(seriesId(parts));
	if (!wanted.some(isNew)) return known.keyOf;
	await load(db);
	const missing = [...new Map(wanted.filter(isNew).map((parts) => [seriesId(parts), parts])).values()];
	if (missing.length > 0) {
		const column = (pick: (parts: SeriesParts) => number) => missing.map(pick);
		await db.run(insertSeries, [column((p) => p.targetKey), column((p) => p.vantageKey), column((p) => p.canaryKey), column((p) => p.kind)]);
		await load(db);
	}
	return known.keyOf;
}

/** key → series of all wanted keys. */
export async function findSeries(sql: Sql, wanted: Iterable<number>): Promise<ReadonlyMap<number, SeriesParts>> {
	const { partsOf } = knownTo(sql);
	for (const key of wanted) if (!partsOf.has(key)) return (await load(sql)).partsOf;
	return partsOf;
}
