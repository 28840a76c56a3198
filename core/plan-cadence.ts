/**
 * Where the rest of a short day goes. In one sentence: what is in an incident or in doubt first, then what is near a threshold, then a provider's
 * cheapest sentinel, then everything else by the delay that a dollar saves.
 */
import type { Cadence, CadencePlan, CadenceReason } from './cadence.ts';
import { createHeap } from './heap.ts';

export interface CadenceTarget {
	readonly id: string;
	readonly provider: string;
	/** As configured. */
	readonly intervalMs: number;
	/** Canaries times vantages. */
	readonly probesPerSlot: number;
	/** What a probe of it costs on average. */
	readonly probeMicroUsd: number;
	/** What asks for the configured cadence now; null: nothing. */
	readonly urgency: 'incident' | 'near' | null;
	/** Had an incident lately. */
	readonly unstable: boolean;
}

export interface CadenceFacts {
	/** ms since epoch, as all times. */
	readonly now: number;
	/** The next UTC midnight. */
	readonly dayEndsAt: number;
	/** Neither spent nor reserved of today's cap. */
	readonly leftMicroUsd: number;
	readonly vantages: readonly string[];
	readonly targets: readonly CadenceTarget[];
	readonly previous: CadencePlan | null;
}

/** For probes that the detector asks for: on quiet days they are 1.6 % of all, with three times the noise 4.2 % (bench/detect.ts). */
const confirmationRatio = 0.05;
/** The least that each target gets while there is money for it. */
const floorEveryMs = 3_600_000;
const dayMs = 86_400_000;
/** What presses now is paid for so long ahead: the median incident on public status pages is over within about an hour. */
const urgentMs = 3_600_000;
/** An incident may take so many times the even share of its hour, what is near a threshold no more than that share. */
const urgentShares = { incident: 4, near: 1 } as const;
/** Half of a target's troubles are its provider's, and every sibling sees those. */
const sharedRatio = 0.5;
const unstableWeight = 2;
/** The base is made anew so often, or when it costs more than is left: a cadence that wavers is hard to read, and each change is told to the judge. */
const baseKeptMs = 900_000;
/** What a kept base leaves of the day at least. */
const keptMarginRatio = 0.02;

interface Row extends CadenceTarget {
	readonly turn: number;
	readonly weight: number;
	/** Of the rest of the day at the configured cadence. */
	readonly fullMicroUsd: number;
	factor: number;
}

export function planCadence(facts: CadenceFacts): CadencePlan {
	const { now, leftMicroUsd, previous } = facts;
	const leftMs = Math.max(0, facts.dayEndsAt - now);
	const rows = rowsOf(facts.targets, leftMs);
	const forecast = sum(rows, ({ fullMicroUsd }) => fullMicroUsd);
	const spendable = Math.max(0, leftMicroUsd * (1 - confirmationRatio));
	// Nothing left is nothing to distribute: the cap denies each slot.
	const short = forecast > spendable && leftMicroUsd > 0;
	const urgent = new Map<string, number>();
	let kept = false;
	if (short) {
		floor(rows, spendable);
		const urgentMicroUsd = raiseUrgent(rows, Math.max(0, spendable - sum(rows, costOf)), leftMs, urgent);
		const base = keptBase(facts, rows, leftMicroUsd * (1 - keptMarginRatio) - urgentMicroUsd);
		kept = base !== null;
		if (base === null) raiseByValue(rows, spendable - urgentMicroUsd);
		else for (const row of rows) row.factor = base.get(row.id) ?? row.factor;
	}
	const factorOf = ({ id, factor }: Row) => Math.min(factor, urgent.get(id) ?? factor);
	const planned = sum(rows, (row) => costOf(row) + urgentCost(row, factorOf(row), leftMs));
	const sentinels = cheapestOf(rows);
	const cadences: Record<string, Cadence> = {};
	for (const row of rows) {
		const factor = factorOf(row);
		const slack = slackOf(previous, row, now);
		if (factor === 1 && row.factor === 1 && slack === null) continue;
		cadences[row.id] = { factor, baseFactor: row.factor, reason: reasonOf(row, factor, sentinels), turn: row.turn, slack };
	}
	return {
		version: 1,
		madeAt: now,
		baseAt: kept ? (previous?.baseAt ?? now) : now,
		...{ leftMicroUsd, forecastMicroUsd: Math.round(forecast), plannedMicroUsd: Math.round(planned) },
		vantages: [...facts.vantages].sort(),
		cadences,
	};
}

