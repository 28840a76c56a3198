import type { Db } from './sql.ts';

/** Written anew at every publication, step or checkpoint: a few rows among their dead. */
const rewritten = ['snapshots', 'evaluator_checkpoints', 'evaluator_journal', 'evaluator_heads', 'process_metrics', 'leases'];

/**
 * Makes the room of dead rows free again. Autovacuum does so while the server lives: after a crash Postgres has forgotten how many there are (its
 * cumulative statistics start at zero), and one that is killed each minute never looks: snapshots then grew by 1 MB in two minutes. A table that another
 * process holds is left.
 */
export async function sweepDeadRows(db: Db): Promise<void> {
	await db.execute(`vacuum (skip_locked) ${rewritten.join(', ')}`);
}
