/** The cadence plan in force, as every process of a fleet reads it. */
import { type CadencePlan, planInForce } from '#core/cadence.ts';
import type { Log } from '#core/log.ts';
import { readCadencePlan, type StoredPlan } from '#db/cadence-plans.ts';
import { isUnavailable, type Sql } from '#db/sql.ts';

const readEveryMs = 10_000;

export interface CadenceWatch {
	/** Reads anew when what is known is older than 10 s. While the database is away the last one holds until it is too old. */
	refresh(): Promise<CadencePlan | null>;
	/** As read last; null: every target is probed as configured. */
	current(): CadencePlan | null;
}

export function watchCadence(sql: Sql, log: Log, now: () => number): CadenceWatch {
	let known: StoredPlan | null = null;
	let readAt = Number.NEGATIVE_INFINITY;
	let reading: Promise<void> | null = null;
	const read = async () => {
		try {
			known = await readCadencePlan(sql, known);
		} catch (error) {
			// Probing goes on without a plan: the cap holds all the same.
			if (!isUnavailable(error)) log.warn({ problem: String(error) }, 'cadence plan not read: the last one holds');
		}
	};
	const current = () => planInForce(known?.plan ?? null, now());
	return {
		async refresh() {
			const at = now();
			if (Math.abs(at - readAt) >= readEveryMs) {
				readAt = at;
				reading = read();
			}
			await reading;
			return current();
		},
		current,
	};
}
