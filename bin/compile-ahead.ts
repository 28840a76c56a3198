import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { version } from './version.ts';

/**
 * Fills the compile cache, once a version, so that no child strips types itself: each keeps 5 to 20 MB for that and takes 0.2 to 0.4 s longer to start.
 * All commands are loaded before `--version` ends the process, and with it the cache is written.
 * @param dir undefined: nowhere (bin/linnet.mjs names it)
 */
export async function compileAhead(dir: string | undefined, signal: AbortSignal): Promise<void> {
	if (dir === undefined) return;
	// Whoever compiles for itself makes the directory too.
	const done = join(dir, `done-${version}`);
	if (existsSync(done)) return;
	const here = import.meta.dirname;
	const args = ['--import', pathToFileURL(join(here, 'load-roles.ts')).href, join(here, 'main.ts'), '--version'];
	const env = { ...process.env, NODE_COMPILE_CACHE: dir };
	try {
		await promisify(execFile)(process.execPath, args, { env, signal, timeout: 20_000 });
		await writeFile(done, '');
	} catch {
		// Ended, or it can't be written: each process compiles for itself.
	}
}
