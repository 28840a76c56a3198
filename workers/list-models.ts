import { request } from 'undici';
import type { ListedModel } from '#core/lifecycle.ts';
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

/**
 * The provider's models, as it lists them to this key; nothing is billed.
 * @throws with what came, when it is not a listing; the secret is in no message
 */
export async function listModels({ dialect, entry, baseUrl, headers, secret, timeoutMs }: ListingAsk): Promise<ListedModel[]> {
	if (dialect.listing === null) throw new Error(`the dialect ${dialect.id} has no list of models`);
	const wire = { url: joinUrl(baseUrl, dialect.listing.path), headers: { accept: 'application/json', ...entry?.headers, ...headers }, body: '' };
	const proof = secret === null ? {} : authorize(entry?.auth ?? dialect.auth, secret, wire, Date.now());
	const response = await request(wire.url, { headers: { ...wire.headers, ...proof }, signal: AbortSignal.timeout(timeoutMs) });
	const chunks: Uint8Array[] = [];
	let size = 0;
	for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
		size += chunk.length;
		if (size > bodyLimit) throw new Error(`expected a list of models below ${bodyLimit} bytes, got more`);
		chunks.push(chunk);
	}
	if (response.statusCode !== 200) throw new Error(`expected a list of models, got HTTP ${response.statusCode} from ${wire.url.origin}${wire.url.pathname}`);
	let json: unknown;
	try {
		json = JSON.parse(Buffer.concat(chunks).toString('utf8'));
	} catch {
		throw new Error(`expected a list of models as JSON from ${wire.url.origin}${wire.url.pathname}, got something else`);
	}
	const models = dialect.listing.readModels(json);
	if (models.length === 0) throw new Error(`expected a list of models from ${wire.url.origin}${wire.url.pathname}, got none`);
	return models;
}
