/** Objectives with the counts of their windows -> what is shown, and what alerts. */
import type { Impact } from './incident.ts';
import type { Objective } from './objective.ts';
import { type Availability, availability, formatPercent } from './sli.ts';
import { type BurnDecision, burnRate, burnRules, burnWindowsMs, type ErrorBudget, errorBudget, exhaustedInMs, judgeBurns, type SliCounts } from './slo.ts';

/** Every window that an objective is judged by, ms: those of the rules, and its own period. */
export function windowsOfObjective({ periodMs }: Objective): number[] {
	return [...new Set([...burnWindowsMs(), periodMs])];
}

export interface ObjectiveStanding {
	readonly objective: Objective;
	/** Over the period. */
	readonly counts: Availability;
	readonly budget: ErrorBudget;
	/** Of the last hour; null without valid results. */
	readonly burnRate1h: number | null;
	/** ms until the budget is gone at that rate; 0: it is; null: never, or nothing is known. */
	readonly exhaustedInMs: number | null;
	readonly burns: readonly BurnDecision[];
}

/** To begin: one bad of two is 50 ± 40 % by Wilson's interval and beyond every threshold, and still a single blip. As many open an incident. */
const leastBad = 3;
const none: SliCounts = { good: 0, bad: 0 };
const hourMs = 3_600_000;

/** @param firing names of the rules that fire already */
export function judgeObjective(objective: Objective, counts: ReadonlyMap<number, SliCounts>, firing: ReadonlySet<string>): ObjectiveStanding {
	const period = counts.get(objective.periodMs) ?? none;
	const budget = errorBudget(objective, period);
	const rate = burnRate(objective, counts.get(hourMs) ?? none);
	return {
		objective,
		counts: availability(period.good, period.bad, 0),
		budget,
		burnRate1h: rate,
		exhaustedInMs: exhaustedInMs(objective, budget, rate),
		burns: judgeBurns(objective, counts, firing).map((burn) => {
			const { bad } = counts.get(burn.rule.longMs) ?? none;
			return burn.firing && !firing.has(burn.rule.name) && bad < leastBad ? { ...burn, firing: false, reason: 'too_few_results' as const } : burn;
		}),
	};
}

const impactOfSeverity = { page: 'major', ticket: 'minor' } as const satisfies Record<(typeof burnRules)[number]['severity'], Impact>;

export interface BurnFinding {
	/** Name of the rule. */
	readonly kind: string;
	/** Id of the objective. */
	readonly key: string;
	readonly title: string;
	readonly reason: string;
	readonly impact: Impact;
	readonly objective: Objective;
}

/** Burns that fire. Of one objective only the gravest: a ticket beside a page says nothing more. */
export function burnFindings(standings: readonly ObjectiveStanding[]): BurnFinding[] {
	return standings.flatMap(({ objective, burns, budget }) =>
		burns
			.filter(({ firing }) => firing)
			.slice(0, 1)
			.map(({ rule, longBurnRate, shortBurnRate }) => ({
				kind: rule.name,
				key: objective.id,
				title: objective.title,
				reason: `the budget burns ${times(longBurnRate)} as fast as it lasts over ${hours(rule.longMs)}, and ${times(shortBurnRate)} over ${hours(rule.shortMs)} (alerts from ${rule.burnRate}×); ${formatPercent(budget.remainingRatio === null ? null : Math.max(0, budget.remainingRatio), 1)} of it is left`,
				impact: impactOfSeverity[rule.severity],
				objective,
			})),
	);
}

function times(rate: number | null): string {
	return rate === null ? 'no data' : `${rate.toFixed(1)}×`;
}

function hours(ms: number): string {
	return ms < hourMs ? `${ms / 60_000} min` : `${ms / hourMs} h`;
}
