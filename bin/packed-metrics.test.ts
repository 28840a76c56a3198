import fc from 'fast-check';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { expect, it } from 'vitest';
import { addUpProcesses } from '#api/exposition.ts';
import { createPackedHistogram, packMetrics, unpackMetrics } from './packed-metrics.ts';

const sent = (metrics: unknown): unknown => JSON.parse(JSON.stringify(metrics));

it('what is packed, sent and unpacked is told like what the client gave, and what is kept packed is the same', async () => {
	const observation = fc.record({
		model: fc.constantFrom('a', 'b {le="1"}', 'c'),
		error: fc.constantFrom(undefined, 'timeout'),
		seconds: fc.double({ min: 0, max: 9, noNaN: true }),
	});
	await fc.assert(
		fc.asyncProperty(fc.array(observation), fc.uniqueArray(fc.constantFrom(0.1, 0.5, 1, 2.5, 8), { minLength: 1 }), async (observations, given) => {
			const buckets = given.toSorted((a, b) => a - b);
			const registry = new Registry();
			const registers = [registry];
			const took = new Histogram({ name: 'took_seconds', help: 'how long', labelNames: ['model', 'error'], buckets, registers });
			new Histogram({ name: 'rows', help: 'without labels', buckets, registers }).observe(2);
			const count = new Counter({ name: 'seen_total', help: 'how many', labelNames: ['model'], registers });
			new Gauge({ name: 'size', help: 'how large', registers, aggregator: 'max' }).set(4);
			for (const { model, error, seconds } of observations) {
				took.observe(error === undefined ? { model } : { model, error }, seconds);
				count.inc({ model });
			}
			const metrics = sent(await registry.getMetricsAsJSON());
			expect(await addUpProcesses([unpackMetrics(sent(packMetrics(metrics)))])).toBe(await addUpProcesses([metrics]));
			const kept = createPackedHistogram({ name: 'took_seconds', help: 'how long', buckets });
			for (const { model, error, seconds } of observations) kept.observe(error === undefined ? { model } : { model, error }, seconds);
			expect(await addUpProcesses([unpackMetrics(sent([kept.read()]))])).toBe(await addUpProcesses([(metrics as unknown[]).slice(0, 1)]));
		}),
	);
});

it('a series stands once, whatever its buckets', async () => {
	const registry = new Registry();
	const took = new Histogram({ name: 'took_seconds', help: 'how long', labelNames: ['model'], registers: [registry] });
	for (let model = 0; model < 400; model += 1) took.observe({ model: `maker/model-${model}` }, 1);
	const metrics = await registry.getMetricsAsJSON();
	expect(JSON.stringify(packMetrics(metrics)).length * 10).toBeLessThan(JSON.stringify(metrics).length);
});

it('what a version before this one wrote is read as it is', async () => {
	const registry = new Registry();
	new Histogram({ name: 'took_seconds', help: 'how long', registers: [registry] }).observe(1);
	const metrics = sent(await registry.getMetricsAsJSON());
	expect(unpackMetrics(metrics)).toEqual(metrics);
});
