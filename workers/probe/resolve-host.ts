import { promises as dns } from 'node:dns';
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';

/** Each try of a name server waits this long; the probe's own connect deadline bounds the whole. */
const tryMs = 2_000;
const tries = 2;
/** /etc/hosts and resolv.conf may change under a long-running worker. */
const freshForMs = 30_000;

interface Shared {
	readonly resolver: dns.Resolver;
	readonly hosts: ReadonlyMap<string, readonly string[]>;
	readonly madeAt: number;
}

const sharedBy = new Map<string, Shared>();

export function parseHostsFile(text: string): Map<string, string[]> {
	const hosts = new Map<string, string[]>();
	for (const line of text.split('\n')) {
		const [address, ...names] = (line.split('#')[0] ?? '').trim().split(/\s+/);
		if (address === undefined || isIP(address) === 0) continue;
		for (const name of names) {
			const key = name.toLowerCase();
			hosts.set(key, [...(hosts.get(key) ?? []), address]);
		}
	}
	return hosts;
}

function readHosts(): Map<string, string[]> {
	try {
		return parseHostsFile(readFileSync(process.platform === 'win32' ? 'C:\\Windows\\System32\\drivers\\etc\\hosts' : '/etc/hosts', 'utf8'));
	} catch {
		// No such file, or not ours to read: then it names nobody.
		return new Map();
	}
}

function current(servers: readonly string[] | undefined): Shared {
	const now = performance.now();
	const key = servers?.join() ?? '';
	let shared = sharedBy.get(key);
	if (shared === undefined || now - shared.madeAt > freshForMs) {
		const resolver = new dns.Resolver({ timeout: tryMs, tries });
		if (servers !== undefined) resolver.setServers(servers);
		shared = { resolver, hosts: readHosts(), madeAt: now };
		sharedBy.set(key, shared);
	}
	return shared;
}

export interface Resolved {
	/** First choice first: IPv4 before IPv6. Never empty. */
	readonly addresses: readonly string[];
	/** False for an address literal, localhost or a hosts-file name: no name server was asked, so there is no DNS phase. */
	readonly asked: boolean;
}

/**
 * Resolves by c-ares, because `dns.lookup` waits in libuv's small thread pool: six lookups at a silent name server made a seventh of
 * another name take 30 s (measured), which would bill one provider's DNS to all. getaddrinfo is asked only for what c-ares does not
 * know: bare names that need a search domain (`simulator` in Docker), and mDNS.
 * @param servers name servers to ask instead of the system's; then getaddrinfo is never asked
 * @throws the resolver's error; its `code` is ENOTFOUND, ETIMEOUT, ESERVFAIL …
 */
export async function resolveHost(hostname: string, servers?: readonly string[]): Promise<Resolved> {
	const bare = hostname.replace(/^\[|\]$/g, '');
	if (isIP(bare) !== 0) return { addresses: [bare], asked: false };
	const name = bare.toLowerCase();
	const { resolver, hosts } = current(servers);
	const listed = hosts.get(name);
	if (listed !== undefined) return { addresses: [...listed].sort((a, b) => isIP(a) - isIP(b)), asked: false };
	if (name === 'localhost' || name.endsWith('.localhost')) return { addresses: ['127.0.0.1', '::1'], asked: false };
	const six = resolver.resolve6(name).catch(() => []);
	try {
		const four = await resolver.resolve4(name);
		if (four.length > 0) return { addresses: four, asked: true };
	} catch (error) {
		const addresses = await six;
		if (addresses.length > 0) return { addresses, asked: true };
		const { code } = error as NodeJS.ErrnoException;
		if (servers !== undefined || (code !== 'ENOTFOUND' && code !== 'ENODATA')) throw error;
	}
	const found = await dns.lookup(name, { all: true, verbatim: true });
	return { addresses: found.map(({ address }) => address), asked: true };
}
