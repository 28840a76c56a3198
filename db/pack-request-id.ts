/**
 * Request ids are the widest thing in a result, and most are hex or base64 letters behind a known word. Packed they take half to three
 * quarters of their text. First byte: place of the prefix × 4 + how the rest is packed. Codes on disk never change: new prefixes go last.
 */

const prefixes = ['', 'req_', 'chatcmpl-', 'msg_', 'resp_', 'gen-', 'cmpl-', 'embd-', 'req-', 'request-'] as const;
const ways = { text: 0, uuid: 1, hex: 2, letters: 3 } as const;

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const placeOf = new Map([...alphabet].map((letter, place) => [letter, place]));

export function packRequestId(id: string | null): Buffer {
	if (id === null) return Buffer.alloc(0);
	const prefix = prefixes.findLastIndex((candidate) => id.startsWith(candidate));
	const rest = id.slice(prefixes[prefix]?.length ?? 0);
	const head = (way: keyof typeof ways) => Buffer.of(prefix * 4 + ways[way]);
	if (/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/.test(rest))
		return Buffer.concat([head('uuid'), Buffer.from(rest.replaceAll('-', ''), 'hex')]);
	if (/^(?:[0-9a-f]{2})+$/.test(rest)) return Buffer.concat([head('hex'), Buffer.from(rest, 'hex')]);
	// Four letters in three bytes; a group that is not full would not tell its length, so its letters follow as they are.
	if (/^[A-Za-z0-9_-]{4,}$/.test(rest)) return Buffer.concat([head('letters'), packLetters(rest)]);
	return Buffer.concat([head('text'), Buffer.from(rest, 'utf8')]);
}

function packLetters(text: string): Buffer {
	const whole = text.length - (text.length % 4);
	const bytes = Buffer.alloc((whole / 4) * 3);
	for (let from = 0, at = 0; from < whole; from += 4, at += 3) {
		let group = 0;
		for (let i = 0; i < 4; i++) group = group * 64 + (placeOf.get(text[from + i] ?? '') ?? 0);
		bytes.writeUIntBE(group, at, 3);
	}
	// The number of letters left over, 0 to 3, is the last byte's two low bits; each of them takes a byte before it.
	const left = text.slice(whole);
	return Buffer.concat([bytes, Buffer.from(left, 'latin1'), Buffer.of(left.length)]);
}

/** Null for an empty buffer. @throws when a newer version packed it in a way that this one does not know. */
export function unpackRequestId(packed: Buffer): string | null {
	const [head] = packed;
	if (head === undefined) return null;
	const prefix = prefixes[head >> 2];
	if (prefix === undefined) throw new Error(`Expected a packed request id with a prefix below ${prefixes.length}, got ${head >> 2}`);
	return prefix + unpackRest(head & 3, packed.subarray(1));
}

function unpackRest(way: number, rest: Buffer): string {
	if (way === ways.text) return rest.toString('utf8');
	const hex = rest.toString('hex');
	if (way === ways.hex) return hex;
	if (way === ways.uuid) return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
	const left = rest.at(-1) ?? 0;
	const groups = rest.subarray(0, rest.length - 1 - left);
	let text = '';
	for (let at = 0; at < groups.length; at += 3) {
		const group = groups.readUIntBE(at, 3);
		for (const shift of [18, 12, 6, 0]) text += alphabet[(group >> shift) & 63];
	}
	return text + rest.toString('latin1', rest.length - 1 - left, rest.length - 1);
}
