import { z } from 'zod';
import type { AlertMessage } from '#core/alert.ts';

export interface HttpRequest {
	readonly kind: 'http';
	readonly method: 'POST';
	readonly url: string;
	readonly headers: Readonly<Record<string, string>>;
	readonly body: string;
}

export interface Mail {
	readonly kind: 'mail';
	readonly smtp: {
		readonly host: string;
		readonly port: number;
		/** `tls` from the first byte, `starttls` before anything is said, `none` only on a network of one's own. */
		readonly security: 'tls' | 'starttls' | 'none';
		/** Null: the server asks for none. */
		readonly login: { readonly user: string; readonly password: string } | null;
	};
	readonly from: string;
	readonly to: readonly string[];
	readonly subject: string;
	readonly text: string;
	readonly html: string;
	/** With its angle brackets; the same at every attempt. */
	readonly messageId: string;
	/** Message that it answers; null: it begins a thread. */
	readonly inReplyTo: string | null;
}

export type Wire = HttpRequest | Mail;

/** What one attempt needs beside the message: the same id at every attempt, the attempt's own time, and secrets by the name of their variable. */
export interface Attempt {
	readonly id: string;
	/** Of the message within its group, from 1. */
	readonly sequence: number;
	readonly at: Date;
	/** One of the channel's endpoints. */
	readonly endpoint: string;
	/** Throws when the variable is not set. */
	secret(envName: string): string;
}

/** A channel is one file and one line in index.ts. Pure: it words the message and reads the answer, it never sends. */
export interface Channel<Settings> {
	readonly type: string;
	/** For the table in docs/alerts.md. */
	readonly about: { readonly service: string; readonly success: string; readonly limits: string };
	/** What the configuration may say, strict. */
	readonly settings: z.ZodType<Settings>;
	/** Environment variables that the settings name; checked at start. */
	secretEnvs(settings: Settings): readonly string[];
	/** Each gets every message, in order, whatever becomes of the others; `['']` for a channel with one. */
	endpoints(settings: Settings): readonly string[];
	/** The service keeps an alert open until it is told of its end: that goes with the settings that opened it, also when they have changed. */
	readonly keepsAlerts: boolean;
	/** The service forgets what is not told again this often, ms; null: it does not. */
	readonly resendEveryMs: number | null;
	wire(message: AlertMessage, settings: Settings, attempt: Attempt): Wire;
	/** Success the way this service reports it; of mail the SMTP server's own word counts. */
	accepted(status: number, body: string): boolean;
	/** A wait that the body asks for, ms; null: none (the header Retry-After is read elsewhere). */
	retryAfterMs(body: string): number | null;
}

export const envName = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, { error: 'expected the name of an environment variable (never the secret itself)' });
export const httpUrl = z.url({ protocol: /^https?$/, error: 'expected an http or https URL' });

/** What every channel may say. */
export const commonSettings = {
	/** Channel that is told instead when this one fails for five minutes, or for good. */
	fallback: z.string().min(1).optional(),
};

/** A URL that is a secret by itself, out of the environment. Its text is never part of the error. */
export function secretUrl({ secret }: Pick<Attempt, 'secret'>, name: string): string {
	const text = secret(name);
	if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol)) throw new SettingsError(`expected the variable ${name} to hold an http or https URL`);
	return text;
}

/** A setting that only shows to be wrong when it is used: its message is for the operator and holds no secret. */
export class SettingsError extends Error {
	override readonly name = 'SettingsError';
}

export function isSuccess(status: number): boolean {
	return status >= 200 && status < 300;
}

/** A field of a JSON answer; undefined when it is no JSON or has none. */
export function jsonField(body: string, ...path: readonly string[]): unknown {
	try {
		return path.reduce<unknown>(
			(value, key) => (typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[key] : undefined),
			JSON.parse(body),
		);
	} catch {
		return undefined;
	}
}
