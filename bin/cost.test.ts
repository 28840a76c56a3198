import { expect, it } from 'vitest';
import { sampleTarget } from '#test/sample-results.ts';
import { costRows } from './cost.ts';

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
