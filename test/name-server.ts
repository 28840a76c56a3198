/** A name server on UDP that knows every name under one domain, or is silent (RFC 1035; A records only). */
import { createSocket } from 'node:dgram';

export interface NameServer {
	/** Names that it was asked for. */
	readonly asked: ReadonlySet<string>;
	/** Silent servers answer nothing at all. */
	setSilent(silent: boolean): void;
	close(): Promise<void>;
}

export async function startNameServer({ host, domain }: { host: string; domain: string }): Promise<NameServer> {
	const asked = new Set<string>();
	let silent = false;
	const socket = createSocket('udp4');
	socket.on('message', (query, { address, port }) => {
		const labels: string[] = [];
		let at = 12;
		for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
			labels.push(query.toString('latin1', at + 1, at + 1 + length));
			at += 1 + length;
		}
		const name = labels.join('.').toLowerCase();
		asked.add(name);
		if (silent) return;
		const isKnown = name.endsWith(`.${domain}`);
		const hasAddress = isKnown && query.readUInt16BE(at + 1) === 1;
		const header = Buffer.from(query.subarray(0, 12));
		// An answer, recursion available; 3 is "no such name".
		header.writeUInt16BE(0x8180 | (isKnown ? 0 : 3), 2);
		header.writeUInt16BE(hasAddress ? 1 : 0, 6);
		header.fill(0, 8);
		// A pointer to the name in the question, A, IN, no second of life, four bytes.
		const answer = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, ...host.split('.').map(Number)]);
		socket.send(Buffer.concat([header, query.subarray(12, at + 5), ...(hasAddress ? [answer] : [])]), port, address);
	});
	await new Promise<void>((resolve, reject) => {
		socket.once('error', reject);
		socket.bind(53, host, resolve);
	});
	return {
		asked,
		setSilent: (wanted) => {
			silent = wanted;
		},
		close: () => new Promise((resolve) => socket.close(() => resolve())),
	};
}
