/** Puts dialect, catalogue and target together into one request, and reads what all dialects share. */
import type { Target } from '#core/target.ts';
import type { AuthStyle, Dialect } from './adapter.ts';
import type { CatalogEntry } from './catalog.ts';

const userAgent = 'linnet/0.1 (LLM reliability probe)';

export interface Wire {
	readonly url: URL;
	/** Holds the secret: never stored, never logged. */
	readonly headers: Readonly<Record<string, string>>;
	readonly body: string;
}

/** baseUrl and path, without a doubled slash; the base may hold a path and a query of its own. */
export function joinUrl(baseUrl: string, path: string): URL {
	const url = new URL(baseUrl);
	const [pathname = '', query = ''] = path.split('?', 2);
	const search = [url.search.slice(1), query].filter((part) => part !== '').join('&');
	return new URL(`${url.origin}${url.pathname.replace(/\/+$/, '')}${pathname}${search === '' ? '' : `?${search}`}`);
}

function authHeaders(style: AuthStyle, secret: string): Record<string, string> {
	switch (style) {
		case 'bearer':
			return { authorization: `Bearer ${secret}` };
		case 'x-api-key':
		case 'x-goog-api-key':
		case 'api-key':
			return { [style]: secret };
		case 'sigv4':
			throw new Error('Expected a header style, got `sigv4`, which signs the request');
	}
}

/** @param secret null when the endpoint takes no key */
export function buildWire(dialect: Dialect, entry: CatalogEntry | undefined, target: Target, prompt: string, secret: string | null, _now: number): Wire {
	const request = dialect.buildRequest(target, prompt);
	return {
		url: joinUrl(target.baseUrl, request.path),
		headers: {
			'user-agent': userAgent,
			'accept-encoding': 'identity',
			...request.headers,
			...entry?.headers,
			...target.headers,
			...(secret === null ? {} : authHeaders(entry?.auth ?? dialect.auth, secret)),
		},
		body: request.body,
	};
}

/** The request for a provider's own list of models; null when the dialect has none. It is not billed. */
export function buildListingWire(
	dialect: Dialect,
	entry: CatalogEntry | undefined,
	baseUrl: string,
	headers: Readonly<Record<string, string>>,
	secret: string | null,
): Omit<Wire, 'body'> | null {
	if (dialect.listing === null) return null;
	return {
		url: joinUrl(baseUrl, dialect.listing.path),
		headers: {
			'user-agent': userAgent,
			accept: 'application/json',
			'accept-encoding': 'identity',
			...entry?.headers,
			...headers,
			...(secret === null ? {} : authHeaders(entry?.auth ?? dialect.auth, secret)),
		},
	};
}

/** Where providers put the id that their support asks for, most specific first. */
const requestIdHeaders = [
	'x-request-id',
	'request-id',
	'x-amzn-requestid',
	'apim-request-id',
	'x-generation-id',
	'mistral-correlation-id',
	'nvcf-reqid',
	'x-correlation-id',
	'x-cloud-trace-context',
	'cf-ray',
];

export function findRequestId(headers: Readonly<Record<string, string>>): string | null {
	for (const name of requestIdHeaders) {
		const value = headers[name];
		if (value !== undefined && value !== '') return value.slice(0, 120);
	}
	return null;
}

/** Families share at least one word; dates, sizes and paths differ freely between an id and its served snapshot. */
export function isOtherModel(asked: string, served: string): boolean {
	const [a, b] = [asked.toLowerCase(), served.toLowerCase()];
	if (a.includes(b) || b.includes(a)) return false;
	const words = (text: string) =>
		new Set(text.split(/[^a-z0-9]+|(?<=[a-z]{3})(?=\d)|(?<=\d)(?=[a-z]{3})/).filter((word) => /[a-z]{2}|[a-z]\d|\d[a-z]/.test(word)));
	const askedWords = words(a);
	return ![...words(b)].some((word) => askedWords.has(word));
}
