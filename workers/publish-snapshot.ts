/** The record -> the next numbered snapshot -> everybody who listens. */
import { setImmediate } from 'node:timers/promises';
import { type AnnouncedMaintenance, buildSnapshot, type SnapshotFacts, writeTargets } from '#core/build-snapshot.ts';
import { type CadencePlan, plannedIntervalMs } from '#core/cadence.ts';
import { forecastPerDayMicroUsd } from '#core/cost.ts';
import type { DrillReport } from '#core/drill-report.ts';
import type { Objective } from '#core/objective.ts';
import { overrideIncident } from '#core/override-incident.ts';
import type { ObjectiveStanding } from '#core/slo-board.ts';
import type { SpendView } from '#core/snapshot.ts';
import { createTextIds, type TextIds, type WrittenSnapshot } from '#core/snapshot-text.ts';
import type { Target } from '#core/target.ts';
import type { TargetFacts } from '#core/target-view.ts';
import { briefWindows } from '#db/brief-windows.ts';
import { listCanaryFaults } from '#db/canary-tests.ts';
import { readDaySpend } from '#db/costs.ts';
import { readDoubts } from '#db/evaluator-state.ts';
import { type Headroom, readHeadroom } from '#db/headroom.ts';
import { listIncidents } from '#db/incidents.ts';
import { type KeptFor, keepRead } from '#db/keep-read.ts';
import { listOfficialIncidents } from '#db/official-incidents.ts';
import { listOperatorEntries } from '#db/operator-entries.ts';
import { dayOf } from '#db/partitions.ts';
import { createRecentReader, type RecentReader } from '#db/recent-results.ts';
import type { RollupReader } from '#db/rollup-reader.ts';
import { publishSnapshot as storeSnapshot } from '#db/snapshots.ts';
import type { Db, Tx } from '#db/sql.ts';
import { firstScheduledAt } from '#db/targets.ts';
import { evaluatorName } from './evaluator.ts';
import { readStandings } from './watch-slos.ts';

export interface PublishTools {
	readonly db: Db;
	/** Kept between publications: what hardly moves is read less often. */
	readonly rollups: RollupReader;
	now(): number;
	targets(): readonly Target[];
	status(): { readonly title: string; readonly url: string | null };
	readonly simulated: boolean;
	intervalMs(): number;
	/** Announced, running or ahead. */
	maintenances(): Promise<readonly AnnouncedMaintenance[]>;
	/** Of the operator's file; left out: there are none. */
	objectives?(): readonly Objective[];
	/** The most that a UTC day may cost; null or left out: what probes cost is not published. */
	capMicroUsdPerDay?(): number | null;
	/** How far results may be apart while the budget is short; null or left out: as configured. */
	cadence?(): Promise<CadencePlan | null>;
	readonly drill: DrillReport | null;
}

export interface Publisher {
	/** Everything read anew. */
	publish(): Promise<WrittenSnapshot>;
	/** A verdict has moved: incidents, doubts and maintenance are read anew, the numbers stay those of the last whole publication. */
	publishVerdicts(): Promise<WrittenSnapshot>;
}

interface Numbers {
	readonly readAt: number;
	readonly targets: readonly Target[];
	readonly vantages: readonly string[];
	readonly facts: ReadonlyMap<string, TargetFacts>;
	readonly objectives: readonly ObjectiveStanding[];
	readonly spend: SpendView | null;
}

const dayMs = 86_400_000;
/** More than the page shows, so that the 90-day bars know of each. */
const incidentsRead = 5_000;
const officialRead = 1_000;
/** What a header told longer ago says nothing of now. */
const headroomKeptMs = 600_000;
/** The whole is published every 10 or 15 s; numbers older than this are not given out as news. */
const numbersKeptMs = 30_000;

/** Of 10,000 targets it takes up to 160 ms of Postgres, and hardly moves. */
const seldomKept: KeptFor = { perReadMs: 500, atMostMs: 120_000 };

interface Readers {
	readonly recents: RecentReader;
	headroom(now: number): Promise<readonly Headroom[]>;
}

/** Keeps the last numbers in memory: one for a process. */
export function createPublisher(tools: PublishTools): Publisher {
	let kept: Numbers | null = null;
	const textIds = createTextIds(crypto.randomUUID());
	const readers: Readers = {
		recents: createRecentReader(tools.db),
		headroom: keepRead((now) => readHeadroom(tools.db, now - headroomKeptMs), seldomKept),
	};
	const publish = async () => {
		const numbers = await readNumbers(tools, readers, kept?.facts);
		await writeAhead(tools, numbers);
		kept = numbers;
		return store(tools, kept, textIds);
	};
	return {
		publish,
		publishVerdicts() {
			const age = kept === null ? Number.POSITIVE_INFINITY : tools.now() - kept.readAt;
			if (kept === null || kept.targets !== tools.targets() || age < 0 || age > numbersKeptMs) return publish();
			return store(tools, kept, textIds);
		},
	};
}

