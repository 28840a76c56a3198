/** The rendered site from its folder. Files stand in memory with their compressed forms until they change on disk. */
import { readFile, stat } from 'node:fs/promises';
import { extname, join, normalize, sep } from 'node:path';
import { createDocument, type Document } from './document.ts';

const types: Readonly<Record<string, string>> = {
	'.html': 'text/html; charset=utf-8',
	'.css': 'text/css; charset=utf-8',
	'.js': 'text/javascript; charset=utf-8',
	'.svg': 'image/svg+xml; charset=utf-8',
	'.json': 'application/json; charset=utf-8',
	'.xml': 'application/xml; charset=utf-8',
};

// About 40 MB at the overview's size; the common pages are few.
const keptFiles = 300;

interface Kept {
	readonly stamp: string;
	readonly document: Document;
}

export interface StaticSite {
	/** Null when there is no such file. Never leaves the folder and never gives a hidden file. */
	read(path: string): Promise<Document | null>;
}

async function statOrNull(place: string) {
	try {
		return await stat(place);
	} catch (error) {
		const { code } = error as NodeJS.ErrnoException;
		if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ENAMETOOLONG') return null;
		throw error;
	}
}

export function openStaticSite(dir: string): StaticSite {
	const kept = new Map<string, Kept>();
	// Requests that come together share one look at the disk; none is answered from an earlier look.
	const looking = new Map<string, ReturnType<typeof statOrNull>>();
	const look = (place: string) => {
		const running = looking.get(place);
		if (running !== undefined) return running;
		const found = statOrNull(place).finally(() => looking.delete(place));
		looking.set(place, found);
		return found;
	};
	return {
		async read(path) {
			const wanted = path === '' || path.endsWith('/') ? `${path}index.html` : path;
			const type = types[extname(wanted)];
			if (type === undefined || wanted.includes('\0') || wanted.split('/').some((part) => part.startsWith('.'))) return null;
			const place = join(dir, normalize(wanted));
			if (!place.startsWith(dir.endsWith(sep) ? dir : dir + sep)) return null;
			const found = await look(place);
			if (found === null || !found.isFile()) return null;
			const stamp = `${found.mtimeMs} ${found.size} ${found.ino}`;
			const known = kept.get(place);
			if (known?.stamp === stamp) return known.document;
			const document = createDocument(type, await readFile(place));
			if (kept.size >= keptFiles) kept.delete(kept.keys().next().value ?? '');
			kept.set(place, { stamp, document });
			return document;
		},
	};
}
