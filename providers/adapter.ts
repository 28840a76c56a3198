/** What a wire dialect is. Pure: it says what to send and reads what came; sockets, clocks and secrets' storage are elsewhere. */
import type { Answer } from '#core/answer.ts';
import type { Ask } from '#core/canary.ts';
import type { ErrorRule } from '#core/error-rules.ts';
import type { ListedModel } from '#core/lifecycle.ts';
import type { CanaryType, ModelFlags, Operation, Target } from '#core/target.ts';

/** How a header carries the key. `sigv4` signs the request instead. */
export type AuthStyle = 'bearer' | 'x-api-key' | 'x-goog-api-key' | 'api-key' | 'sigv4';

/** How bytes become events: `sse`, one JSON object a line, one whole JSON document, or Amazon's binary frames. */
export type Framing = 'sse' | 'ndjson' | 'json' | 'aws-eventstream';

/** One event of a stream. `name` is the SSE event name, or the frame's type; null when it has none. */
export interface WireEvent {
	readonly name: string | null;
	readonly data: string;
}

/** `content`: visible text or tool arguments; `reasoning`: hidden or shown thinking; `heartbeat`: a ping; `structure`: everything else. */
export type EventMark = 'content' | 'reasoning' | 'heartbeat' | 'structure';

export interface AnswerReader {
	/** Never throws: what it can't read becomes `malformed` in the answer. */
	push(event: WireEvent): EventMark;
	/** The stream ended cleanly. */
	end(): void;
	/** The answer so far. A live view: it changes with the next push. */
	answer(): Answer;
}

export interface WireRequest {
	readonly method: 'POST';
	/** Joined to the target's baseUrl; starts with a slash. */
	readonly path: string;
	/** Without the secret. Lower-case names. */
	readonly headers: Readonly<Record<string, string>>;
	readonly body: string;
}

/** What every chat protocol of today can be asked. */
export const chatCanaries: readonly CanaryType[] = ['echo', 'json', 'tool', 'custom'];

export interface Dialect {
	readonly id: string;
	readonly operation: Operation;
	readonly framing: Framing;
	/** Content types of a good answer; one that is missing altogether is let pass. */
	readonly contentTypes: RegExp;
	readonly auth: AuthStyle;
	readonly defaultFlags: ModelFlags;
	/** Canaries that this protocol has the words for. */
	readonly canaries: readonly CanaryType[];
	buildRequest(target: Target, ask: Ask): WireRequest;
	createReader(): AnswerReader;
	readonly errorRules: readonly ErrorRule[];
	/** Where the provider lists its models; null when the dialect has no listing. */
	readonly listing: ModelListing | null;
}

export interface ModelListing {
	/** Joined to the baseUrl, or to `base` of it. */
	readonly path: string;
	/** Where a provider lists its models beside the baseUrl, not below it. */
	base?(baseUrl: string): string;
	/** What the listing needs beside the key. */
	headers?(baseUrl: string): Readonly<Record<string, string>>;
	/** The query that asks for what comes after this page; null: it was the last one. Left out: the listing is one page. */
	nextPage?(json: unknown): string | null;
	/** An empty list when the answer is not a listing. */
	readModels(json: unknown): ListedModel[];
}
