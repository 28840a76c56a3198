import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Decision, type DetectorState, defaultPolicy, emptyDetectorState, type IncidentDecision, observe, retireTargets } from './detector.ts';
import { type FailureCode, failureCodes, type Outcome, ruleOf, sliOf } from './outcome.ts';
import { missedSlot, type ProbeResult } from './probe-result.ts';

const start = Date.UTC(2026, 10, 23, 12);

function result(outcome: Outcome, seconds: number, changes: Partial<ProbeResult> = {}): ProbeResult {
	const slotAt = start + seconds * 1_000;
	const slot = { provider: 'groq', model: 'm', operation: 'chat', canary: 'echo', vantage: 'local', kind: 'scheduled', slotAt } as const;
	return {
		...missedSlot(slot, 'missed_slot'),
		startedAt: slotAt,
		outcome,
		sli: sliOf(outcome, null),
		phase: null,
		ttftMs: outcome === 'ok' ? 200 : null,
		evidence: null,
		...changes,
	};
}

/** Results 20 s apart, named by their outcome. */
function play(outcomes: readonly (Outcome | ProbeResult)[], state: DetectorState = emptyDetectorState()): Decision[] {
	return outcomes.flatMap((outcome, i) => {
		const one = typeof outcome === 'string' ? result(outcome, i * 20) : outcome;
		return observe(state, `r${one.vantage}${one.slotAt}`, one, (one.startedAt ?? 0) + 500);
	});
}

const incidents = (decisions: readonly Decision[]) =>
	decisions.filter((decision) => decision.type !== 'reprobe' && decision.type !== 'evidence') as IncidentDecision[];
const types = (decisions: readonly Decision[]) => incidents(decisions).map(({ type, condition }) => `${type} ${condition}`);
const repeat = <T>(value: T, times: number): T[] => Array.from({ length: times }, () => value);

