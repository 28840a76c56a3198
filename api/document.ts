/** An answer that is made once and sent many times: its bytes, its compressed forms, its ETag. */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { brotliCompressSync, constants, createGzip, gzipSync } from 'node:zlib';
import type { Request, Response } from 'express';
import { pageHeaderNames } from './policy-headers.ts';

export interface Document {
	readonly type: string;
	readonly body: Buffer;
	/** Strong, of the plain body; a compressed form appends its name, for its bytes differ. */
	readonly etag: string;
	/** Made on first demand, then kept. */
	gzip(): Buffer;
	brotli(): Buffer;
}

// Below this a packet is a packet: compressing gains nothing.
const compressFromBytes = 1_024;

/** @param tag what the ETag is made from when it is not the body: a feed whose ETag must move with more than its bytes. */
export function createDocument(type: string, text: string | Buffer, tag?: string): Document {
	const body = typeof text === 'string' ? Buffer.from(text) : text;
	let gzip: Buffer | null = null;
	let brotli: Buffer | null = null;
	const hash = createHash('sha256');
	if (tag !== undefined) hash.update(tag).update('\n');
	return {
		type,
		body,
		etag: hash.update(body).digest('base64url').slice(0, 22),
		gzip: () => (gzip ??= gzipSync(body, { level: 6 })),
		// Quality 5: a 200 kB feed in about 5 ms; 11 would hold the loop for a second.
		brotli: () => (brotli ??= brotliCompressSync(body, { params: { [constants.BROTLI_PARAM_QUALITY]: 5, [constants.BROTLI_PARAM_SIZE_HINT]: body.length } })),
	};
}

export function jsonDocument(value: unknown, tag?: string): Document {
	return createDocument('application/json; charset=utf-8', JSON.stringify(value), tag);
}

/** Whether an If-None-Match names this content, in any form. */
export function matchesTag(header: string | undefined, etag: string): boolean {
	if (header === undefined) return false;
	if (header.trim() === '*') return true;
	const asked = [...header.matchAll(/(?:W\/)?"([^"]*)"/g)].map((match) => match[1]);
	// Any form of the same content is the same to one who holds it.
	return asked.some((tag) => tag === etag || tag === `${etag}-br` || tag === `${etag}-gz`);
}

export function mayCompress(document: Document): boolean {
	return document.body.length >= compressFromBytes;
}

/** Sends a document, a compressed form of it, or 304. The status is 200 unless it was set. */
export function sendDocument(req: Request, res: Response, document: Document, cacheControl: string): void {
	const compress = mayCompress(document);
	const encoding = compress ? ((['br', 'gzip'] as const).find((name) => req.acceptsEncodings(name) === name) ?? null) : null;
	if (compress) res.vary('Accept-Encoding');
	res.setHeader('Cache-Control', cacheControl);
	res.setHeader('ETag', encoding === null ? `"${document.etag}"` : `"${document.etag}-${encoding === 'br' ? 'br' : 'gz'}"`);
	if (res.statusCode === 200 && matchesTag(req.headers['if-none-match'], document.etag)) {
		for (const name of pageHeaderNames) res.removeHeader(name);
		res.status(304).end();
		return;
	}
	const body = encoding === null ? document.body : encoding === 'br' ? document.brotli() : document.gzip();
	res.setHeader('Content-Type', document.type);
	if (encoding !== null) res.setHeader('Content-Encoding', encoding);
	res.setHeader('Content-Length', body.length);
	res.end(req.method === 'HEAD' ? undefined : body);
}

/** Whoever reads slower than this is cut off, ms without a byte taken. */
const readWithinMs = 30_000;
const readerLeft: ReadonlySet<string | undefined> = new Set(['ERR_STREAM_PREMATURE_CLOSE', 'ECONNRESET', 'EPIPE']);

/** Sends what is too long to be made or compressed in one go, and is not kept: piece by piece, no faster than it is read. */
export async function sendPieces(req: Request, res: Response, type: string, pieces: AsyncIterable<string>): Promise<void> {
	res.vary('Accept-Encoding');
	res.setHeader('Cache-Control', 'no-store');
	res.setHeader('Content-Type', type);
	const isPacked = req.acceptsEncodings('gzip') === 'gzip';
	if (isPacked) res.setHeader('Content-Encoding', 'gzip');
	if (req.method === 'HEAD') {
		res.end();
		return;
	}
	res.setTimeout(readWithinMs, () => res.destroy());
	const source = Readable.from(pieces);
	try {
		// Level 1: the names repeat so often that 6 takes three times as long for a fifth less.
		await (isPacked ? pipeline(source, createGzip({ level: 1 }), res) : pipeline(source, res));
	} catch (error) {
		if (!readerLeft.has((error as { code?: string }).code)) throw error;
	}
}
