/** The books after a fault: what the providers saw against what is recorded, what was decided against what was told. */
import { classOfCause, eventType, type Transition } from '#core/alert.ts';
import type { Incident } from '#core/incident.ts';
import type { ProbeResult } from '#core/probe-result.ts';
import { listIncidents } from '#db/incidents.ts';
import { readResultsAfter } from '#db/read-results.ts';
import type { Db } from '#db/sql.ts';
import type { RequestNote, Simulator } from '#simulator/start-simulator.ts';
import type { Collected, Collector } from '#test/collector.ts';
import { until } from './service.ts';

export interface Ledger {
	/** Probes that a provider saw and that are in no result. */
	readonly lost: readonly string[];
	/** Results of one request, or of one slot, more than once. */
	readonly doubled: readonly string[];
	/** Results of requests that no provider saw. */
	readonly invented: readonly string[];
	/** Results that count against a provider that was well. */
	readonly unjust: readonly string[];
	/** Incidents of a provider that was well. */
	readonly blamed: readonly string[];
	/** Transitions of which no message came, or more than one with different ids. */
	readonly untold: readonly string[];
}

export const balanced: Ledger = { lost: [], doubled: [], invented: [], unjust: [], blamed: [], untold: [] };

export interface Books {
	readonly db: Db;
	/** Remembers every request of the time that is looked at. */
	readonly simulator: Simulator;
	/** A webhook that every incident is told to; null: nobody is told. */
	readonly collector: Collector | null;
	/** Whether a provider was really ill when the slot was due. */
	wasIll(provider: string, at: number): boolean;
	/** Whether a probe that a provider saw then may be lost: in flight when its process was killed with -9. Left out: none. */
	mayBeLost?(seenAt: number): boolean;
	/** Left out: all that are in the record now. */
	readResults?(): Promise<readonly ProbeResult[]>;
}

/** Waits for what is on its way, and gives the balance. */
export async function readLedger({ db, simulator, collector, wasIll, mayBeLost = () => false, readResults }: Books): Promise<Ledger> {
	const seen = simulator.requestLog.filter(({ requestId, at }) => requestId !== null && !mayBeLost(at));
	let lost: RequestNote[] = [];
	let results: readonly ProbeResult[] = [];
	await until(
		'every probe that a provider saw',
		async () => {
			results = (await readResults?.()) ?? (await readResultsAfter(db, 0, 1_000_000)).map(({ result }) => result);
			const recorded = new Set(results.map(({ requestId }) => requestId));
			lost = withoutResult(
				seen.filter(({ requestId }) => !recorded.has(requestId)),
				results,
			);
			return lost.length === 0;
		},
		30_000,
	).catch(() => {}); // Said below, by name.
	const known = new Set(simulator.requestLog.map(({ requestId }) => requestId));
	const ids = results.flatMap(({ requestId }) => requestId ?? []);
	const slots = results.map(({ provider, model, vantage, kind, canary, slotAt }) => `${provider}:${model} ${canary} ${vantage} ${kind} ${slotAt}`);
	const incidents = await listIncidents(db, { resolvedSinceAt: 0, limit: 1_000 });
	let untold: string[] = [];
	if (collector !== null) {
		await until('every message', async () => {
			untold = withoutMessage(incidents, collector.seen);
			return untold.length === 0;
		}).catch(() => {});
	}
	return {
		lost: lost.map(({ requestId, provider, model, at }) => `${requestId} ${provider}:${model} at ${new Date(at).toISOString()}`),
		doubled: [...repeated(ids), ...repeated(slots)],
		invented: ids.filter((id) => !known.has(id)),
		unjust: results
			.filter(({ sli, provider, slotAt }) => sli === 'bad' && !wasIll(provider, slotAt))
			.map(({ provider, model, outcome, slotAt }) => `${provider}:${model} ${outcome} at ${new Date(slotAt).toISOString()}`),
		blamed: incidents
			.filter(({ cause, scope, detectedAt }) => cause === 'provider' && !wasIll(scope.provider ?? '', detectedAt))
			.map(({ title, reason }) => `${title}: ${reason}`),
		untold,
	};
}

/** Longer than a probe takes, and than a provider without a turn on the CPU lets it wait. */
const unansweredForMs = 30_000;
/** Of two processes that read one clock. */
const clockGrainMs = 100;

/** A probe that gave up before the head of its answer has no request id: each such result stands for one request of its target about then. */
export function withoutResult(seen: readonly RequestNote[], results: readonly ProbeResult[]): RequestNote[] {
	const unanswered = Map.groupBy(
		results.filter(({ requestId, httpStatus, startedAt }) => requestId === null && httpStatus === null && startedAt !== null),
		({ provider, model }) => `${provider}:${model}`,
	);
	for (const own of unanswered.values()) own.sort((a, b) => (a.startedAt ?? 0) - (b.startedAt ?? 0));
	return seen
		.toSorted((a, b) => a.at - b.at)
		.filter(({ provider, model, at }) => {
			const own = unanswered.get(`${provider}:${model}`) ?? [];
			while (own[0] !== undefined && (own[0].startedAt ?? 0) < at - unansweredForMs) own.shift();
			if (own[0] === undefined || (own[0].startedAt ?? 0) > at + clockGrainMs) return true;
			own.shift();
			return false;
		});
}

/** What should have been told of incidents and was not, or under more than one id. Repeats of one id are what at-least-once means. */
export function withoutMessage(
	incidents: readonly Pick<Incident, 'id' | 'cause' | 'resolvedAt' | 'relapseCount'>[],
	seen: readonly Pick<Collected, 'body' | 'headers'>[],
): string[] {
	const told = Map.groupBy(seen, ({ body }) => {
		const { type, data } = JSON.parse(body) as { type: string; data: { incident: { id: string } } };
		return `${type} ${data.incident.id}`;
	});
	return incidents
		.flatMap(({ id, cause, resolvedAt, relapseCount }) => {
			const typeOf = (transition: Transition) => eventType(classOfCause(cause), transition);
			// One that came back has been resolved as often as it relapsed, and once more.
			return [
				{ key: `${typeOf('opened')} ${id}`, atMost: 1 },
				...(resolvedAt === null ? [] : [{ key: `${typeOf('resolved')} ${id}`, atMost: 1 + relapseCount }]),
			];
		})
		.flatMap(({ key, atMost }) => {
			const count = new Set(told.get(key)?.map(({ headers }) => headers['webhook-id'])).size;
			return count >= 1 && count <= atMost ? [] : [`${key}: ${count} messages`];
		});
}

function repeated(keys: readonly string[]): string[] {
	const seen = new Set<string>();
	return keys.filter((key) => seen.has(key) || !seen.add(key));
}
