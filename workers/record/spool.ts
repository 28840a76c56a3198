import { type FileHandle, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ProbeResult } from '#core/probe-result.ts';
import { type DecodedSpool, decodeLines, encodeLine } from './spool-line.ts';

export interface Spool {
	/** Resolves when the results are on the disk. @throws when the spool is full or the disk refuses: then nothing is promised. */
	append(results: readonly ProbeResult[]): Promise<void>;
	/** Files that hold results, oldest first, ours and those that dead processes left; nothing is appended to them any more. */
	seal(): Promise<string[]>;
	/** Null when somebody else has drained it meanwhile. */
	read(file: string): Promise<DecodedSpool | null>;
	/** After its results are recorded. */
	remove(file: string): Promise<void>;
	/** Puts a file aside that can't be read, so that it does not hold up the others. */
	setAside(file: string): Promise<void>;
	bytes(): Promise<number>;
	close(): Promise<void>;
}

export interface SpoolOptions {
	/** May be shared by processes: whoever drains a file renames it first, and its writer then sees that it must begin another. */
	readonly dir: string;
	readonly maxBytes: number;
	/** A file of this size is full: it is read whole when drained. */
	readonly maxFileBytes: number;
}

const openSuffix = '.open';
const sealedSuffix = '.sealed';

interface Segment {
	readonly path: string;
	readonly handle: FileHandle;
	bytes: number;
}

export function createSpool({ dir, maxBytes, maxFileBytes }: SpoolOptions): Spool {
	let segment: Segment | null = null;
	let count = 0;
	// Appending and sealing take turns.
	let last: Promise<unknown> = Promise.resolve();
	const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
		const turn = last.then(work);
		last = turn.catch(() => {});
		return turn;
	};

	async function begin(): Promise<Segment> {
		await mkdir(dir, { recursive: true });
		count += 1;
		const name = `${String(Date.now()).padStart(15, '0')}-${process.pid}-${String(count).padStart(6, '0')}${openSuffix}`;
		const path = join(dir, name);
		const handle = await open(path, 'ax');
		// Without this a power failure may forget the file, whatever is in it.
		const directory = await open(dir, 'r');
		await directory.sync();
		await directory.close();
		return { path, handle, bytes: 0 };
	}

	async function letGo(): Promise<void> {
		const own = segment;
		segment = null;
		await own?.handle.close();
	}

	async function names(): Promise<string[]> {
		const all = await readdir(dir).catch((error: NodeJS.ErrnoException) => {
			if (error.code === 'ENOENT') return [];
			throw error;
		});
		return all.filter((name) => name.endsWith(openSuffix) || name.endsWith(sealedSuffix)).sort();
	}

	async function sizeOf(name: string): Promise<number> {
		for (const current of [name, name.replace(openSuffix, sealedSuffix)]) {
			const found = await stat(join(dir, current)).catch(() => null);
			if (found !== null) return found.size;
		}
		return 0; // Drained meanwhile.
	}

	async function bytes(): Promise<number> {
		const sizes = await Promise.all((await names()).map(sizeOf));
		return sizes.reduce((sum, size) => sum + size, 0);
	}

	async function write(text: string): Promise<void> {
		segment ??= await begin();
		const own = segment;
		try {
			await own.handle.appendFile(text);
			await own.handle.datasync();
		} catch (error) {
			// What is in it now may end in the middle of a line.
			await letGo();
			throw error;
		}
		own.bytes += Buffer.byteLength(text);
	}

	return {
		append: (results) =>
			inTurn(async () => {
				const text = results.map(encodeLine).join('');
				if ((await bytes()) + Buffer.byteLength(text) > maxBytes) throw new Error(`Expected the spool in ${dir} to stay within ${maxBytes} bytes: it is full`);
				for (;;) {
					await write(text);
					const own = segment;
					// Renamed before our write was done: who drains it may have read too early. Slots are recorded once, so twice is harmless.
					const stillOurs =
						own !== null &&
						(await stat(own.path).then(
							(found) => found.isFile(),
							() => false,
						));
					if (!stillOurs) {
						await letGo();
						continue;
					}
					if (own.bytes >= maxFileBytes) await letGo();
					return;
				}
			}),
		seal: () =>
			inTurn(async () => {
				await letGo();
				const sealed: string[] = [];
				for (const name of await names()) {
					if (name.endsWith(sealedSuffix)) {
						sealed.push(name);
						continue;
					}
					const to = `${name.slice(0, -openSuffix.length)}${sealedSuffix}`;
					const renamed = await rename(join(dir, name), join(dir, to)).then(
						() => true,
						(error: NodeJS.ErrnoException) => {
							if (error.code === 'ENOENT') return false;
							throw error;
						},
					);
					if (renamed) sealed.push(to);
				}
				return sealed;
			}),
		async read(file) {
			const text = await readFile(join(dir, file), 'utf8').catch((error: NodeJS.ErrnoException) => {
				if (error.code === 'ENOENT') return null;
				throw error;
			});
			return text === null ? null : decodeLines(text);
		},
		remove: (file) => rm(join(dir, file), { force: true }),
		setAside: (file) => rename(join(dir, file), join(dir, `${file}.unreadable`)),
		bytes,
		close: () => inTurn(letGo),
	};
}
