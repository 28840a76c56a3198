/**
 * What a router embeds: a local copy of Linnet's verdicts, kept fresh in the background. Every question is answered from memory and at once.
 * It fails open: without a fresh verdict a target is `unknown`, which is healthy, and the order is the one that you gave.
 * Needs only fetch, AbortController, setTimeout, performance; crypto.subtle when a public key is given.
 */

export type State = 'operational' | 'degraded_performance' | 'partial_outage' | 'major_outage' | 'under_maintenance' | 'unknown';

export interface TargetState {
	readonly state: State;
	/** Why, in words. */
	readonly reason: string;
	/** ISO 8601; null when nothing is known. */
	readonly since: string | null;
}

export interface Change extends TargetState {
	/** `provider:model:operation`. */
	readonly id: string;
	readonly previous: State;
}

export interface HealthClientOptions {
	/** Of a Linnet (then `/v1/verdicts` is polled), or of a document: `…/v1/verdicts`, `…/v1/health`, `…/verdicts.json` of a static copy. */
	readonly url: string;
	/** Base64, from `/v1/key`, by a way that you trust. With it, nothing unsigned is believed. */
	readonly publicKey?: string;
	/** Default 5,000; each wait varies by a fifth. It doubles with each failure in a row, up to eight times that. */
	readonly pollMs?: number;
	/**
	 * Also hold a stream of events open: it rings when a verdict moves, and the document is polled at once. While it is alive polls are twelve
	 * times rarer; when it breaks they are as without it. Only for the `url` of a Linnet.
	 */
	readonly events?: boolean;
	/** A poll that takes longer is given up. Default 5,000. */
	readonly timeoutMs?: number;
	/** Targets to rank while no document was read yet. */
	readonly targets?: readonly string[];
	/** Hears why a poll brought nothing; the client goes on by itself. */
	readonly onError?: (error: unknown) => void;
	readonly fetch?: typeof fetch;
	/** Monotonic milliseconds. */
	readonly now?: () => number;
	/** 0 ≤ x < 1. */
	readonly random?: () => number;
}

export interface HealthClient {
	/** Every target of the model, best first. With `targets` exactly those: none is dropped, none is added. */
	rank(model: string, targets?: readonly string[]): string[];
	/** False only in a confirmed outage that is known now. */
	isHealthy(targetId: string): boolean;
	state(targetId: string): TargetState;
	/** Called after each change, also when knowledge becomes too old. Returns the function that ends it. */
	onChange(listener: (changes: readonly Change[]) => void): () => void;
	/** Resolves after the first poll, however it went. Never rejects; nobody needs to wait for it. */
	readonly ready: Promise<void>;
	close(): void;
}

interface Known extends TargetState {
	/** Lower is better among equal states. */
	readonly cost: number;
}

type Freshness = readonly [generatedAt: string, staleAfter: string, signature: string | null];

const order: readonly State[] = ['operational', 'degraded_performance', 'unknown', 'under_maintenance', 'partial_outage', 'major_outage'];
const nothing: Known = { state: 'unknown', reason: 'no fresh verdict', since: null, cost: Number.MAX_VALUE };
// A feed of 10,000 targets is about 2 MB; an endless body must not fill the router's memory.
const maxBytes = 33_554_432;
// A document that names a deadline further away than this is a misread clock.
const maxFreshMs = 600_000;
/** After an event the document is read within this. */
const ringMs = 200;
/** A stream without even a heartbeat (every 10 s) for so long is dead. */
const silentMs = 30_000;

/** `provider:model:operation` → model. */
const modelOf = (id: string) => id.slice(id.indexOf(':') + 1, id.lastIndexOf(':'));

