/**
 * Spans of probes' roads to an OTLP collector (http/json). The trace and each span have ids that are derived from the slot, so the evaluator and the
 * publisher join the trace of a prober that is in another process, and nothing has to be carried through the record. For the same reason a sampler by
 * ratio decides alike in all of them.
 */
import { createHash } from 'node:crypto';
import { hostname } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { type Context, type HrTime, ROOT_CONTEXT, SpanKind, SpanStatusCode, TraceFlags, trace } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import { BasicTracerProvider, BatchSpanProcessor, type SpanExporter } from '@opentelemetry/sdk-trace-base';
import type { Log } from '#core/log.ts';
import type { SlotKey } from '#core/probe-result.ts';
import { judgedSpan, probeRoad, publishedSpan, type RoadSpan, slotName } from '#core/probe-road.ts';
import type { Roads } from './open-roads.ts';
import { version } from './version.ts';

const kinds = { internal: SpanKind.INTERNAL, client: SpanKind.CLIENT, consumer: SpanKind.CONSUMER } as const satisfies Record<RoadSpan['kind'], SpanKind>;
/** Judged and not yet published: more is a publisher that hangs, and the oldest are left out. */
const unpublishedAtMost = 10_000;
/** A judge that does not publish lets another one do so. */
const unpublishedKeptMs = 60_000;
const closeWithinMs = 2_000;
const warnEveryMs = 60_000;

/** Endpoint, headers, timeouts, sampler, batches and resource are read from OTEL_* by the SDK. */
export function sendRoads(role: string, log: Log): Roads {
	let next = { traceId: '', spanId: '' };
	const provider = new BasicTracerProvider({
		idGenerator: { generateTraceId: () => next.traceId, generateSpanId: () => next.spanId },
		spanProcessors: [new BatchSpanProcessor(tellFailures(new OTLPTraceExporter(), log))],
		resource: resourceFromAttributes({
			'service.name': process.env.OTEL_SERVICE_NAME || 'linnet',
			'service.version': version,
			'service.instance.id': `${hostname()}:${process.pid}:${role}`,
			'linnet.role': role,
		}).merge(detectResources({ detectors: [envDetector] })),
	});
	const tracer = provider.getTracer('linnet', version);
	const unpublished: { readonly slot: SlotKey; readonly judgedAt: number }[] = [];

	function send(slot: SlotKey, span: RoadSpan, parent: Context | null): void {
		next = { traceId: traceIdOf(slot), spanId: spanIdOf(slot, span.place) };
		const sent = tracer.startSpan(
			span.name,
			{ kind: kinds[span.kind], startTime: exactly(span.fromAt), attributes: span.attributes, root: parent === null },
			parent ?? ROOT_CONTEXT,
		);
		if (sent.isRecording()) {
			const within = trace.setSpan(ROOT_CONTEXT, sent);
			for (const child of span.children) send(slot, child, within);
			if (span.error !== null) sent.setStatus({ code: SpanStatusCode.ERROR, message: span.error });
		}
		sent.end(exactly(span.toAt));
	}

	/** Of a span that another process sent; null when the sampler left the slot's trace out there, as it does here. */
	function elsewhere(slot: SlotKey, place: string): Context | null {
		next = { traceId: traceIdOf(slot), spanId: spanIdOf(slot, place) };
		// Asks the sampler: a span that is never ended is never sent.
		if (!tracer.startSpan(place, { root: true }).isRecording()) return null;
		return trace.setSpanContext(ROOT_CONTEXT, { ...next, traceFlags: TraceFlags.SAMPLED, isRemote: true });
	}

	return {
		probed(steps, target, result) {
			send(result, probeRoad(steps, target, result), null);
		},
		judged(results, fromAt, toAt, decisions) {
			for (const result of results) {
				// A missed slot has no road.
				const record = result.startedAt === null ? null : elsewhere(result, 'record');
				if (record === null) continue;
				send(result, judgedSpan(result, fromAt, toAt, decisions), record);
				unpublished.push({ slot: result, judgedAt: toAt });
			}
			unpublished.splice(0, unpublished.length - unpublishedAtMost);
		},
		published(fromAt, toAt, snapshotNumber) {
			const later = unpublished.filter(({ judgedAt }) => judgedAt > fromAt);
			for (const { slot, judgedAt } of unpublished.splice(0, unpublished.length, ...later)) {
				if (judgedAt > fromAt || judgedAt < fromAt - unpublishedKeptMs) continue;
				send(slot, publishedSpan(fromAt, toAt, snapshotNumber), elsewhere(slot, 'judge'));
			}
		},
		async close() {
			// A collector that is away must not keep the process: the exporter would try for longer.
			await Promise.race([provider.shutdown().catch(() => {}), pause(closeWithinMs, undefined, { ref: false })]);
		},
	};
}

function traceIdOf(slot: SlotKey): string {
	return hash(slotName(slot)).slice(0, 32);
}

function spanIdOf(slot: SlotKey, place: string): string {
	return hash(`${slotName(slot)}|${place}`).slice(0, 16);
}

function hash(text: string): string {
	return createHash('sha256').update(text).digest('hex');
}

/** As seconds and nanoseconds: the SDK takes a plain number that is before the process's start for one that counts from there. */
function exactly(atMs: number): HrTime {
	const seconds = Math.floor(atMs / 1_000);
	return [seconds, Math.min(999_999_999, Math.round((atMs - seconds * 1_000) * 1e6))];
}

/** Says now and then that spans are lost; without the collector's words or address, which may hold a token. */
function tellFailures(exporter: SpanExporter, log: Log): SpanExporter {
	let [lost, toldMs] = [0, Number.NEGATIVE_INFINITY];
	return {
		export(spans, done) {
			exporter.export(spans, (result) => {
				if (result.error !== undefined) {
					lost += spans.length;
					if (performance.now() - toldMs >= warnEveryMs) {
						log.warn({ count: lost, problem: result.error.name }, 'the collector of traces takes no spans: they are dropped');
						[lost, toldMs] = [0, performance.now()];
					}
				}
				done(result);
			});
		},
		forceFlush: async () => exporter.forceFlush?.(),
		shutdown: () => exporter.shutdown(),
	};
}
