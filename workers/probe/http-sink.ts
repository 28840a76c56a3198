import type { TimedRequest } from './timed-request.ts';

/** What a transport tells of one exchange, in this order; after `onEnd` or `onError` nothing more. */
export interface HttpSink {
	/** The request is about to be written: the bytes leave in the same turn. */
	onSending(): void;
	/** A 1xx; what it says matters to nobody, how many there are does. */
	onInformational(): void;
	onHeaders(status: number, headers: Readonly<Record<string, string>>): void;
	onData(chunk: Buffer): void;
	/** The body ended as the protocol wants. */
	onEnd(): void;
	onError(error: unknown): void;
}

export type WireMessage = Pick<TimedRequest, 'url' | 'method' | 'headers' | 'body'>;

/** Ends the exchange from our side, whatever it is doing; the socket itself is the caller's. */
export type HangUp = () => void;

export const mostHeaderBytes = 65_536;
const mostHeaderChars = 1_024;

/** Lower-case names, one value each, cut where no header of use is that long. */
export function flattenHeaders(headers: Readonly<Record<string, string | number | readonly string[] | undefined>>): Record<string, string> {
	const flat: Record<string, string> = {};
	for (const [name, value] of Object.entries(headers)) {
		if (value !== undefined) flat[name.toLowerCase()] = (Array.isArray(value) ? value.join(', ') : String(value)).slice(0, mostHeaderChars);
	}
	return flat;
}
