import { describe, expect, it } from 'vitest';
import { hash32 } from '#core/hash.ts';
import { failureCodes, type Outcome, ruleOf, sliOf } from '#core/outcome.ts';
import { missedSlot, type ProbeResult } from '#core/probe-result.ts';
import type { Decision, IncidentDecision } from './decision.ts';
import { judge } from './judge.ts';
import { createJudgeState, type ExpectedTarget, type JudgeState } from './judge-state.ts';
import { latticeInputOf } from './lattice-input.ts';
import { joinState, splitState } from './state-parts.ts';

const start = Date.UTC(2026, 10, 23, 12);
const providers = ['acme', 'groq', 'lama', 'nimbus'];
const options = { baseIntervalMs: 60_000, timeoutMs: 20_000, reprobe: null };
const models = ['small', 'large'];
const targets = providers.flatMap((provider) =>
	models.map((model): ExpectedTarget => ({ provider, model: `${model}:chat`, intervalMs: 60_000, canary: 'echo' })),
);

function freshState(): JudgeState {
	const state = createJudgeState(options);
	judge(state, { type: 'configure', at: start, options, targets });
	return state;
}

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
	state: JudgeState = freshState(),
	fromSeconds = 0,
): Decision[] {
	const decisions: Decision[] = [];
	for (let seconds = fromSeconds; seconds < toSeconds; seconds += 1) {
		providers.forEach((provider, p) => {
			for (const [m, model] of models.entries()) {
				if (seconds % 20 !== p * 5 + m * 2) continue;
				const one = result(provider, model, seconds, outcomeOf(provider, model, seconds));
				decisions.push(...judge(state, { type: 'result', id: `${provider}${model}${seconds}`, result: one, at: start + (seconds + 3) * 1_000 }));
			}
		});
		decisions.push(...judge(state, { type: 'tick', at: start + (seconds + 3) * 1_000 }));
	}
	return decisions;
}

const moves = (decisions: readonly Decision[]) => decisions.filter((decision): decision is IncidentDecision => 'condition' in decision);
/** Without the changes of status, which tell nobody. */
const incidents = (decisions: readonly Decision[]) => moves(decisions).filter(({ type }) => type !== 'recovering' && type !== 'failing_again');

/** The same draw for a model and a second: 0 ≤ x < 1. */
const pseudo = (model: string, at: number) => (hash32(`${model}${at}`) % 1_000) / 1_000;

