/** Admin routes: closed without a token, which is compared in constant time; rate-limited per address. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { NextFunction, Request, RequestHandler, Response } from 'express';
import type { ApiTools } from './api-tools.ts';
import { Problem, quote } from './problem.ts';

const windowMs = 60_000;
const requestsPerWindow = 120;
/** A token of 20 random letters is not guessed at this pace; a mistyped one may be tried again at once. */
const failuresPerWindow = 10;
/** Beyond it the oldest are forgotten: many addresses must not fill memory. */
const keptAddresses = 10_000;

interface Tally {
	readonly startedAt: number;
	requests: number;
	failures: number;
}

const digest = (text: string) => createHash('sha256').update(text).digest();

/** Before any admin route, and before its body is read. */
export function guardAdmin({ adminToken, now }: Pick<ApiTools, 'adminToken' | 'now'>): RequestHandler {
	const tallies = new Map<string, Tally>();
	const tallyOf = (address: string): Tally => {
		const known = tallies.get(address);
		if (known !== undefined && now() - known.startedAt < windowMs) return known;
		const fresh = { startedAt: now(), requests: 0, failures: 0 };
		tallies.delete(address);
		tallies.set(address, fresh);
		if (tallies.size > keptAddresses) tallies.delete(tallies.keys().next().value ?? '');
		return fresh;
	};
	// Digests have one length, so the comparison tells nothing of the token's own.
	const expected = adminToken ? digest(adminToken) : null;
	return (req: Request, res: Response, next: NextFunction) => {
		if (expected === null) throw new Problem(404, 'unknown-route', `Expected a route of /openapi.json, got ${quote(req.path)}: admin routes are closed`);
		const tally = tallyOf(req.socket.remoteAddress ?? '');
		tally.requests += 1;
		if (tally.requests > requestsPerWindow || tally.failures >= failuresPerWindow) {
			const retryAfterS = Math.ceil((tally.startedAt + windowMs - now()) / 1_000);
			throw new Problem(429, 'too-many-requests', `Expected at most ${requestsPerWindow} requests and ${failuresPerWindow} wrong tokens a minute`, {
				retryAfterS,
			});
		}
		const [, token = ''] = /^Bearer +(\S+)$/i.exec(req.headers.authorization ?? '') ?? [];
		if (!timingSafeEqual(digest(token), expected)) {
			tally.failures += 1;
			res.setHeader('WWW-Authenticate', 'Bearer');
			throw new Problem(401, 'unauthorized', 'Expected Authorization: Bearer with the admin token');
		}
		next();
	};
}
