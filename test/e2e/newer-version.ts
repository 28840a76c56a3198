/** This version with one more migration: what the next release is to the workers that still run. */
import { cp, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..');
const rooms = ['core', 'providers', 'alerts', 'config', 'db', 'workers', 'api', 'status-page', 'simulator', 'client', 'bin', 'package.json'];

export interface NewerVersion {
	readonly dir: string;
	remove(): Promise<void>;
}

export async function makeNewerVersion(): Promise<NewerVersion> {
	const dir = await mkdtemp(join(tmpdir(), 'linnet-newer-'));
	// Copied, not linked: Node resolves a link before it looks for `#db/…`.
	for (const room of rooms) await cp(join(root, room), join(dir, room), { recursive: true });
	await symlink(join(root, 'node_modules'), join(dir, 'node_modules'));
	await writeFile(join(dir, 'db', 'migrations', '9999_newer.sql'), 'alter table linnet.targets add column newer_than_9998 boolean;\n');
	return { dir, remove: () => rm(dir, { recursive: true, force: true }) };
}
