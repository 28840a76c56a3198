/** What drills have shown, for the terminal, the API and the page. Pure. */
import type { DrillFigures, DrillReport, DrillScenario } from '#core/drill-report.ts';
import type { Scenario } from './scenario.ts';
import type { PlayScore } from './score-play.ts';

export type { DrillReport } from '#core/drill-report.ts';

export interface ScenarioRun {
	readonly scenario: Scenario;
	readonly score: PlayScore;
	readonly probeCount: number;
	readonly disturbedCount: number;
	readonly reprobeCount: number;
}

/** More of them than this, and the machine was too busy to judge by. */
const disturbedShare = 0.02;

export function reportOf(runs: readonly ScenarioRun[], { version, at, seeds }: { version: string; at: number; seeds: number }): DrillReport {
	const scenarios = [...Map.groupBy(runs, ({ scenario }) => scenario.name)].map(([name, own]): DrillScenario => {
		const faults = own.flatMap(({ score }) => score.faults);
		const mean = (pick: (run: ScenarioRun) => number) => own.reduce((sum, run) => sum + pick(run), 0) / own.length;
		const disturbed = mean(({ disturbedCount, probeCount }) => disturbedCount / Math.max(1, probeCount));
		return {
			name,
			description: own[0]?.scenario.description ?? '',
			detect: figuresOf(faults.map(({ detectMs }) => detectMs)),
			scope: figuresOf(faults.map(({ scopeMs }) => scopeMs)),
			clear: figuresOf(faults.map(({ clearMs }) => clearMs)),
			missed: faults.filter(({ detectMs }) => detectMs === null).length,
			falseAlarms: own.reduce((sum, { score }) => sum + score.falseAlarms.length, 0),
			misblamed: own.reduce((sum, { score }) => sum + score.misblamed, 0),
			messages: mean(({ score }) => score.messageCount),
			complaints: [
				...own.flatMap(({ score }, i) => [
					...score.faults.flatMap(({ complaints }) => complaints.map((complaint) => `seed ${i + 1}: ${complaint}`)),
					...score.falseAlarms.map((title) => `seed ${i + 1}: nobody expected ${title}`),
				]),
				...(disturbed > disturbedShare ? [`${(100 * disturbed).toFixed(1)} % of its probes met a stall of this machine`] : []),
			],
		};
	});
	return { schema: 'linnet.drill/1', version, at: new Date(at).toISOString(), seeds, scenarios };
}

/** Of those that came at all; null when none did. */
function figuresOf(values: readonly (number | null)[]): DrillFigures | null {
	const known = values.filter((value) => value !== null);
	if (known.length === 0) return null;
	const meanMs = known.reduce((sum, value) => sum + value, 0) / known.length;
	const variance = known.reduce((sum, value) => sum + (value - meanMs) ** 2, 0) / known.length;
	return { meanMs: Math.round(meanMs), sigmaMs: Math.round(Math.sqrt(variance)), count: known.length };
}
