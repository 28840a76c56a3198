import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { sampleSnapshot } from '#test/sample-snapshot.ts';
import { parseSnapshot } from './parse-snapshot.ts';

describe('reading a snapshot late gives what reading it whole gives', () => {
	test('with hostile names, in every view of it', () => {
		const text = JSON.stringify(sampleSnapshot({ providers: 6, modelsPerProvider: 8 }));
		const whole = JSON.parse(text);
		expect(parseSnapshot(text)).toEqual(whole);
		expect(JSON.stringify(parseSnapshot(text))).toBe(text);
		expect(parseSnapshot(text).targets.map((target) => ({ ...target }))).toEqual(whole.targets);
		const [first] = parseSnapshot(text).targets;
		expect(first?.days).toBe(first?.days);
	});

	test('whatever a reason says, also in the words of the format', () => {
		const base = sampleSnapshot({ providers: 1, modelsPerProvider: 2, hostile: false });
		const words = fc.array(fc.constantFrom('"days":[', ']', '\\', '"', ',"days":', '[]', '{', '\u2028', 'x')).map((parts) => parts.join(''));
		fc.assert(
			fc.property(words, words, (reason, id) => {
				const text = JSON.stringify({ ...base, targets: base.targets.map((target) => ({ ...target, reason, id, outcomes: { [reason]: 1 } })) });
				expect(JSON.stringify(parseSnapshot(text))).toBe(text);
			}),
		);
	});

	test('what is no snapshot is refused', () => {
		expect(() => parseSnapshot('{"targets":[{}]}')).toThrow('Expected a snapshot');
		expect(() => parseSnapshot('{')).toThrow(SyntaxError);
	});
});
