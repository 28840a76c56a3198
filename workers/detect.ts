/** Recorded results, in order -> decisions -> one transaction: state, incident, alerts to send. Results are recorded first and judged after. */
import type { Transition } from '#core/alert.ts';
import {
	type Decision,
	type DetectorPolicy,
	type DetectorState,
	defaultPolicy,
	emptyDetectorState,
	type IncidentDecision,
	observe,
	type ReprobeDecision,
	retireTargets,
} from '#core/detector.ts';
import type { Log } from '#core/log.ts';
import { clearBackOffs, setBackOff } from '#db/back-offs.ts';
import { readDetectorState, writeDetectorState } from '#db/detector-state.ts';
import { findIncident, openIncident, refreshEvidence, reopenIncident, resolveIncident } from '#db/incidents.ts';
import { assertLease, type Lease } from '#db/leases.ts';
import { readResultsAfter } from '#db/read-results.ts';
import type { StoredResult } from '#db/result-row.ts';
import { type Db, type Tx, transaction } from '#db/sql.ts';
import { type AnnounceTools, announce } from './announce.ts';

export interface DetectTools extends AnnounceTools {
	readonly db: Db;
	readonly log: Log;
	/** Of the evaluator: what it writes after losing it is refused. */
	readonly lease: Lease;
	now(): number;
	readonly policy?: DetectorPolicy;
	readonly backOff: { readonly firstMs: number; readonly longestMs: number };
}

export interface Judged {
	readonly resultCount: number;
	readonly incidents: readonly IncidentDecision[];
	/** To be queued after the commit; one that is lost in a crash is made up for by the next slot. */
	readonly reprobes: readonly ReprobeDecision[];
}

const batchSize = 500;
/** Of its lease and of its state. */
export const evaluatorName = 'evaluator';

/** Judges the next batch. Throws when the lease is no longer ours: then nothing was written. */
export async function detect(tools: DetectTools): Promise<Judged> {
	const { db, now, policy = defaultPolicy } = tools;
	return transaction(db, async (tx) => {
		await assertLease(tx, tools.lease);
		const stored = await readDetectorState<DetectorState>(tx, evaluatorName);
		const state = stored?.version === 1 ? stored.state : emptyDetectorState();
		const results = await readResultsAfter(tx, stored?.readThroughSeq ?? 0, batchSize);
		const configured = new Set(tools.targets().map(({ id }) => id));
		const at = now();
		const decisions: Decision[] = retireTargets(state, configured, at);
		for (const { id, result } of results) decisions.push(...observe(state, id, result, at, policy));
		if (results.length === 0 && decisions.length === 0) return { resultCount: 0, incidents: [], reprobes: [] };

		const incidents = decisions.filter((decision) => decision.type !== 'reprobe' && decision.type !== 'evidence');
		// Before the transitions: of an incident that a later result resolves, the resolve has the last word.
		const grown = new Map(decisions.filter((decision) => decision.type === 'evidence').map((decision) => [decision.incidentId, decision]));
		for (const { incidentId, evidence, targetIds } of grown.values()) await refreshEvidence(tx, incidentId, evidence, targetIds);
		for (const decision of incidents) await apply(tx, decision, tools);
		await adjustBackOffs(tx, results, incidents, tools);
		const readThroughSeq = results.at(-1)?.seq ?? stored?.readThroughSeq ?? 0;
		await writeDetectorState(tx, evaluatorName, { version: state.version, readThroughSeq, state }, at);
		const reprobes = decisions.filter((decision) => decision.type === 'reprobe' && configured.has(decision.targetId)) as ReprobeDecision[];
		return { resultCount: results.length, incidents, reprobes };
	});
}

const statusOf = { open: 'identified', reopen: 'identified', resolve: 'resolved' } as const;
const transitionOf = { open: 'opened', reopen: 'reopened', resolve: 'resolved' } as const satisfies Record<IncidentDecision['type'], Transition>;

async function apply(tx: Tx, decision: IncidentDecision, tools: DetectTools): Promise<void> {
	const { type, incidentId: id, at, reason, evidence } = decision;
	const update = { at, status: statusOf[type], body: bodyOf(decision) };
	let transition: number;
	if (type === 'open') {
		const { scope, condition, cause, impact, title, startedAt, targetIds } = decision;
		transition = await openIncident(tx, {
			...{ id, scope, condition, cause, impact, title, startedAt, reason, evidence, targetIds },
			...{ status: update.status, detectedAt: at, resolvedAt: null, relapseCount: 0, updates: [update] },
		});
	} else if (type === 'reopen') transition = await reopenIncident(tx, id, { update, evidence, targetIds: decision.targetIds });
	else transition = await resolveIncident(tx, id, { update, evidence });

	const incident = await findIncident(tx, id);
	if (incident === null) throw new Error(`Expected incident ${id} to be stored, found none`);
	await announce(tx, { incident, transition: transitionOf[type], number: transition, at }, tools);
}

function bodyOf({ type, reason, startedAt, at }: IncidentDecision): string {
	const seconds = Math.max(0, Math.round((at - startedAt) / 1_000));
	if (type === 'resolve') return `Resolved: ${reason}.`;
	return `${type === 'reopen' ? 'It is back' : 'Detected'} ${seconds} s after the first bad result: ${reason}.`;
}

/** A refused key or an empty wallet pauses the provider's targets, longer each time; the first good result ends the pause. */
async function adjustBackOffs(
	tx: Tx,
	results: readonly StoredResult[],
	incidents: readonly IncidentDecision[],
	{ targets, backOff }: DetectTools,
): Promise<void> {
	const opened = new Set(
		incidents.filter(({ type, condition }) => type !== 'resolve' && (condition === 'credentials' || condition === 'quota')).map(({ scope }) => scope.provider),
	);
	for (const [provider, ofProvider] of Map.groupBy(results, ({ result }) => result.provider)) {
		const newest = ofProvider.findLast(({ result }) => result.startedAt !== null)?.result;
		if (newest === undefined) continue;
		const ids = targets()
			.filter((target) => target.provider === provider)
			.map(({ id }) => id);
		const pause = { reason: newest.outcome, at: newest.startedAt ?? newest.slotAt, ...backOff };
		if (newest.sli === 'good') await clearBackOffs(tx, ids);
		else if (opened.has(provider)) await setBackOff(tx, ids, pause);
		// Tried again after the pause, and refused again.
		else if (newest.outcome === 'auth_failed' || newest.outcome === 'quota_exhausted') await setBackOff(tx, ids, { ...pause, onlyExpired: true });
	}
}
