/** The money that a day has left, and what is worth watching -> the cadence plan that every vantage follows. */
import type { CadencePlan } from '#core/cadence.ts';
import { planInForce } from '#core/cadence.ts';
import { typicalMicroUsd } from '#core/cost.ts';
import type { Incident } from '#core/incident.ts';
import type { Doubt } from '#core/judge-target.ts';
import type { Log } from '#core/log.ts';
import { type CadenceTarget, planCadence as decide } from '#core/plan-cadence.ts';
import type { Target } from '#core/target.ts';
import { readBudgetDay } from '#db/budget.ts';
import { readCadencePlan, writeCadencePlan } from '#db/cadence-plans.ts';
import { readTargetCosts } from '#db/costs.ts';
import { readDoubts } from '#db/evaluator-state.ts';
import { listIncidents } from '#db/incidents.ts';
import { readVantageProgress } from '#db/loop-facts.ts';
import { dayOf } from '#db/partitions.ts';
import { readRecentResults } from '#db/recent-results.ts';
import type { Sql } from '#db/sql.ts';
import { evaluatorName } from './evaluator.ts';

export interface CadenceTools {
	readonly db: Sql;
	readonly log: Log;
	now(): number;
	targets(): readonly Target[];
	/** Spend allowed per UTC day, all vantages together. */
	capMicroUsd(): number;
}

const dayMs = 86_400_000;
const hourMs = 3_600_000;
/** What probes of a target cost is measured from so many on; before it is what a short answer would. */
const probesMeasured = 50;
/** What a probe costs on average hardly moves, and takes thirty days of sums to read. */
const costsKeptMs = 600_000;
const unstableMs = 7 * dayMs;
const incidentsRead = 1_000;

/** Keeps measured costs between runs: one for a process. */
export function createCadencePlanner({ db, log, now, targets, capMicroUsd }: CadenceTools): () => Promise<CadencePlan> {
	let costs: { readAt: number; of: ReadonlyMap<string, number> } | null = null;
	const costsOf = async (at: number) => {
		if (costs !== null && Math.abs(at - costs.readAt) < costsKeptMs) return costs.of;
		const measured = (await readTargetCosts(db, at)).filter(({ monthProbes }) => monthProbes >= probesMeasured);
		costs = { readAt: at, of: new Map(measured.map(({ targetId, monthMicroUsd, monthProbes }) => [targetId, monthMicroUsd / monthProbes])) };
		return costs.of;
	};

	return async () => {
		const at = now();
		const [{ spentMicroUsd, reservedMicroUsd }, progress, stored, measured] = await Promise.all([
			readBudgetDay(db, dayOf(at)),
			readVantageProgress(db, at),
			readCadencePlan(db),
			costsOf(at),
		]);
		const vantages = progress.filter(({ settledThroughAt }) => at - settledThroughAt < hourMs).map(({ name }) => name);
		const before = stored?.plan ?? null;
		const previous = planInForce(before, at);
		const calm = targets().map((target): CadenceTarget => {
			const typical = target.canaries.reduce((sum, canary) => sum + typicalMicroUsd(target, canary), 0) / Math.max(1, target.canaries.length);
			// A model without a price is booked at the fallback, and recorded without a cost.
			const probeMicroUsd = target.price === null ? typical : (measured.get(target.id) ?? typical);
			const probesPerSlot = target.canaries.length * Math.max(1, vantages.length);
			return { id: target.id, provider: target.provider, intervalMs: target.intervalMs, probesPerSlot, probeMicroUsd, urgency: null, unstable: false };
		});
		const dayEndsAt = (Math.floor(at / dayMs) + 1) * dayMs;
		const facts = { now: at, dayEndsAt, leftMicroUsd: capMicroUsd() - spentMicroUsd - reservedMicroUsd, vantages, previous };
		let plan = decide({ ...facts, targets: calm });
		// Only then is it worth knowing what is valued most.
		if (plan.forecastMicroUsd > plan.plannedMicroUsd) plan = decide({ ...facts, targets: await weigh(db, calm, targets(), at) });
		await writeCadencePlan(db, plan, before);
		const [was, is] = [previous, plan].map((one) => Object.values(one?.cadences ?? {}).some(({ factor }) => factor > 1));
		const { leftMicroUsd, forecastMicroUsd, plannedMicroUsd } = plan;
		if (was !== is)
			log.info({ leftMicroUsd, forecastMicroUsd, plannedMicroUsd }, is ? 'the budget is short: cadence is stretched' : 'cadence is as configured');
		return plan;
	};
}

async function weigh(db: Sql, rows: readonly CadenceTarget[], targets: readonly Target[], at: number): Promise<CadenceTarget[]> {
	const [incidents, doubts, recent] = await Promise.all([
		listIncidents(db, { resolvedSinceAt: at - unstableMs, limit: incidentsRead }),
		readDoubts(db, evaluatorName),
		readRecentResults(db, at - dayMs),
	]);
	const { open = [], over = [] } = Object.groupBy(
		incidents.filter(({ cause }) => cause === 'provider'),
		({ resolvedAt }) => (resolvedAt === null ? 'open' : 'over'),
	);
	const named = (list: readonly Incident[]) => new Set(list.flatMap(({ targetIds }) => targetIds));
	const [pressed, unstable] = [named(open), named(over)];
	const targetOf = new Map(targets.map((target) => [target.id, target]));
	return rows.map((row) => {
		const target = targetOf.get(row.id);
		const inDoubt = target !== undefined && doubts.some((doubt) => isIn(doubt, target));
		const near = Object.values(recent.get(row.id) ?? {}).some(({ votes }) => votes.includes('bad'));
		return { ...row, urgency: pressed.has(row.id) || inDoubt ? 'incident' : near ? 'near' : null, unstable: unstable.has(row.id) };
	});
}

function isIn({ provider, model, operation }: Doubt, target: Target): boolean {
	return [
		[provider, target.provider],
		[model, target.model],
		[operation, target.operation],
	].every(([wanted, own]) => wanted === null || wanted === own);
}
