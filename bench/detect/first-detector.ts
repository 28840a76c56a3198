/** Today's detector of the service in the bench's words, for comparison. */
import { type DetectorState, emptyDetectorState, observe } from '#core/detector.ts';
import type { LatticeDecision, LatticeOptions, LatticeOutcome } from '#core/lattice/lattice-state.ts';
import type { Outcome } from '#core/outcome.ts';
import { sliOf } from '#core/outcome.ts';
import { missedSlot } from '#core/probe-result.ts';
import type { Detector } from './play-world.ts';

const outcomeOf = {
	...{ ok: 'ok', timeout: 'first_token_timeout', connect: 'connect_failed', http_5xx: 'server_error', rate_limited: 'rate_limited', auth: 'auth_failed' },
	...{ stream_broken: 'stream_truncated', empty: 'empty_response', wrong: 'canary_mismatch', quota: 'quota_exhausted' },
} as const satisfies Record<LatticeOutcome, Outcome>;

export function firstDetector(_options: LatticeOptions): Detector {
	const state: DetectorState = emptyDetectorState();
	const ids = new Map<string, string>();
	let count = 0;
	return (input) => {
		if (input.type !== 'result') return [];
		const { provider, model, vantage, startedAt, ttftMs, totalMs } = input;
		const outcome = outcomeOf[input.outcome];
		const slot = {
			provider,
			model,
			operation: 'chat',
			canary: 'echo',
			vantage,
			kind: input.reprobe ? 'confirmation' : 'scheduled',
			slotAt: startedAt,
		} as const;
		const result = { ...missedSlot(slot, 'missed_slot'), startedAt, outcome, sli: sliOf(outcome, true), phase: null, ttftMs, totalMs, evidence: null };
		const decisions: LatticeDecision[] = [];
		for (const decision of observe(state, input.id, result, input.at)) {
			if (decision.type === 'evidence') continue;
			if (decision.type === 'reprobe') {
				if (_options.reprobe !== null)
					decisions.push({ type: 'reprobe', provider, model, vantage: decision.vantage, delayMs: decision.delayMs, reason: decision.reason });
				continue;
			}
			if (decision.type === 'open') ids.set(decision.incidentId, decision.incidentId);
			if (decision.type === 'reopen') ids.set(decision.incidentId, `${decision.incidentId}-${(count += 1)}`);
			const id = ids.get(decision.incidentId) ?? decision.incidentId;
			const { scope, at, startedAt: onsetAt, reason } = decision;
			const cause = decision.cause === 'quota' ? 'quota' : decision.cause;
			const severity = decision.condition === 'outage' ? 'down' : 'degraded';
			decisions.push({
				type: decision.type === 'resolve' ? 'resolve' : 'open',
				id,
				firstId: decision.incidentId,
				at,
				scope,
				severity,
				cause,
				channel: null,
				onsetAt,
				reason,
			});
		}
		return decisions;
	};
}
