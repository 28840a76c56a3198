/**
 * One probe's road as spans of a trace: what happened when, from the result's own figures. Names and attributes follow OpenTelemetry's conventions for
 * generative AI where they have one (gen_ai.*, server.*, error.type); ours begin with `linnet.`. No text of a provider, no header, no prompt is in them.
 */
import type { IncidentDecision } from './judge/decision.ts';
import type { ProbeResult, SlotKey } from './probe-result.ts';
import { type Target, targetId } from './target.ts';

/** When each step of a probe was begun and ended, ms since epoch on the worker's clock. */
export interface ProbeSteps {
	/** Nominal time of the tick that held the slot; null: the detector asked for the probe. */
	readonly tickAt: number | null;
	/** The worker took the job. */
	readonly takenAt: number;
	readonly reservingAt: number;
	readonly reservedAt: number;
	readonly recordingAt: number;
	/** The result was durable. */
	readonly recordedAt: number;
}

export interface RoadSpan {
	readonly name: string;
	/** Unique in its trace; the id is derived from it, so that another process can name it as a parent. */
	readonly place: string;
	readonly kind: 'internal' | 'client' | 'consumer';
	readonly fromAt: number;
	readonly toAt: number;
	readonly attributes: Readonly<Record<string, string | number>>;
	/** Code of what failed; null: nothing. */
	readonly error: string | null;
	readonly children: readonly RoadSpan[];
}

/** Identity of a slot, the same in every process: the trace's id is derived from it. */
export function slotName({ provider, model, operation, canary, vantage, kind, slotAt }: SlotKey): string {
	return `${targetId({ provider, model, operation })}|${canary}|${vantage}|${kind}|${slotAt}`;
}

/** Names that OpenTelemetry gives to providers, where they are not ours. */
const providerNames: Readonly<Record<string, string>> = {
	azure: 'azure.ai.openai',
	bedrock: 'aws.bedrock',
	google: 'gcp.gemini',
	mistral: 'mistral_ai',
	vertex: 'gcp.vertex_ai',
	xai: 'x_ai',
};

/** From the job to the durable result. */
export function probeRoad(steps: ProbeSteps, target: Pick<Target, 'baseUrl'>, result: ProbeResult): RoadSpan {
	const { tickAt, takenAt, reservingAt, reservedAt, recordingAt, recordedAt } = steps;
	const startedAt = result.startedAt ?? recordingAt;
	const endedAt = startedAt + (result.totalMs ?? 0);
	// A clock that was set back in between must not turn a span around.
	const toAt = Math.max(takenAt, reservingAt, reservedAt, startedAt, endedAt, recordingAt, recordedAt);
	const step = (name: string, from: number, to: number, attributes: RoadSpan['attributes'] = {}) => span(name, within(from, takenAt, toAt), to, { attributes });
	return span('slot', takenAt, toAt, {
		attributes: {
			'linnet.slot': slotName(result),
			'linnet.slot.at': new Date(result.slotAt).toISOString(),
			'linnet.target': targetId(result),
			'linnet.canary': result.canary,
			'linnet.vantage': result.vantage,
			'linnet.kind': result.kind,
			'linnet.outcome': result.outcome,
			'linnet.sli': result.sli,
		},
		children: [
			step('job', takenAt, reservingAt, tickAt === null ? {} : { 'linnet.tick.at': new Date(tickAt).toISOString() }),
			step('reserve', reservingAt, reservedAt),
			step('wait', reservedAt, startedAt, { 'linnet.late_ms': startedAt - result.slotAt }),
			exchange(within(startedAt, takenAt, toAt), within(endedAt, takenAt, toAt), target, result),
			step('record', recordingAt, recordedAt),
		],
	});
}

/** What the evaluator did with the result: begins in another process, after the record. */
export function judgedSpan(result: ProbeResult, fromAt: number, toAt: number, decisions: readonly IncidentDecision[]): RoadSpan {
	const own = decisions.filter(({ targetIds }) => targetIds.includes(targetId(result)));
	return span('judge', fromAt, toAt, {
		kind: 'consumer',
		attributes: {
			'linnet.slot': slotName(result),
			'linnet.target': targetId(result),
			'linnet.decision': own.map(({ type }) => type).join(' ') || 'none',
			...(own[0] === undefined ? {} : { 'linnet.incident': own[0].incidentId, 'linnet.incident.cause': own[0].cause }),
		},
	});
}

export function publishedSpan(fromAt: number, toAt: number, snapshotNumber: number): RoadSpan {
	return span('publish', fromAt, toAt, { kind: 'consumer', attributes: { 'linnet.snapshot': snapshotNumber } });
}

/** The request itself, with its phases one after the other as they were stamped. */
function exchange(fromAt: number, toAt: number, { baseUrl }: Pick<Target, 'baseUrl'>, result: ProbeResult): RoadSpan {
	const { hostname, port, protocol } = new URL(baseUrl);
	const error = result.outcome === 'ok' ? null : result.outcome;
	const afterHeaders = result.ttftMs === null || result.ttfbMs === null ? null : result.ttftMs - result.ttfbMs;
	const phases: { name: string; ms: number | null }[] = [
		{ name: 'dns', ms: result.dnsMs },
		{ name: 'connect', ms: result.connectMs },
		{ name: 'tls', ms: result.tlsMs },
		{ name: 'request to headers', ms: result.ttfbMs },
		{ name: 'headers to first token', ms: afterHeaders },
	];
	const children: RoadSpan[] = [];
	let at = fromAt;
	for (const { name, ms } of phases) {
		if (ms === null) continue;
		const endsAt = within(at + Math.max(0, ms), at, toAt);
		children.push(span(name, at, endsAt, {}));
		at = endsAt;
	}
	// Where the exchange broke off, the phase that did not end is the rest of it.
	const rest = error === null || result.phase === null ? 'to the end' : `failed: ${result.phase}`;
	if (toAt > at) children.push(span(rest, at, toAt, { error }));
	return span(`${result.operation} ${result.model}`, fromAt, toAt, {
		kind: 'client',
		error,
		children,
		attributes: present({
			'gen_ai.operation.name': result.operation,
			'gen_ai.provider.name': providerNames[result.provider] ?? result.provider,
			'gen_ai.request.model': result.model,
			'gen_ai.response.model': result.servedModel,
			'gen_ai.response.time_to_first_chunk': result.ttftMs === null ? null : result.ttftMs / 1_000,
			'gen_ai.usage.input_tokens': result.inputTokens,
			'gen_ai.usage.output_tokens': result.outputTokens,
			'server.address': hostname,
			'server.port': Number(port) || (protocol === 'https:' ? 443 : 80),
			'http.response.status_code': result.httpStatus,
			'error.type': error,
			'linnet.phase': result.phase,
			'linnet.event_loop_delay_ms': result.lagMs,
		}),
	});
}

function present(attributes: Record<string, string | number | null>): RoadSpan['attributes'] {
	return Object.fromEntries(Object.entries(attributes).filter((entry): entry is [string, string | number] => entry[1] !== null));
}

function span(name: string, fromAt: number, toAt: number, more: Partial<Pick<RoadSpan, 'kind' | 'attributes' | 'error' | 'children'>>): RoadSpan {
	return { name, place: name, kind: 'internal', fromAt, toAt: Math.max(fromAt, toAt), attributes: {}, error: null, children: [], ...more };
}

function within(at: number, fromAt: number, toAt: number): number {
	return Math.min(Math.max(at, fromAt), toAt);
}
