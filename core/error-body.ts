import type { ProviderError } from './answer.ts';
import { parseBodyWait } from './retry-after.ts';

type Json = Readonly<Record<string, unknown>>;

/** Bodies are attacker-sized text: no pattern ever sees more than this. */
const longestWord = 200;
const longestMessage = 2_000;

export function isRecord(value: unknown): value is Json {
	return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function parseJson(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch {
		return undefined;
	}
}

function word(value: unknown): string | null {
	if (typeof value === 'string' && value !== '') return value.slice(0, longestWord);
	return typeof value === 'number' ? String(value) : null;
}

function sentence(value: unknown): string | null {
	if (typeof value === 'string' && value !== '') return value.slice(0, longestMessage);
	return value === undefined || value === null ? null : JSON.stringify(value).slice(0, longestMessage);
}

function statusIn(...values: unknown[]): number | null {
	for (const value of values) {
		const number = typeof value === 'string' && /^\d{3}$/.test(value) ? Number(value) : value;
		if (typeof number === 'number' && Number.isInteger(number) && number >= 300 && number <= 599) return number;
	}
	return null;
}

/** A named code beats a number that only echoes the HTTP status. */
function named(...values: unknown[]): string | null {
	const words = values.map(word).filter((text) => text !== null);
	return words.find((text) => !/^[1-5]\d\d$/.test(text)) ?? words[0] ?? null;
}

/** Keys whose values name the cause, at any depth of the details that providers nest them in. */
const reasonKeys = new Set(['reason', 'quotaId', 'error_code', 'error_type', 'provider_code', 'limit_source', 'param']);

function collectReasons(value: unknown, found: string[], depth = 0): void {
	if (depth > 6 || found.length >= 16) return;
	if (Array.isArray(value)) {
		for (const item of value.slice(0, 16)) collectReasons(item, found, depth + 1);
	} else if (isRecord(value)) {
		for (const [key, inner] of Object.entries(value)) {
			if (reasonKeys.has(key) && typeof inner === 'string' && inner !== '') found.push(inner.slice(0, longestWord));
			else if (key === 'availability' && isRecord(inner)) found.push(String(inner.code).slice(0, longestWord));
			else if (key === 'innererror' && isRecord(inner) && typeof inner.code === 'string') found.push(inner.code.slice(0, longestWord));
			else collectReasons(inner, found, depth + 1);
		}
	}
}

/**
 * Reads every known error shape (wire protocols, R3): `error` object or string, a one-element array, flat `{message, type, code}`,
 * `detail`, `errors[0]`, `base_resp`, `title` + `status`, Bedrock's and Hugging Face's headers. Null when the JSON holds no error.
 */
export function readErrorBody(json: unknown, headers: Readonly<Record<string, string>> = {}): ProviderError | null {
	const awsType = headers['x-amzn-errortype']?.split(/[:#]/)[0] ?? null;
	const body = Array.isArray(json) ? json[0] : json;
	const parts = isRecord(body) ? readParts(body) : null;
	const message = parts?.message ?? headers['x-error-message']?.slice(0, longestMessage) ?? null;
	if (parts === null && awsType === null && message === null) return null;
	const reasons: string[] = [];
	collectReasons(body, reasons);
	return {
		status: parts?.status ?? null,
		type: awsType ?? parts?.type ?? null,
		code: parts?.code ?? null,
		message,
		param: paramIn(body),
		reasons,
		retryAfterMs: parseBodyWait(body, message),
	};
}

/** OpenAI's `error.param`; FastAPI's `detail[0].loc`, less its `body`; Google's first field violation. */
function paramIn(body: unknown): string | null {
	if (!isRecord(body)) return null;
	const error = isRecord(body.error) ? body.error : body;
	const named = word(error.param);
	if (named !== null) return named;
	const fault = Array.isArray(body.detail) ? body.detail[0] : null;
	if (isRecord(fault) && Array.isArray(fault.loc))
		return word(
			fault.loc
				.slice(0, 8)
				.filter((step) => step !== 'body')
				.join('.'),
		);
	const details = Array.isArray(error.details) ? error.details.slice(0, 16) : [];
	const violations = details.flatMap((detail) => (isRecord(detail) && Array.isArray(detail.fieldViolations) ? detail.fieldViolations.slice(0, 1) : []));
	return isRecord(violations[0]) ? word(violations[0].field) : null;
}

type Parts = Pick<ProviderError, 'status' | 'type' | 'code' | 'message'>;

function readParts(body: Json): Parts | null {
	const { error, detail } = body;
	if (isRecord(error)) {
		return {
			status: statusIn(error.code, error.status, body.status_code),
			type: named(error.type, error.status, body.error_type),
			code: named(error.code, body.code),
			message: sentence(error.message ?? error.detail ?? error.msg),
		};
	}
	if (typeof error === 'string') {
		return { status: statusIn(body.status, body.status_code), type: named(body.type), code: named(body.code), message: sentence(error) };
	}
	if (isRecord(body.base_resp)) {
		const code = body.base_resp.status_code;
		if (code === 0) return null;
		return { status: null, type: 'base_resp', code: word(code), message: sentence(body.base_resp.status_msg) };
	}
	if (Array.isArray(body.errors) && isRecord(body.errors[0])) {
		const first = body.errors[0];
		return { status: null, type: word(first.type), code: word(first.code), message: sentence(first.message) };
	}
	if (detail !== undefined) {
		const inner = isRecord(detail) ? detail : null;
		return {
			status: statusIn(body.status),
			type: word(inner?.type ?? body.title),
			code: word(inner?.code),
			message: sentence(inner?.error ?? inner?.message ?? detail),
		};
	}
	if (typeof body.message === 'string' || typeof body.code === 'string' || body.object === 'error') {
		return {
			status: statusIn(body.raw_status_code, body.status_code, body.status, body.code),
			type: named(body.type, body.__type, body.reason),
			code: named(body.code),
			message: sentence(body.message),
		};
	}
	if (typeof body.title === 'string') return { status: statusIn(body.status), type: word(body.title), code: null, message: sentence(body.title) };
	return null;
}
