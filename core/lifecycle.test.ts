import { describe, expect, test } from 'vitest';
import { keepVanishedMs, lifecycleOf, readAnnouncement, readListedModel, rememberListing } from './lifecycle.ts';

const now = Date.parse('2026-11-23T12:00:00Z');
const day = 86_400_000;
const listed = (name: string, row: Record<string, unknown> = {}) => readListedModel(name, row);
const standing = (row: Record<string, unknown>) => lifecycleOf({ ...listed('m', row), lastListedAt: now }, now, now);

describe('a listed model', () => {
	test.each([
		['without a word on its end', {}, 'active'],
		['of OpenAI with no shutdown date', { shutdown_date: null }, 'active'],
		['of OpenAI with a shutdown date to come', { shutdown_date: '2026-12-11' }, 'deprecated'],
		['of OpenAI with a shutdown date that has passed', { shutdown_date: '2026-11-01' }, 'retired'],
		['of Anthropic that is active', { lifecycle: 'active', retires_at: null }, 'active'],
		['of Anthropic that is deprecated', { lifecycle: 'deprecated' }, 'deprecated'],
		['of Anthropic that says active, with an end', { lifecycle: 'active', retires_at: '2027-01-01T00:00:00Z' }, 'deprecated'],
		['of Anthropic that is retired', { lifecycle: 'retired' }, 'retired'],
		['of Gemini with a stage', { modelStatus: { modelStage: 'DEPRECATED' } }, 'deprecated'],
		['of Gemini with a retirement that has passed', { modelStatus: { modelStage: 'STABLE', retirementTime: '2026-01-01T00:00:00Z' } }, 'retired'],
		['of Mistral with a date', { deprecation: '2027-03-01T00:00:00Z' }, 'deprecated'],
		['of Bedrock that is legacy', { modelLifecycle: { status: 'LEGACY' } }, 'deprecated'],
		['of Bedrock that is active', { modelLifecycle: { status: 'ACTIVE' } }, 'active'],
		['of Cohere that is deprecated', { is_deprecated: true }, 'deprecated'],
		['with a date that is none', { shutdown_date: 'soon' }, 'active'],
		['with a boolean where a date belongs', { deprecation: true }, 'active'],
	])('%s is %s', (_, row, lifecycle) => {
		expect(standing(row)).toBe(lifecycle);
	});
});

describe('from listing to listing', () => {
	test('a model that is no longer listed has vanished, and is forgotten after a week', () => {
		const first = rememberListing([], [listed('a'), listed('b')], now);
		const second = rememberListing(first, [listed('a')], now + day);
		expect(second.map((model) => [model.name, lifecycleOf(model, now + day, now + day)])).toEqual([
			['a', 'active'],
			['b', 'vanished'],
		]);
		expect(rememberListing(second, [listed('a')], now + keepVanishedMs).map(({ name }) => name)).toEqual(['a']);
	});

	test('one that comes back is active again', () => {
		const gone = rememberListing(rememberListing([], [listed('a'), listed('b')], now), [listed('a')], now + day);
		const back = rememberListing(gone, [listed('a'), listed('b')], now + 2 * day);
		expect(back.map((model) => lifecycleOf(model, now + 2 * day, now + 2 * day))).toEqual(['active', 'active']);
	});

	test('one that left on its announced day is retired, not vanished', () => {
		const first = rememberListing([], [listed('a', { shutdown_date: '2026-11-24' })], now);
		const [gone] = rememberListing(first, [listed('b')], now + 2 * day);
		expect(gone && lifecycleOf(gone, now + 2 * day, now + 2 * day)).toBe('retired');
	});

	test('a name listed twice is one model', () => {
		expect(rememberListing([], [listed('a'), listed('a')], now).length).toBe(1);
	});
});

describe('the headers of an answer', () => {
	const sunset = 'Fri, 11 Dec 2026 23:59:59 GMT';
	test.each([
		[{}, null],
		[{ sunset }, { deprecatedAt: null, shutdownAt: Date.parse(sunset) }],
		[{ deprecation: '@1688169599' }, { deprecatedAt: 1_688_169_599_000, shutdownAt: null }],
		[{ deprecation: 'true' }, { deprecatedAt: null, shutdownAt: null }],
		[
			{ deprecation: 'Sun, 11 Nov 2025 23:59:59 GMT', sunset },
			{ deprecatedAt: Date.parse('2025-11-11T23:59:59Z'), shutdownAt: Date.parse(sunset) },
		],
		[{ deprecation: 'false' }, null],
		[{ sunset: '12' }, null],
		[{ sunset: 'whenever' }, null],
	])('%j announce %j', (headers, announcement) => {
		expect(readAnnouncement(headers)).toEqual(announcement);
	});
});
