import type { Observations } from '#api/observations.ts';
import { hideSecrets } from '#core/redact.ts';
import { type ObservedTraffic, readObservedTraffic, recordObservations } from '#db/observations.ts';
import type { Db } from '#db/sql.ts';

const shownMs = 3_600_000;

/** Reports go to the record; what is shown of them stands in memory and is read anew with each snapshot. */
export function keepObservations(db: Db, now: () => number, secrets: () => Promise<readonly string[]>): Observations & { refresh(): Promise<void> } {
	let byTarget = new Map<string, ObservedTraffic[]>();
	return {
		async record(observations) {
			const known = await secrets();
			// The names that a router gives are shown.
			const shown = observations.map((one) => ({ ...one, id: hideSecrets(one.id, known), source: hideSecrets(one.source, known) }));
			return recordObservations(db, shown, now());
		},
		of: (targetId) => byTarget.get(targetId) ?? [],
		async refresh() {
			byTarget = Map.groupBy(await readObservedTraffic(db, now() - shownMs), ({ targetId }) => targetId);
		},
	};
}
