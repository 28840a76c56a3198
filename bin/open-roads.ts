/** Traces of probes' roads, when the standard variables of OpenTelemetry ask for them; else nothing of it is even loaded. */
import type { IncidentDecision } from '#core/judge/decision.ts';
import type { Log } from '#core/log.ts';
import type { ProbeResult } from '#core/probe-result.ts';
import type { ProbeSteps } from '#core/probe-road.ts';
import type { Target } from '#core/target.ts';
import type { Publisher } from '#workers/publish-snapshot.ts';
import { ExpectedError } from './expected-error.ts';
import type { Closing } from './run-role.ts';

/** Each call is cheap and never throws; what the collector does not take in time is dropped. Times: ms since epoch. */
export interface Roads {
	/** A probe ran and is recorded. */
	probed(steps: ProbeSteps, target: Target, result: ProbeResult): void;
	/** A step of the evaluator is committed. */
	judged(results: readonly ProbeResult[], fromAt: number, toAt: number, decisions: readonly IncidentDecision[]): void;
	/** A snapshot is stored: the results that were judged before it was begun are in it. */
	published(fromAt: number, toAt: number, snapshotNumber: number): void;
	close(): Promise<void>;
}

/** @returns null when they are off: the default */
export async function openRoads(role: string, log: Log, closing: Closing, env: NodeJS.ProcessEnv = process.env): Promise<Roads | null> {
	if (!isWanted(env)) return null;
	const { sendRoads } = await import('./send-roads.ts');
	const roads = sendRoads(role, log);
	closing.add('traces', () => roads.close());
	return roads;
}

/** @throws ExpectedError when an exporter is asked for that is not here */
export function isWanted(env: NodeJS.ProcessEnv): boolean {
	if (env.OTEL_SDK_DISABLED?.toLowerCase() === 'true') return false;
	const exporter = env.OTEL_TRACES_EXPORTER?.trim();
	if (exporter && exporter !== 'otlp' && exporter !== 'none') throw new ExpectedError(`OTEL_TRACES_EXPORTER: expected otlp or none, got "${exporter}"`, 2);
	if (exporter) return exporter === 'otlp';
	return Boolean(env.OTEL_EXPORTER_OTLP_ENDPOINT || env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT);
}

/** Tells the roads of each publication. */
export function watchPublisher(publisher: Publisher, roads: Roads): Publisher {
	const watched = (publish: Publisher['publish']) => async () => {
		const fromAt = Date.now();
		const snapshot = await publish();
		roads.published(fromAt, Date.now(), snapshot.number);
		return snapshot;
	};
	return { publish: watched(publisher.publish), publishVerdicts: watched(publisher.publishVerdicts) };
}
