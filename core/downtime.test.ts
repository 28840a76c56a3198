import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { coveredMs, downtimeMs, mergeSpans, outageWeights, statuspageWeights, type TimedIncident, timeUptime } from './downtime.ts';
import { causes, impacts } from './incident.ts';

const span = fc.record({ from: fc.integer({ min: 0, max: 1_000 }), to: fc.integer({ min: 0, max: 1_000 }) });
const incident: fc.Arbitrary<TimedIncident> = fc.record({
	startedAt: fc.integer({ min: 0, max: 1_000 }),
	resolvedAt: fc.option(fc.integer({ min: 0, max: 1_000 }), { nil: null }),
	impact: fc.constantFrom(...impacts),
	cause: fc.constantFrom(...causes),
});
const minute = 60_000;
const of = (impact: TimedIncident['impact'], startedAt: number, resolvedAt: number | null, cause: TimedIncident['cause'] = 'provider') => ({
	impact,
	cause,
	startedAt: startedAt * minute,
	resolvedAt: resolvedAt === null ? null : resolvedAt * minute,
});

describe('merged spans', () => {
	it('cover the same instants as the spans, each once', () => {
		fc.assert(
			fc.property(fc.array(span, { maxLength: 12 }), (spans) => {
				const covered = Array.from({ length: 1_000 }, (_, i) => i).filter((at) => spans.some(({ from, to }) => from <= at && at < to));
				expect(coveredMs(spans, 0, 1_000)).toBe(covered.length);
				const merged = mergeSpans(spans);
				for (const [i, one] of merged.entries()) expect(one.from).toBeGreaterThan(merged[i - 1]?.to ?? -1);
			}),
		);
	});
});

describe('downtime', () => {
	// By hand, over 120 minutes: critical 10–30, major 20–50 (10 of it under the critical one), minor 40–90, open major from 110 on, our key 60–70.
	const worked = [of('critical', 10, 30), of('major', 20, 50), of('minor', 40, 90), of('major', 110, null), of('critical', 60, 70, 'credentials')];

	it('is worked by hand: 10–50 and 110–120 are down, 50 minutes; slowness and our own trouble are not', () => {
		expect(downtimeMs(worked, 0, 120 * minute) / minute).toBe(50);
		expect(timeUptime(worked, 0, 120 * minute)).toBeCloseTo(70 / 120, 12);
	});

	it('weighs a partial outage 30 % for Statuspage: 20 + 0.3 × 30 minutes', () => {
		expect(downtimeMs(worked, 0, 120 * minute, statuspageWeights) / minute).toBeCloseTo(20 + 0.3 * 30, 9);
	});

	it('counts, at each instant, the heaviest incident once, whatever the order', () => {
		fc.assert(
			fc.property(fc.array(incident, { maxLength: 8 }), (incidents) => {
				let expected = 0;
				for (let at = 100; at < 900; at++) {
					const open = incidents.filter(({ startedAt, resolvedAt, cause }) => cause === 'provider' && startedAt <= at && at < (resolvedAt ?? Infinity));
					expected += Math.max(0, ...open.map(({ impact }) => statuspageWeights[impact]));
				}
				expect(downtimeMs(incidents, 100, 900, statuspageWeights)).toBeCloseTo(expected, 6);
				expect(downtimeMs(incidents.toReversed(), 100, 900, statuspageWeights)).toBeCloseTo(expected, 6);
			}),
		);
	});

	it('of neighbouring stretches adds up to that of the whole', () => {
		fc.assert(
			fc.property(fc.array(incident, { maxLength: 8 }), fc.integer({ min: 0, max: 1_000 }), (incidents, cut) => {
				const whole = downtimeMs(incidents, 0, 1_000, outageWeights);
				expect(downtimeMs(incidents, 0, cut, outageWeights) + downtimeMs(incidents, cut, 1_000, outageWeights)).toBeCloseTo(whole, 6);
			}),
		);
	});

	it('of no time is no uptime', () => {
		expect(timeUptime([], 5, 5)).toBeNull();
		expect(timeUptime([], 5, 6)).toBe(1);
	});
});
