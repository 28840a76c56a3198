/** Who serves a model best now, and why: one order for the page, the route endpoint and the OpenRouter shape. */
import { formatPercent } from './sli.ts';
import type { TargetView } from './snapshot.ts';
import type { State } from './state.ts';

// An unknown provider is worth a try before one that is seen failing: readers fail open.
const stateOrder: readonly State[] = ['operational', 'degraded_performance', 'unknown', 'under_maintenance', 'partial_outage', 'major_outage'];

/** Half a percent of the interval's lower end: finer differences are chance over a day's probes, and latency decides. */
const bandRatio = 0.005;

function bandOf(target: TargetView): number {
	const { low } = target.availability['1d'];
	return low === null ? -1 : Math.floor(low / bandRatio);
}

/** Ascending: the smaller value stands first. */
export type Criterion = readonly [name: string, value: (target: TargetView) => number];

const byState: Criterion = ['state', (target) => stateOrder.indexOf(target.state)];
/** A model that its provider has ended, or lists no more, answers for a while at best. */
const byEnd: Criterion = ['the end of the model', (target) => Number(target.lifecycle === 'retired' || target.lifecycle === 'vanished')];

/** Below this share of served requests a provider is under pressure: one refusal in twenty, over at least so many results. */
const pressureRatio = 0.95;
const pressureResults = 5;

/** Refusals for want of capacity in the last half hour: lower weight, briefly; never out. */
function isUnderPressure({ capacity: { state, ratio, served, refused } }: TargetView): boolean {
	return state === 'strained' || state === 'exhausted' || (ratio !== null && served + refused >= pressureResults && ratio < pressureRatio);
}

// Each decides only where the ones before it are equal.
const criteria: readonly Criterion[] = [
	['capacity', (target) => Number(isUnderPressure(target))],
	['lifecycle', (target) => Number(target.lifecycle === 'deprecated')],
	['availability', (target) => -bandOf(target)],
	['latency', (target) => (target.ttftMs ?? target.ttftMs1d)?.p95 ?? Number.POSITIVE_INFINITY],
	['price', (target) => target.price?.outputUsdPerMTok ?? Number.POSITIVE_INFINITY],
];

function firstDifference(order: readonly Criterion[], a: TargetView, b: TargetView): string | null {
	return order.find(([, value]) => value(a) !== value(b))?.[0] ?? null;
}

function compare(order: readonly Criterion[], a: TargetView, b: TargetView): number {
	for (const [, value] of order) {
		const [left, right] = [value(a), value(b)];
		if (left !== right) return left < right ? -1 : 1;
	}
	return a.id < b.id ? -1 : 1;
}

function say(criterion: string | null, target: TargetView): string {
	const p95 = (target.ttftMs ?? target.ttftMs1d)?.p95 ?? null;
	if (criterion === 'state') return target.reason;
	if (criterion === 'capacity')
		return isUnderPressure(target)
			? `refuses for want of capacity: ${target.capacity.refused} of ${target.capacity.served + target.capacity.refused} in 30 min`
			: 'has capacity';
	if (criterion === 'lifecycle' || criterion === 'the end of the model') return `this model is ${target.lifecycle} there`;
	if (criterion === 'availability') return `availability at least ${formatPercent(target.availability['1d'].low, 1)}`;
	if (criterion === 'latency') return p95 === null ? 'no latency measured' : `same availability, p95 ${Math.round(p95)} ms`;
	if (criterion === 'price') return 'same but for the price';
	return criterion ?? 'no measured difference';
}

export interface RankedTarget {
	readonly target: TargetView;
	readonly why: string;
}

/**
 * Best first; each with what set it apart: the first from the one after it, every other from the one before it.
 * @param wishes decide after the state and before the measured differences; their names are the reasons given.
 */
export function rankTargets(targets: readonly TargetView[], wishes: readonly Criterion[] = []): readonly RankedTarget[] {
	const order = [byState, byEnd, ...wishes, ...criteria];
	const sorted = [...targets].sort((a, b) => compare(order, a, b));
	return sorted.map((target, index) => {
		const neighbour = sorted[index === 0 ? 1 : index - 1];
		if (neighbour === undefined) return { target, why: 'the only one measured' };
		return { target, why: say(firstDifference(order, target, neighbour), target) };
	});
}
