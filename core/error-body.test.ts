import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readErrorBody } from './error-body.ts';

describe('the shapes of errors', () => {
	test.each([
		[
			'OpenAI',
			{ error: { message: 'm', type: 'requests', param: null, code: 'rate_limit_exceeded' } },
			{ type: 'requests', code: 'rate_limit_exceeded', message: 'm' },
		],
		[
			'error as a string, with a code beside it (xAI)',
			{ code: 'The service is unavailable', error: 'm' },
			{ code: 'The service is unavailable', message: 'm' },
		],
		['Gemini', { error: { code: 429, message: 'm', status: 'RESOURCE_EXHAUSTED' } }, { status: 429, type: 'RESOURCE_EXHAUSTED', message: 'm' }],
		['Gemini in an array', [{ error: { code: 500, message: 'm', status: 'INTERNAL' } }], { status: 500, type: 'INTERNAL' }],
		['Anthropic', { type: 'error', error: { type: 'overloaded_error', message: 'm' }, request_id: 'r' }, { type: 'overloaded_error', message: 'm' }],
		[
			'flat (Cerebras)',
			{ message: 'm', type: 'too_many_requests_error', param: 'queue', code: 'queue_exceeded' },
			{ type: 'too_many_requests_error', code: 'queue_exceeded' },
		],
		['a number that only echoes the status is no code', { error: { message: 'm', type: 'x', code: 503 } }, { status: 503, type: 'x' }],
		['mid-stream status (Cerebras)', { error: { message: 'm' }, status_code: 500 }, { status: 500, message: 'm' }],
		['detail as a string', { detail: 'DEGRADED function cannot be invoked' }, { message: 'DEGRADED function cannot be invoked' }],
		['detail as an array (Mistral 422)', { detail: [{ loc: ['body'], msg: 'm' }] }, { message: '[{"loc":["body"],"msg":"m"}]' }],
		['detail.error (DeepInfra)', { detail: { error: 'Model busy' } }, { message: 'Model busy' }],
		['Cloudflare', { success: false, errors: [{ code: 3040, message: 'm' }] }, { code: '3040', message: 'm' }],
		['MiniMax', { base_resp: { status_code: 1008, status_msg: 'm' } }, { code: '1008', message: 'm' }],
		['title and status (NVIDIA)', { status: 429, title: 'Too Many Requests' }, { status: 429, type: 'Too Many Requests' }],
		['only a message (Cohere)', { message: 'm' }, { message: 'm' }],
	])('%s', (_who, body, expected) => {
		expect(readErrorBody(body)).toMatchObject(expected);
	});

	test.each([
		['a listing', { object: 'list', data: [] }],
		['an answer', { choices: [] }],
		['MiniMax in order', { base_resp: { status_code: 0, status_msg: 'success' } }],
		['text', 'oops'],
		['nothing', undefined],
	])('%s holds no error', (_what, body) => {
		expect(readErrorBody(body)).toBeNull();
	});

	test('headers name the error when the body does not', () => {
		expect(readErrorBody({ message: 'm' }, { 'x-amzn-errortype': 'ThrottlingException:http://internal' })).toMatchObject({
			type: 'ThrottlingException',
			message: 'm',
		});
		expect(readErrorBody({}, { 'x-error-message': 'credits are used up' })).toMatchObject({ message: 'credits are used up' });
	});

	test('finer words are found at any depth', () => {
		const body = {
			error: {
				code: 429,
				details: [{ violations: [{ quotaId: 'RequestsPerDay' }] }, { reason: 'API_KEY_INVALID' }],
				availability: { code: 'capacity_exhausted' },
			},
		};
		expect(readErrorBody(body)?.reasons).toEqual(['RequestsPerDay', 'API_KEY_INVALID', 'capacity_exhausted']);
	});

	test('any JSON is read without an exception and within bounds', () => {
		fc.assert(
			fc.property(fc.jsonValue({ maxDepth: 8 }), (json) => {
				const error = readErrorBody(json);
				return error === null || ((error.message?.length ?? 0) <= 2_000 && (error.code?.length ?? 0) <= 200 && error.reasons.length <= 17);
			}),
		);
	});
});
