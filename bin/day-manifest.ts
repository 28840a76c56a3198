/**
 * The manifest of one exported day. Each names the hash of the one before it, so that no day can be changed, left out or put in without
 * changing every later manifest; the newest one's signature vouches for all.
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

export const manifestSchema = z.object({
	schema: z.literal('linnet.results/1'),
	/** UTC day, YYYY-MM-DD. */
	day: z.iso.date(),
	/** ISO 8601. */
	exportedAt: z.iso.datetime(),
	/** Day and hash of the manifest before this one; null for the first. */
	previous: z.object({ day: z.iso.date(), sha256 }).nullable(),
	rows: z.int().nonnegative(),
	files: z.array(z.object({ name: z.string().regex(/^[\w.-]+$/), bytes: z.int().nonnegative(), sha256 })),
	/** Hash over the row hashes of each series, in order: names what was changed when a row and its hash both were. */
	series: z.array(z.object({ target: z.string(), vantage: z.string(), canary: z.string(), kind: z.string(), rows: z.int().positive(), sha256 })),
	/** Published figures of the day, from the rollups: target → canary → figures. The rows must add up to them. */
	figures: z.record(z.string(), z.record(z.string(), z.record(z.string(), z.unknown()))),
});
export type Manifest = z.infer<typeof manifestSchema>;

export const resultsFolder = 'results';
export const manifestName = (day: string) => `${day}.manifest.json`;
export const rowsName = (day: string, format: 'csv' | 'ndjson' | 'parquet') => `${day}.${format}`;

export function hashOf(content: string | Uint8Array): string {
	return createHash('sha256').update(content).digest('hex');
}

/** Hash that stands with a row: of its NDJSON line without it, shortened. */
export function rowHash(line: string): string {
	return hashOf(line).slice(0, 24);
}

/** What is signed beside the manifest's bytes: it does not go stale. */
export function manifestFreshness(manifest: Pick<Manifest, 'exportedAt'>) {
	return { generatedAt: manifest.exportedAt, staleAfter: 'never' };
}
