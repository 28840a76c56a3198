import type { Socket } from 'node:net';
import type { Deadline } from '#core/classify.ts';
import type { Phase } from '#core/probe-result.ts';
import type { Timeouts } from '#core/target.ts';
import type { AnswerReader, Framing } from '#providers/adapter.ts';
import { type BodyReader, createBodyReader } from './body-reader.ts';
import { createEventDecoder, type EventDecoder } from './event-decoder.ts';
import type { HangUp, HttpSink } from './http-sink.ts';
import { type ConnectMarks, endpointOf, type NetworkSettings, newMarks, openConnection } from './open-connection.ts';
import { sendHttp1 } from './send-http1.ts';
import { sendHttp2 } from './send-http2.ts';

/** Far beyond what a canary's answer takes: more is an attack or a bug of the far end, and must cost us little. */
const bounds = { eventChars: 262_144, events: 50_000, informational: 16 };

export interface TimedRequest {
	readonly url: URL;
	readonly method: 'POST' | 'GET';
	/** With the secret in it: never stored, never logged. */
	readonly headers: Readonly<Record<string, string>>;
	readonly body: string;
	readonly timeouts: Timeouts;
	readonly framing: Framing;
	/** A 2xx whose type matches, or has none, is read as events; anything else as one body. */
	readonly contentTypes: RegExp;
	readonly reader: AnswerReader;
	readonly network: NetworkSettings;
	/** Offer HTTP/2; the far end chooses. */
	readonly http2?: boolean | undefined;
	readonly signal?: AbortSignal | undefined;
	readonly observe?: ((note: ExchangeNote) => void) | undefined;
}

/** What a verbose caller sees, with ms since the start. */
export interface ExchangeNote {
	readonly atMs: number;
	readonly what: 'connected' | 'sent' | 'headers' | 'event' | 'heartbeat' | 'end';
	readonly detail: string;
}