function rowsOf(targets: readonly CadenceTarget[], leftMs: number): Row[] {
	const turns = new Map<string, number>();
	return [...targets]
		.sort((a, b) => (a.id < b.id ? -1 : 1))
		.map((target) => {
			const turn = turns.get(target.provider) ?? 0;
			turns.set(target.provider, turn + 1);
			const fullMicroUsd = target.probeMicroUsd * target.probesPerSlot * (leftMs / target.intervalMs);
			return { ...target, turn, fullMicroUsd, weight: target.unstable ? unstableWeight : 1, factor: 1 };
		});
}

/** Every target at its floor; where even that is too much the dearest get less, down to a probe a day. */
function floor(rows: readonly Row[], spendable: number): void {
	let left = spendable;
	const dearest = createHeap<Row>((row) => -costOf(row));
	for (const row of rows) {
		while (row.fullMicroUsd > 0 && row.intervalMs * row.factor * 2 <= floorEveryMs) row.factor *= 2;
		left -= costOf(row);
		if (row.fullMicroUsd > 0) dearest.push(row);
	}
	while (left < 0) {
		const row = dearest.pop();
		if (row === undefined) return;
		if (row.intervalMs * row.factor * 2 > dayMs) continue;
		left += costOf(row) / 2;
		row.factor *= 2;
		dearest.push(row);
	}
}

const costOf = ({ fullMicroUsd, factor }: Row) => fullMicroUsd / factor;

/** What a smaller factor adds to the base for as long as it is paid for ahead. */
function urgentCost({ fullMicroUsd, factor }: Row, wanted: number, leftMs: number): number {
	if (leftMs === 0) return 0;
	return fullMicroUsd * Math.min(1, urgentMs / leftMs) * Math.max(0, 1 / wanted - 1 / factor);
}

/** Incidents, then what is near a threshold; the cheap first, each as near to the configured cadence as its share pays. @returns what it takes */
function raiseUrgent(rows: readonly Row[], spendable: number, leftMs: number, raised: Map<string, number>): number {
	const evenShare = spendable * Math.min(1, urgentMs / Math.max(1, leftMs));
	let taken = 0;
	for (const urgency of ['incident', 'near'] as const) {
		let share = Math.min(spendable - taken, evenShare * urgentShares[urgency]);
		const own = rows.filter((row) => row.urgency === urgency).sort((a, b) => a.fullMicroUsd - b.fullMicroUsd);
		for (const row of own) {
			for (let factor = 1; factor < row.factor; factor *= 2) {
				const cost = urgentCost(row, factor, leftMs);
				if (cost > share) continue;
				raised.set(row.id, factor);
				share -= cost;
				taken += cost;
				break;
			}
		}
	}
	return taken;
}

/**
 * Doubles the cadence where a dollar saves the most delay, until the money ends. A trouble of the provider is met by the first probe of any
 * sibling, one of the target's own by its own: the mean wait is one over the probes in a time, for each target that waits.
 */
