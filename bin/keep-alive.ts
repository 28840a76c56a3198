/** A file that is touched while a worker's event loop turns: what a container's health check looks at, for a worker listens on no port. */
import { mkdir, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Log } from '#core/log.ts';
import type { Closing } from './run-role.ts';

const touchEveryMs = 10_000;

/** `{dataDir}/alive`; removed by nobody: its age tells. */
export function keepAlive(dataDir: string, log: Log, closing: Closing): void {
	const path = join(dataDir, 'alive');
	const touch = async () => {
		const now = new Date();
		// Touched, not written: that works on a full disk too.
		await utimes(path, now, now).catch(async () => {
			await mkdir(dirname(path), { recursive: true });
			await writeFile(path, '');
		});
	};
	const run = () => void touch().catch((error) => log.warn({ problem: String(error) }, 'the sign of life for health checks was not written'));
	run();
	const timer = setInterval(run, touchEveryMs);
	closing.add('sign of life', () => clearInterval(timer));
}
