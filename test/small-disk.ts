/** A disk of its own that can be filled to the last byte: a tmpfs (root). */
import { execFile, execFileSync } from 'node:child_process';
import { chmod, mkdtemp, open, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface SmallDisk {
	readonly dir: string;
	/** Takes all that is free. */
	fill(): Promise<void>;
	/** Gives it back. */
	free(): Promise<void>;
	remove(): Promise<void>;
}

/** False on a laptop, after saying loudly what is left out; with CI=true it throws. */
export function canMakeDisks(leftOut: string): boolean {
	const dir = execFileSync('mktemp', ['-d'], { encoding: 'utf8' }).trim();
	try {
		execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', dir], { stdio: 'ignore' });
		execFileSync('umount', [dir]);
		return true;
	} catch {
		const message = `no tmpfs can be mounted here (root): ${leftOut}`;
		if (process.env.CI === 'true') throw new Error(message);
		console.warn(`\n!!! LEFT OUT: ${message}\n`);
		return false;
	} finally {
		execFileSync('rmdir', [dir]);
	}
}

export async function makeSmallDisk(megabytes: number): Promise<SmallDisk> {
	const dir = await mkdtemp(join(tmpdir(), 'linnet-disk-'));
	await run('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', dir]);
	await chmod(dir, 0o755);
	const ballast = join(dir, 'ballast');
	return {
		dir,
		async fill() {
			const file = await open(ballast, 'a');
			try {
				for (const size of [2 ** 20, 4_096]) {
					const zeros = Buffer.alloc(size);
					for (;;) {
						const { bavail, bsize } = await statfs(dir);
						if (bavail * bsize < size) break;
						await file.write(zeros);
					}
				}
			} finally {
				await file.close();
			}
		},
		free: () => rm(ballast, { force: true }),
		async remove() {
			// A server that has just ended may hold a file for a moment.
			await run('umount', [dir]).catch(() => run('umount', ['--lazy', dir]));
			await rm(dir, { recursive: true, force: true });
		},
	};
}
