/** The site on disk. A reader sees a file's old or new content, never a half. */
import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { crc32 } from 'node:zlib';
import type { SiteFile } from './page-layout.ts';

export interface WrittenSite {
	readonly written: number;
	readonly unchanged: number;
	readonly removed: number;
}

/** Lists what the last write left, so that only own files are ever removed: the folder may hold others'. */
const listName = '.linnet-site.json';

function readOrNull(path: string): string | null {
	try {
		return readFileSync(path, 'utf8');
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
		throw error;
	}
}

/** Most have changed, and most of these in length: the content is read only where that is equal. */
function isSame(place: string, content: string): boolean {
	return statSync(place, { throwIfNoEntry: false })?.size === Buffer.byteLength(content) && readOrNull(place) === content;
}

function pathsOf(list: string | null): readonly string[] {
	if (list === null) return [];
	const parsed: unknown = JSON.parse(list);
	if (!Array.isArray(parsed)) throw new Error(`Expected ${listName} to hold an array of paths`);
	return parsed.filter((path) => typeof path === 'string');
}

function placeIn(dir: string, path: string): string {
	const place = join(dir, path);
	if (relative(dir, place).startsWith('..')) throw new Error(`Expected a path inside the site, got ${JSON.stringify(path)}`);
	return place;
}

function writeAtomic(place: string, content: string): void {
	// A short name: the file's own may already be as long as the file system allows.
	const fresh = join(dirname(place), `.new-${crc32(basename(place)).toString(16)}`);
	writeFileSync(fresh, content);
	renameSync(fresh, place);
}

// Each step by a thread of the pool costs three times what it does (0.7 ms a page instead of 0.2, measured), and nobody else waits for this process.
const filesPerTurn = 20;

/**
 * Each file is written beside its place and renamed, as it comes; equal ones are left alone, so that their ETag stays, and so are those without a
 * content; what is no longer among them is removed last. One writer per folder. Throws when a path leaves the folder or the disk refuses.
 */
export async function writeSite(files: Iterable<SiteFile>, dir: string): Promise<WrittenSite> {
	mkdirSync(dir, { recursive: true });
	const list = readOrNull(join(dir, listName));
	const paths = new Set<string>();
	const folders = new Set<string>();
	let drawn = 0;
	let written = 0;
	for (const [path, content] of files) {
		paths.add(path);
		if (content === null) continue;
		const place = placeIn(dir, path);
		// A process whose parent is gone hears of it between two turns.
		if (++drawn % filesPerTurn === 0) await setImmediate();
		if (!folders.has(dirname(place))) mkdirSync(dirname(place), { recursive: true });
		folders.add(dirname(place));
		if (isSame(place, content)) continue;
		writeAtomic(place, content);
		written += 1;
	}
	const gone = pathsOf(list).filter((path) => !paths.has(path));
	for (const path of gone) rmSync(placeIn(dir, path), { force: true });
	const freshList = JSON.stringify([...paths]);
	if (freshList !== list) writeAtomic(join(dir, listName), freshList);
	return { written, unchanged: paths.size - written, removed: gone.length };
}