/** One exchange, whatever became of it. Durations in ms on the monotonic clock; null = the phase did not happen. */
export interface Exchange {
	readonly marks: ConnectMarks;
	readonly phase: Phase;
	readonly ttfbMs: number | null;
	readonly ttftMs: number | null;
	readonly maxGapMs: number | null;
	/** First content → last content. */
	readonly generationMs: number | null;
	readonly totalMs: number;
	readonly transport: { readonly code: string; readonly message: string } | null;
	readonly deadline: Deadline | null;
	readonly bound: string | null;
	readonly aborted: boolean;
	readonly status: number | null;
	readonly headers: Readonly<Record<string, string>>;
	/** Null when the answer was read as events. */
	readonly body: string | null;
	readonly heartbeats: number;
	readonly eventSeen: boolean;
	readonly contentSeen: boolean;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
type Ending = Pick<Exchange, 'transport' | 'deadline' | 'bound' | 'aborted'>;
/** Made once: an error with its stack costs more than all the rest of an ending. */
const probeEnded = new Error('probe ended');
const cleanEnd: Ending = { transport: null, deadline: null, bound: null, aborted: false };

/**
 * One request on its own connection: one attempt, no redirect followed, every phase stamped. Never throws: a failure is a value.
 * Deadlines are own timers, because undici's are up to 500 ms late (measured).
 */
export function timedRequest(request: TimedRequest): Promise<Exchange> {
	return new Promise((resolve) => runExchange(request, resolve));
}

function runExchange(request: TimedRequest, resolve: (exchange: Exchange) => void): void {
	const { timeouts, reader, observe } = request;
	const startedAt = performance.now();
	const marks = newMarks();
	const exchange: Mutable<Exchange> = {
		...cleanEnd,
		marks,
		phase: 'dns',
		ttfbMs: null,
		ttftMs: null,
		maxGapMs: null,
		generationMs: null,
		totalMs: 0,
		status: null,
		headers: {},
		body: null,
		heartbeats: 0,
		eventSeen: false,
		contentSeen: false,
	};
	const cancel = new AbortController();
	let endExchange: HangUp | null = null;
	let socket: Socket | null = null;
	let ended = false;
	let sentAt = 0;
	// Time of the newest raw chunk: marks are stamped before parsing, which may be slow.
	let chunkAt = 0;
	let firstContentAt = 0;
	let lastContentAt = 0;
	let lastEventAt = 0;
	let generating = false;
	let events = 0;
	let timer: NodeJS.Timeout | null = null;
	let body: BodyReader | null = null;

	const note = (what: ExchangeNote['what'], detail: () => string) => {
		if (observe !== undefined) observe({ atMs: performance.now() - startedAt, what, detail: detail() });
	};

	const hangUp = () => {
		endExchange?.();
		socket?.destroy();
	};

	const finish = (ending: Ending) => {
		if (ended) return;
		ended = true;
		if (timer !== null) clearTimeout(timer);
		request.signal?.removeEventListener('abort', onAbort);
		Object.assign(exchange, ending);
		exchange.totalMs = performance.now() - startedAt;
		if (exchange.status === null) exchange.phase = marks.phase === 'request' ? (sentAt > 0 ? 'headers' : 'request') : marks.phase;
		else exchange.phase = exchange.contentSeen ? 'stream' : 'first_event';
		if (body !== null) {
			exchange.body = body.text();
			body.stop();
		}
		if (exchange.contentSeen) exchange.generationMs = lastContentAt - firstContentAt;
		note('end', () => ending.transport?.code ?? ending.deadline ?? ending.bound ?? 'complete');
		if (socket === null) cancel.abort(probeEnded);
		// Not in this turn: destroyed inside its own parser, undici makes errors with stacks, some 12 % of a probe's CPU (profiled). A turn
		// later the last chunk has mostly been read and nothing is left to fail.
		else setImmediate(hangUp);
		resolve(exchange);
	};
	const fail = (error: unknown) => finish({ ...cleanEnd, transport: transportOf(error) });
	const onAbort = () => finish({ ...cleanEnd, aborted: true });

	// One timer for all deadlines: it looks at the marks when it fires and sleeps on when something has moved meanwhile.
	const nextDeadline = (): { name: Deadline; at: number } => {
		const total = { name: 'total' as const, at: startedAt + timeouts.totalMs };
		let next: { name: Deadline; at: number };
		if (sentAt === 0) next = { name: 'connect', at: startedAt + timeouts.connectMs };
		else if (!generating) next = { name: 'first_token', at: sentAt + timeouts.firstTokenMs };
		else next = { name: 'stall', at: lastEventAt + timeouts.stallMs };
		return next.at <= total.at ? next : total;
	};
	const watch = () => {
		if (ended) return;
		const { name, at } = nextDeadline();
		const leftMs = at - performance.now();
		if (leftMs <= 0) return finish({ ...cleanEnd, deadline: name });
		if (timer !== null) clearTimeout(timer);
		timer = setTimeout(watch, Math.ceil(leftMs));
	};

	const onContent = () => {
		if (!exchange.contentSeen) {
			exchange.contentSeen = true;
			firstContentAt = chunkAt;
			exchange.ttftMs = chunkAt - sentAt;
		} else {
			exchange.maxGapMs = Math.max(exchange.maxGapMs ?? 0, chunkAt - lastContentAt);
		}
		lastContentAt = chunkAt;
	};
	const beginEvents = (): EventDecoder =>
		createEventDecoder(
			request.framing,
			{
				onComment() {
					exchange.heartbeats++;
					lastEventAt = chunkAt;
					note('heartbeat', () => 'comment');
				},
				onEvent(event) {
					if (ended) return;
					if (++events > bounds.events) return finish({ ...cleanEnd, bound: 'events' });
					exchange.eventSeen = true;
					lastEventAt = chunkAt;
					const mark = reader.push(event);
					if (mark === 'content') onContent();
					else if (mark === 'heartbeat') exchange.heartbeats++;
					if (!generating && (mark === 'content' || mark === 'reasoning')) {
						generating = true;
						watch();
					}
					note('event', () => `${mark} ${event.data}`);
					const { closed, malformed } = reader.answer();
					if (closed || malformed !== null) finish(cleanEnd);
				},
				onOversize: () => finish({ ...cleanEnd, bound: 'event' }),
			},
			bounds.eventChars,
		);

	/** Set while the first bytes are still to tell whether a body is the stream. */
	let beginBody: ((isStream: boolean) => BodyReader) | null = null;
	const onHeaders = (status: number, headers: Readonly<Record<string, string>>) => {
		exchange.status = status;
		exchange.headers = headers;
		exchange.ttfbMs = performance.now() - sentAt;
		note('headers', () => `${status} ${headers['content-type'] ?? ''}`);
		const type = headers['content-type'];
		const good = status >= 200 && status < 300 && status !== 202;
		beginBody = (isStream) =>
			createBodyReader(headers['content-encoding'], isStream ? beginEvents() : null, {
				onEnd() {
					if (ended) return;
					if (isStream) reader.end();
					finish(cleanEnd);
				},
				onFault: fail,
				onBound: () => finish({ ...cleanEnd, bound: 'body' }),
				// Enough of an error is read: its tail can't change the verdict.
				onFull: () => finish(cleanEnd),
			});
		// Small servers call their events plain text, and every SDK reads them all the same: there the first bytes decide.
		if (good && request.framing === 'sse' && type !== undefined && /^text\/plain\b/i.test(type)) return;
		body = beginBody(good && (type === undefined || request.contentTypes.test(type)));
	};

	if (request.signal?.aborted) return onAbort();
	request.signal?.addEventListener('abort', onAbort, { once: true });
	watch();
	let informational = 0;
	const sink: HttpSink = {
		onSending() {
			sentAt = performance.now();
			watch();
			note('sent', () => `${request.method} ${request.url.pathname}`);
		},
		onInformational() {
			if (++informational > bounds.informational) finish({ ...cleanEnd, bound: 'headers' });
		},
		onHeaders(status, headers) {
			if (!ended) onHeaders(status, headers);
		},
		onData(chunk) {
			if (ended) return;
			chunkAt = performance.now();
			body ??= beginBody?.(looksLikeEvents(chunk)) ?? null;
			body?.write(chunk);
		},
		onEnd() {
			body ??= beginBody?.(false) ?? null;
			body?.end();
		},
		onError: fail,
	};
	openConnection(endpointOf(request.url, request.network, request.http2), marks, cancel.signal).then((connection) => {
		if (ended) return connection.destroy();
		socket = connection;
		note('connected', () => marks.address ?? '');
		endExchange = (marks.protocol === 'h2' ? sendHttp2 : sendHttp1)(connection, request, sink);
	}, fail);
}

/** The first line of server-sent events is a field or a comment. */
function looksLikeEvents(chunk: Buffer): boolean {
	return /^\s*(?:data|event|id|retry)?:/.test(chunk.subarray(0, 64).toString('utf8'));
}

function transportOf(error: unknown): { code: string; message: string } {
	const { code, name, message } = error as NodeJS.ErrnoException;
	// undici reports an unasked 101 or 100 as a plain socket error.
	if (code === 'UND_ERR_SOCKET' && /^bad (?:upgrade|response)$/.test(message)) return { code: 'HPE_UPGRADE', message };
	return { code: code ?? name ?? 'UNKNOWN', message: message ?? String(error) };
}
