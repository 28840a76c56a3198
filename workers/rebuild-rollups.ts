/** Rollups summed anew from the raw results, a day at a time, and compared with those that stood there. */
import type { Log } from '#core/log.ts';
import { packDays, unpackTouched } from '#db/packed-rollups.ts';
import { listDays } from '#db/partitions.ts';
import { deleteRollups, digestRollups, firstBuckets, hasRawResults, listRawBuckets, listSeriesOfDay } from '#db/rebuild-rollups.ts';
import { type Db, transaction } from '#db/sql.ts';
import { holdRollUp } from '#db/write-rollups.ts';
import { rollUpBuckets } from './roll-up.ts';

export interface RebuildOptions {
	/** UTC days, YYYY-MM-DD, both included; absent: as far as raw results are kept. */
	readonly fromDay?: string;
	readonly toDay?: string;
	/** Compares and leaves everything as it is. */
	readonly checkOnly: boolean;
	readonly now: number;
	readonly log: Log;
}

export interface RebuiltDay {
	readonly day: string;
	/** 5-minute, hour and day rollups of the day. */
	readonly rollups: number;
	/** Places of those that had other digits, were missing, or stood for no result. */
	readonly changed: readonly string[];
}

/** Some hundred thousand results at once. */
const seriesPerStep = 50;
const dayMs = 86_400_000;

/** Days whose raw results are gone keep their rollups. The roll-up waits meanwhile, for one step at a time. */
export async function rebuildRollups(db: Db, { fromDay = '', toDay = '9999', checkOnly, now, log }: RebuildOptions): Promise<RebuiltDay[]> {
	const days = (await listDays(db, 'probe_results')).filter((day) => day >= fromDay && day <= toDay);
	const rebuilt: RebuiltDay[] = [];
	for (const day of days) {
		// Its partition may have been made anew, empty: there is nothing to sum the rollups from.
		if (!(await hasRawResults(db, day))) continue;
		const series = await listSeriesOfDay(db, day);
		const changed: string[] = [];
		let rollups = 0;
		for (let start = 0; start < series.length; start += seriesPerStep) {
			const keys = series.slice(start, start + seriesPerStep);
			const step = await transaction(db, async (tx) => {
				await holdRollUp(tx);
				await tx.execute('savepoint before_rebuild');
				await unpackTouched(tx, firstBuckets(day, keys));
				const before = await digestRollups(tx, day, keys);
				await deleteRollups(tx, day, keys);
				await rollUpBuckets(tx, await listRawBuckets(tx, day, keys));
				const after = await digestRollups(tx, day, keys);
				if (checkOnly) await tx.execute('rollback to savepoint before_rebuild');
				return { rollups: after.size, changed: [...new Set([...before.keys(), ...after.keys()])].filter((place) => before.get(place) !== after.get(place)) };
			});
			rollups += step.rollups;
			changed.push(...step.changed);
		}
		if (series.length === 0) continue;
		log.debug({ day, rollups, changed: changed.length }, 'rebuilt');
		rebuilt.push({ day, rollups, changed: changed.sort() });
	}
	// The rebuilt days lie unpacked.
	if (!checkOnly) await packDays(db, now - dayMs);
	return rebuilt;
}
