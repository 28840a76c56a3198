/** What is probed and judged: provider × model × operation. */

import { hash32 } from './hash.ts';
import type { JsonSchema } from './json-schema.ts';
import type { Lifecycle } from './lifecycle.ts';
import type { OfficialPage } from './official.ts';

export const operations = ['chat', 'embeddings'] as const;
export type Operation = (typeof operations)[number];

/** USD per million tokens. */
export interface Price {
	readonly inputUsdPerMTok: number;
	readonly outputUsdPerMTok: number;
}

/** Milliseconds each; a probe ends at the first that passes. */
export interface Timeouts {
	readonly connectMs: number;
	readonly firstTokenMs: number;
	readonly stallMs: number;
	readonly totalMs: number;
}

/** How a model wants to be asked; each default is the dialect's. */
export interface ModelFlags {
	readonly maxTokensField: 'max_tokens' | 'max_completion_tokens';
	readonly sendTemperature: boolean;
	/** Ask for usage in the stream (`stream_options.include_usage`). */
	readonly includeUsage: boolean;
	/** Output cap of the canary; reasoning models spend a small one on hidden thinking and answer nothing. */
	readonly maxOutputTokens: number;
	/** Merged into the request body last: the operator's or the catalogue's own fields. */
	readonly bodyPatch: Readonly<Record<string, unknown>>;
}

/** The canaries that need no words of the operator's. `embedding` is the only one of the operation `embeddings`. */
export const builtInCanaries = ['echo', 'json', 'tool', 'embedding'] as const;

/**
 * A small prompt with an expectation. `echo` answers a nonce, `json` follows a schema, `tool` calls a tool with given arguments, `embedding`
 * gives a vector; `custom` is the operator's own.
 */
export type Canary =
	| { readonly name: 'echo'; readonly type: 'echo' }
	| { readonly name: 'json'; readonly type: 'json' }
	| { readonly name: 'tool'; readonly type: 'tool' }
	/** `dimensions`: the length that the vector must have; null = any. */
	| { readonly name: 'embedding'; readonly type: 'embedding'; readonly dimensions: number | null }
	| { readonly name: string; readonly type: 'custom'; readonly prompt: string; readonly expect: Expectation };

export type CanaryType = Canary['type'];

/** The whole text, a pattern in it, or a schema that the text must match as JSON. */
export type Expectation = { readonly text: string } | { readonly pattern: string } | { readonly schema: JsonSchema };

export interface Target {
	readonly id: string;
	readonly provider: string;
	readonly providerName: string;
	readonly model: string;
	readonly operation: Operation;
	readonly upstreamModel: string;
	readonly dialect: string;
	readonly baseUrl: string;
	/** Name of the environment variable that holds the key; null when the endpoint takes none. */
	readonly apiKeyEnv: string | null;
	/** Extra request headers, without secrets. */
	readonly headers: Readonly<Record<string, string>>;
	readonly intervalMs: number;
	readonly timeouts: Timeouts;
	readonly flags: ModelFlags;
	readonly canaries: readonly Canary[];
	/** Null when the price is unknown: such a target is forecast at the budget's fallback price. */
	readonly price: Price | null;
	/** Highest number of probes in flight to this provider from one worker. */
	readonly maxConcurrency: number;
	readonly statusPageUrl: string | null;
	/** Where the provider's own words are read; left out: nowhere. */
	readonly officialPage?: OfficialPage;
	/** Offer HTTP/2 to the endpoint; left out: HTTP/1.1 only, where a cut stream shows best. */
	readonly http2?: true;
	/** Told by the provider's listing; without one (models named by hand) a model counts as active. */
	readonly lifecycle?: Lifecycle;
}

export interface TargetIdParts {
	readonly provider: string;
	readonly model: string;
	readonly operation: Operation;
}

/** `provider:model:operation`. A provider has no colon and an operation has none, so a model may hold any. */
export function targetId({ provider, model, operation }: TargetIdParts): string {
	return `${provider}:${model}:${operation}`;
}

/** Null when the text is not a target id. */
export function parseTargetId(id: string): TargetIdParts | null {
	const first = id.indexOf(':');
	const last = id.lastIndexOf(':');
	if (first <= 0 || last <= first + 1) return null;
	const operation = operations.find((known) => known === id.slice(last + 1));
	if (operation === undefined) return null;
	return { provider: id.slice(0, first), model: id.slice(first + 1, last), operation };
}

/** Below the 255 bytes that file systems allow, with room for an extension. */
const longestSlug = 180;

/**
 * A file name for an id, injective also on file systems that ignore case: `gpt-4.1` and `gpt-4-1`, `GPT` and `gpt` never collide.
 * `/` is `__`, `:` is `_-`, every other byte outside a-z 0-9 . - is `_` and two hex digits. A name too long for a file is cut, and told apart by 64 bits of hash.
 */
export function fileSlug(id: string): string {
	const slug = id.replace(/[^a-z0-9.-]/gu, slugOf);
	return slug.length <= longestSlug ? slug : `${slug.slice(0, longestSlug - 18)}_.${hex32(id)}${hex32(`\n${id}`)}`;
}

function slugOf(char: string): string {
	if (char === '/') return '__';
	if (char === ':') return '_-';
	return Array.from(new TextEncoder().encode(char), (byte) => `_${byte.toString(16).padStart(2, '0')}`).join('');
}

function hex32(text: string): string {
	return hash32(text).toString(16).padStart(8, '0');
}
