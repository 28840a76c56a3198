import { describe, expect, it } from 'vitest';
import type { Decision, IncidentDecision } from '#core/detector.ts';
import { failureCodes, type Outcome, ruleOf, sliOf } from '#core/outcome.ts';
import { missedSlot, type ProbeResult } from '#core/probe-result.ts';
import { createJudgeState, type JudgeState, judgeResult, judgeTick, latticeInputOf } from './judge-result.ts';

const start = Date.UTC(2026, 10, 23, 12);
const providers = ['acme', 'groq', 'lama', 'nimbus'];
const options = { baseIntervalMs: 60_000, timeoutMs: 20_000, endpoints: [], reprobe: null };

function result(provider: string, model: string, seconds: number, outcome: Outcome, changes: Partial<ProbeResult> = {}): ProbeResult {
	const slotAt = start + seconds * 1_000;
	const slot = { provider, model, operation: 'chat', canary: 'echo', vantage: 'fra', kind: 'scheduled', slotAt } as const;
	const measured = { startedAt: slotAt, outcome, sli: sliOf(outcome, true), phase: null, ttftMs: outcome === 'ok' ? 200 : null, totalMs: 700, evidence: null };
	return { ...missedSlot(slot, 'missed_slot'), ...measured, ...changes };
}

/** Two models of four providers every 20 s, each judged 3 s after its start. */
function play(
	outcomeOf: (provider: string, model: string, seconds: number) => Outcome,
	toSeconds: number,
	state: JudgeState = createJudgeState(options),
	fromSeconds = 0,
): Decision[] {
	const decisions: Decision[] = [];
	for (let seconds = fromSeconds; seconds < toSeconds; seconds += 1) {
		providers.forEach((provider, p) => {
			for (const [m, model] of ['small', 'large'].entries()) {
				if (seconds % 20 !== p * 5 + m * 2) continue;
				const one = result(provider, model, seconds, outcomeOf(provider, model, seconds));
				decisions.push(...judgeResult(state, `${provider}${model}${seconds}`, one, start + (seconds + 3) * 1_000));
			}
		});
		decisions.push(...judgeTick(state, start + (seconds + 3) * 1_000));
	}
	return decisions;
}

const incidents = (decisions: readonly Decision[]) => decisions.filter((decision): decision is IncidentDecision => 'condition' in decision);

describe('a recorded result judged by the lattice', () => {
	it('an outage of a provider is one critical incident that lists all its targets and counts its evidence', () => {
		const [opened, closed, ...rest] = incidents(play((provider, _, at) => (provider === 'groq' && at >= 600 && at < 900 ? 'overloaded' : 'ok'), 1_200));
		expect(rest).toEqual([]);
		expect(opened).toMatchObject({ type: 'open', condition: 'outage', cause: 'provider', impact: 'critical', title: 'groq: outage' });
		expect(opened?.scope).toEqual({ provider: 'groq', model: null, operation: null, vantage: null });
		expect(opened?.targetIds).toEqual(['groq:small:chat', 'groq:large:chat']);
		expect(opened?.evidence.outcomes).toEqual({ overloaded: opened?.evidence.bad });
		expect(opened?.evidence.exampleResultIds.length).toBeGreaterThanOrEqual(3);
		expect(closed).toMatchObject({ type: 'resolve', incidentId: opened?.incidentId });
		expect(closed?.evidence.good).toBeGreaterThanOrEqual(3);
	});

	it('one bad model keeps its operation, and its sibling is not listed', () => {
		const [opened] = incidents(play((provider, model, at) => (provider === 'groq' && model === 'large' && at >= 600 ? 'server_error' : 'ok'), 900));
		expect(opened).toMatchObject({
			scope: { provider: 'groq', model: 'large', operation: 'chat', vantage: null },
			impact: 'major',
			targetIds: ['groq:large:chat'],
		});
	});

	it('a relapse re-opens the same incident and goes on counting', () => {
		const failing = (at: number) => (at >= 600 && at < 900) || at >= 1_200;
		const told = incidents(play((provider, _, at) => (provider === 'groq' && failing(at) ? 'server_error' : 'ok'), 1_500));
		expect(told.map(({ type }) => type)).toEqual(['open', 'resolve', 'reopen']);
		expect(new Set(told.map(({ incidentId }) => incidentId)).size).toBe(1);
		expect(told[2]?.evidence.bad).toBeGreaterThan(told[0]?.evidence.bad ?? 0);
	});

	it('our own network is a monitor incident, and no provider is named', () => {
		const told = incidents(play((_, __, at) => (at >= 600 && at < 900 ? 'connect_failed' : 'ok'), 1_200));
		expect(told.map(({ type, cause, scope, impact }) => [type, cause, scope.provider, impact])).toEqual([
			['open', 'monitor', null, 'none'],
			['resolve', 'monitor', null, 'none'],
		]);
	});

	it.each(failureCodes.filter((code) => ['caller', 'monitor'].includes(ruleOf(code).group)))('%s is never billed to the provider', (code) => {
		const told = incidents(play((provider, _, at) => (provider === 'groq' && at >= 600 ? code : 'ok'), 1_000));
		expect(told.filter(({ cause }) => cause === 'provider')).toEqual([]);
	});

	it('a missed slot and a manual probe move nothing', () => {
		expect(latticeInputOf('a', result('groq', 'small', 0, 'server_error', { startedAt: null }), start)).toBeNull();
		expect(latticeInputOf('a', result('groq', 'small', 0, 'server_error', { kind: 'manual' }), start)).toBeNull();
	});

	it('stored and read again it decides the same', () => {
		const outcomeOf = (provider: string, _: string, at: number): Outcome => (provider === 'groq' && at >= 600 && at < 800 ? 'server_error' : 'ok');
		const whole = play(outcomeOf, 1_000);
		const state = createJudgeState(options);
		const first = play(outcomeOf, 615, state);
		const restored: JudgeState = JSON.parse(JSON.stringify(state));
		const again = play(outcomeOf, 1_000, restored, 615);
		expect([...first, ...again]).toEqual(whole);
	});
});
