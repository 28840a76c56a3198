import type { Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from 'node:zlib';
import type { EventDecoder } from './event-decoder.ts';

/** Of a body that is not read as events this much is kept. */
const wholeBodyBytes = 65_536;
/** A canary's answer is a few KB; what is far beyond is an attack or a bug of the far end, and must cost us little. */
const bodyBytes = 2_000_000;

export interface BodyReader {
	write(chunk: Buffer): void;
	end(): void;
	stop(): void;
	/** Null when the body went to the decoder. */
	text(): string | null;
}

export interface BodySink {
	onEnd(): void;
	onFault(error: unknown): void;
	onBound(): void;
	onFull(): void;
}

export function createBodyReader(encoding: string | undefined, decoder: EventDecoder | null, sink: BodySink): BodyReader {
	const pieces: Buffer[] = [];
	let rawBytes = 0;
	let bytes = 0;
	let stopped = false;
	const take = (chunk: Buffer) => {
		if (stopped) return;
		bytes += chunk.length;
		if (decoder !== null) {
			if (bytes > bodyBytes) return sink.onBound();
			decoder.feed(chunk);
			return;
		}
		pieces.push(chunk);
		if (bytes >= wholeBodyBytes) sink.onFull();
	};
	const inflater = createInflater(encoding);
	inflater?.on('data', take);
	inflater?.on('end', () => {
		if (stopped) return;
		decoder?.end();
		sink.onEnd();
	});
	inflater?.on('error', (error: NodeJS.ErrnoException) => {
		// zlib's "unexpected end of file" is a cut body; every other complaint is a body that is not what its header says.
		const cut = error.code === 'Z_BUF_ERROR' || /unexpected end/i.test(error.message);
		sink.onFault(Object.assign(new Error(error.message, { cause: error }), { code: cut ? 'ZLIB_UNEXPECTED_END' : 'ERR_CONTENT_ENCODING' }));
	});
	return {
		write(chunk) {
			rawBytes += chunk.length;
			if (rawBytes > bodyBytes) return sink.onBound();
			if (inflater === null) take(chunk);
			else inflater.write(chunk);
		},
		end() {
			if (stopped) return;
			if (inflater !== null) return void inflater.end();
			decoder?.end();
			sink.onEnd();
		},
		stop() {
			stopped = true;
			inflater?.destroy();
		},
		text: () => (decoder === null ? Buffer.concat(pieces).subarray(0, wholeBodyBytes).toString('utf8') : null),
	};
}

/** We ask for identity; some servers compress all the same. */
function createInflater(encoding: string | undefined): Transform | null {
	switch (encoding?.trim().toLowerCase()) {
		case 'gzip':
		case 'x-gzip':
			return createGunzip();
		case 'deflate':
			return createInflate();
		case 'br':
			return createBrotliDecompress();
		case 'zstd':
			return createZstdDecompress();
		default:
			return null;
	}
}
