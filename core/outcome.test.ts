import { describe, expect, it } from 'vitest';
import { failureCodes, isOutcome, outcomeRules, outcomes, ruleOf, sliOf } from './outcome.ts';

describe('outcomes', () => {
	it('are ok and a closed list of 24 failure codes, each with its rule', () => {
		expect(failureCodes).toHaveLength(24);
		expect(new Set(outcomes).size).toBe(25);
		expect(Object.keys(outcomeRules).sort()).toEqual([...outcomes].sort());
	});

	it.each(outcomes.filter((code) => ['caller', 'monitor'].includes(ruleOf(code).group)))(
		'%s is ours: it never counts against a provider, confirmed or not',
		(code) => {
			expect([sliOf(code, true), sliOf(code, false), sliOf(code, null)]).toEqual(['excluded', 'excluded', 'excluded']);
		},
	);

	it.each(['dns_failed', 'connect_failed', 'tls_failed'] as const)('%s counts only when a second connection and a control confirmed it', (code) => {
		expect([sliOf(code, true), sliOf(code, false), sliOf(code, null)]).toEqual(['bad', 'excluded', 'excluded']);
	});

	it('only ok is good', () => {
		expect(outcomes.filter((code) => sliOf(code, true) === 'good')).toEqual(['ok']);
	});

	it('names from a prototype are no outcome', () => {
		expect(isOutcome('constructor')).toBe(false);
		expect(isOutcome('overloaded')).toBe(true);
	});
});
