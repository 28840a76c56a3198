/** Plays a world against a detector on a virtual clock: slots, faults, deliveries, duplicates, re-probes with spacing, budget and denials. */
import { createHeap } from '#core/heap.ts';
import { covers, type LatticeDecision, type LatticeInput, type LatticeOptions } from '#core/lattice/lattice-state.ts';
import { answerUsually, type Endpoint, type FleetOptions, failAs, timeoutMs } from './fleet.ts';
import type { Random } from './random.ts';
import type { Fault, Scenario } from './scenarios.ts';

export interface Play {
	readonly decisions: readonly LatticeDecision[];
	/** Start of the first probe that each truth hit; null when none was. */
	readonly seenAt: readonly (number | null)[];
	readonly resultCount: number;
	readonly reprobeCount: number;
	readonly deniedCount: number;
}

export type Detector = (input: LatticeInput) => readonly LatticeDecision[];

interface Delivery {
	readonly at: number;
	readonly input: LatticeInput;
}

const tickMs = 1_000;
const minSpacingMs = 5_000;

export function latticeOptionsOf(fleet: readonly Endpoint[], { intervalMs, reprobes }: FleetOptions): LatticeOptions {
	const endpoints = fleet.map(({ provider, model, vantage }) => ({ provider, model, vantage }));
	const perDay = Math.max(2_000, fleet.length * 60);
	return { baseIntervalMs: intervalMs, timeoutMs, endpoints, reprobe: reprobes ? { minSpacingMs, perDay, burst: 120 } : null };
}

export interface World {
	readonly fleet: readonly Endpoint[];
	readonly scenario: Scenario;
	readonly fromAt: number;
	readonly options: FleetOptions;
	readonly random: Random;
	/** Whether a slot runs; left out: all do. */
	readonly keeps?: (endpoint: Endpoint, slotAt: number) => boolean;
	/** A probe is sent. */
	readonly onProbe?: (endpoint: Endpoint, at: number) => void;
}

