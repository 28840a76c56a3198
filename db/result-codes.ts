import type { Outcome, Sli } from '#core/outcome.ts';
import type { Phase, ProbeKind } from '#core/probe-result.ts';

// Rows on disk hold these numbers for ever: a new word takes the next number, and no number ever changes its word.

export const outcomeCodes = {
	ok: 0,
	server_error: 1,
	server_timeout: 2,
	first_token_timeout: 3,
	stream_stalled: 4,
	stream_truncated: 5,
	stream_error: 6,
	invalid_response: 7,
	empty_response: 8,
	overloaded: 9,
	not_ready: 10,
	throttled: 11,
	rate_limited: 12,
	quota_exhausted: 13,
	auth_failed: 14,
	forbidden: 15,
	model_not_found: 16,
	bad_request: 17,
	dns_failed: 18,
	connect_failed: 19,
	tls_failed: 20,
	edge_blocked: 21,
	monitor_fault: 22,
	content_blocked: 23,
	canary_mismatch: 24,
} as const satisfies Record<Outcome, number>;

export const sliCodes = { good: 0, bad: 1, excluded: 2 } as const satisfies Record<Sli, number>;

export const kindCodes = { scheduled: 0, confirmation: 1, manual: 2 } as const satisfies Record<ProbeKind, number>;

export const phaseCodes = {
	schedule: 0,
	credential: 1,
	dns: 2,
	connect: 3,
	tls: 4,
	request: 5,
	headers: 6,
	first_event: 7,
	stream: 8,
	end: 9,
	assert: 10,
} as const satisfies Record<Phase, number>;

function invert<Word extends string>(codes: Readonly<Record<Word, number>>): (code: number) => Word {
	const words = new Map((Object.entries(codes) as [Word, number][]).map(([word, code]) => [code, word]));
	return (code) => {
		const word = words.get(code);
		// Written by a newer version: this code must not guess.
		if (word === undefined) throw new Error(`Expected one of the codes of ${Object.keys(codes).join(', ')}, got ${code}`);
		return word;
	};
}

export const outcomeOfCode = invert<Outcome>(outcomeCodes);
export const sliOfCode = invert<Sli>(sliCodes);
export const kindOfCode = invert<ProbeKind>(kindCodes);
export const phaseOfCode = invert<Phase>(phaseCodes);
