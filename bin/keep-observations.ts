import type { Observations } from '#api/observations.ts';
import { type ObservedTraffic, readObservedTraffic, recordObservations } from '#db/observations.ts';
import type { Db } from '#db/sql.ts';

const shownMs = 3_600_000;

/** Reports go to the record; what is shown of them stands in memory and is read anew with each snapshot. */
export function keepObservations(db: Db, now: () => number): Observations & { refresh(): Promise<void> } {
	let byTarget = new Map<string, ObservedTraffic[]>();
	return {
		record: (observations) => recordObservations(db, observations, now()),
		of: (targetId) => byTarget.get(targetId) ?? [],
		async refresh() {
			byTarget = Map.groupBy(await readObservedTraffic(db, now() - shownMs), ({ targetId }) => targetId);
		},
	};
}
