import type { Incident } from '#core/incident.ts';
import { sampleNow } from './sample-results.ts';

/** An open outage of `acme:small:chat`, a minute old. */
export function sampleIncident(overrides: Partial<Incident> = {}): Incident {
	return {
		id: 'i-1',
		scope: { provider: 'acme', model: 'small', operation: 'chat', vantage: null },
		condition: 'outage',
		cause: 'provider',
		severity: 'down',
		impact: 'major',
		status: 'identified',
		title: 'acme small: outage',
		startedAt: sampleNow - 60_000,
		detectedAt: sampleNow,
		resolvedAt: null,
		reason: '3 of the last 3 results bad: server_error',
		evidence: { good: 0, bad: 3, excluded: 1, outcomes: { server_error: 3 }, vantages: ['local'], exampleResultIds: ['1-1-1-0-a'], nats: 18.5, checked: null },
		updates: [{ at: sampleNow, status: 'identified', body: 'Detected.' }],
		relapseCount: 0,
		targetIds: ['acme:small:chat'],
		...overrides,
	};
}
