/** What probes did cost -> the budget, many at once: each settling on its own waits for the day's row and for the disk. */
import { setTimeout as pause } from 'node:timers/promises';
import { settleAll } from '#db/budget.ts';
import { type Db, isUnavailable } from '#db/sql.ts';

export interface Settler {
	/**
	 * Resolves when the reservation is settled. Also when the database is away: unsettled, it counts in full once it expires, which is dearer than
	 * the truth and never cheaper.
	 */
	settle(id: string, actualMicroUsd: number): Promise<void>;
}

/** Only the end of the job waits for it, and what is not settled counts in full: 10,000 targets a minute settle in two statements a second, not 170. */
const batchAfterMs = 400;

const settlers = new WeakMap<Db, Settler>();

/** One for a process and database, whatever shard the probes are of. */
export function settlerOf(db: Db): Settler {
	const settler = settlers.get(db) ?? createSettler(db);
	settlers.set(db, settler);
	return settler;
}

function createSettler(db: Db): Settler {
	let waiting = new Map<string, number>();
	let next: Promise<void> | null = null;
	let last: Promise<unknown> = Promise.resolve();
	const flush = async () => {
		// One at a time: while the database stands still, batch after batch would take every connection, and what is measured could not be recorded.
		await Promise.all([last, pause(batchAfterMs)]);
		const own = waiting;
		[waiting, next] = [new Map(), null];
		const settled = settleAll(db, own).catch((error) => {
			if (!isUnavailable(error)) throw error;
		});
		last = settled.catch(() => {});
		await settled;
	};
	return {
		settle(id, actualMicroUsd) {
			waiting.set(id, actualMicroUsd);
			next ??= flush();
			return next;
		},
	};
}
