/** Query parameters, strictly: an unknown one is an error, because a misspelt filter that is ignored answers a different question. */

import type { Request } from 'express';
import { parseDuration } from '#core/duration.ts';
import { Problem, quote } from './problem.ts';

/** Every known parameter with its values; one that repeats or holds commas has several. */
export function parseQuery<Name extends string>(req: Request, known: readonly Name[]): Record<Name, readonly string[]> {
	const start = req.url.indexOf('?');
	const given = new URLSearchParams(start === -1 ? '' : req.url.slice(start + 1));
	const unknown = [...given.keys()].find((name) => !known.some((expected) => expected === name));
	if (unknown !== undefined) {
		const expected = known.length === 0 ? 'no parameter' : `only ${known.join(', ')}`;
		throw new Problem(400, 'unknown-parameter', `Expected ${expected}, got ${quote(unknown)}`);
	}
	const values = (name: Name) => given.getAll(name).filter((value) => value !== '');
	return Object.fromEntries(known.map((name) => [name, values(name)])) as unknown as Record<Name, readonly string[]>;
}

/** The one value, or null when it was not given. */
export function single(name: string, values: readonly string[]): string | null {
	if (values.length > 1) throw new Problem(400, 'bad-parameter', `Expected one ${name}, got ${values.length}`);
	return values[0] ?? null;
}

export function oneOf<Value extends string>(name: string, value: string, allowed: readonly Value[]): Value {
	const found = allowed.find((expected) => expected === value);
	if (found === undefined) throw new Problem(400, 'bad-parameter', `Expected ${name} to be one of ${allowed.join(', ')}, got ${quote(value)}`);
	return found;
}

export function parseLimit(values: readonly string[], fallback: number, max: number): number {
	const text = single('limit', values);
	if (text === null) return fallback;
	const limit = /^\d{1,6}$/.test(text) ? Number(text) : Number.NaN;
	if (!(limit >= 1 && limit <= max)) throw new Problem(400, 'bad-parameter', `Expected limit to be a whole number from 1 to ${max}, got ${quote(text)}`);
	return limit;
}

/** A cursor is opaque, but never long and never odd: the record is not asked about anything else. */
export function parseCursor(values: readonly string[]): string | null {
	const cursor = single('cursor', values);
	if (cursor !== null && !/^[\w.~:-]{1,256}$/.test(cursor))
		throw new Problem(400, 'bad-cursor', `Expected a cursor from an earlier page, got ${quote(cursor)}`);
	return cursor;
}

/** ISO 8601, ms since epoch, or a duration back from now ("24h"); null when it was not given. */
export function parseInstant(name: string, values: readonly string[], now: number): number | null {
	const text = single(name, values);
	if (text === null) return null;
	const back = parseDuration(text);
	if (back !== null) return now - back;
	const at = /^\d{10,14}$/.test(text) ? Number(text) : /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : Number.NaN;
	if (!Number.isFinite(at))
		throw new Problem(400, 'bad-parameter', `Expected ${name} as ISO 8601, ms since epoch or a duration such as 24h, got ${quote(text)}`);
	return at;
}

/** The id in a path, its slashes raw or escaped. Throws 400 when its escapes are broken. */
export function parsePathId(path: string): string {
	try {
		return decodeURIComponent(path);
	} catch (cause) {
		throw new Problem(400, 'bad-path', `Expected a percent-encoded id, got ${quote(path)}`, { cause });
	}
}
