/**
 * The one evaluator: holds the detector's state in memory, judges recorded results in their order, and commits each step (journal, incidents,
 * messages) in one transaction. After a crash the state is the last checkpoint and the journal's steps heard again.
 */
import type { Decision, IncidentDecision, ReprobeDecision } from '#core/judge/decision.ts';
import { doubtsOf } from '#core/judge/doubts.ts';
import { configurationKey, judge, maintenanceKey, reportsKey } from '#core/judge/judge.ts';
import { createJudgeState, type JudgeInput, type JudgeState, type MaintenanceWindow } from '#core/judge/judge-state.ts';
import { adoptable } from '#core/judge/reconcile.ts';
import { joinState, splitState } from '#core/judge/state-parts.ts';
import { reportsHeardMs, weighReports } from '#core/judge/weigh-reports.ts';
import { judgedTargets, judgeOptions } from '#core/judge/what-is-judged.ts';
import type { Log } from '#core/log.ts';
import type { Target } from '#core/target.ts';
import { addJournalStep, type EvaluatorHead, readCheckpoint, readEvaluatorHead, readJournalAfter, writeCheckpoint } from '#db/evaluator-state.ts';
import { listOpenIncidents, refreshEvidence } from '#db/incidents.ts';
import { assertLease, type Lease } from '#db/leases.ts';
import { readObservedTraffic } from '#db/observations.ts';
import { readResultsAfter } from '#db/read-results.ts';
import type { StoredResult } from '#db/result-row.ts';
import { type Db, type Tx, transaction } from '#db/sql.ts';
import type { AnnounceTools } from './announce.ts';
import { applyDecision } from './apply-decision.ts';
import { type BackOffTools, backOffKeys } from './back-off-keys.ts';

export interface EvaluatorTools extends AnnounceTools, BackOffTools {
	readonly db: Db;
	readonly log: Log;
	/** Of the evaluator: what it writes after losing it is refused. */
	readonly lease: Lease;
	now(): number;
	targets(): readonly Target[];
	/** Trouble that is over within this is a blip, no incident. */
	blipMs(): number;
	/** Announced windows, running or ahead. */
	maintenances(): readonly MaintenanceWindow[];
}

export interface Judged {
	readonly resultCount: number;
	readonly results: readonly StoredResult[];
	readonly incidents: readonly IncidentDecision[];
	/** What is in doubt has changed: states may. */
	readonly doubtsMoved: boolean;
	/** To be queued after the commit; one that is lost in a crash is made up for by the next slot. */
	readonly reprobes: readonly ReprobeDecision[];
	/** There may be more to judge at once. */
	readonly more: boolean;
}

export interface Evaluator {
	/** Judges what was recorded since the last step. Throws when it could not be committed: then open another evaluator, this one's state is ahead. */
	step(): Promise<Judged>;
	/** Saves the whole state, so that the next evaluator need not hear the journal. */
	checkpoint(): Promise<void>;
}

const nothing: Judged = { resultCount: 0, results: [], incidents: [], doubtsMoved: false, reprobes: [], more: false };

/** Of its lease, its journal and its checkpoint. */
export const evaluatorName = 'evaluator';
const batchSize = 2_000;
/** Reports of routers are looked at this often. */
const reportsMs = 5_000;
/** What waits for time, not for results, is looked at this often; more rarely while nothing is in doubt. */
const tickMs = 1_000;
const quietTickMs = 5_000;
const checkpointMs = 120_000;
/** Some minutes: where the process is killed again and again before its first checkpoint, the journal must not grow with each. */
const longJournal = 1_000;
/** A checkpoint stops the judging for a moment: at most this share of the time. */
const checkpointShare = 1 / 400;

