import { describe, expect, test } from 'vitest';
import { lagWords, matchTargets, officialWordsOn, type StoredOfficialIncident } from './official.ts';

const minute = 60_000;
const at = Date.UTC(2026, 10, 23, 12);
const targets = ['gpt-5', 'gpt-5-mini', 'claude-haiku-4.5', 'o3'].map((name) => ({ id: `p:x/${name}:chat`, model: `x/${name}`, upstreamModel: name }));

describe('an official incident is matched to', () => {
	test.each([
		['the model in its title', 'Elevated errors on GPT-5 mini', [], ['p:x/gpt-5-mini:chat']],
		['both models where both are named', 'GPT 5 and GPT-5 mini are slow', [], ['p:x/gpt-5:chat', 'p:x/gpt-5-mini:chat']],
		['a model among its components', 'Elevated errors', ['API', 'Claude Haiku 4.5'], ['p:x/claude-haiku-4.5:chat']],
		['the provider as a whole when it names none', 'API outage', ['Chat completions'], []],
		['no model whose name is too short to tell', 'We moved to region eu-o3', [], []],
	])('%s', (_, title, components, expected) => {
		expect(matchTargets({ title, components }, targets)).toEqual(expected);
	});
});

const incident = {
	scope: { provider: 'p', model: null, operation: null, vantage: null },
	cause: 'provider' as const,
	startedAt: at,
	detectedAt: at + minute,
	resolvedAt: at + 60 * minute,
	targetIds: ['p:x/gpt-5:chat'],
};
function official(overrides: Partial<StoredOfficialIncident>): StoredOfficialIncident {
	const firstUpdateAt = overrides.firstUpdateAt ?? at + 15 * minute;
	return {
		...{ provider: 'p', officialId: 'a', title: 'Errors', impact: 'minor', status: 'investigating', url: null, resolvedAt: null },
		...{ components: [], targetIds: [], updates: [], seenAt: firstUpdateAt, startedAt: firstUpdateAt, firstUpdateAt },
		...overrides,
	} as StoredOfficialIncident;
}

describe('what a provider said of an incident of ours', () => {
	test.each<[string, Partial<StoredOfficialIncident>, boolean]>([
		['15 minutes later', {}, true],
		['before we saw it', { firstUpdateAt: at - 30 * minute }, true],
		['when it was over, within hours', { firstUpdateAt: at + 5 * 60 * minute }, true],
		['a day later', { firstUpdateAt: at + 1_440 * minute }, false],
		['long before', { firstUpdateAt: at - 300 * minute }, false],
		['of something that ended before ours began', { firstUpdateAt: at - 60 * minute, resolvedAt: at - minute }, false],
		['of one of its models', { targetIds: ['p:x/gpt-5:chat'] }, true],
		['of another model only', { targetIds: ['p:x/o3:chat'] }, false],
		['by another provider', { provider: 'q' }, false],
	])('%s', (_, overrides, isAboutIt) => {
		expect(officialWordsOn(incident, [official(overrides)], at + 90 * minute)).toHaveLength(isAboutIt ? 1 : 0);
	});

	test('is set against our detection and our onset, the nearest first', () => {
		const found = officialWordsOn(
			incident,
			[official({ officialId: 'late', firstUpdateAt: at + 50 * minute }), official({ officialId: 'near' })],
			at + 90 * minute,
		);
		expect(found.map((word) => [word.official.officialId, word.lagMs / minute, word.silenceMs / minute])).toEqual([
			['near', 14, 15],
			['late', 49, 50],
		]);
	});

	test('says nothing of what is ours', () => {
		expect(officialWordsOn({ ...incident, cause: 'monitor' }, [official({})], at)).toEqual([]);
	});
});

test.each([
	[14 * minute + 59_000, 'acknowledged 14 min after we measured it'],
	[-5 * minute, 'said 5 min before we measured it'],
	[20_000, 'acknowledged within a minute of our measuring it'],
	[-59_999, 'acknowledged within a minute of our measuring it'],
	[185 * minute, 'acknowledged 3 h 5 min after we measured it'],
])('a lag of %d ms: %s', (lagMs, words) => {
	expect(lagWords(lagMs)).toBe(words);
});
