/** Errors as problem+json (RFC 9457), in one place. */

import type { ErrorRequestHandler, Request, Response } from 'express';
import type { Log } from '#core/log.ts';

const titles = {
	400: 'Bad request',
	401: 'Not authorized',
	404: 'Not found',
	405: 'Method not allowed',
	413: 'Body too large',
	415: 'Unsupported type',
	429: 'Too many requests',
	503: 'Not available now',
	500: 'Internal error',
} as const;
export type ProblemStatus = keyof typeof titles;

/** Thrown by a route, answered by `answerProblem`. */
export class Problem extends Error {
	readonly status: ProblemStatus;
	readonly slug: string;
	readonly retryAfterS: number | null;

	/** @param slug names the kind, stable. @param detail says what was expected and what came. */
	constructor(status: ProblemStatus, slug: string, detail: string, options: { readonly retryAfterS?: number; readonly cause?: unknown } = {}) {
		super(detail, { cause: options.cause });
		this.status = status;
		this.slug = slug;
		this.retryAfterS = options.retryAfterS ?? null;
	}
}

export function sendProblem(res: Response, problem: Problem): void {
	const { status, slug, message, retryAfterS } = problem;
	res.removeHeader('ETag');
	res.setHeader('Cache-Control', 'no-store');
	if (retryAfterS !== null) res.setHeader('Retry-After', String(retryAfterS));
	res.status(status).type('application/problem+json');
	res.send(JSON.stringify({ type: `urn:linnet:problem:${slug}`, title: titles[status], status, detail: message }));
}

/** What a client sent, quoted and cut, for a message that goes back to it. */
export function quote(value: unknown): string {
	const text = typeof value === 'string' ? value : JSON.stringify(value);
	return JSON.stringify(text === undefined ? 'nothing' : text.length > 100 ? `${text.slice(0, 100)}…` : text);
}

function asProblem(error: unknown): Problem {
	if (error instanceof Problem) return error;
	const status = (error as { status?: unknown }).status;
	// Express and its parsers mark the client's faults so: a broken percent-escape, say.
	if (status === 413) return new Problem(413, 'body-too-large', 'Expected a smaller body', { cause: error });
	if (typeof status === 'number' && status >= 400 && status < 500) {
		return new Problem(400, 'bad-request', 'Expected a well-formed request, got one that can’t be read', { cause: error });
	}
	return new Problem(500, 'internal', 'Something failed here; it is in the log', { cause: error });
}

/** The last handler: no stack leaves the process. */
export function answerProblem(log: Log): ErrorRequestHandler {
	return (error: unknown, req: Request, res: Response, next) => {
		const problem = asProblem(error);
		if (problem.status === 500) log.error({ err: error, method: req.method, path: req.path }, 'request failed');
		if (res.headersSent) next(error);
		else sendProblem(res, problem);
	};
}
