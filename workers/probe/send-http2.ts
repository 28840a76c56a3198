import { type ClientHttp2Stream, connect, constants } from 'node:http2';
import type { Socket } from 'node:net';
import { flattenHeaders, type HangUp, type HttpSink, mostHeaderBytes, type WireMessage } from './http-sink.ts';

/** RFC 9113, section 8.2.2: what belongs to one connection of HTTP/1.1 makes a request of HTTP/2 malformed. */
const ofHttp1 = new Set(['connection', 'host', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade']);

/**
 * One request over HTTP/2 on a connection whose ALPN chose it. Not by undici: there a stream that is reset in mid-body ends like a good one
 * (measured with 8.12). Here a body has ended only when END_STREAM came and nothing reset the stream.
 */
export function sendHttp2(connection: Socket, { url, method, headers, body }: WireMessage, sink: HttpSink): HangUp {
	const session = connect(url.origin, { createConnection: () => connection, settings: { enablePush: false, maxHeaderListSize: mostHeaderBytes } });
	let stream: ClientHttp2Stream | null = null;
	let failure: unknown = null;
	let headersSeen = false;
	let bodyEnded = false;
	let over = false;
	const finish = (error: unknown) => {
		if (over) return;
		over = true;
		if (error === null) sink.onEnd();
		else sink.onError(error);
	};
	session.on('error', (error) => {
		failure ??= error;
		if (stream === null) finish(error);
	});
	session.on('goaway', (code) => {
		if (code !== constants.NGHTTP2_NO_ERROR) failure ??= broken('ERR_HTTP2_SESSION_ERROR', `GOAWAY with code ${code}`);
	});
	session.once('close', () => {
		if (stream === null) finish(failure ?? broken('ERR_HTTP2_SESSION_ERROR', 'closed before a request could be sent'));
	});
	session.once('connect', () => {
		if (over || session.destroyed) return;
		const own = Object.entries(headers).filter(([name]) => !ofHttp1.has(name.toLowerCase()));
		sink.onSending();
		stream = session.request({ ':method': method, ':path': url.pathname + url.search, ...Object.fromEntries(own) }, { endStream: body === '' });
		stream.on('headers', () => sink.onInformational());
		stream.on('response', ({ ':status': status = 0, ...received }) => {
			headersSeen = true;
			sink.onHeaders(status, flattenHeaders(received));
		});
		stream.on('data', (chunk: Buffer) => sink.onData(chunk));
		stream.once('end', () => {
			bodyEnded = true;
		});
		stream.on('error', (error) => {
			failure ??= error;
		});
		// 'end' comes after a reset too: only the code of the close tells.
		stream.once('close', () => {
			const code = stream?.rstCode ?? constants.NGHTTP2_NO_ERROR;
			// Node's own word for a header block beyond its bounds (128 headers, our size); no server is known to say it before its headers.
			if (!headersSeen && code === constants.NGHTTP2_ENHANCE_YOUR_CALM) return finish(broken('UND_ERR_HEADERS_OVERFLOW', 'too many headers'));
			const cut = !bodyEnded || stream?.aborted === true || code !== constants.NGHTTP2_NO_ERROR;
			finish(cut ? (failure ?? broken('ERR_HTTP2_STREAM_ERROR', `the stream was closed with code ${code}`)) : null);
		});
		if (body !== '') stream.end(body);
	});
	return () => {
		over = true;
		session.destroy();
	};
}

function broken(code: string, message: string): Error {
	return Object.assign(new Error(message), { code });
}
