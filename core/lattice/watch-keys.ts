/** Our key, our wallet and our limit at a provider: operator's trouble, never the provider's. */
import type { LatticeDecision, LatticeState, ProviderState } from './lattice-state.ts';
import { openIncident, resolveIncident } from './record-incident.ts';

const refusalsNeeded = 3;
const successesNeeded = 3;
const limitedNeeded = 6;
const limitedShareRatio = 0.35;
/** Nearly the window: a burst that pauses is one burst. */
const limitedQuietMs = 150_000;

/** `startedAt` of the result, its outcome as the key sees it. */
export function watchKeys(
	state: LatticeState,
	provider: ProviderState,
	startedAt: number,
	outcome: 'ok' | 'auth' | 'rate_limited' | 'quota',
	decisions: LatticeDecision[],
): void {
	const { intervalMs: baseIntervalMs } = provider;
	const events = provider.keyEvents;
	// A good result is worth keeping only while there is trouble to compare it with.
	if (outcome === 'ok' && events.length === 0) return;
	let place = events.length;
	while (place > 0 && (events[place - 1]?.at ?? 0) > startedAt) place -= 1;
	events.splice(place, 0, { at: startedAt, outcome });
	const windowMs = Math.max(180_000, 2.2 * baseIntervalMs);
	provider.keyEvents = events.filter(({ at }) => startedAt - at <= windowMs).slice(-200);
	const scope = { provider: provider.name, model: null, vantage: null };
	const openOf = (cause: string) => state.incidents.find((incident) => incident.cause === cause && incident.scope.provider === provider.name);

	for (const [refused, cause] of [
		['auth', 'credentials'],
		['quota', 'quota'],
	] as const) {
		const open = openOf(cause);
		const recent = provider.keyEvents.filter(({ at }) => startedAt - at <= Math.max(120_000, 2.2 * baseIntervalMs));
		const lastBad = recent.findLastIndex((event) => event.outcome === refused);
		const since = recent.slice(lastBad + 1).filter((event) => event.outcome === 'ok').length;
		if (open !== undefined) {
			if (since >= successesNeeded) resolveIncident(state, open, 'recovered', `${since} good results in a row`, decisions);
			continue;
		}
		const lastOk = recent.findLastIndex((event) => event.outcome === 'ok');
		const refusals = recent.slice(lastOk + 1).filter((event) => event.outcome === refused);
		if (refusals.length < refusalsNeeded) continue;
		const what = refused === 'auth' ? 'our key is refused' : 'our quota is used up';
		const reason = `${what}: ${refusals.length} times with no success between`;
		openIncident(state, { scope, severity: 'info', cause, channel: null, onsetAt: refusals[0]?.at ?? startedAt, reason }, decisions);
	}

	const open = openOf('rate_limit');
	const limited = provider.keyEvents.filter((event) => event.outcome === 'rate_limited');
	if (open === undefined) {
		if (limited.length < limitedNeeded || limited.length < limitedShareRatio * provider.keyEvents.length) return;
		const reason = `${limited.length} of ${provider.keyEvents.length} requests met our own rate limit`;
		openIncident(state, { scope, severity: 'info', cause: 'rate_limit', channel: null, onsetAt: limited[0]?.at ?? startedAt, reason }, decisions);
		return;
	}
	const lastLimitedAt = limited.at(-1)?.at ?? Number.NEGATIVE_INFINITY;
	const since = provider.keyEvents.filter(({ at, outcome: one }) => one === 'ok' && at > lastLimitedAt).length;
	if (since >= limitedNeeded && startedAt - lastLimitedAt >= limitedQuietMs)
		resolveIncident(state, open, 'recovered', `${since} good results since the last refusal`, decisions);
}
