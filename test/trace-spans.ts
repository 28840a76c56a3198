/** Spans as a collector was sent them: OTLP in JSON. */
import type { Collector } from './collector.ts';

export interface SeenSpan {
	readonly traceId: string;
	readonly spanId: string;
	readonly parentSpanId: string | null;
	readonly name: string;
	/** ns since epoch. */
	readonly from: bigint;
	readonly to: bigint;
	readonly attributes: Readonly<Record<string, string | number | undefined>>;
	/** 2: an error. */
	readonly status: number;
	/** Of the process that sent it. */
	readonly role: string;
}

interface Attribute {
	readonly key: string;
	readonly value: { readonly stringValue?: string; readonly intValue?: number; readonly doubleValue?: number };
}

interface Body {
	readonly resourceSpans: readonly {
		readonly resource: { readonly attributes: readonly Attribute[] };
		readonly scopeSpans: readonly {
			readonly spans: readonly {
				readonly traceId: string;
				readonly spanId: string;
				readonly parentSpanId?: string;
				readonly name: string;
				readonly startTimeUnixNano: string;
				readonly endTimeUnixNano: string;
				readonly attributes: readonly Attribute[];
				readonly status: { readonly code?: number };
			}[];
		}[];
	}[];
}

/** Traces by their id. */
export function tracesSeen(collector: Collector): Map<string, SeenSpan[]> {
	const valuesOf = (attributes: readonly Attribute[]) =>
		Object.fromEntries(attributes.map(({ key, value }) => [key, value.stringValue ?? value.intValue ?? value.doubleValue]));
	const spans = collector.seen
		.filter(({ path }) => path === '/v1/traces')
		.flatMap(({ body }) =>
			(JSON.parse(body) as Body).resourceSpans.flatMap(({ resource, scopeSpans }) =>
				scopeSpans.flatMap((scope) =>
					scope.spans.map(({ parentSpanId, startTimeUnixNano, endTimeUnixNano, attributes, status, ...rest }) => ({
						...rest,
						parentSpanId: parentSpanId ?? null,
						from: BigInt(startTimeUnixNano),
						to: BigInt(endTimeUnixNano),
						attributes: valuesOf(attributes),
						status: status.code ?? 0,
						role: String(valuesOf(resource.attributes)['linnet.role']),
					})),
				),
			),
		);
	return Map.groupBy(spans, ({ traceId }) => traceId);
}
