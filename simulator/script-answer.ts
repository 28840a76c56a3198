/** Writes the score of one answer: what goes out when, and how it ends. Pure; the clock and the socket are in play-script. */
import { gzipSync } from 'node:zlib';
import type { Fault } from './faults.ts';
import { draw, type SimModel } from './fleet.ts';
import type { Frame, SimAnswer, SimAsk, SimDialect, SimError, SimFinish } from './sim-dialect.ts';

export interface Step {
	/** ms after the request arrived. */
	readonly atMs: number;
	readonly bytes: string | Buffer;
}

/** `end`: as the protocol wants; `fin`: half-closed without the last chunk; `rst`: reset; `hang`: silence; `repeat`: the bytes for ever. */
export type Ending =
	| { readonly kind: 'end' | 'fin' | 'rst' | 'hang' }
	/** `everyMs` 0: as fast as the reader takes them. */
	| { readonly kind: 'repeat'; readonly bytes: string | Buffer; readonly everyMs: number };

export interface Script {
	readonly headersAtMs: number;
	readonly headers: Readonly<Record<string, string>>;
	/** Without length and without chunks: only the close ends the body. */
	readonly closeDelimited: boolean;
	readonly steps: readonly Step[];
	readonly ending: Ending;
}

interface Dress {
	readonly newline: string;
	readonly space: string;
	readonly manyLines: boolean;
}

const plain: Dress = { newline: '\n', space: ' ', manyLines: false };

const dresses: Partial<Record<Fault['mode'], Dress>> = {
	crlf: { ...plain, newline: '\r\n' },
	cr: { ...plain, newline: '\r' },
	no_space_after_colon: { ...plain, space: '' },
	multi_data_lines: { ...plain, manyLines: true },
};

export function encodeFrame(frame: Frame, { newline, space, manyLines }: Dress = plain): string {
	if ('raw' in frame) return frame.raw;
	if ('comment' in frame) return `:${space}${frame.comment}${newline}${newline}`;
	const data = typeof frame.data === 'string' ? frame.data : manyLines ? JSON.stringify(frame.data, null, 1) : JSON.stringify(frame.data);
	const lines = data.split('\n').map((line) => `data:${space}${line}${newline}`);
	return `${frame.event === null ? '' : `event:${space}${frame.event}${newline}`}${lines.join('')}${newline}`;
}

/** The values that a prompt for JSON or for a tool call names. */
export function readingIn(prompt: string): Record<string, unknown> {
	return { word: /word "([^"]{0,80})"/.exec(prompt)?.[1] ?? '', count: Number(/count (\d{1,9})/.exec(prompt)?.[1] ?? 0) };
}

