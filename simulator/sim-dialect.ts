import type { IncomingHttpHeaders } from 'node:http';
import type { Operation } from '#core/target.ts';
import type { ErrorKind } from './faults.ts';

/** One piece of a stream before it is put into bytes. */
export type Frame = { readonly event: string | null; readonly data: object | string } | { readonly comment: string } | { readonly raw: string };

/** What a request asked for, in common words. */
export interface SimAsk {
	readonly upstreamModel: string;
	readonly prompt: string;
	readonly includeUsage: boolean;
	/** The form that was asked for; null: words. */
	readonly form: { readonly kind: 'json' } | { readonly kind: 'tool'; readonly name: string } | null;
}

/** One answer while it is being written. */
export interface SimAnswer {
	readonly id: string;
	/** What the answer says that it is from. */
	readonly servedModel: string;
	readonly includeUsage: boolean;
	readonly inputTokens: number;
	readonly outputTokens: number;
	readonly reasoningTokens: number;
	/** s since epoch. */
	readonly created: number;
}

export interface SimError {
	readonly status: number;
	readonly headers: Readonly<Record<string, string>>;
	readonly body: object;
}

export type SimFinish = 'stop' | 'length' | 'content' | 'refusal' | 'tool';

export interface SimDialect {
	readonly id: string;
	/** Between the provider's prefix and the dialect's own paths. */
	readonly basePath: string;
	readonly operation: Operation;
	readonly contentType: string;
	/** Bytes of a frame where the protocol is not server-sent events; null: it is. */
	readonly encode: ((frame: Frame) => string | Buffer) | null;
	/** The model when the path names it, `''` when the body does; null when this path asks no model. */
	matchAsk(path: string): string | null;
	/** Null: the protocol lists its models elsewhere. */
	readonly listingPath: string | null;
	/** In place of `basePath`, for a listing that is beside it. */
	readonly listingBasePath?: string;
	/** The key in the header that this protocol uses; null when it is missing. */
	presentedKey(headers: IncomingHttpHeaders): string | null;
	/** Null when the body is not this protocol: the server then answers bad_request. */
	readAsk(body: unknown, modelInPath: string): SimAsk | null;
	opening(answer: SimAnswer): Frame[];
	content(answer: SimAnswer, text: string, index: number): Frame;
	/** A tool call, in as many frames as the protocol cuts it into; empty where the protocol has no tools. */
	call(answer: SimAnswer, name: string, args: Readonly<Record<string, unknown>>): Frame[];
	reasoning(answer: SimAnswer, text: string): Frame;
	heartbeat(): Frame;
	/** Finish reason and usage. */
	closing(answer: SimAnswer, finish: SimFinish): Frame[];
	/** What comes after that; empty when nothing does. */
	terminator(): Frame[];
	/** Null: this protocol has no such error. */
	error(kind: ErrorKind, key: string | null): SimError | null;
	/** Errors that this protocol can tell inside a stream. */
	readonly inBandKinds: readonly ErrorKind[];
	/** The error inside a stream that has begun. */
	errorFrame(error: SimError): Frame;
	/** The whole answer as one JSON document, as if no stream had been asked for. */
	whole(answer: SimAnswer, text: string): object;
	listModels(names: readonly string[]): object;
	/** Sent with every good answer. */
	headers(answer: SimAnswer): Record<string, string>;
}
