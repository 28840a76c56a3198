/** Makes X.509 certificates for tests, so that no key is ever in the repository. DER by hand (X.690, RFC 5280): Node reads certificates but makes none. */
import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';

export interface Certificate {
	/** PEM. */
	readonly key: string;
	readonly cert: string;
}

function der(tag: number, ...contents: readonly Buffer[]): Buffer {
	const content = Buffer.concat(contents);
	const { length } = content;
	const head = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255];
	return Buffer.concat([Buffer.from([tag, ...head]), content]);
}

const sequence = (...contents: readonly Buffer[]) => der(0x30, ...contents);
const oid = (hex: string) => der(0x06, Buffer.from(hex, 'hex'));
const commonName = oid('550403');
const ecdsaWithSha256 = sequence(oid('2a8648ce3d040302'));

function name(text: string): Buffer {
	return sequence(der(0x31, sequence(commonName, der(0x0c, Buffer.from(text)))));
}

function time(at: Date): Buffer {
	return der(0x18, Buffer.from(`${at.toISOString().replaceAll(/[-:T]/g, '').slice(0, 14)}Z`));
}

export interface CertificateWish {
	/** DNS names, or IPv4 addresses. */
	readonly names: readonly string[];
	/** ms since epoch. */
	readonly notBefore: number;
	readonly notAfter: number;
}

/** Self-signed; trusted by whoever is given `cert` as its `ca`. */
export function makeCertificate({ names, notBefore, notAfter }: CertificateWish): Certificate {
	const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
	const alternatives = names.map((text) => (/^[\d.]+$/.test(text) ? der(0x87, Buffer.from(text.split('.').map(Number))) : der(0x82, Buffer.from(text))));
	const serial = randomBytes(8);
	serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x01;
	const extensions = sequence(
		sequence(oid('551d11'), der(0x04, sequence(...alternatives))),
		sequence(oid('551d13'), der(0x01, Buffer.from([0xff])), der(0x04, sequence(der(0x01, Buffer.from([0xff]))))),
	);
	const body = sequence(
		der(0xa0, der(0x02, Buffer.from([2]))),
		der(0x02, serial),
		ecdsaWithSha256,
		name(names[0] ?? 'test'),
		sequence(time(new Date(notBefore)), time(new Date(notAfter))),
		name(names[0] ?? 'test'),
		publicKey.export({ type: 'spki', format: 'der' }),
		der(0xa3, extensions),
	);
	const signature = sign('sha256', body, privateKey);
	const whole = sequence(body, ecdsaWithSha256, der(0x03, Buffer.from([0]), signature));
	const lines = whole.toString('base64').replaceAll(/.{64}/g, '$&\n');
	return {
		key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
		cert: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
	};
}
