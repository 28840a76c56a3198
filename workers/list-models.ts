import { request } from 'undici';
import type { ListedModel } from '#core/lifecycle.ts';
import { hideSecrets, secretsOf } from '#core/redact.ts';
import type { Dialect } from '#providers/adapter.ts';
import type { CatalogEntry } from '#providers/catalog.ts';
import { joinUrl } from '#providers/wire.ts';
import { authorize } from './probe/authorize.ts';

export interface ListingAsk {
	readonly dialect: Dialect;
	readonly entry: CatalogEntry | undefined;
	readonly baseUrl: string;
	readonly headers: Readonly<Record<string, string>>;
	/** Null when the endpoint takes no key. */
	readonly secret: string | null;
	readonly timeoutMs: number;
}

const bodyLimit = 16 * 1024 * 1024;
/** At 200 a page far more than any provider has. */
const mostPages = 50;

/**
 * The provider's models, as it lists them to this key; nothing is billed.
 * @throws with what came, when it is not a listing; the secret is in no message
 */
export async function listModels(ask: ListingAsk): Promise<ListedModel[]> {
	const { dialect, baseUrl, timeoutMs } = ask;
	const { listing } = dialect;
	if (listing === null) throw new Error(`the dialect ${dialect.id} has no list of models`);
	const first = joinUrl(listing.base?.(baseUrl) ?? baseUrl, listing.path);
	const signal = AbortSignal.timeout(timeoutMs);
	const secrets = secretsOf(ask.secret, ask.headers);
	const models: ListedModel[] = [];
	let page: string | null = '';
	for (let count = 0; page !== null; count++) {
		if (count === mostPages) throw new Error(`expected a list of models of at most ${mostPages} pages from ${first.origin}${first.pathname}, got more`);
		const url = new URL(first);
		if (page !== '') url.search += `${url.search === '' ? '?' : '&'}${page}`;
		const json = await getJson(ask, url, signal);
		// A name becomes public: one that repeats our key is none.
		models.push(...listing.readModels(json).filter(({ name }) => hideSecrets(name, secrets) === name));
		page = listing.nextPage?.(json) ?? null;
	}
	if (models.length === 0) throw new Error(`expected a list of models from ${first.origin}${first.pathname}, got none`);
	return models;
}

async function getJson({ dialect, entry, baseUrl, headers, secret }: ListingAsk, url: URL, signal: AbortSignal): Promise<unknown> {
	const wire = { url, headers: { accept: 'application/json', ...dialect.listing?.headers?.(baseUrl), ...entry?.headers, ...headers }, body: '' };
	const proof = secret === null ? {} : authorize(entry?.auth ?? dialect.auth, secret, wire, Date.now(), 'GET');
	const response = await request(url, { headers: { ...wire.headers, ...proof }, signal });
	const chunks: Uint8Array[] = [];
	let size = 0;
	for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
		size += chunk.length;
		if (size > bodyLimit) throw new Error(`expected a list of models below ${bodyLimit} bytes, got more`);
		chunks.push(chunk);
	}
	if (response.statusCode !== 200) throw new Error(`expected a list of models, got HTTP ${response.statusCode} from ${url.origin}${url.pathname}`);
	try {
		return JSON.parse(Buffer.concat(chunks).toString('utf8'));
	} catch {
		throw new Error(`expected a list of models as JSON from ${url.origin}${url.pathname}, got something else`);
	}
}
