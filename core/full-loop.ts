/** Has Linnet just done all of its work, from a slot to the last alert? Only then it may tell the world outside that it lives. */

/** Times in ms since epoch; null: there is none. */
export interface LoopFacts {
	readonly now: number;
	/** Shortest interval of the targets: no result can be younger for longer. */
	readonly intervalMs: number;
	/** Newest result of a probe that ran. */
	readonly measuredAt: number | null;
	/** Oldest recorded result that is not judged yet. */
	readonly unjudgedSinceAt: number | null;
	readonly publishedAt: number | null;
	/** Oldest message on its way, or owed and not held. */
	readonly untoldSinceAt: number | null;
}

export type LoopDecision =
	| { readonly complete: true }
	/** The first step that is missing, in the order of the work. */
	| { readonly complete: false; readonly missing: 'probe' | 'verdict' | 'snapshot' | 'outbox'; readonly reason: string };

const minuteMs = 60_000;
const unjudgedMs = minuteMs;
/** As the snapshot says of itself. */
const unpublishedMs = minuteMs;
const untoldMs = 10 * minuteMs;

export function decideFullLoop({ now, intervalMs, measuredAt, unjudgedSinceAt, publishedAt, untoldSinceAt }: LoopFacts): LoopDecision {
	const ago = (at: number | null) => (at === null ? 'never' : `${Math.round((now - at) / 1_000)} s ago`);
	if (measuredAt === null || now - measuredAt > 3 * intervalMs + 2 * minuteMs)
		return { complete: false, missing: 'probe', reason: `the last result of a probe was recorded ${ago(measuredAt)}` };
	if (unjudgedSinceAt !== null && now - unjudgedSinceAt > unjudgedMs)
		return { complete: false, missing: 'verdict', reason: `a result of ${ago(unjudgedSinceAt)} is not judged` };
	if (publishedAt === null || now - publishedAt > unpublishedMs)
		return { complete: false, missing: 'snapshot', reason: `the last snapshot was published ${ago(publishedAt)}` };
	if (untoldSinceAt !== null && now - untoldSinceAt > untoldMs)
		return { complete: false, missing: 'outbox', reason: `an alert of ${ago(untoldSinceAt)} was not told` };
	return { complete: true };
}
