import { createHash, createHmac } from 'node:crypto';
import type { AuthStyle } from '#providers/adapter.ts';
import type { Wire } from '#providers/wire.ts';

/**
 * The headers that prove who we are. Their values are the secret or made of it: never stored, never logged.
 * @param secret for `sigv4` either a Bedrock API key, which goes as a bearer token, or `accessKeyId:secretAccessKey[:sessionToken]`
 * @param now ms since epoch, part of a signature
 */
export function authorize(style: AuthStyle, secret: string, wire: Wire, now: number, method: 'GET' | 'POST' = 'POST'): Record<string, string> {
	switch (style) {
		case 'bearer':
			return { authorization: `Bearer ${secret}` };
		case 'x-api-key':
		case 'x-goog-api-key':
		case 'api-key':
			return { [style]: secret };
		case 'sigv4': {
			const [accessKeyId = '', secretAccessKey, sessionToken] = secret.split(':');
			if (secretAccessKey === undefined) return { authorization: `Bearer ${secret}` };
			return signV4({ accessKeyId, secretAccessKey, sessionToken }, wire, regionOf(wire.url.hostname), now, method);
		}
	}
}

/** `bedrock-runtime.{region}.amazonaws.com`; any other host is an endpoint of the operator's own, signed as AWS's default region. */
function regionOf(hostname: string): string {
	return /^[\w-]+\.([a-z]{2}(?:-[a-z]+)+-\d)\./.exec(hostname)?.[1] ?? 'us-east-1';
}

export interface AwsKeys {
	readonly accessKeyId: string;
	readonly secretAccessKey: string;
	readonly sessionToken?: string | undefined;
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest();

/** AWS Signature Version 4 for the service `bedrock` (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html). */
export function signV4(keys: AwsKeys, { url, headers, body }: Wire, region: string, now: number, method: 'GET' | 'POST' = 'POST'): Record<string, string> {
	const at = new Date(now).toISOString().replaceAll(/[-:]|\.\d{3}/g, '');
	const day = at.slice(0, 8);
	const bodyHash = sha256(body);
	const signed: Record<string, string> = {
		'content-type': headers['content-type'] ?? 'application/json',
		host: url.host,
		'x-amz-content-sha256': bodyHash,
		'x-amz-date': at,
		...(keys.sessionToken === undefined ? {} : { 'x-amz-security-token': keys.sessionToken }),
	};
	const names = Object.keys(signed).sort();
	// Each segment that is already encoded for the wire is encoded once more in what is signed: `%3A` becomes `%253A`.
	const path = url.pathname.split('/').map(encodeURIComponent).join('/');
	// Sorted by name, as the algorithm wants.
	const query = url.search.slice(1).split('&').sort().join('&');
	const canonical = [method, path, query, ...names.map((name) => `${name}:${signed[name]}`), '', names.join(';'), bodyHash].join('\n');
	const scope = `${day}/${region}/bedrock/aws4_request`;
	const key = hmac(hmac(hmac(hmac(`AWS4${keys.secretAccessKey}`, day), region), 'bedrock'), 'aws4_request');
	const signature = hmac(key, ['AWS4-HMAC-SHA256', at, scope, sha256(canonical)].join('\n')).toString('hex');
	const { host: _host, ...sent } = signed;
	return { ...sent, authorization: `AWS4-HMAC-SHA256 Credential=${keys.accessKeyId}/${scope}, SignedHeaders=${names.join(';')}, Signature=${signature}` };
}
