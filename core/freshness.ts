/** A dead monitor must look dead: what the public document says once its own deadline has passed. */
import type { Snapshot } from './snapshot.ts';

export function isStale(snapshot: Pick<Snapshot, 'staleAfter'>, now: number): boolean {
	return now > Date.parse(snapshot.staleAfter);
}

export function staleReason(snapshot: Pick<Snapshot, 'generatedAt'>): string {
	return `no fresh data: the last snapshot is from ${snapshot.generatedAt}`;
}

/**
 * The same document with every state `unknown`, since its deadline. The numbers stay: they are true of their windows.
 * It holds no age, so it is the same bytes however late it is asked for.
 */
export function staleSnapshot(snapshot: Snapshot): Snapshot {
	const verdict = { state: 'unknown', reason: staleReason(snapshot) } as const;
	return {
		...snapshot,
		state: 'unknown',
		sentence: 'The data is out of date: every state is unknown',
		verdictRevision: `${snapshot.verdictRevision}-stale`,
		providers: snapshot.providers.map((provider) => ({ ...provider, ...verdict })),
		models: snapshot.models.map((model) => ({ ...model, ...verdict })),
		vantages: snapshot.vantages.map((vantage) => ({ ...vantage, state: 'unknown' })),
		targets: snapshot.targets.map((target) => ({
			...target,
			...verdict,
			since: snapshot.staleAfter,
			vantages: Object.fromEntries(Object.entries(target.vantages).map(([id, vantage]) => [id, { ...vantage, state: 'unknown' as const }])),
		})),
	};
}