describe('the detector', () => {
	it('three bad results in a row open an incident, whose onset is the first of them', () => {
		const [opened] = incidents(play(['ok', 'server_error', 'server_error', 'server_error']));
		expect(opened).toMatchObject({ type: 'open', condition: 'outage', cause: 'provider', impact: 'major', startedAt: start + 20_000 });
		expect(opened?.reason).toBe('3 of the last 4 results failed: server_error ×3');
		expect(opened?.evidence).toMatchObject({ good: 0, bad: 3, outcomes: { server_error: 3 } });
	});

	it('two bad results do not', () => {
		expect(incidents(play(['ok', 'server_error', 'server_error', 'ok', 'ok', 'ok', 'ok', 'server_error', 'ok']))).toEqual([]);
	});

	it('three bad of the last five open too: failures need not stand in a row', () => {
		expect(types(play(['server_error', 'ok', 'server_error', 'ok', 'stream_truncated']))).toEqual(['open outage']);
	});

	it('a bad result asks for a confirmation within seconds, a bounded number of times', () => {
		const decisions = play(['ok', 'server_error']);
		expect(decisions).toEqual([expect.objectContaining({ type: 'reprobe', targetId: 'groq:m:chat', vantage: 'local', delayMs: defaultPolicy.confirmAfterMs })]);
		const policy = { ...defaultPolicy, badNeeded: 5 };
		const state = emptyDetectorState();
		const asked = Array.from({ length: 40 }, (_, i) => observe(state, `${i}`, result(i % 2 ? 'ok' : 'server_error', i), 0, policy)).flat();
		expect(asked.filter(({ type }) => type === 'reprobe')).toHaveLength(policy.confirmationsMax);
	});

	it('three good results in a row resolve it', () => {
		expect(types(play([...repeat('server_error' as const, 3), 'ok', 'ok']))).toEqual(['open outage']);
		expect(types(play([...repeat('server_error' as const, 3), 'ok', 'ok', 'ok']))).toEqual(['open outage', 'resolve outage']);
	});

	it('a bad result breaks the run of good ones', () => {
		expect(types(play([...repeat('server_error' as const, 3), 'ok', 'ok', 'server_error', 'ok', 'ok']))).toEqual(['open outage']);
	});

	it('while it is open its numbers grow with each result, and decide nothing', () => {
		const grown = play([...repeat('server_error' as const, 5), 'ok']).filter((decision) => decision.type === 'evidence');
		expect(grown.map(({ evidence }) => [evidence.bad, evidence.good])).toEqual([
			[4, 0],
			[5, 0],
			[5, 1],
		]);
	});

	it('a relapse within the hold-down re-opens the same incident', () => {
		const decisions = incidents(play([...repeat('server_error' as const, 3), ...repeat('ok' as const, 3), ...repeat('server_error' as const, 3)]));
		expect(decisions.map(({ type }) => type)).toEqual(['open', 'resolve', 'reopen']);
		expect(new Set(decisions.map(({ incidentId }) => incidentId)).size).toBe(1);
	});

	it('after the hold-down it is a new incident', () => {
		const later = repeat(0, 3).map((_, i) => result('server_error', 3_600 + i * 20));
		const decisions = incidents(play([...repeat('server_error' as const, 3), ...repeat('ok' as const, 3), ...later]));
		expect(decisions.map(({ type }) => type)).toEqual(['open', 'resolve', 'open']);
		expect(decisions[2]?.incidentId).not.toBe(decisions[0]?.incidentId);
	});

	const excluded = failureCodes.filter((code) => sliOf(code, null) === 'excluded' && code !== 'canary_mismatch');
	it.each(excluded)('an excluded result (%s) neither opens nor resolves an outage', (code: FailureCode) => {
		expect(types(play(repeat(code, 20)))).not.toContain('open outage');
		const state = emptyDetectorState();
		play(repeat('server_error' as const, 3), state);
		const after = repeat(0, 20).map((_, i) => result(code, 100 + i));
		expect(types(play(after, state)).filter((type) => type.endsWith('outage'))).toEqual([]);
	});

	it('a refused key is an operator incident of the provider, closed by good results', () => {
		const decisions = incidents(play([...repeat('auth_failed' as const, 3), ...repeat('ok' as const, 3)]));
		expect(decisions.map(({ type, cause, scope }) => [type, cause, scope.provider, scope.model])).toEqual([
			['open', 'credentials', 'groq', null],
			['resolve', 'credentials', 'groq', null],
		]);
	});

	it('one key serves all models: three refusals on three models are one incident', () => {
		const refused = ['a', 'b', 'c'].map((model, i) => result('auth_failed', i * 20, { model }));
		const [opened, ...rest] = incidents(play(refused));
		expect(rest).toEqual([]);
		expect(opened?.targetIds).toEqual(['groq:a:chat', 'groq:b:chat', 'groq:c:chat']);
	});

	it('an empty wallet is our quota, not their outage', () => {
		expect(types(play(repeat('quota_exhausted' as const, 5)))).toEqual(['open quota']);
	});

	it('wrong answers degrade, and are no outage', () => {
		const [opened, ...rest] = incidents(play(repeat('canary_mismatch' as const, 3)));
		expect(opened).toMatchObject({ condition: 'wrong_answers', impact: 'minor' });
		expect(rest).toEqual([]);
	});

	it('answers far slower than the target’s own baseline degrade, and recover', () => {
		const slow = repeat(0, 3).map((_, i) => result('ok', 400 + i * 20, { ttftMs: 900 }));
		const fast = repeat(0, 3).map((_, i) => result('ok', 500 + i * 20));
		const decisions = play([...repeat('ok' as const, 15), ...slow, ...fast]);
		expect(types(decisions)).toEqual(['open slow', 'resolve slow']);
		expect(incidents(decisions)[0]?.reason).toBe('3 of the last 5 first tokens came later than 3 times the usual: 900 ms, 900 ms, 900 ms');
	});

	it('without a baseline slowness is not judged', () => {
		expect(types(play([...repeat('ok' as const, 4), ...repeat(0, 5).map((_, i) => result('ok', 400 + i * 20, { ttftMs: 9_000 }))]))).toEqual([]);
	});

	it('vantages vote by strict majority: one of two failing opens nothing', () => {
		const mixed = (fra: Outcome, iad: Outcome) =>
			repeat(0, 6).flatMap((_, i) => [result(fra, i * 20, { vantage: 'fra' }), result(iad, i * 20 + 5, { vantage: 'iad' })]);
		expect(types(play(mixed('server_error', 'ok')))).toEqual([]);
		expect(types(play(mixed('server_error', 'server_error')))).toEqual(['open outage']);
	});

	it('a result delivered twice counts once', () => {
		const state = emptyDetectorState();
		const once = result('server_error', 0);
		expect(incidents(repeat(0, 9).flatMap(() => observe(state, 'same', once, start)))).toEqual([]);
	});

	it('a missed slot and a manual probe move nothing', () => {
		const missed = repeat(0, 9).map((_, i) => result('monitor_fault', i, { startedAt: null }));
		const manual = repeat(0, 9).map((_, i) => result('server_error', 100 + i, { kind: 'manual' }));
		expect(play([...missed, ...manual])).toEqual([]);
	});

	it('a good result that started before the failures but came late does not resolve', () => {
		const state = emptyDetectorState();
		play([result('server_error', 20), result('server_error', 40), result('server_error', 60)], state);
		expect(types(play([result('ok', 1), result('ok', 2), result('ok', 3)], state))).toEqual([]);
	});

	it('a target that leaves the configuration takes its incident along', () => {
		const state = emptyDetectorState();
		play(repeat('server_error' as const, 3), state);
		expect(retireTargets(state, new Set(), start).map(({ type }) => type)).toEqual(['resolve']);
		expect(state.targets).toEqual({});
	});

	const anyOutcome = fc.constantFrom<Outcome>(
		'ok',
		'ok',
		'ok',
		'server_error',
		'server_error',
		'overloaded',
		'auth_failed',
		'canary_mismatch',
		'rate_limited',
		'quota_exhausted',
	);

	it('stopped and started again from its stored state at any point, it decides the same', () => {
		fc.assert(
			fc.property(fc.array(anyOutcome, { maxLength: 60 }), fc.nat(60), (outcomes, cut) => {
				const through = emptyDetectorState();
				const whole = play(outcomes, through);
				let state = emptyDetectorState();
				const parts = outcomes.flatMap((outcome, i) => {
					if (i === cut) state = JSON.parse(JSON.stringify(state));
					const one = result(outcome, i * 20);
					return observe(state, `r${one.vantage}${one.slotAt}`, one, (one.startedAt ?? 0) + 500);
				});
				expect(parts).toEqual(whole);
				expect(JSON.parse(JSON.stringify(state))).toEqual(JSON.parse(JSON.stringify(through)));
			}),
		);
	});

	it('on any history opens and resolves alternate, and nothing of ours is blamed on a provider', () => {
		fc.assert(
			fc.property(fc.array(anyOutcome, { maxLength: 120 }), (outcomes) => {
				const open = new Map<string, boolean>();
				for (const decision of incidents(play(outcomes))) {
					expect(open.get(decision.condition) ?? false).toBe(decision.type === 'resolve');
					open.set(decision.condition, decision.type !== 'resolve');
					if (decision.cause === 'provider') {
						for (const code of Object.keys(decision.evidence.outcomes) as Outcome[]) expect(['caller', 'monitor']).not.toContain(ruleOf(code).group);
					}
				}
			}),
		);
	});
});
