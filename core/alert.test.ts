import { describe, expect, it } from 'vitest';
import { type AlertRoute, channelsFor, classOfCause, defaultPolicy, policyFor, type RouteMatch, scopeKindOf } from './alert.ts';

const scope = { provider: 'groq', model: 'm', operation: 'chat', vantage: null };
const incident = { scope, impact: 'major', cause: 'provider' } as const;
const route = (match: RouteMatch, ...channels: string[]): AlertRoute => ({ match, channels });

describe('routing', () => {
	it.each<[string, AlertRoute[], string[]]>([
		['a route that says nothing matches all', [route({}, 'a')], ['a']],
		['a route matches when every field does', [route({ provider: ['groq'], impact: ['major', 'critical'], cause: ['provider'] }, 'a')], ['a']],
		['one field that does not match is enough', [route({ provider: ['groq'], impact: ['critical'] }, 'a')], []],
		['a null field matches all', [route({ provider: null, impact: null }, 'a')], ['a']],
		['by operation', [route({ operation: ['embeddings'] }, 'a'), route({ operation: ['chat'] }, 'b')], ['b']],
		['by scope', [route({ scope: ['provider'] }, 'a'), route({ scope: ['target', 'model'] }, 'b')], ['b']],
		['by class', [route({ class: ['operator'] }, 'a'), route({ class: ['provider'] }, 'b')], ['b']],
		[
			'routes add up, each channel once, in the order of the file',
			[route({}, 'b'), route({ model: ['m'] }, 'a', 'b'), route({ model: ['x'] }, 'c')],
			['b', 'a'],
		],
		['without routes nobody is told', [], []],
	])('%s', (_, routes, expected) => {
		expect(channelsFor(routes, incident)).toEqual(expected);
	});

	it('an incident of a whole provider does not match a route for one model', () => {
		expect(channelsFor([route({ model: ['m'] }, 'a')], { ...incident, scope: { ...scope, model: null } })).toEqual([]);
	});

	it('an incident seen everywhere does not match a route for one vantage', () => {
		expect(channelsFor([route({ vantage: ['fra'] }, 'a')], incident)).toEqual([]);
		expect(channelsFor([route({ vantage: ['fra'] }, 'a')], { ...incident, scope: { ...scope, vantage: 'fra' } })).toEqual(['a']);
	});

	it.each([
		['provider', 'provider'],
		['maintenance', 'provider'],
		['credentials', 'operator'],
		['quota', 'operator'],
		['rate_limit', 'operator'],
		['monitor', 'operator'],
	] as const)('an incident of cause %s is of class %s', (cause, expected) => {
		expect(classOfCause(cause)).toBe(expected);
	});

	it.each([
		[{}, 'target'],
		[{ operation: null }, 'model'],
		[{ provider: null }, 'model'],
		[{ model: null, operation: null }, 'provider'],
		[{ provider: null, model: null, operation: null }, 'everything'],
		[{ provider: null, model: null, operation: null, vantage: 'fra' }, 'vantage'],
		[{ model: null, operation: null, vantage: 'fra' }, 'provider'],
	] as const)('%o makes the scope a %s', (changes, expected) => {
		expect(scopeKindOf({ ...scope, ...changes })).toBe(expected);
	});

	it('a channel goes by the first route that leads there, or that escalates to it, or by the defaults', () => {
		const slow = { ...defaultPolicy, groupWaitMs: 60_000, escalate: { afterMs: 1, channels: ['boss'] } };
		const routes = [route({ provider: ['other'] }, 'a'), { ...route({}, 'a'), policy: slow }, route({}, 'a')];
		expect(policyFor(routes, incident, 'a')).toBe(slow);
		expect(policyFor(routes, incident, 'boss')).toBe(slow);
		expect(policyFor(routes, incident, 'c')).toBe(defaultPolicy);
	});
});
