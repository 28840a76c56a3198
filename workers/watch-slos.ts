/** Sums of results -> the standing of each objective, and alerts for the budgets that burn too fast. */
import type { Objective } from '#core/objective.ts';
import type { SliCounts } from '#core/slo.ts';
import { burnFindings, judgeObjective, type ObjectiveStanding, windowsOfObjective } from '#core/slo-board.ts';
import { readSloCounts } from '#db/slo-counts.ts';
import type { Sql } from '#db/sql.ts';
import { listOpenStandingAlerts } from '#db/standing-alerts.ts';
import { moveStandingAlerts, type StandingTools } from './move-standing-alerts.ts';

/** How each objective stands. In the order of the file. */
export async function readStandings(sql: Sql, objectives: readonly Objective[], now: number): Promise<ObjectiveStanding[]> {
	if (objectives.length === 0) return [];
	const asked = objectives.flatMap((objective) => windowsOfObjective(objective).map((windowMs) => ({ objective, targetIds: objective.targetIds, windowMs })));
	const counts = await readSloCounts(sql, asked, now);
	const firing = Map.groupBy(await listOpenStandingAlerts(sql, 'slo'), ({ key }) => key);
	return objectives.map((objective) => {
		const own = new Map<number, SliCounts>(asked.flatMap((one, i) => (one.objective === objective ? [[one.windowMs, counts[i] ?? { good: 0, bad: 0 }]] : [])));
		return judgeObjective(objective, own, new Set(firing.get(objective.id)?.map(({ kind }) => kind)));
	});
}

export interface WatchSloTools extends StandingTools {
	objectives(): readonly Objective[];
	/** Public base URL of the page; null when there is none. */
	publicUrl(): string | null;
}

export async function watchSlos(tools: WatchSloTools): Promise<ObjectiveStanding[]> {
	const standings = await readStandings(tools.db, tools.objectives(), tools.now());
	const url = tools.publicUrl();
	const findings = burnFindings(standings).map(({ objective, ...finding }) => ({
		...finding,
		advice: null,
		cause: 'provider' as const,
		scope: { ...objective.scope, vantage: null },
		targetIds: objective.targetIds,
		link: url === null ? null : `${url}/`,
	}));
	await moveStandingAlerts(tools, 'slo', findings);
	return standings;
}
