import { describe, expect, it } from 'vitest';
import type { Scope } from '#core/incident.ts';
import type { IncidentDecision } from '#core/judge/decision.ts';
import type { Scenario } from './scenario.ts';
import { scorePlay } from './score-play.ts';

const startAt = Date.UTC(2026, 10, 23, 12);
const minute = 60_000;
const scenario: Scenario = {
	...{ name: 'one', description: 'x', for: 30 * minute, interval: minute, vantages: ['fra'], noise: 0, maintenance: [] },
	faults: [
		{
			...{ at: 3 * minute, until: 13 * minute, provider: 'acme', share: 1, fault: { mode: 'http_error', error: 'unavailable' } },
			expect: { cause: 'provider', condition: 'outage', within: 90_000, clear: 3 * minute },
		},
	],
};
const acme: Scope = { provider: 'acme', model: null, operation: null, vantage: null };

function told(type: IncidentDecision['type'], seconds: number, changes: Partial<IncidentDecision> = {}): IncidentDecision {
	const evidence = { good: 0, bad: 3, excluded: 0, outcomes: {}, vantages: ['fra'], exampleResultIds: [], nats: 20, checked: null };
	return {
		...{ type, incidentId: 'i-1', condition: 'outage', scope: acme, cause: 'provider', severity: 'down', impact: 'critical', status: 'identified' },
		...{ title: 'acme: outage', startedAt: startAt, at: startAt + seconds * 1_000, reason: 'x', newLevel: false, evidence, targetIds: [] },
		...changes,
	};
}

const score = (...decisions: IncidentDecision[]) => scorePlay(scenario, { startAt, decisions, messages: [] });

describe('a play held against its scenario', () => {
	it('counts from the start of the fault to the word, to the right scope, and from its end to the end', () => {
		const narrow = { ...acme, model: 'small' };
		const play = score(told('open', 210, { scope: narrow }), told('update', 225), told('recovering', 800), told('resolve', 835));
		expect(play.faults).toEqual([{ fault: 0, detectMs: 30_000, scopeMs: 45_000, clearMs: 55_000, complaints: [] }]);
		expect(play).toMatchObject({ falseAlarms: [], misblamed: 0, incidentCount: 1 });
	});

	it.each<[string, IncidentDecision[], string[]]>([
		['nothing is told', [], ['missed']],
		['told too late', [told('open', 300), told('resolve', 800)], ['told after 120 s, expected within 90 s']],
		[
			'the scope stays wrong',
			[told('open', 200, { scope: { ...acme, model: 'small' }, title: 'acme small: outage' }), told('resolve', 800)],
			['named acme small: outage'],
		],
		['the wrong condition', [told('open', 200, { condition: 'slow' }), told('resolve', 800)], ['told as slow, expected outage']],
		['it never ends', [told('open', 200)], ['not over in the end']],
		['it ends, and opens again', [told('open', 200), told('resolve', 800), told('reopen', 900)], ['not over in the end']],
		['it ends late', [told('open', 200), told('resolve', 1_000)], ['over after 220 s, expected within 180 s']],
	])('%s', (_, decisions, complaints) => {
		expect(score(...decisions).faults[0]?.complaints).toEqual(complaints);
	});

	it('what nobody expected is a false alarm, and blames a provider or not', () => {
		const groq = { scope: { ...acme, provider: 'groq' }, title: 'groq: outage' };
		const play = score(
			told('open', 210),
			told('resolve', 835),
			told('open', 220, { ...groq, incidentId: 'i-2' }),
			told('open', 230, { incidentId: 'i-3', cause: 'monitor' }),
		);
		expect(play.falseAlarms).toEqual(['groq: outage (provider)', 'acme: outage (monitor)']);
		expect(play.misblamed).toBe(1);
	});

	it('told before the fault, or long after it, is not told', () => {
		expect(score(told('open', 100), told('resolve', 150)).faults[0]?.complaints).toEqual(['missed']);
		expect(score(told('open', 13 * 60 + 91)).faults[0]?.complaints).toEqual(['missed']);
	});
});
