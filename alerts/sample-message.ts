import type { AlertMessage } from '#core/alert.ts';

/** What `linnet alerts test` sends, and what a configuration is checked with. @param now ms since epoch */
export function sampleMessage(now: number): AlertMessage {
	const at = new Date(now).toISOString();
	return {
		kind: 'test',
		class: 'operator',
		groupId: `test-${now}`,
		at,
		simulated: false,
		members: [
			{
				news: 'new',
				event: {
					type: 'operator.opened',
					class: 'operator',
					at,
					simulated: false,
					incident: {
						id: `test-${now}`,
						title: 'Linnet reaches this channel',
						scope: { provider: null, model: null, operation: null, vantage: null },
						cause: 'monitor',
						impact: 'none',
						status: 'identified',
						startedAt: at,
						detectedAt: at,
						resolvedAt: null,
						reason: 'somebody asked for a test',
						targetIds: [],
						evidence: null,
					},
					useInstead: [],
					advice: null,
					link: null,
				},
			},
		],
	};
}