export function playWorld(
	{ fleet, scenario, fromAt, options, random, keeps, onProbe }: World,
	createDetector: (options: LatticeOptions) => Detector,
	tickEveryMs = tickMs,
): Play {
	const latticeOptions = latticeOptionsOf(fleet, options);
	const detector = createDetector(latticeOptions);
	const seenAt: (number | null)[] = scenario.truths.map(() => null);
	const decisions: LatticeDecision[] = [];
	const waiting = createHeap<Delivery>(({ at }) => at);
	const asked = createHeap<{ at: number; endpoint: Endpoint }>(({ at }) => at);
	const askedAt = new Map<number, number>();
	let [tokens, tokensAt, resultCount, reprobeCount, deniedCount] = [latticeOptions.reprobe?.burst ?? 0, fromAt, 0, 0, 0];
	const byName = new Map(fleet.map((endpoint) => [`${endpoint.provider}\n${endpoint.model}\n${endpoint.vantage}`, endpoint]));
	const slots = [...fleet].sort((a, b) => a.offsetMs - b.offsetMs);
	let [round, slot] = [Math.floor(fromAt / options.intervalMs), 0];

	const run = (endpoint: Endpoint, startedAt: number, reprobe: boolean) => {
		if (scenario.gap !== null && startedAt >= scenario.gap.fromAt && startedAt < scenario.gap.toAt) return;
		resultCount += 1;
		onProbe?.(endpoint, startedAt);
		const answer = answerIn(scenario.faults, endpoint, startedAt, random);
		if (answer.hit)
			scenario.truths.forEach((truth, i) => {
				if (seenAt[i] === null && startedAt >= truth.fromAt && covers(truth.scope, endpoint)) seenAt[i] = startedAt;
			});
		const { provider, model, vantage } = endpoint;
		const { outcome, ttftMs, totalMs } = answer;
		const deliver = () => startedAt + totalMs + 2_000 + (random.next() < 0.01 ? random.between(2_000, 43_000) : -800 * Math.log(1 - random.next()));
		const at = deliver();
		const input = { type: 'result', id: `r${resultCount}`, at, startedAt, provider, model, vantage, outcome, ttftMs, totalMs, reprobe } as const;
		waiting.push({ at, input });
		if (random.next() < 0.01) {
			const again = deliver();
			waiting.push({ at: again, input: { ...input, at: again } });
		}
	};
	const hear = (input: LatticeInput) => {
		for (const decision of detector(input)) {
			if (decision.type !== 'reprobe') {
				decisions.push(decision);
				continue;
			}
			const at = input.at + decision.delayMs;
			const endpoint = byName.get(`${decision.provider}\n${decision.model}\n${decision.vantage}`);
			const { reprobe } = latticeOptions;
			if (endpoint === undefined || reprobe === null) throw new Error(`Expected no re-probe of ${decision.provider} ${decision.model}, got one`);
			tokens = Math.min(reprobe.burst, tokens + ((input.at - tokensAt) * reprobe.perDay) / 86_400_000);
			tokensAt = input.at;
			if (tokens < 1 || at - (askedAt.get(endpoint.place) ?? 0) < minSpacingMs) {
				deniedCount += 1;
				const { provider, model, vantage } = endpoint;
				waiting.push({ at: input.at, input: { type: 'reprobe_denied', at: input.at, provider, model, vantage } });
				continue;
			}
			tokens -= 1;
			reprobeCount += 1;
			askedAt.set(endpoint.place, at);
			asked.push({ at, endpoint });
		}
	};
	for (const [i, { scope, fromAt: startsAt, toAt, announcedAt: at }] of scenario.maintenance.entries())
		waiting.push({ at, input: { type: 'maintenance', id: `m${i}`, at, scope, fromAt: startsAt, toAt } });

	for (let at = fromAt; at < scenario.endAt; at += tickEveryMs) {
		const until = at + tickEveryMs;
		for (;;) {
			const endpoint = slots[slot] as Endpoint;
			const slotAt = round * options.intervalMs + endpoint.offsetMs;
			if (slotAt >= until) break;
			if (slotAt >= fromAt && (keeps?.(endpoint, slotAt) ?? true)) run(endpoint, slotAt, false);
			slot += 1;
			if (slot === slots.length) [round, slot] = [round + 1, 0];
		}
		for (let next = asked.peek(); next !== undefined && next.at < until; next = asked.peek()) {
			asked.pop();
			run(next.endpoint, next.at, true);
		}
		for (let next = waiting.peek(); next !== undefined && next.at < until; next = waiting.peek()) {
			waiting.pop();
			hear(next.input);
		}
		hear({ type: 'tick', at: until });
	}
	return { decisions, seenAt, resultCount, reprobeCount, deniedCount };
}

function answerIn(faults: readonly Fault[], endpoint: Endpoint, startedAt: number, random: Random) {
	const usual = answerUsually(endpoint, startedAt, random);
	for (const { scope, fromAt, toAt, shareRatio, endShareRatio = shareRatio, effect } of faults) {
		if (startedAt >= toAt || startedAt + usual.totalMs < fromAt || !covers(scope, endpoint)) continue;
		const share = shareRatio + ((endShareRatio - shareRatio) * Math.max(0, startedAt - fromAt)) / (toAt - fromAt);
		if (random.next() >= share) continue;
		if (typeof effect === 'number') {
			if (usual.ttftMs === null || startedAt < fromAt) continue;
			const totalMs = usual.totalMs * effect;
			return totalMs > timeoutMs ? { ...failAs('timeout', endpoint, random), hit: true } : { ...usual, ttftMs: usual.ttftMs * effect, totalMs, hit: true };
		}
		// Caught in the middle: a hard fault breaks the stream, or lets it pass.
		if (startedAt < fromAt) {
			if (!['timeout', 'connect', 'stream_broken'].includes(effect) || random.next() < 0.5) continue;
			return { ...failAs(effect === 'timeout' ? 'timeout' : 'stream_broken', endpoint, random), hit: true };
		}
		return { ...failAs(effect, endpoint, random), hit: true };
	}
	return { ...usual, hit: false };
}
