import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sampleIncident } from '#test/sample-incident.ts';
import { sampleTarget } from '#test/sample-results.ts';
import { DayCounts } from './day-counts.ts';
import { shownDays } from './day-views.ts';
import type { Incident } from './incident.ts';
import { overrideIncident } from './override-incident.ts';
import { rollupOf } from './rollup.ts';
import { type TargetFacts, type ViewFacts, writtenTarget } from './target-view.ts';

const countedAt = Date.UTC(2026, 10, 23, 23, 58);
const target = sampleTarget('groq:m:chat');
const facts = (): TargetFacts => ({
	firstScheduledAt: countedAt - 86_400_000,
	countedAt,
	windows: { '1d': rollupOf([]) },
	latency: {},
	days: new DayCounts(Date.UTC(2026, 10, 23) / 86_400_000, Int32Array.of(10, 1, 0)),
	recent: {
		a: { measuredAt: countedAt - 20_000, validAt: countedAt - 20_000, outcome: 'ok', subcode: null, retryAfterMs: null, votes: ['good', 'good', 'bad'] },
	},
});
const whole = { provider: target.provider, model: null, operation: null, vantage: null };
const outage: Incident = sampleIncident({ id: 'o', targetIds: [target.id], scope: { ...whole }, startedAt: countedAt - 600_000 });
const over: Incident = { ...outage, id: 'r', status: 'resolved', resolvedAt: countedAt - 60_000 };
const falseAlarm = overrideIncident(over, [
	{ incidentId: 'r', kind: 'impact', value: 'minor', at: countedAt, by: 'ana', body: 'why', relapseCount: 0 } as unknown as Parameters<
		typeof overrideIncident
	>[1][0],
]);

const moments = fc.record({
	now: fc.constantFrom(0, 5_000, 90_000, 130_000, 3_600_000).map((later) => countedAt + later),
	incidents: fc.constantFrom<Incident[]>([], [over], [outage], [over, outage], [falseAlarm], [{ ...over, resolvedAt: countedAt - 30_000 }]),
	doubts: fc.constantFrom<ViewFacts['doubts']>([], [{ ...whole, sinceAt: countedAt, reason: 'loud' }]),
	maintenances: fc.constantFrom<ViewFacts['maintenances']>([], [{ ...whole, fromAt: countedAt + 4_000, toAt: countedAt + 200_000, reason: 'upgrade' }]),
	vantages: fc.constantFrom(['a'], ['a', 'b']),
});

test('what is kept is what would be made, whatever is judged meanwhile and however the clock moves', () => {
	fc.assert(
		fc.property(fc.array(moments, { minLength: 2, maxLength: 8 }), (steps) => {
			const kept = facts();
			for (const { incidents, ...moment } of steps) {
				const common = { ...moment, shown: shownDays(moment.now) };
				expect(writtenTarget(target, kept, incidents, common)).toEqual(writtenTarget(target, facts(), incidents, common));
			}
		}),
	);
});

test('while nothing of it moves it is the same object; new numbers make it anew', () => {
	const kept = facts();
	const common = { now: countedAt, vantages: ['a'], shown: shownDays(countedAt), doubts: [], maintenances: [] };
	const written = writtenTarget(target, kept, [over], common);
	expect(writtenTarget(target, kept, [{ ...over }], { ...common, now: countedAt + 1_000, shown: shownDays(countedAt + 1_000) })).toBe(written);
	expect(writtenTarget(target, facts(), [over], common)).not.toBe(written);
	expect(writtenTarget(target, kept, [outage], common)).not.toBe(writtenTarget(target, kept, [outage], common));
});