export async function openEvaluator(tools: EvaluatorTools): Promise<Evaluator> {
	const { db, log, now } = tools;
	const { state, head: loaded, replayed } = await load(tools);
	let head = loaded;
	let tickedAt = 0;
	let told = doubtsOf(state);
	let [reported, reportsReadAt]: [Readonly<Record<string, number>>, number] = [{}, 0];
	let checkpointAt = now() + (replayed >= longJournal ? 0 : checkpointMs);
	log.debug({ step: head.journalNumber, replayedStepCount: replayed, openCount: state.lattice.incidents.length }, 'evaluator ready');

	let waiting: JudgeInput[] = await reconcile(tools, state);
	const configured = rememberConfiguration();
	const inputs = (at: number): JudgeInput[] => {
		const { key, ...configuration } = configured(tools.targets(), Object.keys(state.lattice.vantages).length, tools.blipMs());
		const windows = tools.maintenances();
		const heard: JudgeInput[] = [];
		if (key !== state.heard.configuration) heard.push({ type: 'configure', at, ...configuration });
		if (maintenanceKey(windows) !== state.heard.maintenance) heard.push({ type: 'maintenance', at, windows });
		if (reportsKey(reported) !== state.heard.reports) heard.push({ type: 'reports', at, natsOf: reported });
		return [...heard, ...waiting];
	};

	const save = async (tx: Tx) => {
		const startedMs = performance.now();
		await writeCheckpoint(tx, evaluatorName, { ...head, parts: splitState(state) });
		const tookMs = performance.now() - startedMs;
		checkpointAt = now() + Math.max(checkpointMs, tookMs / checkpointShare);
	};

	return {
		async step() {
			// Read outside the transaction: looking often costs no row lock. What is read is in order, and the lease fences the commit.
			const results = await readResultsAfter(db, head.readThroughSeq, batchSize);
			const at = now();
			if (Math.abs(at - reportsReadAt) >= reportsMs) {
				reported = weighReports(await readObservedTraffic(db, at - reportsHeardMs));
				reportsReadAt = at;
			}
			const extra = inputs(at);
			const inDoubt = state.lattice.incidents.length > 0 || Object.values(state.lattice.providers).some(({ hotUntilAt }) => hotUntilAt >= at);
			if (results.length === 0 && extra.length === 0 && at - tickedAt < (inDoubt ? tickMs : quietTickMs)) return nothing;
			const step = { journalNumber: head.journalNumber + 1, readThroughSeq: results.at(-1)?.seq ?? head.readThroughSeq, at };
			const decisions = hear(state, { ...step, inputs: extra }, results);
			const incidents = decisions.filter((decision) => decision.type !== 'reprobe' && decision.type !== 'evidence');
			const doubts = doubtsOf(state);
			const doubtsMoved = JSON.stringify(doubts) !== JSON.stringify(told);
			await transaction(db, async (tx) => {
				await assertLease(tx, tools.lease);
				await addJournalStep(tx, evaluatorName, { ...step, inputs: extra.length === 0 ? null : extra, doubts });
				// Before the transitions: of an incident that a later result resolves, the resolve has the last word.
				const grown = new Map(decisions.filter((decision) => decision.type === 'evidence').map((decision) => [decision.incidentId, decision]));
				for (const { incidentId, evidence, targetIds } of grown.values()) await refreshEvidence(tx, incidentId, evidence, targetIds);
				for (const decision of incidents) await applyDecision(tx, decision, tools);
				await backOffKeys(tx, results, incidents, tools);
				head = step;
				if (at >= checkpointAt) await save(tx);
			});
			tickedAt = at;
			waiting = [];
			told = doubts;
			return { resultCount: results.length, results, incidents, doubtsMoved, reprobes: askedOnce(decisions), more: results.length === batchSize };
		},
		async checkpoint() {
			await transaction(db, async (tx) => {
				await assertLease(tx, tools.lease);
				await save(tx);
			});
		},
	};
}

/** Made anew only when something of it changed: of 10,000 targets it takes 38 ms of CPU, and there are up to 30 steps a second. */
function rememberConfiguration() {
	let known: { readonly of: readonly unknown[]; readonly made: ReturnType<typeof make> } | null = null;
	const make = (...of: Parameters<typeof judgeOptions>) => {
		const configuration = { options: judgeOptions(...of), targets: judgedTargets(of[0]) };
		return { ...configuration, key: configurationKey(configuration) };
	};
	return (...of: Parameters<typeof judgeOptions>) => {
		if (known === null || !known.of.every((one, i) => one === of[i])) known = { of, made: make(...of) };
		return known.made;
	};
}

