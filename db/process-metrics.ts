import { instant, query, type Sql } from './sql.ts';

const upsertMetrics = query(
	'process_metrics_write',
	`with dropped as (delete from process_metrics where at < $2::timestamptz - interval '10 minutes')
	insert into process_metrics (process, at, metrics) values ($1::text, $2::timestamptz, $3::jsonb)
	on conflict (process) do update set at = excluded.at, metrics = excluded.metrics`,
);
const removeMetrics = query('process_metrics_remove', 'delete from process_metrics where process = $1::text');
const selectMetrics = query<{ metrics: unknown }>('process_metrics_read', 'select metrics from process_metrics where at >= $1::timestamptz order by process');

/** @param metrics as `Registry.getMetricsAsJSON()` of prom-client gives them */
export async function writeProcessMetrics(sql: Sql, process: string, now: number, metrics: unknown): Promise<void> {
	await sql.run(upsertMetrics, [process, instant(now), JSON.stringify(metrics)]);
}

/** At a clean end: what it counted is told no more. */
export async function removeProcessMetrics(sql: Sql, process: string): Promise<void> {
	await sql.run(removeMetrics, [process]);
}

/** Of each process that wrote since a time. */
export async function readProcessMetrics(sql: Sql, sinceAt: number): Promise<unknown[]> {
	return (await sql.run(selectMetrics, [instant(sinceAt)])).map(({ metrics }) => metrics);
}
