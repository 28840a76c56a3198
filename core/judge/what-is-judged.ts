/** What the configuration tells the evaluator. */
import { patience } from '#core/lattice/lattice-state.ts';
import type { Target } from '#core/target.ts';
import type { ExpectedTarget, JudgeOptions } from './judge-state.ts';

const reprobeSpacingMs = 5_000;
/** Extra probes may add this share to the scheduled ones over a day, and a burst at once; the budget bounds their money apart from it. */
const reprobeShare = 0.042;
const reprobesPerDayMin = 2_000;
const reprobeBurst = 120;
const dayMs = 86_400_000;

export function judgeOptions(targets: readonly Target[], vantageCount: number, blipMs: number): JudgeOptions {
	const intervals = targets.map(({ intervalMs }) => intervalMs).sort((a, b) => a - b);
	const scheduledPerDay = targets.reduce((sum, { intervalMs, canaries }) => sum + (dayMs / intervalMs) * canaries.length, 0) * Math.max(1, vantageCount);
	return {
		baseIntervalMs: intervals[intervals.length >> 1] ?? 60_000,
		// How long a hanging probe takes to be known.
		timeoutMs: Math.max(20_000, ...targets.map(({ timeouts }) => Math.min(timeouts.totalMs, Math.max(timeouts.firstTokenMs, timeouts.stallMs)))),
		blipMs,
		reprobe: {
			minSpacingMs: reprobeSpacingMs * Math.min(1, patience({ blipMs })),
			perDay: Math.max(reprobesPerDayMin, Math.round(scheduledPerDay * reprobeShare)),
			burst: reprobeBurst,
		},
	};
}

export function judgedTargets(targets: readonly Target[]): ExpectedTarget[] {
	return targets.map(({ provider, model, operation, intervalMs, canaries }) => ({
		...{ provider, model: `${model}:${operation}`, intervalMs, canary: canaries[0]?.name ?? 'echo' },
	}));
}
