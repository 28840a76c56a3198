import { expect, it } from 'vitest';
import { addUpProcesses } from '#api/exposition.ts';
import { missedSlot } from '#core/probe-result.ts';
import { sampleNow, sampleResult } from '#test/sample-results.ts';
import { unpackMetrics } from './packed-metrics.ts';
import { createProcessMetrics, type ProcessMetrics } from './process-metrics.ts';

async function textOf(...processes: ProcessMetrics[]): Promise<string[]> {
	// As the database keeps them.
	const stored = JSON.parse(JSON.stringify(await Promise.all(processes.map((one) => one.read()))));
	return (await addUpProcesses(stored.map(unpackMetrics))).split('\n');
}

it('nothing is told of no process', async () => {
	expect(await addUpProcesses([])).toBe('');
});

it('probes of several processes are one histogram, with the boundaries of the convention', async () => {
	const [one, other] = [createProcessMetrics(), createProcessMetrics()];
	one.heardResult(sampleResult({ ttftMs: 210, totalMs: 900 }));
	other.heardResult(sampleResult({ ttftMs: 15, totalMs: 30 }));
	other.heardResult(sampleResult({ outcome: 'server_error', sli: 'bad', ttftMs: null, totalMs: 30 }));
	const lines = await textOf(one, other);
	const labels = 'gen_ai_provider_name="acme",gen_ai_request_model="small",gen_ai_operation_name="chat"';
	const bucket = (metric: string, le: string, count: number, more = '') =>
		expect(
			lines.filter(
				(line) => line.startsWith(`${metric}_bucket{`) && line.includes(`le="${le}"`) && line.includes(labels + more) && line.endsWith(`} ${count}`),
			),
		).toHaveLength(1);
	bucket('gen_ai_client_operation_time_to_first_chunk_seconds', '0.02', 1);
	bucket('gen_ai_client_operation_time_to_first_chunk_seconds', '0.32', 2);
	bucket('gen_ai_client_operation_duration_seconds', '81.92', 1, ',error_type="server_error"');
	expect(lines.filter((line) => line.startsWith('# TYPE gen_ai_client_operation_duration_seconds histogram'))).toHaveLength(1);
});

it('a slot counts by what became of it, and only a scheduled one has a lateness', async () => {
	const metrics = createProcessMetrics();
	const { provider, model, operation, canary, vantage, slotAt } = sampleResult();
	const slot = { provider, model, operation, canary, vantage, slotAt, kind: 'scheduled' } as const;
	metrics.heardResult(sampleResult({ startedAt: sampleNow + 3 }));
	metrics.heardResult(sampleResult({ kind: 'confirmation', startedAt: sampleNow + 9_000 }));
	metrics.heardResult(missedSlot(slot, 'budget'));
	const lines = await textOf(metrics);
	expect(lines).toContain('linnet_slots_total{vantage="local",result="ran"} 1');
	expect(lines).toContain('linnet_slots_total{vantage="local",result="budget"} 1');
	expect(lines).toContain('linnet_slot_lateness_seconds_bucket{le="0.005",vantage="local"} 1');
	expect(lines).toContain('linnet_slot_lateness_seconds_count{vantage="local"} 1');
});

it('of what several processes look at the worst is told, and what can’t be had is left out', async () => {
	const [one, other] = [createProcessMetrics(), createProcessMetrics()];
	one.watch('linnet_spool_bytes', 'x', async () => ({ fra: 5 }), 'vantage');
	other.watch('linnet_spool_bytes', 'x', async () => ({ fra: 7, iad: 0 }), 'vantage');
	other.watch('linnet_away', 'x', async () => {
		throw new Error('the database is away');
	});
	const lines = await textOf(one, other);
	expect(lines.filter((line) => line.startsWith('linnet_spool_bytes'))).toEqual(['linnet_spool_bytes{vantage="fra"} 7', 'linnet_spool_bytes{vantage="iad"} 0']);
	expect(lines.filter((line) => line.startsWith('linnet_away'))).toEqual([]);
});

it('a large fleet has no more series than four hundred models have: the others are told as one', async () => {
	const metrics = createProcessMetrics();
	for (let i = 0; i < 1_000; i += 1) metrics.heardResult(sampleResult({ model: `m${i}`, ttftMs: null, totalMs: 30 }));
	const counts = (await textOf(metrics)).filter((line) => line.startsWith('gen_ai_client_operation_duration_seconds_count'));
	expect(counts).toHaveLength(401);
	expect(counts.filter((line) => line.includes('"_other"') && line.endsWith(' 600'))).toHaveLength(1);
});
