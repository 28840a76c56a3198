/**
 * Feeds that prove who made them, wherever they were kept in between. Ed25519 over the time of making, the deadline and the exact bytes of
 * the plain body: `generatedAt LF staleAfter LF body`. The deadline is signed too, so that nobody can make an old verdict look fresh.
 */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';

export interface Freshness {
	readonly generatedAt: string;
	readonly staleAfter: string;
}

export interface Signer {
	/** The 32 bytes of the public key, base64. */
	readonly publicKey: string;
	/** Base64. */
	sign(freshness: Freshness, body: Uint8Array): string;
}

export function signedBytes({ generatedAt, staleAfter }: Freshness, body: Uint8Array): Uint8Array {
	return Buffer.concat([Buffer.from(`${generatedAt}\n${staleAfter}\n`), body]);
}

/** A new private key, PEM. */
export function makeSigningKey(): string {
	return generateKeyPairSync('ed25519').privateKey.export({ format: 'pem', type: 'pkcs8' }) as string;
}

/** Throws when the PEM holds no Ed25519 key. */
export function createSigner(pem: string): Signer {
	const key = createPrivateKey(pem);
	if (key.asymmetricKeyType !== 'ed25519') throw new Error(`Expected an Ed25519 key, got ${key.asymmetricKeyType}`);
	return { publicKey: rawPublicKey(key), sign: (freshness, body) => sign(null, signedBytes(freshness, body), key).toString('base64') };
}

function rawPublicKey(key: KeyObject): string {
	// The `x` of a JWK is the raw key (RFC 8037).
	return Buffer.from(createPublicKey(key).export({ format: 'jwk' }).x ?? '', 'base64url').toString('base64');
}
