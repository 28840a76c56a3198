/** The bare request in a process that gives way: run in a burst beside a service, it must tell how dear a stream is, and hold up no slot of the service's. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setPriority } from 'node:os';
import { fileURLToPath } from 'node:url';
import { bareRequest } from './bare-request.ts';

export interface BareBeside {
	/** @returns CPU of each request, ms, on average */
	run(): Promise<number>;
	close(): void;
}

/** So many at once. */
export const bareAtOnce = 30;

export function openBareBeside(baseUrl: string): BareBeside {
	const child = fork(fileURLToPath(import.meta.url), [baseUrl]);
	return {
		async run() {
			const done = once(child, 'message');
			child.send('run');
			return Number((await done)[0]);
		},
		close: () => child.disconnect(),
	};
}

if (process.send !== undefined && process.argv[1] === fileURLToPath(import.meta.url)) {
	setPriority(10);
	const request = bareRequest(process.argv[2] ?? '', true);
	process.on('message', async () => {
		const before = process.cpuUsage();
		await Promise.all(Array.from({ length: bareAtOnce }, request));
		const { user, system } = process.cpuUsage(before);
		process.send?.((user + system) / 1_000 / bareAtOnce);
	});
}
