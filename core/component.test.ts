import { describe, expect, it } from 'vitest';
import { deriveGroup, derivePage } from './component.ts';
import type { State } from './state.ts';

const [up, slow, down, unknown, maintained] = ['operational', 'degraded_performance', 'major_outage', 'unknown', 'under_maintenance'] as const;

describe('a group', () => {
	it.each<[string, readonly State[], State]>([
		['is well when all are', [up, up], 'operational'],
		['one bad model is not a bad provider', [down, up, up, up], 'degraded_performance'],
		['more than half down is a partial outage', [down, down, up], 'partial_outage'],
		['all down is a major outage', [down, down], 'major_outage'],
		['all that we can see down is a major outage', [down, unknown], 'major_outage'],
		['one degraded degrades', [slow, up], 'degraded_performance'],
		['what we can’t see neither helps nor harms', [up, unknown], 'operational'],
		['is unknown when nothing is seen, never well', [unknown, unknown], 'unknown'],
		['without members is unknown', [], 'unknown'],
		['maintenance of all is maintenance', [maintained, maintained], 'under_maintenance'],
		['maintenance of one is no trouble', [maintained, up], 'operational'],
	])('%s', (_, members, state) => {
		expect(deriveGroup(members, 'models').state).toBe(state);
	});

	it('says its numbers, the unseen ones too', () => {
		expect(deriveGroup([down, up, unknown], 'models').reason).toBe('1 of 2 models down, 1 unknown');
	});
});

describe('the page', () => {
	const provider = (name: string, state: State) => ({ name, state });
	it.each<[{ name: string; state: State }[], State, string]>([
		[[provider('A', up), provider('B', up)], 'operational', 'All 2 providers operational'],
		[[provider('A', up), provider('B', unknown)], 'operational', '1 of 2 providers operational; no verdict on B'],
		[[provider('A', down), provider('B', up)], 'partial_outage', '1 of 2 providers is down: A'],
		[[provider('A', slow), provider('B', up)], 'degraded_performance', '1 of 2 providers has problems: A'],
		[[provider('A', down), provider('B', down)], 'major_outage', '2 of 2 providers are down: A, B'],
		[[provider('A', unknown)], 'unknown', 'No verdict yet: not enough has been measured'],
	])('%j reads %s: %s', (providers, state, sentence) => {
		expect(derivePage(providers)).toEqual({ state, sentence });
	});
});
