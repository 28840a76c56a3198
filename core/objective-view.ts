/** How an objective stands, for readers: JSON, times in ms as lengths, null means no data. */
import type { Availability } from './sli.ts';
import type { BurnReason } from './slo.ts';
import type { ObjectiveStanding } from './slo-board.ts';

export interface ObjectiveView {
	readonly id: string;
	readonly title: string;
	readonly scope: { readonly provider: string | null; readonly model: string | null; readonly operation: string | null };
	readonly objectiveRatio: number;
	readonly periodMs: number;
	readonly targetIds: readonly string[];
	/** Over the period, scheduled results only. */
	readonly availability: Availability;
	readonly budget: {
		/** Bad results that the valid ones of the period so far allow. */
		readonly allowedBad: number;
		readonly bad: number;
		/** Below 0 the objective is missed; null without valid results. */
		readonly remainingRatio: number | null;
		/** Until it is gone at the rate of the last hour; 0: it is; null: never, or nothing is known. */
		readonly exhaustedInMs: number | null;
	};
	/** Of the last hour: 1 spends exactly the budget in the period; null without valid results. */
	readonly burnRate1h: number | null;
	readonly rules: readonly {
		readonly name: string;
		readonly severity: 'page' | 'ticket';
		readonly longMs: number;
		readonly shortMs: number;
		/** From this rate on. */
		readonly threshold: number;
		readonly longBurnRate: number | null;
		readonly shortBurnRate: number | null;
		readonly firing: boolean;
		readonly reason: BurnReason;
	}[];
}

export function objectiveView({ objective, counts, budget, burnRate1h, exhaustedInMs, burns }: ObjectiveStanding): ObjectiveView {
	const { id, title, scope, objectiveRatio, periodMs, targetIds } = objective;
	const { allowedBad, bad, remainingRatio } = budget;
	return {
		...{ id, title, scope, objectiveRatio, periodMs, targetIds, availability: counts },
		budget: { allowedBad, bad, remainingRatio, exhaustedInMs },
		burnRate1h,
		rules: burns.map(({ rule, longBurnRate, shortBurnRate, firing, reason }) => ({
			...{ name: rule.name, severity: rule.severity, longMs: rule.longMs, shortMs: rule.shortMs, threshold: rule.burnRate },
			...{ longBurnRate, shortBurnRate, firing, reason },
		})),
	};
}
