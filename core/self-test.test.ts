import { describe, expect, test } from 'vitest';
import type { Evidence } from './probe-result.ts';
import { adviseOnRefusal } from './self-test.ts';

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