/** Only a body that is wholly what it should be: one odd entry and none of it is believed. */
function readTargets(body: unknown): Map<string, Known> {
	const { schema, targets } = body as { schema?: unknown; targets?: Record<string, Record<string, unknown>> };
	const isVerdicts = schema === 'linnet.verdicts/1';
	if ((!isVerdicts && schema !== 'linnet.health/1') || !targets || Array.isArray(targets) === isVerdicts) throw new Error('Expected a document of Linnet');
	const found = new Map<string, Known>();
	for (const [key, target] of Object.entries(targets)) {
		const { state, reason, since, ttftMs } = target as { state: State; reason: string; since: string; ttftMs?: { p95?: unknown } | null };
		const id = isVerdicts ? key : target.id;
		if (typeof id !== 'string' || typeof reason !== 'string') throw new Error('Expected a target with id and reason');
		const p95 = ttftMs?.p95;
		// A state of a later version is one that we don't know: it is no reason to turn away.
		found.set(id, { state: order.includes(state) ? state : 'unknown', reason, since, cost: typeof p95 === 'number' ? p95 : Number.MAX_VALUE });
	}
	return found;
}

async function readText(response: Response, stop: () => void): Promise<Uint8Array<ArrayBuffer>> {
	const parts: Uint8Array[] = [];
	let size = 0;
	const reader = response.body?.getReader();
	for (let part = await reader?.read(); part && !part.done; part = await reader?.read()) {
		size += part.value.length;
		if (size > maxBytes) {
			stop();
			throw new Error(`Expected at most ${maxBytes} bytes`);
		}
		parts.push(part.value);
	}
	const bytes = new Uint8Array(size);
	let at = 0;
	for (const part of parts) {
		bytes.set(part, at);
		at += part.length;
	}
	return bytes;
}

const fromBase64 = (text: string) => Uint8Array.from(atob(text), (char) => char.charCodeAt(0));

/** Throws unless the key signed these bytes with this deadline. */
async function verify(publicKey: string, [generatedAt, staleAfter, signature]: Freshness, bytes: Uint8Array): Promise<void> {
	const head = new TextEncoder().encode(`${generatedAt}\n${staleAfter}\n`);
	const signed = new Uint8Array(head.length + bytes.length);
	signed.set(head);
	signed.set(bytes, head.length);
	const key = await crypto.subtle.importKey('raw', fromBase64(publicKey), 'Ed25519', false, ['verify']);
	if (!(await crypto.subtle.verify('Ed25519', key, fromBase64(signature ?? ''), signed))) throw new Error('Expected a document signed by the given key');
}

