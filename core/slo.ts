/**
 * Error budget and burn rate of a service-level objective. Pure; no data is null, never "within budget".
 * Windows and thresholds: Google, The Site Reliability Workbook, chapter 5 (multiwindow, multi-burn-rate alerts).
 */
import { wilson } from './sli.ts';

export interface Slo {
	/** Share of valid results that must be good, 0 < ratio < 1. */
	readonly objectiveRatio: number;
	/** Length of the period that the budget is for, ms; usually 30 days. */
	readonly periodMs: number;
}

/** Valid results of a window; excluded ones are in neither. */
export interface SliCounts {
	readonly good: number;
	readonly bad: number;
}

const hourMs = 3_600_000;
export const sloPeriodMs = 30 * 24 * hourMs;

export interface BurnRule {
	readonly name: string;
	/** Is it bad enough to act on? */
	readonly longMs: number;
	/** Does it still go on? A twelfth of the long one, so that the alert ends soon after the trouble. */
	readonly shortMs: number;
	/** 1 spends exactly the budget in the period; 14.4 over an hour spends 2 % of 30 days. */
	readonly burnRate: number;
	/** `page`: somebody gets up. `ticket`: in working hours. */
	readonly severity: 'page' | 'ticket';
}

/** 2 %, 5 % and 10 % of a 30-day budget. */
export const burnRules: readonly BurnRule[] = [
	{ name: 'fast', longMs: hourMs, shortMs: hourMs / 12, burnRate: 14.4, severity: 'page' },
	{ name: 'steady', longMs: 6 * hourMs, shortMs: hourMs / 2, burnRate: 6, severity: 'page' },
	{ name: 'slow', longMs: 72 * hourMs, shortMs: 6 * hourMs, burnRate: 1, severity: 'ticket' },
];

/** Every window that the rules ask for, ms, ascending. */
export function burnWindowsMs(rules: readonly BurnRule[] = burnRules): number[] {
	return [...new Set(rules.flatMap(({ longMs, shortMs }) => [longMs, shortMs]))].sort((a, b) => a - b);
}

/** @throws RangeError when the objective is none: at 1 there is no budget to burn, at 0 nothing to hold. */
export function checkSlo({ objectiveRatio, periodMs }: Slo): void {
	if (!(objectiveRatio > 0 && objectiveRatio < 1)) throw new RangeError(`Expected an objective between 0 and 1, got ${objectiveRatio}`);
	if (!(periodMs > 0)) throw new RangeError(`Expected a period above 0 ms, got ${periodMs}`);
}

export interface ErrorBudget {
	/** 1 − objective: the share of valid results that may be bad. */
	readonly allowedRatio: number;
	/** Bad results that the valid ones of the period so far allow; not rounded. */
	readonly allowedBad: number;
	readonly bad: number;
	/** Share of the budget that is spent, 0..; above 1 the objective is missed. Null without valid results. */
	readonly spentRatio: number | null;
	/** 1 − spent; below 0 the objective is missed. Null without valid results. */
	readonly remainingRatio: number | null;
	/** The same budget as time of full outage in the period, ms. */
	readonly allowedDowntimeMs: number;
}

/** @param counts of the whole period */
export function errorBudget(slo: Slo, { good, bad }: SliCounts): ErrorBudget {
	checkSlo(slo);
	const allowedRatio = 1 - slo.objectiveRatio;
	const allowedBad = allowedRatio * (good + bad);
	const spentRatio = good + bad > 0 ? bad / allowedBad : null;
	return {
		allowedRatio,
		allowedBad,
		bad,
		spentRatio,
		remainingRatio: spentRatio === null ? null : 1 - spentRatio,
		allowedDowntimeMs: allowedRatio * slo.periodMs,
	};
}

/** How many times faster than allowed the budget is spent: 1 uses it up exactly at the end of the period. Null without valid results. */
export function burnRate(slo: Slo, { good, bad }: SliCounts): number | null {
	checkSlo(slo);
	return good + bad > 0 ? bad / (good + bad) / (1 - slo.objectiveRatio) : null;
}

/** ms until the rest of the budget is gone at this rate; 0 when it is, null when it never will be or nothing is known. */
export function exhaustedInMs(slo: Slo, budget: Pick<ErrorBudget, 'remainingRatio'>, rate: number | null): number | null {
	if (budget.remainingRatio === null) return null;
	if (budget.remainingRatio <= 0) return 0;
	return rate === null || rate <= 0 ? null : (budget.remainingRatio / rate) * slo.periodMs;
}

export type BurnReason =
	/** Both windows burn beyond the threshold, and the long one surely so. */
	| 'burning'
	/** It fires already, and both windows still burn beyond the threshold. */
	| 'still_burning'
	/** The long window burns less than the threshold. */
	| 'within_budget'
	/** The long window burns, the short one does not any more. */
	| 'recovered'
	/** The ratio is beyond the threshold, but so few results could show it by chance. */
	| 'too_few_results'
	| 'no_data';

export interface BurnDecision {
	readonly rule: BurnRule;
	readonly firing: boolean;
	readonly reason: BurnReason;
	/** Null without valid results in the window. */
	readonly longBurnRate: number | null;
	readonly shortBurnRate: number | null;
	/** Lower end of the 95 % interval of the long window's burn rate; null without valid results. */
	readonly surelyBurnRate: number | null;
	/** Share of the period's whole budget that the long window has spent, at the current traffic; null without valid results. */
	readonly spentRatio: number | null;
}

/**
 * One rule over its two windows. With few results one failure is a high ratio (a minute's interval gives 5 in five minutes), so to begin
 * to fire the lower end of the long window's interval must be beyond the threshold; to go on, the ratios themselves are enough.
 * @param wasFiring what the last decision of this rule said
 */
export function judgeBurn(slo: Slo, rule: BurnRule, long: SliCounts, short: SliCounts, wasFiring = false): BurnDecision {
	const longBurnRate = burnRate(slo, long);
	const shortBurnRate = burnRate(slo, short);
	const allowed = 1 - slo.objectiveRatio;
	const interval = wilson(long.bad, long.good + long.bad);
	const surelyBurnRate = interval === null ? null : interval.low / allowed;
	const reason = ((): BurnReason => {
		if (longBurnRate === null || shortBurnRate === null || surelyBurnRate === null) return 'no_data';
		if (longBurnRate < rule.burnRate) return 'within_budget';
		if (shortBurnRate < rule.burnRate) return 'recovered';
		if (wasFiring) return 'still_burning';
		return surelyBurnRate < rule.burnRate ? 'too_few_results' : 'burning';
	})();
	return {
		rule,
		firing: reason === 'burning' || reason === 'still_burning',
		reason,
		longBurnRate,
		shortBurnRate,
		surelyBurnRate,
		spentRatio: longBurnRate === null ? null : (longBurnRate * rule.longMs) / slo.periodMs,
	};
}

/**
 * Every rule at once.
 * @param counts window in ms → valid results of it; a missing window has none
 * @param firing names of the rules that fire already
 */
export function judgeBurns(
	slo: Slo,
	counts: ReadonlyMap<number, SliCounts>,
	firing: ReadonlySet<string> = new Set(),
	rules: readonly BurnRule[] = burnRules,
): BurnDecision[] {
	const none: SliCounts = { good: 0, bad: 0 };
	return rules.map((rule) => judgeBurn(slo, rule, counts.get(rule.longMs) ?? none, counts.get(rule.shortMs) ?? none, firing.has(rule.name)));
}
