import { createPublicKey, verify } from 'node:crypto';
import { expect, test } from 'vitest';
import { createSigner, makeSigningKey, signedBytes } from './sign-feed.ts';

const freshness = { generatedAt: '2026-11-23T12:00:00.000Z', staleAfter: '2026-11-23T12:01:00.000Z' };
const body = Buffer.from('{"targets":{}}');

function check(publicKey: string, moments: typeof freshness, bytes: Uint8Array, signature: string): boolean {
	const jwk = { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(publicKey, 'base64').toString('base64url') };
	return verify(null, signedBytes(moments, bytes), createPublicKey({ key: jwk, format: 'jwk' }), Buffer.from(signature, 'base64'));
}

test('the signature holds for these bytes with this deadline, and for no others', () => {
	const signer = createSigner(makeSigningKey());
	const signature = signer.sign(freshness, body);
	expect(check(signer.publicKey, freshness, body, signature)).toBe(true);
	expect(check(signer.publicKey, freshness, Buffer.from('{"targets":[]}'), signature)).toBe(false);
	expect(check(signer.publicKey, { ...freshness, staleAfter: '2027-11-23T12:01:00.000Z' }, body, signature)).toBe(false);
	expect(check(createSigner(makeSigningKey()).publicKey, freshness, body, signature)).toBe(false);
});

test('a key of another kind is refused with its kind', () => {
	expect(() => createSigner('no key')).toThrow();
});
