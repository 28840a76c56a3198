import { instant, query, type Sql } from './sql.ts';

const upsertMetrics = query(
	'process_metrics_write',
	`with dropped as (delete from process_metrics where at < $2::timestamptz - interval '10 minutes')
	insert into process_metrics (process, at, metrics) values ($1::text, $2::timestamptz, $3::jsonb)
	on conflict (process) do update set at = excluded.at, metrics = excluded.metrics`,
);
const removeMetrics = query('process_metrics_remove', 'delete from process_metrics where process = $1::text');
const selectMetrics = query<{ metrics: unknown }>('process_metrics_read', 'select metrics from process_metrics where at >= $1::timestamptz order by process');
// Of several processes that tell of the same label, the worst.
const selectGauge = query<{ label: string; value: number }>(
	'process_metrics_gauge',
	`select told -> 'labels' ->> $3::text as label, max((told ->> 'value')::float8) as value
	from process_metrics, jsonb_array_elements(metrics) as metric, jsonb_array_elements(metric -> 'values') as told
	where at >= $1::timestamptz and metric ->> 'name' = $2::text and told -> 'labels' ? $3::text group by 1 order by 1`,
);

/** @param metrics as `Registry.getMetricsAsJSON()` of prom-client gives them, histograms packed: what `readGauge` looks for is not among them */
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

/** A gauge as the processes that wrote since a time tell it: its label's value -> the greatest. */
export async function readGauge(sql: Sql, { name, label, sinceAt }: { name: string; label: string; sinceAt: number }): Promise<Map<string, number>> {
	return new Map((await sql.run(selectGauge, [instant(sinceAt), name, label])).map((row) => [row.label, row.value]));
}
