/**
 * Answers that were given once are given again from here, in front of Express, until the snapshot changes: the same bytes and headers,
 * laid out beforehand for each encoding. Whatever is not plain (another method, an encoding with weights) goes the long way.
 * Measured with `bench/api`: routing and header building cost Express a fifth to a half of a polled answer.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Request, Response } from 'express';
import { type ApiTools, feedCache, readSnapshot } from './api-tools.ts';
import { type Document, matchesTag, mayCompress, sendDocument } from './document.ts';
import { policyHeaders, readerHeaders } from './policy-headers.ts';
import type { SnapshotView } from './snapshot-source.ts';

type Encoding = 'br' | 'gzip' | 'identity';

interface Form {
	/** Name, value, name, value: what writeHead takes without copying. */
	readonly head: string[];
	readonly notModified: string[];
	readonly tag: string;
	readonly body: Buffer;
}

export interface HotAnswer {
	readonly status: number;
	/** Null: not conditional, and never compressed. */
	readonly etag: string | null;
	form(encoding: Encoding): Form;
	readonly bytes: number;
}

// A full feed of 1,000 targets is 1.3 MB: this holds the whole one, every check, and the few filters that routers poll.
const keptBytes = 64_000_000;
const keptAnswers = 4_096;

export interface HotTable {
	get(url: string): HotAnswer | undefined;
	put(url: string, answer: HotAnswer): void;
}

/** The oldest goes first when there are too many: nobody fills memory with odd queries, and what is polled comes back at once. */
export function createHotTable(): HotTable {
	const answers = new Map<string, HotAnswer>();
	let bytes = 0;
	return {
		get: (url) => answers.get(url),
		put(url, answer) {
			if (answers.has(url)) return;
			answers.set(url, answer);
			bytes += answer.bytes;
			for (const [oldest, { bytes: freed }] of answers) {
				if (bytes <= keptBytes && answers.size <= keptAnswers) return;
				answers.delete(oldest);
				bytes -= freed;
			}
		},
	};
}

const common = policyHeaders.flat();
const commonNotModified = readerHeaders.flat();
const suffixes = { br: '-br', gzip: '-gz', identity: '' } as const satisfies Record<Encoding, string>;

function documentAnswer(document: Document, fresh: readonly string[]): HotAnswer {
	const forms: Partial<Record<Encoding, Form>> = {};
	const compress = mayCompress(document);
	return {
		status: 200,
		etag: document.etag,
		bytes: document.body.length,
		form(asked) {
			const encoding = compress ? asked : 'identity';
			const known = forms[encoding];
			if (known !== undefined) return known;
			const body = encoding === 'br' ? document.brotli() : encoding === 'gzip' ? document.gzip() : document.body;
			const tag = `"${document.etag}${suffixes[encoding]}"`;
			const validators = [...fresh, ...(compress ? ['Vary', 'Accept-Encoding'] : []), 'Cache-Control', feedCache, 'ETag', tag];
			const coding = encoding === 'identity' ? [] : ['Content-Encoding', encoding];
			const notModified = [...commonNotModified, ...validators];
			const head = [...common, ...validators, 'Content-Type', document.type, ...coding, 'Content-Length', String(body.length)];
			return (forms[encoding] = { head, notModified, tag, body });
		},
	};
}

function textAnswer(status: number, type: string, text: string, cacheControl: string, fresh: readonly string[]): HotAnswer {
	const body = Buffer.from(text);
	const head = [...common, ...fresh, 'Cache-Control', cacheControl, 'Content-Type', type, 'Content-Length', String(body.length)];
	const form: Form = { head, notModified: head, tag: '', body };
	return { status, etag: null, bytes: body.length, form: () => form };
}

function freshnessOf(res: Response): string[] {
	return res.getHeaderNames().flatMap((name) => (name.startsWith('linnet-') ? [canonical(name), String(res.getHeader(name))] : []));
}

const canonical = (name: string) => name.replace(/(^|-)[a-z]/g, (letter) => letter.toUpperCase());

// A document belongs to one snapshot, so its signature holds as long as it does. A feed of 1.3 MB takes about 4 ms to sign.
const signatures = new WeakMap<Document, string>();

function signatureOf({ signer }: ApiTools, { snapshot }: SnapshotView, document: Document): string | null {
	if (signer === undefined || signer === null) return null;
	const known = signatures.get(document) ?? signer.sign(snapshot, document.body);
	signatures.set(document, known);
	return known;
}

/** Sends a document of the current snapshot, and keeps the answer for whoever asks for the same URL. */
export function sendFeed(tools: ApiTools, req: Request, res: Response, pick: (view: SnapshotView) => Document): void {
	const view = readSnapshot(tools, res);
	const document = pick(view);
	const signature = signatureOf(tools, view, document);
	if (signature !== null) res.setHeader('Linnet-Signature', signature);
	view.hot.put(req.originalUrl, documentAnswer(document, freshnessOf(res)));
	sendDocument(req, res, document, feedCache);
}

/** As `sendFeed`, for a small JSON answer that is never cached elsewhere. The freshness headers must be set. */
export function sendVerdict(view: SnapshotView, req: Request, res: Response, status: 200 | 503, body: object): void {
	const answer = textAnswer(status, 'application/json; charset=utf-8', JSON.stringify(body), 'no-store', freshnessOf(res));
	view.hot.put(req.originalUrl, answer);
	write(res, answer.status, answer.form('identity').head, req.method === 'HEAD' ? null : answer.form('identity').body);
}

function write(res: ServerResponse, status: number, head: string[], body: Buffer | null): void {
	res.writeHead(status, head);
	if (body === null) res.end();
	else res.end(body);
}

/** Null: weights or wildcards, which the long way reads. */
export function plainEncoding(header: string | undefined): Encoding | null {
	if (header === undefined || header === '') return 'identity';
	const known = encodings.get(header);
	if (known !== undefined) return known;
	if (/[^\w, -]/.test(header)) return null;
	const names = header
		.toLowerCase()
		.split(',')
		.map((name) => name.trim());
	const found = names.includes('br') ? 'br' : names.includes('gzip') ? 'gzip' : 'identity';
	if (encodings.size < 256) encodings.set(header, found);
	return found;
}

const encodings = new Map<string, Encoding>();

/** True when it was answered. */
export function answerHot({ snapshots, now }: Pick<ApiTools, 'snapshots' | 'now'>, req: IncomingMessage, res: ServerResponse): boolean {
	const { method } = req;
	if (method !== 'GET' && method !== 'HEAD') return false;
	const answer = snapshots.at(now())?.hot.get(req.url ?? '');
	if (answer === undefined) return false;
	const encoding = plainEncoding(req.headers['accept-encoding'] as string | undefined);
	if (encoding === null) return false;
	const form = answer.form(encoding);
	const asked = req.headers['if-none-match'];
	if (asked !== undefined && answer.etag !== null && (asked === form.tag || matchesTag(asked, answer.etag))) {
		write(res, 304, form.notModified, null);
		return true;
	}
	write(res, answer.status, form.head, method === 'HEAD' ? null : form.body);
	return true;
}
