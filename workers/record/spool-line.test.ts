import fc from 'fast-check';
import { expect, it } from 'vitest';
import { missedSlot, type ProbeResult } from '#core/probe-result.ts';
import { sampleNow, sampleResult } from '#test/sample-results.ts';
import { decodeLines, encodeLine } from './spool-line.ts';

const results: ProbeResult[] = [
	sampleResult(),
	missedSlot(sampleResult({ slotAt: sampleNow + 1 }), 'missed_slot'),
	sampleResult({ evidence: { message: 'ends\nin "lines"\r\n \u2028 ü 你好' }, servedModel: null }),
	sampleResult({ slotAt: sampleNow + 2, evidence: null }),
];
const lines = results.map(encodeLine);
const text = lines.join('');

it('gives back every record, and nothing else', () => {
	expect(decodeLines(text)).toEqual({ results, damaged: [], torn: false });
	expect(decodeLines('')).toEqual({ results: [], damaged: [], torn: false });
});

it('loses no whole record, wherever the file is cut, and takes no part of one', () => {
	const bytes = Buffer.from(text);
	const ends = lines.map((_, i) => Buffer.byteLength(lines.slice(0, i + 1).join('')));
	for (let length = 0; length <= bytes.length; length++) {
		const whole = ends.filter((end) => end <= length).length;
		const decoded = decodeLines(bytes.subarray(0, length).toString('utf8'));
		expect(decoded.results, `cut at ${length}`).toEqual(results.slice(0, whole));
		expect(decoded.damaged).toEqual([]);
		expect(decoded.torn).toBe(!ends.includes(length) && length > 0);
	}
});

it('takes no bent byte for a record, and loses only the line that it is in', () => {
	const bytes = Buffer.from(text);
	fc.assert(
		fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
			const bent = Buffer.from(bytes);
			bent[at] = (bent[at] ?? 0) ^ flip;
			const decoded = decodeLines(bent.toString('utf8'));
			for (const result of decoded.results) expect(results).toContainEqual(result);
			// The end of line itself may be the bent byte: then two lines become one.
			expect(decoded.results.length).toBeGreaterThanOrEqual(results.length - 2);
			expect(decoded.results.length).toBeLessThan(results.length);
		}),
		{ numRuns: 500 },
	);
});
