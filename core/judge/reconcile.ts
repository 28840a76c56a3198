import type { Condition, Incident } from '#core/incident.ts';
import type { Channel } from '#core/lattice/channels.ts';
import type { AdoptedIncident } from './judge-state.ts';

const channelOf = {
	outage: 'failed',
	slow: 'slow',
	wrong_answers: 'wrong',
	capacity: 'refused',
	blind: 'failed',
	credentials: null,
	quota: null,
	rate_limit: null,
	maintenance: null,
} as const satisfies Record<Condition, Channel | null>;

/** A recorded incident as the state would know it. */
export function adoptable({ id, scope, condition, cause, severity, startedAt, evidence }: Incident): AdoptedIncident {
	const { provider, model, operation, vantage } = scope;
	const { good, bad, excluded, outcomes, vantages, exampleResultIds } = evidence;
	return {
		...{ id, cause, severity, channel: channelOf[condition], onsetAt: startedAt, good, bad, excluded, outcomes, vantages },
		scope: { provider, model: model === null ? null : `${model}:${operation ?? 'chat'}`, vantage },
		examples: exampleResultIds,
	};
}
