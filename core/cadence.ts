/** A short budget stretches the cadence: what the plan says of a target, and which of its slots run. Made by plan-cadence.ts; no plan: as configured. */
import type { SlotSpec } from './schedule.ts';
import type { Target } from './target.ts';

/** Why a target is probed as often as it is, the most valued first. */
export const cadenceReasons = {
	incident: 'in an incident or in doubt: it comes first',
	near: 'near a threshold: a result of the last ones was bad',
	sentinel: 'the cheapest of its provider: it watches for its siblings',
	unstable: 'had an incident in the last week',
	value: 'by the delay that its probes save per dollar',
	floor: 'the least that any target gets',
} as const;
export type CadenceReason = keyof typeof cadenceReasons;

export interface Cadence {
	/** One slot in so many runs: a power of two, 1 and more. Fewer slots of a greater factor are all slots of a smaller one, so a change leaves no gap. */
	readonly factor: number;
	/** The factor when nothing presses: what the target can count on. At least `factor`. */
	readonly baseFactor: number;
	readonly reason: CadenceReason;
	/** Its place among its provider's targets: they take turns instead of being probed at once. */
	readonly turn: number;
	/** A greater factor that held until now: its last probe may be that old until then (ms since epoch). Null: there was none. */
	readonly slack: { readonly factor: number; readonly untilAt: number } | null;
}

export interface CadencePlan {
	readonly version: 1;
	/** ms since epoch. */
	readonly madeAt: number;
	/** Since when the base factors hold. */
	readonly baseAt: number;
	/** What the day had left then, its forecast through midnight at the configured cadence, and as planned; scheduled probes, 1e-6 USD. */
	readonly leftMicroUsd: number;
	readonly forecastMicroUsd: number;
	readonly plannedMicroUsd: number;
	/** Sorted: they take turns too. */
	readonly vantages: readonly string[];
	/** By target id; who is not in it is probed as configured. */
	readonly cadences: Readonly<Record<string, Cadence>>;
}

/** Older ones are not followed: whoever makes them is away, and the cap holds without. */
export const planKeptMs = 600_000;

/** Odd, so that every remainder comes once; found by search: up to 32 siblings leave no gap above 2.5 times an even one, at any power of two up to 512. */
const turnStep = 151;

/** Whether the slot is among those that run. */
export function keepsSlot(plan: CadencePlan | null, { target, canary, vantage }: SlotSpec, slotAt: number): boolean {
	const cadence = plan?.cadences[target.id];
	if (plan == null || cadence === undefined || cadence.factor === 1) return true;
	const vantagePlace = Math.max(0, plan.vantages.indexOf(vantage));
	const canaryPlace = Math.max(
		0,
		target.canaries.findIndex(({ name }) => name === canary),
	);
	const place = (cadence.turn * Math.max(1, plan.vantages.length) + vantagePlace) * target.canaries.length + canaryPlace;
	return (Math.floor(slotAt / target.intervalMs) + place * turnStep) % cadence.factor === 0;
}

/** How long its results may be apart, ms: three of these without one and its state is `unknown`. */
export function plannedIntervalMs({ id, intervalMs }: Pick<Target, 'id' | 'intervalMs'>, plan: CadencePlan | null, now: number): number {
	const cadence = plan?.cadences[id];
	if (cadence === undefined) return intervalMs;
	const { baseFactor, slack } = cadence;
	return intervalMs * Math.max(baseFactor, slack !== null && now < slack.untilAt ? slack.factor : 1);
}

/** The targets with the interval that they can count on. The same array while neither changes. */
export function createPlannedTargets(): (targets: readonly Target[], plan: CadencePlan | null) => readonly Target[] {
	let known: { targets: readonly Target[]; baseAt: number; made: readonly Target[] } | null = null;
	return (targets, plan) => {
		if (plan === null || Object.keys(plan.cadences).length === 0) return targets;
		if (known?.targets === targets && known.baseAt === plan.baseAt) return known.made;
		const made = targets.map((target) => {
			const factor = plan.cadences[target.id]?.baseFactor ?? 1;
			return factor === 1 ? target : { ...target, intervalMs: target.intervalMs * factor };
		});
		known = { targets, baseAt: plan.baseAt, made };
		return made;
	};
}

/** Null: of another version, so not for us; too old; or there is none. */
export function planInForce(stored: unknown, now: number): CadencePlan | null {
	const plan = stored as CadencePlan | null;
	if (plan?.version !== 1 || Math.abs(now - plan.madeAt) > planKeptMs) return null;
	return plan;
}

/** The targets that are probed more rarely than configured, the rarest first. */
export function stretchedTargets(plan: CadencePlan | null): { readonly id: string; readonly cadence: Cadence }[] {
	return Object.entries(plan?.cadences ?? {})
		.filter(([, { factor }]) => factor > 1)
		.map(([id, cadence]) => ({ id, cadence }))
		.sort((a, b) => b.cadence.factor - a.cadence.factor || (a.id < b.id ? -1 : 1));
}
