/** The processes of a service, from /proc: CPU, memory, by role. Linux only. */
import { readdir, readFile } from 'node:fs/promises';

export interface Process {
	readonly pid: number;
	readonly ppid: number;
	/** Its role, `page` (what renders it for the API) or `Postgres`. */
	readonly name: string;
	readonly command: string;
	/** Its own, and of children that have ended. */
	readonly cpuMs: number;
	/** Proportional set size: what several share is counted once. 0 where it can't be read. */
	readonly memoryBytes: number;
	/** 0 where it can't be read. */
	readonly openFiles: number;
}

// Linux counts in ticks of 1/100 s, whatever the kernel's own clock (man 5 proc).
const tickMs = 10;

/**
 * The service and all that it started, Postgres included.
 * @param home its directory: then also a Postgres that outlived the parent that had started it
 */
export async function family(root: number, home?: string): Promise<Process[]> {
	const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
	const all = await Promise.all(pids.map(readProcess));
	const members = new Set([root]);
	for (const { pid, name, command } of all.flat()) if (name === 'Postgres' && home !== undefined && command.includes(home)) members.add(pid);
	for (let grown = true; grown; ) {
		grown = false;
		for (const { pid, ppid } of all.flat()) {
			if (!members.has(ppid) || members.has(pid)) continue;
			members.add(pid);
			grown = true;
		}
	}
	return all.flat().filter(({ pid }) => members.has(pid));
}

async function readProcess(pid: string): Promise<Process[]> {
	const read = (name: string) => readFile(`/proc/${pid}/${name}`, 'utf8').catch(() => null);
	const stat = await read('stat');
	if (stat === null) return [];
	const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
	const cpuMs = [11, 12, 13, 14].reduce((sum, at) => sum + Number(fields[at]), 0) * tickMs;
	const pss = /^Pss:\s+(\d+) kB/m.exec((await read('smaps_rollup')) ?? '')?.[1];
	const command = ((await read('cmdline')) ?? '').replaceAll('\0', ' ');
	const openFiles = (await readdir(`/proc/${pid}/fd`).catch(() => [])).length;
	return [{ pid: Number(pid), ppid: Number(fields[1]), name: nameOf(command), command, cpuMs, memoryBytes: Number(pss ?? 0) * 1_024, openFiles }];
}

function nameOf(command: string): string {
	if (/postgres/.test(command)) return 'Postgres';
	if (/write-site/.test(command)) return 'page';
	return (/--jobs (\w+)/.exec(command)?.[1] ?? /main\.ts (\w+)/.exec(command)?.[1]) || 'supervisor';
}

export function sumByName(processes: readonly Process[], figure: 'cpuMs' | 'memoryBytes' | 'openFiles'): Map<string, number> {
	const sums = new Map<string, number>();
	for (const one of processes) sums.set(one.name, (sums.get(one.name) ?? 0) + one[figure]);
	return sums;
}
