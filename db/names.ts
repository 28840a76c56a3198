import { type Db, query, type Sql } from './sql.ts';

/** Keys of the interned names. A name never loses its key, so what is known stays true. */
interface Names {
	readonly keyOf: Map<string, number>;
	readonly nameOf: Map<number, string>;
}

const tables = {
	target: {
		select: query<{ key: number; name: string }>('names_targets', 'select target_key as key, target_id as name from targets'),
		add: null,
	},
	vantage: {
		select: query<{ key: number; name: string }>('names_vantages', 'select vantage_key as key, name from vantages'),
		add: query(
			'names_add_vantages',
			`insert into vantages (name)
			select name from unnest($1::text[]) as wanted(name) where not exists (select from vantages known where known.name = wanted.name)
			on conflict do nothing`,
		),
	},
	canary: {
		select: query<{ key: number; name: string }>('names_canaries', 'select canary_key as key, name from canaries'),
		add: query(
			'names_add_canaries',
			`insert into canaries (name)
			select name from unnest($1::text[]) as wanted(name) where not exists (select from canaries known where known.name = wanted.name)
			on conflict do nothing`,
		),
	},
} as const;

export type NameTable = keyof typeof tables;

const cache = new WeakMap<object, Record<NameTable, Names>>();

function namesOf(sql: Sql): Record<NameTable, Names> {
	let names = cache.get(sql.pool);
	if (names === undefined) {
		const empty = (): Names => ({ keyOf: new Map(), nameOf: new Map() });
		names = { target: empty(), vantage: empty(), canary: empty() };
		cache.set(sql.pool, names);
	}
	return names;
}

async function load(sql: Sql, table: NameTable): Promise<Names> {
	const names = namesOf(sql)[table];
	for (const { key, name } of await sql.run(tables[table].select)) {
		names.keyOf.set(name, key);
		names.nameOf.set(key, name);
	}
	return names;
}

/** name → key of those that exist; targets are only made by `registerTargets`, so an unknown one is missing in the answer. */
export async function findKeys(sql: Sql, table: NameTable, wanted: Iterable<string>): Promise<ReadonlyMap<string, number>> {
	const { keyOf } = namesOf(sql)[table];
	for (const name of wanted) if (!keyOf.has(name)) return (await load(sql, table)).keyOf;
	return keyOf;
}

/** name → key of all wanted vantages or canaries; the new ones are added. */
export async function internNames(db: Db, table: 'vantage' | 'canary', wanted: Iterable<string>): Promise<ReadonlyMap<string, number>> {
	const unique = [...new Set(wanted)];
	const keyOf = await findKeys(db, table, unique);
	const missing = unique.filter((name) => !keyOf.has(name));
	if (missing.length === 0) return keyOf;
	await db.run(tables[table].add, [missing]);
	return (await load(db, table)).keyOf;
}

/** key → name of all wanted keys. */
export async function findNames(sql: Sql, table: NameTable, wanted: Iterable<number>): Promise<ReadonlyMap<number, string>> {
	const { nameOf } = namesOf(sql)[table];
	for (const key of wanted) if (!nameOf.has(key)) return (await load(sql, table)).nameOf;
	return nameOf;
}
