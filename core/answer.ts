/** What a dialect's reader makes of a provider's words. Raw text: it is redacted before it is stored. */

/** An error as the provider worded it, from an error body or from inside a stream. Null = not told. */
export interface ProviderError {
	/** The status that the error itself names; it may differ from the HTTP status. */
	readonly status: number | null;
	readonly type: string | null;
	readonly code: string | null;
	readonly message: string | null;
	/** The request's field that it complains of. */
	readonly param: string | null;
	/** Finer words from the details: ErrorInfo.reason, quotaId, error_code, availability.code … */
	readonly reasons: readonly string[];
	/** Wait asked for inside the body. */
	readonly retryAfterMs: number | null;
}

/**
 * The dialects' finish reasons in common words. `content`: a filter or refusal; `error`, `timeout`, `overloaded`: the provider gave up;
 * `mismatch`: the model's output was malformed.
 */
export type Finish = 'stop' | 'length' | 'tool' | 'content' | 'error' | 'timeout' | 'overloaded' | 'mismatch';

/** The answer so far; after the last event, the answer. */
export interface Answer {
	/** Visible text, cut at 16,384 characters. */
	readonly text: string;
	/** Of the first tool that the model called; null when it called none. */
	readonly toolName: string | null;
	/** That call's arguments as JSON text, cut at 16,384 characters; empty while there are none. */
	readonly toolArguments: string;
	/** How many numbers the vector has; null when there was none. */
	readonly vectorLength: number | null;
	readonly reasoningSeen: boolean;
	/** The dialect's terminator was seen (wire protocols, section 1.6). */
	readonly complete: boolean;
	/** Nothing may follow: the reader of the socket can stop. */
	readonly closed: boolean;
	readonly finish: Finish | null;
	/** The provider's own word. */
	readonly finishReason: string | null;
	readonly inputTokens: number | null;
	/** Billed output, hidden reasoning included. */
	readonly outputTokens: number | null;
	/** Part of outputTokens that was never shown; null when not told. */
	readonly reasoningTokens: number | null;
	readonly servedModel: string | null;
	readonly requestId: string | null;
	readonly error: ProviderError | null;
	/** The error came when visible content had started. */
	readonly errorAfterContent: boolean;
	/** Why an event was not the protocol; null when all were. */
	readonly malformed: string | null;
	/** A quirk worth keeping though the answer is right, e.g. `no_done`, `done_without_finish`. */
	readonly note: string | null;
}

export const emptyAnswer: Answer = {
	text: '',
	toolName: null,
	toolArguments: '',
	vectorLength: null,
	reasoningSeen: false,
	complete: false,
	closed: false,
	finish: null,
	finishReason: null,
	inputTokens: null,
	outputTokens: null,
	reasoningTokens: null,
	servedModel: null,
	requestId: null,
	error: null,
	errorAfterContent: false,
	malformed: null,
	note: null,
};
