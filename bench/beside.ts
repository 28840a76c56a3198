/** What is measured beside a service, in a process that gives way: a burst of bare requests, or a look at the memory of sixty processes, must hold up no slot. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setPriority } from 'node:os';
import { fileURLToPath } from 'node:url';
import { bareRequest } from './bare-request.ts';
import { family, type Process } from './process-family.ts';

export interface Beside {
	/** @returns CPU of each of `bareAtOnce` requests by undici alone, ms, on average */
	bare(): Promise<number>;
	family(root: number, home: string): Promise<Process[]>;
	close(): void;
}

export const bareAtOnce = 30;

export function openBeside(baseUrl: string): Beside {
	const child = fork(fileURLToPath(import.meta.url), [baseUrl], { serialization: 'advanced' });
	const ask = async <T>(task: { root: number; home: string } | null): Promise<T> => {
		const answer = once(child, 'message');
		child.send({ task });
		return (await answer)[0] as T;
	};
	return { bare: () => ask(null), family: (root, home) => ask({ root, home }), close: () => child.disconnect() };
}

if (process.send !== undefined && process.argv[1] === fileURLToPath(import.meta.url)) {
	setPriority(10);
	const request = bareRequest(process.argv[2] ?? '', true);
	const bareMs = async () => {
		const before = process.cpuUsage();
		await Promise.all(Array.from({ length: bareAtOnce }, request));
		const { user, system } = process.cpuUsage(before);
		return (user + system) / 1_000 / bareAtOnce;
	};
	process.on('message', async ({ task }: { task: { root: number; home: string } | null }) => {
		process.send?.(task === null ? await bareMs() : await family(task.root, task.home));
	});
}
