import { expect, test } from 'vitest';
import { sampleSnapshot } from '#test/sample-snapshot.ts';
import { evidenceWords } from './scope-words.ts';

const [sample] = sampleSnapshot({ providers: 7, modelsPerProvider: 8 }).incidents;
if (sample === undefined) throw new Error('Expected the sample to have an incident');
const evidence = { ...sample.evidence, outcomes: {}, vantages: ['fra'] };

test.each([
	['an outage', 'outage', { good: 3, bad: 13, excluded: 0 }, '13 of 16 valid results bad; seen from fra'],
	['slow answers, all of them right', 'slow', { good: 65, bad: 0, excluded: 2 }, 'none of 65 valid results bad, but slow; seen from fra'],
	['slow answers, and some that fail', 'slow', { good: 60, bad: 5, excluded: 0 }, '5 of 65 valid results bad; seen from fra'],
	['nothing valid', 'credentials', { good: 0, bad: 0, excluded: 7 }, '7 results excluded; seen from fra'],
] as const)('%s', (_, condition, counts, words) => {
	expect(evidenceWords({ condition, evidence: { ...evidence, ...counts } })).toBe(words);
});
