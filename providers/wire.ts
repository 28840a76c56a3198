/** Puts dialect, catalogue and target together into one request, and reads what all dialects share. */
import type { Ask } from '#core/canary.ts';
import type { Target } from '#core/target.ts';
import type { Dialect } from './adapter.ts';
import type { CatalogEntry } from './catalog.ts';

const userAgent = 'linnet/0.1 (LLM reliability probe)';

export interface Wire {
	readonly url: URL;
	/** Without the secret. */
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

export function buildWire(dialect: Dialect, entry: CatalogEntry | undefined, target: Target, ask: Ask): Wire {
	const request = dialect.buildRequest(target, ask);
	return {
		url: joinUrl(target.baseUrl, request.path),
		headers: { 'user-agent': userAgent, 'accept-encoding': 'identity', ...request.headers, ...entry?.headers, ...target.headers },
		body: request.body,
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
		if (value !== undefined && value !== '') return value;
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
