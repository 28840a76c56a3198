import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { sampleResult, sampleTarget } from '#test/sample-results.ts';
import { type Outcome, outcomes, ruleOf, sliOf } from './outcome.ts';
import type { Evidence } from './probe-result.ts';
import { adviseOnRefusal, type CanaryTest, fateOf, requestKey, testResult } from './self-test.ts';

const advise = (evidence: Evidence) => adviseOnRefusal({ outcome: 'bad_request', canary: 'echo', evidence });

describe('a refused request', () => {
	test.each([
		["Unsupported parameter: 'max_tokens' is not supported with this model.", 'max_tokens', 'maxTokensField: max_completion_tokens'],
		['temperature: Extra inputs are not permitted', 'temperature', 'sendTemperature: false'],
		['Unknown name "responseJsonSchema" at \'generation_config\': Cannot find field.', 'responseJsonSchema', 'take `json` out'],
		["property 'stream_options' is unsupported", 'stream_options', 'includeUsage: false'],
		['[{"type":"extra_forbidden","loc":["body","tools"],"msg":"Extra inputs are not permitted"}]', 'tools', 'take `tool` out'],
		["'frequency' is invalid", 'frequency', 'set `frequency` in the `body`'],
		['this model does not support tool_choice', null, 'forced tool'],
		['something is off', null, 'the provider names no field: compare the `body` of the model and its canary `echo`'],
	])('%s', (message, field, advice) => {
		expect(advise({ message })).toMatchObject({ field, advice: expect.stringContaining(advice) });
	});

	test('the field that the provider names by itself goes before its words', () => {
		expect(advise({ param: 'reasoning_effort', message: "Unsupported value: 'none'" })).toMatchObject({
			field: 'reasoning_effort',
			advice: expect.stringContaining('reasoning field'),
		});
	});

	test('without any evidence is still ours', () => {
		expect(adviseOnRefusal({ outcome: 'bad_request', canary: 'echo', evidence: null })?.field).toBeNull();
	});
});

test.each(['ok', 'server_error', 'auth_failed', 'canary_mismatch', 'model_not_found'] as const)('%s is no refusal of the request', (outcome) => {
	expect(adviseOnRefusal({ outcome, canary: 'echo', evidence: { message: "Unsupported parameter: 'max_tokens'" } })).toBeNull();
});

describe('what a result tells of the request', () => {
	test.each<[Outcome, number | null, string]>([
		['ok', 200, 'accepted'],
		['canary_mismatch', 200, 'accepted'],
		['stream_truncated', 200, 'accepted'],
		['first_token_timeout', 200, 'accepted'],
		['first_token_timeout', null, 'nothing'],
		['bad_request', 400, 'refused'],
		['bad_request', 200, 'refused'],
		['server_error', 500, 'unclear'],
		['server_error', null, 'nothing'],
		['invalid_response', 302, 'unclear'],
		['overloaded', 529, 'nothing'],
		['connect_failed', null, 'nothing'],
	])('%s with status %s: %s', (outcome, httpStatus, fate) => {
		expect(fateOf({ outcome, httpStatus })).toBe(fate);
	});
});

const target = sampleTarget('acme:small:chat');
const echo = { name: 'echo', type: 'echo' } as const;
const key = requestKey(target, echo);
const result = (outcome: Outcome, httpStatus: number | null, startedAt: number, evidence: Evidence | null = null) =>
	sampleResult({ outcome, httpStatus, startedAt, evidence, sli: sliOf(outcome, true) });

describe('a canary that a target never accepted', () => {
	test('an error that it may have caused is kept out of the numbers, and says so', () => {
		const { result: tested, test: known } = testResult(null, key, target.id, result('server_error', 500, 1, { message: 'oops' }));
		expect(tested).toMatchObject({ outcome: 'server_error', sli: 'excluded', evidence: { message: 'oops', untested: true } });
		expect(known).toMatchObject({ fate: 'unclear', acceptedAt: null, message: 'oops' });
	});

	test('silence, a lost connection and a stated lack of capacity count: no request causes them', () => {
		for (const sent of [result('connect_failed', null, 1), result('first_token_timeout', null, 1), result('overloaded', 529, 1)])
			expect(testResult(null, key, target.id, sent)).toEqual({ result: sent, test: null });
	});

	test('accepted once, its failures count; one that is refused later is ours again, with the field', () => {
		const accepted = testResult(null, key, target.id, result('ok', 200, 1)).test;
		const failed = result('server_error', 500, 2);
		expect(testResult(accepted, key, target.id, failed)).toEqual({ result: failed, test: accepted });
		const refused = testResult(accepted, key, target.id, result('bad_request', 400, 3, { param: 'temperature' })).test;
		expect(refused).toMatchObject({ fate: 'refused', acceptedAt: 1, refusal: { field: 'temperature' } });
		expect(testResult(refused, key, target.id, result('ok', 200, 4)).test).toMatchObject({ fate: 'accepted', refusal: null });
	});

	test('a request that is built otherwise is tested anew', () => {
		const accepted = testResult(null, key, target.id, result('ok', 200, 1)).test;
		const changed = requestKey({ ...target, flags: { ...target.flags, sendTemperature: false } }, echo);
		expect(changed).not.toBe(key);
		expect(testResult(accepted, changed, target.id, result('server_error', 500, 2)).result.sli).toBe('excluded');
	});

	test('whatever comes in whatever order: nothing but a failure is taken out, never after an acceptance, and no outcome is changed', () => {
		const sent = fc.record({ outcome: fc.constantFrom(...outcomes), httpStatus: fc.constantFrom(null, 200, 302, 400, 500) });
		fc.assert(
			fc.property(fc.array(sent, { maxLength: 20 }), (all) => {
				let known: CanaryTest | null = null;
				let accepted = false;
				for (const [i, one] of all.entries()) {
					const before = result(one.outcome, one.httpStatus, i);
					const tested = testResult(known, key, target.id, before);
					expect(tested.result.outcome).toBe(before.outcome);
					if (tested.result !== before) {
						expect(accepted).toBe(false);
						expect(ruleOf(one.outcome).group).toMatch(/^(?:provider|content)$/);
						expect(tested.result.sli).toBe('excluded');
					}
					accepted ||= fateOf(before) === 'accepted';
					known = tested.test;
					expect(known?.acceptedAt != null).toBe(accepted);
				}
			}),
		);
	});
});
