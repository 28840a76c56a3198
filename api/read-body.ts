import type { Request } from 'express';
import { Problem, quote } from './problem.ts';

/** The whole body as text. Throws 413 beyond the limit, 415 for another type or a compressed body, 400 when it breaks off or is no UTF-8. */
export async function readBody(req: Request, types: readonly string[], maxBytes: number): Promise<{ readonly type: string; readonly text: string }> {
	const [type = ''] = (req.headers['content-type'] ?? '').toLowerCase().split(';', 1);
	if (!types.includes(type.trim())) throw new Problem(415, 'unsupported-type', `Expected Content-Type ${types.join(' or ')}, got ${quote(type)}`);
	const coding = req.headers['content-encoding'] ?? 'identity';
	if (coding !== 'identity') throw new Problem(415, 'unsupported-encoding', `Expected no Content-Encoding, got ${quote(coding)}`);
	const tooLarge = () => new Problem(413, 'body-too-large', `Expected at most ${maxBytes} bytes`);
	if (Number(req.headers['content-length']) > maxBytes) throw tooLarge();
	const parts: Buffer[] = [];
	let size = 0;
	try {
		for await (const part of req as AsyncIterable<Buffer>) {
			size += part.length;
			if (size > maxBytes) throw tooLarge();
			parts.push(part);
		}
		return { type: type.trim(), text: new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(parts)) };
	} catch (cause) {
		if (cause instanceof Problem) throw cause;
		throw new Problem(400, 'bad-body', 'Expected a whole body in UTF-8', { cause });
	}
}
