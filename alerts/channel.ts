import type { z } from 'zod';
import type { AlertEvent } from '#core/alert.ts';

export interface HttpRequest {
	readonly method: 'POST';
	readonly url: string;
	readonly headers: Readonly<Record<string, string>>;
	readonly body: string;
}

/** What one attempt needs beside the event: the same id at every attempt, the attempt's own time, and secrets by the name of their variable. */
export interface Attempt {
	readonly id: string;
	readonly at: Date;
	/** Throws when the variable is not set. */
	secret(envName: string): string;
}

/** A channel is one file and one line in index.ts. Pure: it builds the request and reads the answer, it never sends. */
export interface Channel<Settings> {
	readonly type: string;
	/** What the configuration may say, strict. */
	readonly settings: z.ZodType<Settings>;
	/** Environment variables that the settings name; checked at start. */
	secretEnvs(settings: Settings): readonly string[];
	request(event: AlertEvent, settings: Settings, attempt: Attempt): HttpRequest;
	/** Success the way this service reports it. */
	accepted(status: number, body: string): boolean;
}
