/** The dead-man's switch: a service outside alarms when it does not hear of us. It hears only of a loop that was done from slot to alert. */
import { request } from 'undici';
import { decideFullLoop, type LoopDecision } from '#core/full-loop.ts';
import type { Log } from '#core/log.ts';
import { readLoopFacts } from '#db/loop-facts.ts';
import type { Db } from '#db/sql.ts';

export interface SwitchTools {
	readonly db: Db;
	readonly log: Log;
	now(): number;
	/** Shortest interval of the targets, ms. */
	intervalMs(): number;
	/** Undefined: not set. */
	url(): string | undefined;
}

const timeoutMs = 10_000;

/** @returns what was decided, and why the outside did not take it: null when it did, or was not told */
export async function pingSwitch({ db, log, now, intervalMs, url }: SwitchTools): Promise<{ decision: LoopDecision; problem: string | null }> {
	const at = now();
	const facts = await readLoopFacts(db, at);
	const owed = [facts.oldestPendingAt, facts.oldestOwedAt].filter((since) => since !== null);
	const decision = decideFullLoop({ ...facts, now: at, intervalMs: intervalMs(), untoldSinceAt: owed.length === 0 ? null : Math.min(...owed) });
	if (!decision.complete) {
		log.warn({ missing: decision.missing, reason: decision.reason }, 'no sign of life for the dead-man’s switch: the loop is not complete');
		return { decision, problem: null };
	}
	try {
		const response = await request(url() ?? '', { method: 'POST', headers: { 'user-agent': 'linnet' }, signal: AbortSignal.timeout(timeoutMs) });
		await response.body.dump({ limit: 65_536 });
		const taken = response.statusCode >= 200 && response.statusCode < 300;
		return { decision, problem: taken ? null : `it answered ${response.statusCode}` };
	} catch (error) {
		// The URL is a secret: only the kind of failure is told.
		const { code, name } = error as NodeJS.ErrnoException;
		return { decision, problem: `it could not be reached: ${code ?? name}` };
	}
}