export function createHealthClient(options: HealthClientOptions): HealthClient {
	const { publicKey, pollMs = 5_000, timeoutMs = 5_000, targets: configured = [] } = options;
	const { now = () => performance.now(), random = Math.random } = options;
	const doFetch = options.fetch ?? ((input, init) => fetch(input, init));
	const url = /\/(verdicts|health)(\.json)?(\?|$)/.test(options.url) ? options.url : `${options.url.replace(/\/$/, '')}/v1/verdicts`;
	const listeners = new Set<(changes: readonly Change[]) => void>();
	let known = new Map<string, Known>();
	let bytes: Uint8Array | null = null;
	let etag: string | null = null;
	let generatedAt = '';
	let freshUntil = Number.NEGATIVE_INFINITY;
	/** What the listeners were told last. */
	let told = new Map<string, State>();
	let failures = 0;
	let closed = false;
	let pollTimer: ReturnType<typeof setTimeout> | undefined;
	let staleTimer: ReturnType<typeof setTimeout> | undefined;
	let running: AbortController | undefined;
	let stream: AbortController | undefined;
	let streaming = false;
	let lastEventId = '';
	/** It rang while a poll was under way. */
	let again = false;

	const report = (error: unknown) => {
		try {
			options.onError?.(error);
		} catch {
			// The listener's own trouble; ours is to go on.
		}
	};
	const later = (run: () => void, ms: number) => {
		const timer = setTimeout(run, ms);
		// In Node a timer keeps the process alive; elsewhere it is a number.
		(timer as { unref?: () => void }).unref?.();
		return timer;
	};
	const isFresh = () => now() <= freshUntil;
	const lookUp = (id: string): Known => (isFresh() ? known.get(id) : undefined) ?? nothing;

	const tell = () => {
		const next = new Map<string, State>();
		const changes: Change[] = [];
		for (const id of new Set([...told.keys(), ...known.keys()])) {
			const { state, reason, since } = lookUp(id);
			const previous = told.get(id) ?? 'unknown';
			if (known.has(id)) next.set(id, state);
			if (previous !== state) changes.push({ id, state, reason, since, previous });
		}
		told = next;
		if (changes.length === 0) return;
		for (const listener of [...listeners]) {
			try {
				listener(changes);
			} catch (error) {
				report(error);
			}
		}
	};

	/** Tells when the deadline has passed. A timer may ring a little before its time by the other clock, so it looks again. */
	const expire = () => {
		if (isFresh()) staleTimer = later(expire, freshUntil - now() + 1);
		else tell();
	};

	/** The deadline on our own clock: counted from the first sight of this making, so that neither a wrong wall clock nor a replay moves it. */
	const extend = ([made, deadline]: Freshness, response: Response) => {
		const lifeMs = Math.min(Date.parse(deadline) - Date.parse(made), maxFreshMs);
		if (!(lifeMs > 0)) throw new Error('Expected when the document was made and when it becomes stale');
		if (made === generatedAt) return;
		// Both by the server's clock; a cache in between adds its Age.
		const ageMs = Math.max(Date.parse(response.headers.get('date') ?? '') - Date.parse(made) || 0, 0) + (Number(response.headers.get('age')) || 0) * 1_000;
		generatedAt = made;
		freshUntil = now() + lifeMs - ageMs;
		clearTimeout(staleTimer);
		expire();
	};

	const ask = (address: string, control: AbortController) =>
		doFetch(address, { signal: control.signal, cache: 'no-cache', headers: etag === null || address !== url ? {} : { 'If-None-Match': etag } });

	/** Freshness stands in the headers, in a feed's own body, or beside a static copy. */
	const freshnessOf = async (response: Response, body: Record<string, unknown> | null, control: AbortController): Promise<Freshness> => {
		const { headers } = response;
		const own = headers.get('linnet-stale-after');
		if (own !== null) return [headers.get('linnet-generated-at') ?? '', own, headers.get('linnet-signature')];
		if (body !== null && publicKey === undefined && typeof body.staleAfter === 'string') return [String(body.generatedAt), body.staleAfter, null];
		const proof = await ask(`${url}.sig`, control);
		const { generatedAt: made, staleAfter, signature } = JSON.parse(new TextDecoder().decode(await readText(proof, () => control.abort())));
		return [String(made), String(staleAfter), String(signature)];
	};

	const poll = async (control: AbortController) => {
		const response = await ask(url, control);
		const isSame = response.status === 304 && bytes !== null;
		if (!isSame && response.status !== 200) throw new Error(`Expected 200 or 304, got ${response.status}`);
		const received = isSame ? null : await readText(response, () => control.abort());
		const body = received === null ? null : JSON.parse(new TextDecoder().decode(received));
		const found = received === null ? known : readTargets(body);
		const freshness = await freshnessOf(response, body, control);
		if (publicKey !== undefined) await verify(publicKey, freshness, received ?? (bytes as Uint8Array));
		// An older document, from a replica that lags or from somebody who kept it, is not news; after a reset of the service it is, unless signed.
		if (Date.parse(freshness[0]) < Date.parse(generatedAt) && (publicKey !== undefined || isFresh())) throw new Error('Expected no older document than before');
		if (closed) return;
		extend(freshness, response);
		known = found;
		bytes = received ?? bytes;
		etag = response.headers.get('etag') ?? (isSame ? etag : null);
		tell();
	};

	const cycle = async () => {
		const control = new AbortController();
		running = control;
		let timer: ReturnType<typeof setTimeout> | undefined;
		// Beside the abort, for a fetch that does not heed it.
		const late = new Promise<never>((_, reject) => {
			timer = later(() => {
				control.abort();
				reject(new Error(`Expected an answer within ${timeoutMs} ms`));
			}, timeoutMs);
		});
		try {
			await Promise.race([poll(control), late]);
			failures = 0;
		} catch (error) {
			failures = Math.min(failures + 1, 4);
			// Half a belief is none: the next answer must be whole.
			etag = null;
			if (!closed) report(error);
		}
		clearTimeout(timer);
		running = undefined;
		if (closed) return;
		// A thousand readers of one stream must not come in the same millisecond.
		const waitMs = again ? ringMs : failures === 0 && streaming ? 12 * pollMs : pollMs * 2 ** Math.max(0, failures - 1);
		again = false;
		pollTimer = later(cycle, waitMs * (0.8 + 0.4 * random()));
	};

	const ring = () => {
		again = true;
		if (running !== undefined) return;
		again = false;
		clearTimeout(pollTimer);
		pollTimer = later(cycle, ringMs * random());
	};

	/** Hears the ids of events, for the resume; what they say is read from the document, which can be signed. */
	const follow = async () => {
		const control = new AbortController();
		stream = control;
		let silence: ReturnType<typeof setTimeout> | undefined;
		const heard = () => {
			clearTimeout(silence);
			silence = later(() => control.abort(), silentMs);
		};
		try {
			heard();
			const headers: Record<string, string> = { Accept: 'text/event-stream', ...(lastEventId === '' ? {} : { 'Last-Event-ID': lastEventId }) };
			const response = await doFetch(url.replace(/\/verdicts.*$/, '/health/events'), { signal: control.signal, cache: 'no-store', headers });
			if (response.status !== 200 || !response.headers.get('content-type')?.startsWith('text/event-stream')) throw new Error('Expected a stream of events');
			streaming = true;
			const decoder = new TextDecoder();
			const reader = response.body?.getReader();
			let line = '';
			for (let part = await reader?.read(); part && !part.done; part = await reader?.read()) {
				heard();
				const lines = (line + decoder.decode(part.value, { stream: true })).split('\n');
				// Of the data only the end matters: a long line is not kept.
				line = (lines.pop() ?? '').slice(0, 256);
				for (const one of lines) {
					if (one.startsWith('id: ')) lastEventId = one.slice(4);
					else if (one.startsWith('data: ')) ring();
				}
			}
			throw new Error('The stream of events ended');
		} catch (error) {
			if (!closed) report(error);
		}
		clearTimeout(silence);
		control.abort();
		streaming = false;
		if (closed) return;
		ring();
		later(() => void (closed || follow()), 4 * ringMs + pollMs * random());
	};
	if (options.events && url.endsWith('/v1/verdicts')) void follow();

	return {
		ready: cycle(),
		isHealthy: (id) => lookUp(id).state !== 'major_outage',
		state(id) {
			const { state, reason, since } = lookUp(id);
			return { state, reason, since };
		},
		rank(model, targets) {
			const own = targets ?? [...new Set([...configured, ...known.keys()])].filter((id) => modelOf(id) === model);
			// Sorting is stable: among equals your order stands.
			return [...own].sort((a, b) => {
				const [left, right] = [lookUp(a), lookUp(b)];
				return order.indexOf(left.state) - order.indexOf(right.state) || left.cost - right.cost;
			});
		},
		onChange(listener) {
			listeners.add(listener);
			return () => listeners.delete(listener);
		},
		close() {
			closed = true;
			clearTimeout(pollTimer);
			clearTimeout(staleTimer);
			running?.abort();
			stream?.abort();
			listeners.clear();
		},
	};
}