/** What the model says: the line that an echo asks for, an object, or a sentence of its own. One element a token. */
export function answerTokens({ prompt, form }: Pick<SimAsk, 'prompt' | 'form'>): string[] {
	if (form?.kind === 'json') return JSON.stringify(readingIn(prompt)).split(/(?<=[:,{])/);
	const line = /exactly[^:]{0,60}: ?([^]+)$/.exec(prompt)?.[1]?.trim() ?? 'The quick answer to your question is that it depends on the question.';
	return line.split(/(?= )/);
}

export interface ScriptInput {
	readonly dialect: SimDialect;
	readonly model: SimModel;
	readonly ask: SimAsk;
	readonly fault: Fault | null;
	readonly random: () => number;
	readonly id: string;
	readonly createdAtMs: number;
	/** 1 = as slow as the model is; 0 = at once. */
	readonly timeScale: number;
	/** Already worded by the dialect; null unless the fault is an error inside the stream. */
	readonly inBandError: SimError | null;
}

const reasoningTokenCount = 12;

export function scriptAnswer(input: ScriptInput): Script {
	const { dialect, ask, fault, random } = input;
	const mode = fault?.mode ?? null;
	const dress = (mode !== null && dresses[mode]) || plain;
	const silent = mode === 'empty_completion' || mode === 'refusal' || mode === 'length_with_reasoning_only' || mode === 'content_filter';
	const right = answerTokens(ask);
	const said = mode === 'wrong_answer' ? ['I', ' am', ' not', ' sure', ' what', ' you', ' mean', '.'] : mode === 'split_utf8' ? ['é✓𝄞 ', ...right] : right;
	const tokens = silent ? [] : said;
	const call = ask.form?.kind === 'tool' && !silent ? { name: ask.form.name, args: mode === 'wrong_answer' ? { word: '?' } : readingIn(ask.prompt) } : null;
	const reasons = mode === 'reasoning_first' || mode === 'length_with_reasoning_only';
	const reasoningTokens = reasons ? reasoningTokenCount : 0;
	const answer: SimAnswer = {
		id: input.id,
		servedModel: mode === 'wrong_model_echo' ? 'zyx-9b' : ask.upstreamModel,
		includeUsage: ask.includeUsage,
		inputTokens: Math.ceil(ask.prompt.length / 4),
		outputTokens: tokens.length + reasoningTokens,
		reasoningTokens,
		created: Math.floor(input.createdAtMs / 1_000),
	};
	const pace = paceOf(input);
	const encode = (frame: Frame) => dialect.encode?.(frame) ?? encodeFrame(frame, dress);
	const join = (frames: readonly Frame[]) => joinBytes(frames.map(encode));
	const steps: Step[] = [];
	let atMs = pace.ttftMs * 0.6;
	const headersAtMs = atMs;
	const add = (frames: readonly Frame[]) => {
		if (frames.length > 0) steps.push({ atMs, bytes: join(frames) });
	};
	add(dialect.opening(answer));
	const opening = [...steps];
	atMs = pace.ttftMs;
	if (reasons) add([dialect.reasoning(answer, 'Let me think.')]);
	const pieces = call === null ? tokens.map((token, i) => dialect.content(answer, token, i)) : dialect.call(answer, call.name, call.args);
	const stopAfter = fault !== null && 'tokens' in fault ? Math.min(fault.tokens, pieces.length) : pieces.length;
	for (const [i, piece] of pieces.slice(0, stopAfter).entries()) {
		add(mode === 'heartbeats_between' && i > 0 ? [dialect.heartbeat(), piece] : [piece]);
		atMs += pace.gapMs + (fault?.mode === 'jitter' ? random() * fault.ms : 0);
	}
	const finish: SimFinish =
		mode === 'refusal' ? 'refusal' : mode === 'content_filter' ? 'content' : mode === 'length_with_reasoning_only' ? 'length' : call === null ? 'stop' : 'tool';
	const closing = () => dialect.closing(answer, finish);
	const headers = { 'content-type': dialect.contentType, 'cache-control': 'no-cache', ...dialect.headers(answer) };
	const script = (ending: Ending, changes: Partial<Script> = {}): Script => ({ headersAtMs, headers, closeDelimited: false, steps, ending, ...changes });
	const errorFrames = () => (input.inBandError === null ? [] : [dialect.errorFrame(input.inBandError)]);

	switch (fault?.mode) {
		case 'silent_stream':
			return script({ kind: 'hang' }, { steps: [] });
		case 'heartbeat_then_nothing':
			return script({ kind: 'repeat', bytes: encode(dialect.heartbeat()), everyMs: fault.everyMs }, { steps: opening });
		case 'slow_drip':
			// One event that never ends, a byte at a time.
			return script({ kind: 'repeat', bytes: 'x', everyMs: fault.everyMs }, { steps: [{ atMs, bytes: 'data: {"id":"' }] });
		case 'stall_after':
			return script({ kind: 'hang' });
		case 'cut_clean':
			return script({ kind: 'end' });
		case 'cut_fin':
			return script({ kind: 'fin' });
		case 'cut_rst':
			return script({ kind: 'rst' });
		case 'close_delimited_cut':
			return script({ kind: 'fin' }, { closeDelimited: true });
		case 'in_band_error':
			add(errorFrames());
			return script({ kind: 'end' });
		case 'error_then_done':
			add([...errorFrames(), ...dialect.terminator()]);
			return script({ kind: 'end' });
		case 'done_without_finish':
			add(dialect.terminator());
			return script({ kind: 'end' });
		case 'no_done_after_finish':
			add(closing());
			return script({ kind: 'end' });
		case 'empty_body':
			return script({ kind: 'end' }, { steps: [] });
		case 'bad_json_event':
			steps.push({ atMs, bytes: `data: {"choices": [{"delta": {"content": "un${dress.newline}${dress.newline}` });
			return script({ kind: 'end' });
		case 'endless_stream':
			return script({ kind: 'repeat', bytes: join(Array.from({ length: 64 }, () => dialect.content(answer, ' and on', 1))), everyMs: 0 });
		case 'event_flood':
			return script({ kind: 'repeat', bytes: ':\n\n'.repeat(16_384), everyMs: 0 });
		case 'huge_line':
			return script({ kind: 'repeat', bytes: 'x'.repeat(65_536), everyMs: 0 }, { steps: [{ atMs, bytes: 'data: {"id":"' }] });
		case 'binary_body':
			return script({ kind: 'end' }, { steps: [{ atMs, bytes: Buffer.from(Array.from({ length: 2_048 }, () => Math.floor(random() * 256))) }] });
	}
	add([...closing(), ...dialect.terminator()]);
	return dressWhole(mode, script({ kind: 'end' }));
}

function joinBytes(parts: readonly (string | Buffer)[]): string | Buffer {
	return parts.every((part) => typeof part === 'string') ? parts.join('') : Buffer.concat(parts.map((part) => Buffer.from(part)));
}

/** Variants that change the bytes of a right answer as a whole. */
function dressWhole(mode: Fault['mode'] | null, script: Script): Script {
	const whole = () => Buffer.concat(script.steps.map(({ bytes }) => Buffer.from(bytes)));
	const lastAt = script.steps.at(-1)?.atMs ?? 0;
	const encoded = (body: Buffer): Script => ({
		...script,
		headers: { ...script.headers, 'content-encoding': 'gzip' },
		steps: [{ atMs: lastAt, bytes: body }],
	});
	switch (mode) {
		case 'bom':
			return { ...script, steps: [{ atMs: script.headersAtMs, bytes: '\ufeff' }, ...script.steps] };
		case 'split_utf8':
			return { ...script, steps: script.steps.flatMap(({ atMs, bytes }) => [...Buffer.from(bytes)].map((byte) => ({ atMs, bytes: Buffer.from([byte]) }))) };
		case 'gzip_body':
			return encoded(gzipSync(whole()));
		case 'gzip_truncated': {
			// Its header, and too little to hold a token.
			const body = gzipSync(whole());
			return encoded(body.subarray(0, 24));
		}
		case 'not_gzip':
			return encoded(whole());
		case 'gzip_bomb':
			return encoded(gzipBomb());
		default:
			return script;
	}
}

let bomb: Buffer | null = null;

/** 64 MB of comments in some 60 KB; made once. */
function gzipBomb(): Buffer {
	bomb ??= gzipSync(Buffer.alloc(64 * 1_024 * 1_024, ':\n'), { level: 9 });
	return bomb;
}

function paceOf({ model, fault, random, timeScale }: ScriptInput): { ttftMs: number; gapMs: number } {
	const factor = (fault?.mode === 'slow' ? fault.factor : 1) * timeScale;
	const extraMs = fault?.mode === 'slow_ttft' ? fault.ms : 0;
	return { ttftMs: draw(model.ttftMs, random) * factor + extraMs, gapMs: (1_000 / draw(model.tokensPerSecond, random)) * factor };
}
