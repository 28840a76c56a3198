import { expect, test } from 'vitest';
import { sampleSnapshot } from '#test/sample-snapshot.ts';
import { detectionDelays, falseAlarms } from './detection-delay.ts';
import type { IncidentView } from './snapshot.ts';

const start = Date.parse('2026-11-23T12:00:00Z');
const [template] = sampleSnapshot().incidents;

function incident(delayMs: number, changes: Partial<IncidentView> = {}): IncidentView {
	if (template === undefined) throw new Error('Expected the sample to hold an incident');
	const startedAt = new Date(start).toISOString();
	return { ...template, condition: 'outage', cause: 'provider', startedAt, detectedAt: new Date(start + delayMs).toISOString(), ...changes };
}

const override = (falseAlarm: boolean): Pick<IncidentView, 'override' | 'cause'> => ({
	// The operator moved the blame: what was judged still counts.
	cause: 'monitor',
	override: { judged: { impact: 'major', cause: 'provider', status: 'resolved', resolvedAt: null }, falseAlarm, at: '', by: 'ann', why: 'x' },
});

test('the delay of each kind of trouble is a nearest-rank quantile, with its count', () => {
	const outages = Array.from({ length: 20 }, (_, i) => incident((i + 1) * 1_000));
	expect(detectionDelays([incident(600_000, { condition: 'slow' }), ...outages])).toEqual([
		{ condition: 'outage', count: 20, p50Ms: 10_000, p95Ms: 19_000 },
		{ condition: 'slow', count: 1, p50Ms: 600_000, p95Ms: 600_000 },
	]);
	expect(detectionDelays([])).toEqual([]);
});

test('trouble of our own is no detection, and a false alarm counts as one and in no delay', () => {
	const incidents = [incident(1_000), incident(9_000, { cause: 'credentials' }), incident(5_000, override(true)), incident(3_000, override(false))];
	expect(detectionDelays(incidents)).toEqual([{ condition: 'outage', count: 2, p50Ms: 1_000, p95Ms: 3_000 }]);
	expect(falseAlarms(incidents)).toEqual({ blamed: 3, false: 1 });
});
