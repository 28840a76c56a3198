import type { IncidentDecision } from '#core/judge/decision.ts';
import type { Target } from '#core/target.ts';
import { clearBackOffs, heldTargets, setBackOff } from '#db/back-offs.ts';
import type { StoredResult } from '#db/result-row.ts';
import type { Tx } from '#db/sql.ts';

export interface BackOffTools {
	targets(): readonly Target[];
	readonly backOff: { readonly firstMs: number; readonly longestMs: number };
}

/** A refused key or an empty wallet pauses the provider's targets, longer each time; the first good result ends the pause. */
export async function backOffKeys(
	tx: Tx,
	results: readonly StoredResult[],
	incidents: readonly IncidentDecision[],
	{ targets, backOff }: BackOffTools,
): Promise<void> {
	const opened = new Set(
		incidents.filter(({ type, condition }) => type !== 'resolve' && (condition === 'credentials' || condition === 'quota')).map(({ scope }) => scope.provider),
	);
	const held = await heldTargets(tx);
	for (const [provider, ofProvider] of Map.groupBy(results, ({ result }) => result.provider)) {
		const newest = ofProvider.findLast(({ result }) => result.startedAt !== null)?.result;
		if (newest === undefined) continue;
		// Not looked for while all is well: of 10,000 targets, step by step, it took a tenth of a judge's CPU.
		const idsOf = () =>
			targets()
				.filter((target) => target.provider === provider)
				.map(({ id }) => id);
		const pause = { reason: newest.outcome, at: newest.startedAt ?? newest.slotAt, ...backOff };
		if (newest.sli === 'good') {
			const paused = held.size === 0 ? [] : idsOf().filter((id) => held.has(id));
			if (paused.length > 0) await clearBackOffs(tx, paused);
		} else if (opened.has(provider)) await setBackOff(tx, idsOf(), pause);
		// Tried again after the pause, and refused again.
		else if (newest.outcome === 'auth_failed' || newest.outcome === 'quota_exhausted') await setBackOff(tx, idsOf(), { ...pause, onlyExpired: true });
	}
}
