import { instant, query, type Sql } from './sql.ts';

const select = query<Meta>(
	'meta_read',
	'select installation_id::text as "installationId", created_at as "createdAt", demo_started_at as "demoStartedAt" from meta',
);
const startDemo = query<{ at: number }>(
	'meta_start_demo',
	'update meta set demo_started_at = coalesce(demo_started_at, $1::timestamptz) returning demo_started_at as at',
);

export interface Meta {
	/** Random, for ever the same. */
	readonly installationId: string;
	/** ms since epoch. */
	readonly createdAt: number;
	/** Zero of the simulated fleet's clock, ms since epoch; null when the demo never ran. */
	readonly demoStartedAt: number | null;
}

export async function readMeta(sql: Sql): Promise<Meta> {
	const [meta] = await sql.run(select);
	if (meta === undefined) throw new Error('Expected the table meta to have its row: run linnet migrate');
	return meta;
}

/** The first call decides. @returns when the demo started, ms since epoch. */
export async function rememberDemoStart(sql: Sql, now: number): Promise<number> {
	return (await sql.run(startDemo, [instant(now)]))[0]?.at ?? now;
}