describe('a recorded result judged by the lattice', () => {
	it('an outage of a provider is one critical incident that lists all its targets and counts its evidence', () => {
		const [opened, closed, ...rest] = incidents(play((provider, _, at) => (provider === 'groq' && at >= 600 && at < 900 ? 'server_error' : 'ok'), 1_200));
		expect(rest).toEqual([]);
		expect(opened).toMatchObject({ type: 'open', condition: 'outage', cause: 'provider', impact: 'critical', title: 'groq: outage' });
		expect(opened?.scope).toEqual({ provider: 'groq', model: null, operation: null, vantage: null });
		expect(opened?.targetIds).toEqual(['groq:small:chat', 'groq:large:chat']);
		expect(opened?.evidence.outcomes).toEqual({ server_error: opened?.evidence.bad });
		expect(opened?.evidence.checked?.providers).toEqual({ heard: 3, well: 3, names: ['acme', 'lama', 'nimbus'] });
		expect(opened?.evidence.nats).toBeGreaterThan(18.5);
		expect(opened?.reason).toMatch(/^(\d+) of \1 results failed: server_error ×\1; \d+ of \d+ results of other providers were well meanwhile$/);
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

	it('refusals for want of capacity are no outage until hardly anything is served', () => {
		const refusing = (share: number) =>
			incidents(play((provider, model, at) => (provider === 'groq' && at >= 600 && pseudo(model, at) < share ? 'overloaded' : 'ok'), 1_500));
		expect(refusing(0.5)[0]).toMatchObject({ type: 'open', condition: 'capacity', severity: 'degraded', impact: 'minor' });
		expect(refusing(1)[0]).toMatchObject({ type: 'open', condition: 'capacity', severity: 'down', impact: 'critical' });
	});

	it('its end in sight is monitoring; failing again it is identified again; nobody is told twice', () => {
		const failing = (at: number) => (at >= 600 && at < 900) || (at >= 925 && at < 1_000);
		const told = moves(play((provider, _, at) => (provider === 'groq' && failing(at) ? 'server_error' : 'ok'), 1_500));
		expect(told.map(({ type, status }) => [type, status])).toEqual([
			['open', 'identified'],
			['recovering', 'monitoring'],
			['failing_again', 'identified'],
			['recovering', 'monitoring'],
			['resolve', 'resolved'],
		]);
	});

	it('a target that leaves the configuration takes its incident along', () => {
		const state = freshState();
		play((provider, model, at) => (provider === 'groq' && model === 'large' && at >= 600 ? 'server_error' : 'ok'), 900, state);
		const at = start + 901_000;
		const left = judge(state, {
			type: 'configure',
			at,
			options,
			targets: targets.filter(({ provider, model }) => provider !== 'groq' || model !== 'large:chat'),
		});
		expect(moves(left)).toMatchObject([{ type: 'resolve', reason: expect.stringContaining('no longer configured') }]);
		expect(judge(state, { type: 'result', id: 'late', result: result('groq', 'large', 900, 'server_error'), at })).toEqual([]);
	});

	it('an incident of the record that the state does not know is adopted, and ends by evidence', () => {
		const state = freshState();
		play(() => 'ok', 100, state);
		const scope = { provider: 'groq', model: null, vantage: null };
		const counts = { good: 1, bad: 9, excluded: 0, outcomes: {}, vantages: ['fra'], examples: [] };
		const adopted = { id: 'inc-old', scope, cause: 'provider', severity: 'down', channel: 'failed', onsetAt: start - 60_000, ...counts } as const;
		judge(state, { type: 'adopt', at: start + 100_000, incidents: [adopted] });
		expect(incidents(play(() => 'ok', 600, state, 100))).toMatchObject([{ type: 'resolve', incidentId: 'inc-old' }]);
	});

	it('maintenance that was called off holds no longer', () => {
		const state = freshState();
		const window = { id: 'm', provider: 'groq', model: null, vantage: null, fromAt: start, toAt: start + 3_600_000 };
		judge(state, { type: 'maintenance', at: start, windows: [window] });
		const failing = (provider: string): Outcome => (provider === 'groq' ? 'server_error' : 'ok');
		expect(incidents(play(failing, 300, state))).toEqual([]);
		judge(state, { type: 'maintenance', at: start + 300_000, windows: [] });
		expect(incidents(play(failing, 600, state, 300))).toMatchObject([{ type: 'open', scope: { provider: 'groq' } }]);
	});

	it('a missed slot and a manual probe move nothing', () => {
		expect(latticeInputOf('a', result('groq', 'small', 0, 'server_error', { startedAt: null }), start)).toBeNull();
		expect(latticeInputOf('a', result('groq', 'small', 0, 'server_error', { kind: 'manual' }), start)).toBeNull();
	});

	it('stored and read again it decides the same', () => {
		const outcomeOf = (provider: string, _: string, at: number): Outcome => (provider === 'groq' && at >= 600 && at < 800 ? 'server_error' : 'ok');
		const whole = play(outcomeOf, 1_000);
		const state = freshState();
		const first = play(outcomeOf, 615, state);
		const restored = joinState(splitState(state));
		if (restored === null) throw new Error('Expected a state, got none');
		const again = play(outcomeOf, 1_000, restored, 615);
		expect([...first, ...again]).toEqual(whole);
	});
});

describe('reports of routers', () => {
	const report = (state: JudgeState, seconds: number, natsOf: Record<string, number>) => judge(state, { type: 'reports', at: start + seconds * 1_000, natsOf });
	const all = Object.fromEntries(targets.map(({ provider, model }) => [`${provider}:${model}`, 4]));
	const withProbes = () => {
		const state = createJudgeState({ ...options, reprobe: { perDay: 2_000, burst: 40, minSpacingMs: 5_000 } });
		judge(state, { type: 'configure', at: start, options: state.lattice.options, targets });
		return state;
	};

	it('alone move no verdict, however loud they are', () => {
		const state = withProbes();
		play(() => 'ok', 600, state);
		report(state, 600, all);
		expect(moves(play(() => 'ok', 1_200, state, 600))).toEqual([]);
	});

	it('ask for a probe at once, and for no second one while they go on', () => {
		const state = withProbes();
		play(() => 'ok', 600, state);
		const asks = [600, 605, 610].flatMap((at) => report(state, at, { 'groq:small:chat': at === 610 ? 4 : 2 }));
		expect(asks).toMatchObject([{ type: 'reprobe', targetId: 'groq:small:chat', vantage: 'fra', delayMs: 100, reason: 'routers report failures' }]);
	});

	it('of what is not measured are nobody’s', () => {
		expect(report(withProbes(), 1, { 'groq:gone:chat': 4, '__proto__:x:chat': 4 })).toEqual([]);
	});

	/** Four of five results within two minutes: 16 nats, not loud enough alone. */
	const fourOfFive = (state: JudgeState, reported: boolean) => {
		play(() => 'ok', 590, state);
		if (reported) report(state, 595, { 'groq:small:chat': 4 });
		const decisions: Decision[] = [];
		for (let at = 590; at < 720; at += 1) {
			if ([600, 635, 670, 690, 705].includes(at)) {
				const one = result('groq', 'small', at, at === 690 ? 'ok' : 'server_error');
				decisions.push(...judge(state, { type: 'result', id: `own${at}`, result: one, at: start + (at + 3) * 1_000 }));
			}
			for (const provider of ['acme', 'lama', 'nimbus']) {
				const one = result(provider, 'small', at, 'ok');
				if (at % 10 === 0) decisions.push(...judge(state, { type: 'result', id: `${provider}${at}`, result: one, at: start + (at + 3) * 1_000 }));
			}
			decisions.push(...judge(state, { type: 'tick', at: start + (at + 3) * 1_000 }));
		}
		return incidents(decisions);
	};

	it('make our own failures louder, and the reason says so', () => {
		const [opened] = fourOfFive(freshState(), true);
		expect(fourOfFive(freshState(), false)).toEqual([]);
		expect(opened).toMatchObject({
			type: 'open',
			scope: { provider: 'groq', model: 'small' },
			reason: expect.stringContaining('routers report failures too (+4.0 nats)'),
		});
		expect(opened?.evidence.nats).toBeLessThan(18.5);
	});

	it('survive a restart', () => {
		const state = freshState();
		report(state, 1, { 'groq:small:chat': 2 });
		const again = joinState(splitState(state));
		expect(again).toEqual(state);
		expect(again?.lattice.providers.groq?.reported).toEqual({ 'small:chat': 2 });
	});
});
