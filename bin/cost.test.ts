import { expect, it } from 'vitest';
import type { CadencePlan } from '#core/cadence.ts';
import { sampleTarget } from '#test/sample-results.ts';
import { costRows, describePlan } from './cost.ts';

const price = { inputUsdPerMTok: 1, outputUsdPerMTok: 2 };

it('a target that was never probed costs nothing yet, one that is gone is still told, the dearest stands first', () => {
	const rows = costRows(
		[
			{ targetId: 'acme:small:chat', todayMicroUsd: 5, monthMicroUsd: 50, monthProbes: 10 },
			{ targetId: 'gone:old:chat', todayMicroUsd: 0, monthMicroUsd: 900, monthProbes: 3 },
		],
		[sampleTarget('acme:small:chat', { price }), sampleTarget('acme:new:chat', { price })],
	);
	expect(rows.map(({ targetId, provider, monthMicroUsd }) => [targetId, provider, monthMicroUsd])).toEqual([
		['gone:old:chat', 'gone', 900],
		['acme:small:chat', 'acme', 50],
		['acme:new:chat', 'acme', 0],
	]);
	expect(rows[0]?.forecastMicroUsdPerDay).toBeNull();
	expect(rows[1]?.forecastMicroUsdPerDay).toBeGreaterThan(0);
	expect(rows[2]?.forecastMicroUsdPerDay).toBe(rows[1]?.forecastMicroUsdPerDay);
});

it('tells which targets a short budget stretches, to what and why, and nothing while none is', () => {
	const cadence = { factor: 8, baseFactor: 8, reason: 'value', turn: 0, slack: null } as const;
	const plan: CadencePlan = {
		...{ version: 1, madeAt: 0, baseAt: 0, leftMicroUsd: 1.5e6, forecastMicroUsd: 9e6, plannedMicroUsd: 1.4e6, vantages: ['local'] },
		cadences: { 'acme:large:chat': cadence, 'acme:small:chat': { ...cadence, factor: 1, reason: 'incident' } },
	};
	expect(describePlan(plan, [sampleTarget('acme:large:chat')])).toEqual([
		'\nCadence is stretched: $1.50 are left until midnight UTC, at the configured cadence it would take $9.00.',
		'  acme:large:chat  every 8 min instead of 1 min: by the delay that its probes save per dollar',
	]);
	expect(describePlan({ ...plan, cadences: {} }, [])).toEqual([]);
	expect(describePlan(null, [])).toEqual([]);
});
