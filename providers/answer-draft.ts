import { type Answer, emptyAnswer, type Finish, type ProviderError } from '#core/answer.ts';
import { isRecord, parseJson, readErrorBody } from '#core/error-body.ts';

/** An answer while it is being read. */
export type AnswerDraft = { -readonly [K in keyof Answer]: Answer[K] };

const longestText = 16_384;

export function newDraft(): AnswerDraft {
	return { ...emptyAnswer };
}

export function addText(draft: AnswerDraft, text: string): void {
	if (draft.text.length < longestText) draft.text = (draft.text + text).slice(0, longestText);
}

/** The first call counts: a canary asks for one. */
export function beginCall(draft: AnswerDraft, name: unknown): void {
	if (draft.toolName === null && typeof name === 'string' && name !== '') draft.toolName = name.slice(0, 200);
}

/** Arguments in fragments, or at once as an object. */
export function addArguments(draft: AnswerDraft, fragment: unknown): void {
	const text = typeof fragment === 'string' ? fragment : JSON.stringify(fragment);
	if (draft.toolArguments.length < longestText) draft.toolArguments = (draft.toolArguments + text).slice(0, longestText);
}

export function setFinish(draft: AnswerDraft, reason: string, words: Readonly<Record<string, Finish>>): void {
	const known = Object.hasOwn(words, reason) ? words[reason] : undefined;
	draft.finishReason = reason.slice(0, 60);
	draft.finish = known ?? 'stop';
	if (known === undefined) draft.note = 'unknown_finish_reason';
}

/** The first error counts, and nothing after it is of interest. */
export function setError(draft: AnswerDraft, json: unknown, contentSeen: boolean): void {
	if (draft.error !== null) return;
	draft.error = readErrorBody(json) ?? unreadableError(json);
	draft.errorAfterContent = contentSeen;
	draft.closed = true;
}

function unreadableError(json: unknown): ProviderError {
	return { status: null, type: null, code: null, param: null, message: JSON.stringify(json)?.slice(0, 2_000) ?? null, reasons: [], retryAfterMs: null };
}

/** Null when the event is no JSON object, which it then says in the draft. */
export function parseEvent(draft: AnswerDraft, data: string): Readonly<Record<string, unknown>> | null {
	const json = parseJson(data);
	const record = Array.isArray(json) && json.length === 1 ? json[0] : json;
	if (isRecord(record)) return record;
	draft.malformed ??= json === undefined ? 'bad_json_event' : 'unexpected_event';
	return null;
}

/** A token count as sent; null when it is missing or no count. */
export function tokenCount(value: unknown): number | null {
	return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : null;
}

export function textOrNull(value: unknown): string | null {
	return typeof value === 'string' && value !== '' ? value.slice(0, 200) : null;
}
