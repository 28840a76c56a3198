import { describe, expect, it } from 'vitest';
import type { Objective } from './objective.ts';
import type { SliCounts } from './slo.ts';
import { burnFindings, judgeObjective, windowsOfObjective } from './slo-board.ts';

const hour = 3_600_000;
const objective: Objective = {
	id: 'slo-1',
	title: 'groq: 99 % over 30 d',
	scope: { provider: 'groq', model: null, operation: null },
	objectiveRatio: 0.99,
	periodMs: 30 * 24 * hour,
	targetIds: ['groq:m:chat'],
};
const everyWindow = (share: number, total: number): Map<number, SliCounts> =>
	new Map(windowsOfObjective(objective).map((windowMs) => [windowMs, { good: Math.round(total * (1 - share)), bad: Math.round(total * share) }]));
const fired = (counts: Map<number, SliCounts>, firing: string[] = []) =>
	burnFindings([judgeObjective(objective, counts, new Set(firing))]).map(({ kind, impact }) => `${kind} ${impact}`);

describe('an objective', () => {
	it('that is held alerts nobody', () => expect(fired(everyWindow(0.002, 10_000))).toEqual([]));
	it('of which half fails is a page', () => expect(fired(everyWindow(0.5, 1_000))).toEqual(['fast major']));
	it('that is slowly missed is a ticket', () => expect(fired(everyWindow(0.02, 10_000))).toEqual(['slow minor']));
	it('never alerts on fewer results than it can bear', () => {
		expect(fired(everyWindow(0.5, 2))).toEqual([]);
		expect(fired(new Map())).toEqual([]);
	});
	it('alerts that fire go on with fewer results than it took to begin', () => expect(fired(everyWindow(0.5, 2), ['fast'])).toEqual(['fast major']));
	it('shows what is left of its budget, and when it is gone', () => {
		const { budget, burnRate1h, exhaustedInMs, counts } = judgeObjective(objective, everyWindow(0.005, 10_000), new Set());
		expect(counts).toMatchObject({ good: 9_950, bad: 50 });
		expect(budget.remainingRatio).toBeCloseTo(0.5);
		expect(burnRate1h).toBeCloseTo(0.5);
		expect(exhaustedInMs).toBeCloseTo(30 * 24 * hour);
	});
	it('without results says nothing, never "held"', () => {
		expect(judgeObjective(objective, new Map(), new Set())).toMatchObject({ counts: { ratio: null }, budget: { remainingRatio: null }, burnRate1h: null });
	});
});
