import fc from 'fast-check';
import { expect, it } from 'vitest';
import { outcomes } from '#core/outcome.ts';
import { phases, probeKinds } from '#core/probe-result.ts';
import { kindCodes, outcomeCodes, outcomeOfCode, phaseCodes, phaseOfCode, sliCodes } from './result-codes.ts';
import { parseResultId, resultId } from './result-row.ts';

it('never changes what a number on disk means', () => {
	// To add a word, append it here; to change or remove one is to falsify every stored result.
	expect(Object.entries(outcomeCodes).map(([word, code]) => `${code} ${word}`)).toEqual([
		...['0 ok', '1 server_error', '2 server_timeout', '3 first_token_timeout', '4 stream_stalled', '5 stream_truncated', '6 stream_error'],
		...['7 invalid_response', '8 empty_response', '9 overloaded', '10 not_ready', '11 throttled', '12 rate_limited', '13 quota_exhausted'],
		...['14 auth_failed', '15 forbidden', '16 model_not_found', '17 bad_request', '18 dns_failed', '19 connect_failed', '20 tls_failed'],
		...['21 edge_blocked', '22 monitor_fault', '23 content_blocked', '24 canary_mismatch'],
	]);
	expect(sliCodes).toEqual({ good: 0, bad: 1, excluded: 2 });
	expect(kindCodes).toEqual({ scheduled: 0, confirmation: 1, manual: 2 });
	expect(Object.entries(phaseCodes).map(([word, code]) => `${code} ${word}`)).toEqual([
		...['0 schedule', '1 credential', '2 dns', '3 connect', '4 tls', '5 request', '6 headers', '7 first_event', '8 stream', '9 end', '10 assert'],
	]);
});

it('reads back every word, and refuses a number of a newer version', () => {
	for (const outcome of outcomes) expect(outcomeOfCode(outcomeCodes[outcome])).toBe(outcome);
	for (const phase of phases) expect(phaseOfCode(phaseCodes[phase])).toBe(phase);
	expect(() => outcomeOfCode(25)).toThrow(/got 25/);
});

it('makes a result id from its slot and back', () => {
	const slot = fc.record({
		targetKey: fc.nat(0x7fffffff),
		vantageKey: fc.nat(0x7fff),
		canaryKey: fc.nat(0x7fff),
		kind: fc.constantFrom(...probeKinds),
		slotAt: fc.nat({ max: 8.64e15 }),
	});
	fc.assert(
		fc.property(slot, (numbers) => {
			expect(parseResultId(resultId(numbers))).toEqual(numbers);
		}),
	);
	fc.assert(
		fc.property(fc.string(), (text) => {
			const parsed = parseResultId(text);
			if (parsed !== null) expect(Number.isSafeInteger(parsed.slotAt)).toBe(true);
		}),
	);
});