/** One step: first what is not a result, then the results in their order, then the clock. */
function hear(
	state: JudgeState,
	{ at, inputs }: { at: number; inputs: readonly JudgeInput[] },
	results: readonly Pick<StoredResult, 'id' | 'result'>[],
): Decision[] {
	const decisions: Decision[] = [];
	for (const input of inputs) decisions.push(...judge(state, input));
	for (const { id, result } of results) decisions.push(...judge(state, { type: 'result', id, result, at }));
	decisions.push(...judge(state, { type: 'tick', at }));
	return decisions;
}

async function load({ db, log, targets, blipMs }: EvaluatorTools): Promise<{ state: JudgeState; head: EvaluatorHead; replayed: number }> {
	const stored = await readCheckpoint(db, evaluatorName);
	const known = stored === null ? null : joinState(stored.parts);
	if (stored !== null && known === null) {
		const head = await readEvaluatorHead(db, evaluatorName);
		log.warn({ step: head.journalNumber }, 'the evaluator’s state is of another version: it starts anew and adopts the open incidents');
		return { state: createJudgeState(judgeOptions(targets(), 1, blipMs())), head, replayed: 0 };
	}
	const state = known ?? createJudgeState(judgeOptions(targets(), 1, blipMs()));
	let head: EvaluatorHead = stored ?? { journalNumber: 0, readThroughSeq: 0 };
	const steps = await readJournalAfter(db, evaluatorName, head.journalNumber);
	// A page serves many steps: read for each step anew, an hour of a large fleet is read a thousand times.
	let ahead: StoredResult[] = [];
	let readSeq = head.readThroughSeq;
	for (const { inputs, at, journalNumber, readThroughSeq } of steps) {
		while (readSeq < readThroughSeq) {
			const page = await readResultsAfter(db, readSeq, batchSize);
			ahead.push(...page);
			// A short page is not the last one: numbers that duplicates have burned leave gaps.
			readSeq = page.at(-1)?.seq ?? Number.POSITIVE_INFINITY;
		}
		const heard = ahead.findIndex(({ seq }) => seq > readThroughSeq);
		const results = heard === -1 ? ahead : ahead.slice(0, heard);
		ahead = heard === -1 ? [] : ahead.slice(heard);
		// Its decisions were committed when it was taken.
		hear(state, { at, inputs: (inputs ?? []) as JudgeInput[] }, results);
		head = { journalNumber, readThroughSeq };
	}
	return { state, head, replayed: steps.length };
}

/** State and record say the same, but for a crash of another version or a hand in the database. */
async function reconcile({ db, log, now }: EvaluatorTools, state: JudgeState): Promise<JudgeInput[]> {
	const open = await listOpenIncidents(db);
	const known = new Set(state.lattice.incidents.map(({ firstId }) => firstId));
	const recorded = new Set(open.map(({ id }) => id));
	const missing = open.filter(({ id }) => !known.has(id));
	const extra = state.lattice.incidents.filter(({ firstId, cause }) => cause !== 'maintenance' && !recorded.has(firstId)).map(({ firstId }) => firstId);
	if (missing.length > 0 || extra.length > 0)
		log.warn({ adoptedIds: missing.map(({ id }) => id), forgottenIds: extra }, 'the record’s open incidents are taken over');
	const at = now();
	return [
		...(missing.length === 0 ? [] : [{ type: 'adopt', at, incidents: missing.map(adoptable) } as const]),
		...(extra.length === 0 ? [] : [{ type: 'forget', at, ids: extra } as const]),
	];
}

/** Every wanted probe once: two results of a step may ask for the same one. */
function askedOnce(decisions: readonly Decision[]): ReprobeDecision[] {
	const asks = decisions.filter((decision) => decision.type === 'reprobe');
	return [...new Map(asks.map((ask) => [`${ask.targetId}\n${ask.vantage}\n${ask.delayMs}`, ask])).values()];
}