/** @param before the facts of the last publication */
async function readNumbers(tools: PublishTools, readers: Readers, before?: Numbers['facts']): Promise<Numbers> {
	const { db, rollups, now, targets } = tools;
	const at = now();
	const configured = targets();
	const [firstSeen, recent, { countedAt, of: windows }, days, canaryTests, headroom, objectives, spentOf] = await Promise.all([
		firstScheduledAt(db, configured),
		readers.recents.read(at, at - dayMs),
		rollups.windows(at),
		rollups.days(at),
		listCanaryFaults(db),
		readers.headroom(at),
		readStandings(db, tools.objectives?.() ?? [], at),
		readDaySpend(db, dayOf(at)),
	]);
	const plan = (await tools.cadence?.()) ?? null;
	const headroomOf = Map.groupBy(headroom, ({ targetId }) => targetId);
	const testsOf = Map.groupBy(canaryTests, ({ targetId }) => targetId);
	const facts = new Map(
		configured.map(({ id, canaries, intervalMs }): [string, TargetFacts] => {
			// One that no window knows of is counted anew all the same: what was due goes on.
			const own = windows.get(id) ?? {};
			const primary = canaries[0]?.name ?? '';
			const fresh: TargetFacts = {
				firstScheduledAt: firstSeen.get(id) ?? at,
				...{ countedAt, readAt: at },
				plannedIntervalMs: plannedIntervalMs({ id, intervalMs }, plan, at),
				windows: own,
				latency: { '30m': own['30m']?.latency[primary], '1d': own['1d']?.latency[primary] },
				days: days.get(id),
				recent: recent.get(id) ?? nothingHeard,
				headroom: headroomOf.get(id) ?? [],
				canaryTests: testsOf.get(id) ?? [],
			};
			const known = before?.get(id);
			return [id, known !== undefined && isUnmoved(known, fresh, at) ? known : fresh];
		}),
	);
	const vantages = [...new Set([...recent.values()].flatMap((one) => Object.keys(one)))].sort();
	const cap = tools.capMicroUsdPerDay?.() ?? null;
	const spend = cap === null ? null : spendView(spentOf.get(dayOf(at)) ?? 0, cap, configured, vantages.length);
	return { readAt: at, targets: configured, vantages, facts, objectives, spend };
}

const nothingHeard: TargetFacts['recent'] = {};

/** A result comes at least so often where the interval is the usual minute, and with it all is told. */
const slowWaitsMs = 75_000;

/**
 * The readers give again what has not moved. A target without news then keeps its facts and with them its text (core/target-view.ts): of 10,000 targets a
 * publication has news of a quarter. What is read anew only now and then (1d and longer, headroom) is told with the next news, or in a while: told at
 * once, it would be all targets each half minute, beside their news.
 */
function isUnmoved(known: TargetFacts, fresh: TargetFacts, now: number): boolean {
	const same = (a: readonly unknown[] = [], b: readonly unknown[] = []) => a.length === b.length && a.every((item, i) => item === b[i]);
	const hasNoNews =
		(['firstScheduledAt', 'plannedIntervalMs', 'recent'] as const).every((field) => known[field] === fresh[field]) &&
		briefWindows.every((window) => known.windows[window] === fresh.windows[window]) &&
		known.latency['30m'] === fresh.latency['30m'] &&
		same(known.canaryTests, fresh.canaryTests);
	const isSame = known.windows === fresh.windows && known.days === fresh.days && same(known.headroom, fresh.headroom);
	const age = now - (known.readAt ?? 0);
	return hasNoNews && (isSame || (age >= 0 && age < slowWaitsMs));
}

function spendView(todayMicroUsd: number, capMicroUsdPerDay: number, targets: readonly Target[], vantageCount: number): SpendView {
	const { typical, probes } = forecastPerDayMicroUsd(targets);
	return {
		todayMicroUsd,
		capMicroUsdPerDay,
		forecastMicroUsdPerDay: Math.round(typical * vantageCount),
		forecastProbesPerDay: Math.round(probes * vantageCount),
	};
}

/** How long verdicts may wait for the writing of new numbers, ms. */
const pieceMs = 8;

/** Writes the targets of new numbers before the lock is taken: meanwhile verdicts are published with the numbers of before. */
async function writeAhead(tools: PublishTools, numbers: Numbers): Promise<void> {
	let pieceEndsAt = performance.now() + pieceMs;
	for (const _ of writeTargets({ ...numbers, ...(await readJudged(tools, tools.db)) })) {
		if (performance.now() < pieceEndsAt) continue;
		await setImmediate();
		pieceEndsAt = performance.now() + pieceMs;
	}
}

type Judged = Pick<SnapshotFacts, 'now' | 'incidents' | 'doubts' | 'maintenances'>;

async function readJudged({ now, maintenances }: PublishTools, sql: Db | Tx): Promise<Judged> {
	const at = now();
	const judged = await listIncidents(sql, { resolvedSinceAt: at - 90 * dayMs, limit: incidentsRead });
	const entries = await listOperatorEntries(
		sql,
		judged.map(({ id }) => id),
	);
	return {
		now: at,
		incidents: judged.map((incident) => overrideIncident(incident, entries.get(incident.id) ?? [])),
		doubts: await readDoubts(sql, evaluatorName),
		maintenances: await maintenances(),
	};
}

/** What is judged is read once the number is ours: a publisher that began earlier can't put back what another one has told since. */
function store(tools: PublishTools, { targets, vantages, facts, objectives, spend }: Numbers, textIds: TextIds): Promise<WrittenSnapshot> {
	const { db, status, simulated, intervalMs, drill } = tools;
	const build = async (number: number, tx: Tx) => {
		const judged = await readJudged(tools, tx);
		return buildSnapshot({
			...judged,
			number,
			...status(),
			simulated,
			intervalMs: intervalMs(),
			...{ vantages, targets, facts, objectives },
			...(spend === null ? {} : { spend }),
			drill,
			official: await listOfficialIncidents(tx, { sinceAt: judged.now - 90 * dayMs, limit: officialRead }),
		});
	};
	return storeSnapshot(db, build, textIds);
}
