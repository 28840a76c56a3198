/** Headers that every answer carries: what a browser may do with it, and who may read it. */
import { createHash } from 'node:crypto';
import type { Request, Response } from 'express';
import helmet from 'helmet';

const policy = helmet({
	contentSecurityPolicy: {
		useDefaults: false,
		directives: {
			defaultSrc: ["'none'"],
			scriptSrc: ["'self'"],
			styleSrc: ["'self'"],
			imgSrc: ["'self'", 'data:'],
			connectSrc: ["'self'"],
			baseUri: ["'none'"],
			formAction: ["'none'"],
			frameAncestors: ["'none'"],
		},
	},
	// Badges and feeds are meant to be embedded elsewhere.
	crossOriginResourcePolicy: { policy: 'cross-origin' },
	// Served as plain HTTP on loopback by default; whoever terminates TLS decides on HSTS.
	strictTransportSecurity: false,
});

// `Date` and `Age` let a reader in a browser tell how old an answer is without trusting its own clock.
const exposed = 'ETag, Date, Age, Linnet-Snapshot, Linnet-Generated-At, Linnet-Stale-After, Linnet-Revision, Linnet-Simulated, Linnet-Signature, Retry-After';

function askHelmet(): readonly (readonly [string, string])[] {
	const headers: (readonly [string, string])[] = [];
	const response = { setHeader: (name: string, value: string) => headers.push([name, value]), removeHeader() {} };
	policy({} as Request, response as unknown as Response, (error?: unknown) => {
		if (error !== undefined) throw new Error('Expected helmet to give its headers', { cause: error });
	});
	return headers;
}

/** The same for every answer, so helmet is asked once and not at every poll. */
const pageHeaders = askHelmet();

const contentPolicy = 'Content-Security-Policy';

/** The policy of a page that holds the site's sheet in itself: that sheet and no other. */
export function pagePolicy(sheet: Uint8Array): readonly [name: string, value: string] {
	const hash = createHash('sha256').update(sheet).digest('base64');
	const [, common = ''] = pageHeaders.find(([name]) => name === contentPolicy) ?? [];
	return [contentPolicy, common.replace("style-src 'self'", `style-src 'self' 'sha256-${hash}'`)];
}

/** Who may read. A 304 needs no more: it renews a stored answer, which keeps what the browser was told of it. */
export const readerHeaders: readonly (readonly [name: string, value: string])[] = [
	['Access-Control-Allow-Origin', '*'],
	['Access-Control-Expose-Headers', exposed],
];

export const policyHeaders: readonly (readonly [name: string, value: string])[] = [...pageHeaders, ...readerHeaders];

/** Names of what a 304 leaves out. */
export const pageHeaderNames: readonly string[] = pageHeaders.map(([name]) => name);
