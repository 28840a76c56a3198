/** A host of its own on this machine: a network namespace with one cable to it (Debian's iproute2; root). */
import { execFile, execFileSync } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface NetworkSpace {
	/** To be put before a command line: it then runs in there. */
	readonly enter: readonly string[];
	/** Address of this machine, seen from in there; its port 53 is the name server of in there. */
	readonly outside: string;
	/** The cable is pulled, or put back. */
	unplug(): Promise<void>;
	plug(): Promise<void>;
	/** GET of an address in there, on its loopback. */
	get(url: string): Promise<string>;
	remove(): Promise<void>;
}

/** False on a laptop, after saying loudly what is left out; with CI=true it throws. */
export function canMakeNetworks(leftOut: string): boolean {
	try {
		execFileSync('ip', ['netns', 'list'], { stdio: 'ignore' });
		if (process.getuid?.() === 0) return true;
	} catch {
		// Said below.
	}
	const message = `no network namespaces here (iproute2, root): ${leftOut}`;
	if (process.env.CI === 'true') throw new Error(message);
	console.warn(`\n!!! LEFT OUT: ${message}\n`);
	return false;
}

export async function makeNetworkSpace(): Promise<NetworkSpace> {
	const id = process.pid % 60_000;
	const name = `linnet-${id}`;
	const [cable, plugged] = [`ln${id}a`, `ln${id}b`];
	// 198.18.0.0/15 is for tests between networks (RFC 2544).
	const net = `198.18.${id % 250}`;
	const ip = (...args: string[]) => run('ip', args);
	await ip('netns', 'add', name);
	// `ip netns exec` puts these in the place of those in /etc.
	const files = `/etc/netns/${name}`;
	await mkdir(files, { recursive: true });
	await writeFile(`${files}/resolv.conf`, `nameserver ${net}.1\n`);
	await writeFile(`${files}/hosts`, '127.0.0.1 localhost\n');
	await ip('link', 'add', cable, 'type', 'veth', 'peer', 'name', plugged, 'netns', name);
	await ip('address', 'add', `${net}.1/24`, 'dev', cable);
	await ip('link', 'set', cable, 'up');
	await ip('-n', name, 'address', 'add', `${net}.2/24`, 'dev', plugged);
	await ip('-n', name, 'link', 'set', plugged, 'up');
	await ip('-n', name, 'link', 'set', 'lo', 'up');
	return {
		enter: ['ip', 'netns', 'exec', name],
		outside: `${net}.1`,
		unplug: async () => void (await ip('-n', name, 'link', 'set', plugged, 'down')),
		plug: async () => void (await ip('-n', name, 'link', 'set', plugged, 'up')),
		get: async (url) => (await run('ip', ['netns', 'exec', name, 'curl', '-sf', '--max-time', '5', url], { maxBuffer: 64 * 2 ** 20 })).stdout,
		async remove() {
			await ip('netns', 'delete', name);
			await ip('link', 'delete', cable).catch(() => {});
			await rm(files, { recursive: true });
		},
	};
}