function raiseByValue(rows: readonly Row[], spendable: number): void {
	const rateOf = ({ probesPerSlot, intervalMs, factor }: Row) => probesPerSlot / (intervalMs * factor);
	const providers = new Map<string, { rate: number; weight: number }>();
	for (const row of rows) {
		const provider = providers.get(row.provider) ?? { rate: 0, weight: 0 };
		provider.rate += rateOf(row);
		provider.weight += row.weight;
		providers.set(row.provider, provider);
	}
	const worth = (row: Row) => {
		const rate = rateOf(row);
		const { rate: all, weight } = providers.get(row.provider) ?? { rate, weight: row.weight };
		const saved = sharedRatio * weight * (1 / all - 1 / (all + rate)) + ((1 - sharedRatio) * row.weight) / (2 * rate);
		return saved / costOf(row);
	};
	let left = spendable - sum(rows, costOf);
	const best = createHeap<{ row: Row; worth: number }>((one) => -one.worth);
	for (const row of rows) if (row.factor > 1) best.push({ row, worth: worth(row) });
	for (let next = best.pop(); next !== undefined; next = best.pop()) {
		const { row } = next;
		// Since it was weighed a sibling may have been raised, which only ever lowers it.
		const nowWorth = worth(row);
		if (nowWorth < next.worth && nowWorth < (best.peek()?.worth ?? 0)) {
			best.push({ row, worth: nowWorth });
			continue;
		}
		const extra = costOf(row);
		if (extra > left) continue;
		left -= extra;
		const provider = providers.get(row.provider);
		if (provider !== undefined) provider.rate += rateOf(row);
		row.factor /= 2;
		if (row.factor > 1) best.push({ row, worth: worth(row) });
	}
}

/** The base of before, where it still fits; null: it is to be made anew. */
function keptBase({ now, previous, dayEndsAt }: CadenceFacts, rows: readonly Row[], spendable: number): Map<string, number> | null {
	if (previous === null || now - previous.baseAt >= baseKeptMs || now < previous.baseAt || previous.baseAt < dayEndsAt - dayMs) return null;
	const factors = new Map(Object.entries(previous.cadences).map(([id, { baseFactor }]) => [id, baseFactor]));
	if (![...factors.values()].some((factor) => factor > 1)) return null;
	const base = new Map(rows.map(({ id }) => [id, factors.get(id) ?? 1]));
	const known = new Set(rows.map(({ id }) => id));
	if ([...factors.keys()].some((id) => !known.has(id))) return null;
	return sum(rows, ({ id, fullMicroUsd }) => fullMicroUsd / (base.get(id) ?? 1)) <= spendable ? base : null;
}

function cheapestOf(rows: readonly Row[]): Set<string> {
	const cheapest = new Map<string, Row>();
	const perTime = ({ probeMicroUsd, probesPerSlot, intervalMs }: Row) => (probeMicroUsd * probesPerSlot) / intervalMs;
	for (const row of rows) {
		const known = cheapest.get(row.provider);
		if (known === undefined || perTime(row) < perTime(known)) cheapest.set(row.provider, row);
	}
	return new Set([...cheapest.values()].map(({ id }) => id));
}

function reasonOf(row: Row, factor: number, sentinels: ReadonlySet<string>): CadenceReason {
	if (row.urgency !== null && factor < row.factor) return row.urgency;
	if (row.intervalMs * factor * 2 > floorEveryMs) return 'floor';
	if (sentinels.has(row.id)) return 'sentinel';
	return row.unstable ? 'unstable' : 'value';
}

/** After a cadence was raised its next probe is at most an interval of the new one away, and a minute or two until it is recorded. */
function slackOf(previous: CadencePlan | null, { id, intervalMs, factor }: Row, now: number): Cadence['slack'] {
	const before = previous?.cadences[id];
	if (before === undefined) return null;
	if (before.baseFactor > factor) return { factor: Math.max(before.baseFactor, before.slack?.factor ?? 1), untilAt: now + 2 * intervalMs * factor + 180_000 };
	return before.slack !== null && now < before.slack.untilAt ? before.slack : null;
}

function sum<T>(items: readonly T[], pick: (item: T) => number): number {
	return items.reduce((total, item) => total + pick(item), 0);
}
