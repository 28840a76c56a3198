/** Kinds of values that stand in several places of the file. */
import { z } from 'zod';
import { parseDuration } from '#core/duration.ts';

/** A duration with its unit, as ms. */
export function duration(min: string, max: string) {
	const [minMs, maxMs] = [parseDuration(min) ?? 0, parseDuration(max) ?? 0];
	return z
		.string({ error: (issue) => `expected a duration with its unit, like "60s" or "5m", got ${describe(issue.input)}` })
		.transform((text, context) => {
			const ms = parseDuration(text);
			if (ms === null) context.addIssue({ code: 'custom', message: `expected a duration with its unit, like "60s" or "5m", got ${describe(text)}` });
			else if (ms < minMs || ms > maxMs) context.addIssue({ code: 'custom', message: `expected a duration from ${min} to ${max}, got ${describe(text)}` });
			return ms ?? 0;
		})
		.meta({ description: `Duration with its unit, ${min} to ${max}` });
}

/** What came, for a message: its kind, and its text when that is short. */
export function describe(value: unknown): string {
	if (value === undefined) return 'nothing';
	if (value === null) return 'null (an empty value)';
	if (typeof value === 'string') return `"${value.length > 60 ? `${value.slice(0, 60)}…` : value}"`;
	if (Array.isArray(value)) return `a list of ${value.length}`;
	if (typeof value === 'object') return 'a mapping';
	return `${String(value)} (${typeof value})`;
}

export const envName = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, {
	error: (issue) =>
		`expected the name of an environment variable (never the secret itself), got ${typeof issue.input === 'string' ? 'text that is no such name' : describe(issue.input)}`,
});
export const httpUrl = z
	.url({ protocol: /^https?$/, error: (issue) => `expected an http or https URL, got ${describe(issue.input)}` })
	.transform((url) => url.replace(/\/+$/, ''));

/** A list, or its only item. */
export const oneOrMore = <T extends z.ZodType>(item: T) => z.union([item.transform((value) => [value]), z.array(item).min(1)]);
