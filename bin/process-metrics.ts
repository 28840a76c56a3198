/** What a worker counts of its own work, for the operator and Prometheus. One registry a process; the API adds the processes up. */
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { ProbeResult } from '#core/probe-result.ts';
import { createPackedHistogram, packMetrics } from './packed-metrics.ts';

/** Boundaries that OpenTelemetry asks for in its client metrics of generative AI (semantic-conventions-genai, gen-ai-metrics.md), seconds. */
const genAiBuckets = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92];
const latenessBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];
const jobBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** Two histograms of 17 series a model, written every 10 s: of 10,000 models 40 MB. What came first keeps its own, the others share one. */
const modelsAtMost = 400;
const otherModels = '_other';

export interface ProcessMetrics {
	/** A result on its way to the record. */
	heardResult(result: ProbeResult): void;
	/** One batch that became durable. `spooled`: on the disk, since Postgres was away. */
	recordedBatch(batch: { readonly rows: number; readonly tookMs: number; readonly spooled: boolean }): void;
	/** One of the judge's jobs, or a step of its evaluator. */
	ranJob(job: string, tookMs: number): void;
	/** A value that is looked up when it is asked for; one that can't be had then is left out. */
	watch(name: string, help: string, read: () => Promise<number | Readonly<Record<string, number>> | null>, label?: string): void;
	/** As `packMetrics`. */
	read(): Promise<unknown>;
}

export function createProcessMetrics(): ProcessMetrics {
	const registry = new Registry();
	const registers = [registry];
	const duration = createPackedHistogram({
		name: 'gen_ai_client_operation_duration_seconds',
		help: 'Request to the end of the answer, of probes that were sent',
		buckets: genAiBuckets,
	});
	const firstToken = createPackedHistogram({
		name: 'gen_ai_client_operation_time_to_first_chunk_seconds',
		help: 'Request to the first chunk with visible content, of complete answers',
		buckets: genAiBuckets,
	});
	const lateness = new Histogram({
		...{ name: 'linnet_slot_lateness_seconds', help: 'Start of a scheduled probe after its slot', buckets: latenessBuckets, registers },
		labelNames: ['vantage'],
	});
	const slots = new Counter({
		...{ name: 'linnet_slots_total', help: 'Scheduled slots by what became of them: ran, or why not', labelNames: ['vantage', 'result'], registers },
	});
	const cost = new Counter({ name: 'linnet_probe_cost_usd_total', help: 'Spend of this process, at list prices', labelNames: ['provider'], registers });
	const batchRows = new Histogram({ name: 'linnet_record_batch_rows', help: 'Results in one batch', buckets: [1, 2, 5, 10, 25, 50, 100, 250, 500], registers });
	const batchTook = new Histogram({
		...{ name: 'linnet_record_batch_seconds', help: 'Time until a batch was durable', labelNames: ['to'], buckets: jobBuckets, registers },
	});
	const jobTook = new Histogram({ name: 'linnet_job_seconds', help: 'Time that a job took', labelNames: ['job'], buckets: jobBuckets, registers });
	const watched: (() => Promise<void>)[] = [];
	const own = new Set<string>();
	const modelLabel = (key: string, model: string) => {
		if (own.size < modelsAtMost) own.add(key);
		return own.has(key) ? model : otherModels;
	};

	return {
		heardResult({ provider, model, operation, vantage, kind, outcome, startedAt, slotAt, ttftMs, totalMs, costMicroUsd, evidence }) {
			if (kind === 'scheduled') {
				slots.inc({ vantage, result: startedAt === null ? String(evidence?.subcode ?? 'not run') : 'ran' });
				if (startedAt !== null) lateness.observe({ vantage }, Math.max(0, startedAt - slotAt) / 1_000);
			}
			if (startedAt === null) return;
			const labels = { gen_ai_provider_name: provider, gen_ai_request_model: modelLabel(`${provider}\n${model}`, model), gen_ai_operation_name: operation };
			// The convention gives an operation that went well no error type.
			if (totalMs !== null) duration.observe({ ...labels, ...(outcome === 'ok' ? {} : { error_type: outcome }) }, totalMs / 1_000);
			if (ttftMs !== null && outcome === 'ok') firstToken.observe(labels, ttftMs / 1_000);
			if (costMicroUsd !== null) cost.inc({ provider }, costMicroUsd / 1e6);
		},
		recordedBatch({ rows, tookMs, spooled }) {
			batchRows.observe(rows);
			batchTook.observe({ to: spooled ? 'spool' : 'postgres' }, tookMs / 1_000);
		},
		ranJob(job, tookMs) {
			jobTook.observe({ job }, tookMs / 1_000);
		},
		watch(name, help, read, label) {
			// Several processes look at the same thing: the worst of what they see is told, not the sum.
			const gauge = new Gauge({ name, help, registers, aggregator: 'max', labelNames: label === undefined ? [] : [label] });
			watched.push(async () => {
				const found = await read().catch(() => null);
				gauge.reset();
				if (found === null) return gauge.remove();
				if (typeof found === 'number') return gauge.set(found);
				for (const [key, value] of Object.entries(found)) gauge.set({ [label ?? '']: key }, value);
			});
		},
		async read() {
			await Promise.all(watched.map((look) => look()));
			return [...packMetrics(await registry.getMetricsAsJSON()), duration.read(), firstToken.read()];
		},
	};
}
