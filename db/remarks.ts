import type { Evidence } from '#core/probe-result.ts';
import { type Db, query, type Sql } from './sql.ts';

/** What many results say alike beside their figures. */
export interface Remark {
	readonly httpStatus: number | null;
	readonly servedModel: string | null;
	readonly evidence: Evidence | null;
}

export const noRemark: Remark = { httpStatus: null, servedModel: null, evidence: null };

const selectRemarks = query<Remark & { key: number }>(
	'remarks_list',
	'select remark_key as key, http_status as "httpStatus", served_model as "servedModel", evidence from remarks where remark_key > $1::int',
);

const insertRemarks = query(
	'remarks_add',
	`insert into remarks (http_status, served_model, evidence)
	select http_status, served_model, evidence from unnest($1::int[], $2::text[], $3::jsonb[]) as wanted(http_status, served_model, evidence)
	where not exists (
		select from remarks known
		where (known.http_status, known.served_model, known.evidence) is not distinct from (wanted.http_status, wanted.served_model, wanted.evidence)
	)
	on conflict do nothing`,
);

/** Who answers with another model name each time must not fill the table: beyond this, results keep their words for themselves. The key has room for 32,767. */
export const remarksAtMost = 20_000;

interface Known {
	readonly keyOf: Map<string, number>;
	readonly remarkOf: Map<number, Remark>;
	greatest: number;
}

const cache = new WeakMap<object, Known>();

function knownTo(sql: Sql): Known {
	const known = cache.get(sql.pool) ?? { keyOf: new Map(), remarkOf: new Map([[0, noRemark]]), greatest: 0 };
	cache.set(sql.pool, known);
	return known;
}

/** @param above 0 reads all: a neighbour may have committed a lower key after a higher one was read */
async function load(sql: Sql, above: number): Promise<Known> {
	const known = knownTo(sql);
	for (const { key, ...remark } of await sql.run(selectRemarks, [above])) {
		known.keyOf.set(remarkId(remark), key);
		known.remarkOf.set(key, remark);
		known.greatest = Math.max(known.greatest, key);
	}
	return known;
}

/** One text for one remark: jsonb does not keep the order of keys, so they are sorted. */
export function remarkId({ httpStatus, servedModel, evidence }: Remark): string {
	return JSON.stringify([httpStatus, servedModel, evidence], (_key, value: unknown) =>
		typeof value === 'object' && value !== null && !Array.isArray(value)
			? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
			: value,
	);
}

/** `remarkId` → key; what there is no room for is missing. */
export async function internRemarks(db: Db, wanted: ReadonlyMap<string, Remark>): Promise<ReadonlyMap<string, number>> {
	const known = knownTo(db);
	const missing = () => [...wanted].filter(([id]) => !known.keyOf.has(id)).map(([, remark]) => remark);
	if (missing().length === 0 || known.greatest >= remarksAtMost) return known.keyOf;
	await load(db, known.greatest);
	const fresh = missing();
	if (fresh.length === 0 || known.greatest >= remarksAtMost) return known.keyOf;
	await db.run(insertRemarks, [
		fresh.map(({ httpStatus }) => httpStatus),
		fresh.map(({ servedModel }) => servedModel),
		fresh.map(({ evidence }) => (evidence === null ? null : JSON.stringify(evidence))),
	]);
	await load(db, known.greatest);
	if (missing().length > 0) await load(db, 0);
	return known.keyOf;
}

/** key → remark of all wanted keys. */
export async function findRemarks(sql: Sql, wanted: Iterable<number>): Promise<ReadonlyMap<number, Remark>> {
	const known = knownTo(sql);
	for (const key of wanted) if (!known.remarkOf.has(key)) return (await load(sql, 0)).remarkOf;
	return known.remarkOf;
}
