/** What is published of a window, without the histograms that it is read from: of 10,000 targets these would take 70 MB between two reads. */
import { countOf, emptyHistogram, type Histogram, quantile } from './histogram.ts';
import { emptyRollup, type Rollup } from './rollup.ts';
import type { TargetView, WindowName } from './snapshot.ts';

/** All canaries and vantages merged. `outcomes` are those of 1d only. */
export type WindowCounts = Pick<Rollup, 'count' | 'missed' | 'good' | 'bad' | 'excluded' | 'served' | 'refused' | 'right' | 'answered' | 'outcomes'>;

/** Of one canary; null: too few samples. */
export interface LatencyFigures {
	readonly ttftMs: TargetView['ttftMs'];
	readonly outputTokensPerSecond: TargetView['outputTokensPerSecond'];
}

export interface WindowFigures extends WindowCounts {
	/** By canary, of 30m and 1d only; the speed of 1d alone. */
	readonly latency: Readonly<Record<string, LatencyFigures>>;
}

const minSamples = 5;
const noLatency: WindowFigures['latency'] = {};

export function windowFigures(
	window: WindowName,
	{ all, byCanary }: { readonly all: Rollup; readonly byCanary: Readonly<Record<string, Rollup>> },
): WindowFigures {
	const { count, missed, good, bad, excluded, served, refused, right, answered } = all;
	const outcomes = window === '1d' ? all.outcomes : emptyRollup.outcomes;
	const isTimed = window === '30m' || window === '1d';
	const figuresOf = ({ ttft, speed }: Rollup) => latencyFigures({ ttft, speed: window === '1d' ? speed : emptyHistogram });
	const latency = isTimed ? Object.fromEntries(Object.entries(byCanary).map(([canary, rollup]) => [canary, figuresOf(rollup)])) : noLatency;
	return { count, missed, good, bad, excluded, served, refused, right, answered, outcomes, latency };
}

export function latencyFigures({ ttft, speed }: Pick<Rollup, 'ttft' | 'speed'>): LatencyFigures {
	const count = countOf(speed);
	return {
		ttftMs: percentiles(ttft),
		outputTokensPerSecond: count < minSamples ? null : { p50: round(quantile(speed, 0.5)), p10: round(quantile(speed, 0.1)), count },
	};
}

function percentiles(histogram: Histogram): TargetView['ttftMs'] {
	const count = countOf(histogram);
	if (count < minSamples) return null;
	const at = (q: number) => round(quantile(histogram, q));
	return { p50: at(0.5), p90: at(0.9), p95: at(0.95), p99: at(0.99), count };
}

function round(value: number | null): number {
	return value === null ? 0 : Math.round(value * 10) / 10;
}
