import type { Socket } from 'node:net';
import { Client } from 'undici';
import { flattenHeaders, type HangUp, type HttpSink, mostHeaderBytes, type WireMessage } from './http-sink.ts';

/** Made once: left to itself, undici makes one for each probe, and its stack costs more than all the rest of the ending. */
const hungUp = new Error('the probe has ended');

/** One request over HTTP/1.1 on a connection that stands. undici parses; its own timeouts are up to 500 ms late (measured), so they are off. */
export function sendHttp1(connection: Socket, { url, method, headers, body }: WireMessage, sink: HttpSink): HangUp {
	const client = new Client(url.origin, {
		allowH2: false,
		// undici asks for the socket inside its own resume loop: an answer in the same turn is lost and nothing is ever sent.
		connect: (_options, callback) => process.nextTick(callback, null, connection),
		headersTimeout: 0,
		bodyTimeout: 0,
		maxHeaderSize: mostHeaderBytes,
	});
	client.dispatch(
		{ path: url.pathname + url.search, method, headers, body: body === '' ? null : body },
		{
			// The request is written in the same turn; onRequestSent may come after the answer's first bytes.
			onRequestStart: () => sink.onSending(),
			onRequestUpgrade: () => sink.onError(Object.assign(new Error('the connection was switched to another protocol'), { code: 'HPE_UPGRADE' })),
			onResponseStart(_controller, status, received) {
				if (status < 200) sink.onInformational();
				else sink.onHeaders(status, flattenHeaders(received));
			},
			onResponseData: (_controller, chunk) => sink.onData(chunk),
			onResponseEnd: () => sink.onEnd(),
			onResponseError: (_controller, error) => sink.onError(error),
		},
	);
	return () => {
		// Its promise only says that the socket is gone.
		client.destroy(hungUp).catch(() => {});
	};
}
