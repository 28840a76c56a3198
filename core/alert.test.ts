import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AlertRoute, channelsFor, decideDelivery, retryDelaysMs } from './alert.ts';

const everything = { provider: null, model: null, impact: null, cause: null };
const incident = { scope: { provider: 'groq', model: 'm', operation: 'chat', vantage: null }, impact: 'major', cause: 'provider' } as const;
const route = (match: Partial<AlertRoute['match']>, ...channels: string[]): AlertRoute => ({ match: { ...everything, ...match }, channels });

describe('routing', () => {
	it.each([
		['a route that says nothing matches all', [route({}, 'a')], ['a']],
		['a route matches when every field does', [route({ provider: ['groq'], impact: ['major', 'critical'], cause: ['provider'] }, 'a')], ['a']],
		['one field that does not match is enough', [route({ provider: ['groq'], impact: ['critical'] }, 'a')], []],
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
		expect(channelsFor([route({ model: ['m'] }, 'a')], { ...incident, scope: { ...incident.scope, model: null } })).toEqual([]);
	});
});

describe('a delivery', () => {
	const failed = (status: number | null, retryAfterMs: number | null = null) => ({ kind: 'failed', status, retryAfterMs, message: 'x' }) as const;

	it.each([
		[null, 'retry'],
		[500, 'retry'],
		[503, 'retry'],
		[429, 'retry'],
		[408, 'retry'],
		[302, 'retry'],
		[400, 'dead'],
		[401, 'dead'],
		[404, 'dead'],
		[410, 'dead'],
	])('that ends with %s is: %s', (status, kind) => {
		expect(decideDelivery(failed(status), 1, 0).kind).toBe(kind);
	});

	it('waits at least as long as the receiver asks', () => {
		expect(decideDelivery(failed(429, 60_000), 1, 0)).toMatchObject({ afterMs: 60_000 });
		expect(decideDelivery(failed(429, 1), 1, 0)).toMatchObject({ afterMs: retryDelaysMs[0] });
	});

	it('is given up after the published schedule of about 76 hours, and not before', () => {
		const attempts = retryDelaysMs.length + 1;
		for (let attempt = 1; attempt < attempts; attempt += 1) expect(decideDelivery(failed(500), attempt, 0).kind).toBe('retry');
		expect(decideDelivery(failed(500), attempts, 0).kind).toBe('dead');
		expect(retryDelaysMs.reduce((sum, delay) => sum + delay, 0) / 3_600_000).toBeCloseTo(75.6, 0);
	});

	it('is spread by at most a tenth, never tried early', () => {
		fc.assert(
			fc.property(fc.integer({ min: 1, max: retryDelaysMs.length }), fc.double({ min: 0, max: 1, noNaN: true }), (attempt, jitter) => {
				const delay = retryDelaysMs[attempt - 1] ?? 0;
				const decision = decideDelivery(failed(null), attempt, jitter);
				expect(decision.kind === 'retry' && decision.afterMs >= delay && decision.afterMs <= delay * 1.1 + 1).toBe(true);
			}),
		);
	});
});
