/** Keeps every table within its age. Dropping a day's partition is how results go: no row is ever deleted one by one. */
import type { Log } from '#core/log.ts';
import { trimAcknowledgements } from '#db/acknowledgements.ts';
import { trimNoticesBefore } from '#db/alert-notices.ts';
import { trimGroupsBefore } from '#db/alert-plans.ts';
import { releaseExpired, trimReservations } from '#db/budget.ts';
import { trimOfficialIncidents } from '#db/official-incidents.ts';
import { trimOutbox } from '#db/outbox.ts';
import { dropPackedMonths, packDays } from '#db/packed-rollups.ts';
import { dropExpiredPartitions, ensurePartitions } from '#db/partitions.ts';
import { trimQuarantine } from '#db/quarantine.ts';
import type { Db } from '#db/sql.ts';
import { trimStandingAlerts } from '#db/standing-alerts.ts';
import { tightenDays } from '#db/tighten-days.ts';
import { trimHourRollups } from '#db/write-rollups.ts';

export interface PruneTools {
	readonly db: Db;
	readonly log: Log;
	now(): number;
	/** Whole UTC days that raw results are kept. */
	readonly retentionDays: number;
}

const dayMs = 86_400_000;
const daysAhead = 3;
export const keptMs = {
	/** The 90-day windows begin with hours, so 5-minute rows of that age are only drawn as series. They go by whole months. */
	fiveMinutes: 90 * dayMs,
	hours: 366 * dayMs,
	quarantine: 14 * dayMs,
	endedDeliveries: 90 * dayMs,
	officialWords: 400 * dayMs,
	/** Long after anybody could ask for the same one again: a slot is not run after seconds. They take more room than results, 3 GB a day of 10,000 targets. */
	reservations: 3_600_000,
};

/** Snapshots need no pruning: publishing one drops the tenth before it. @returns the days of results that were dropped, YYYY-MM-DD. */
export async function prune({ db, log, now, retentionDays }: PruneTools): Promise<string[]> {
	const at = now();
	await ensurePartitions(db, at, daysAhead);
	const days = await dropExpiredPartitions(db, at, retentionDays);
	// A late result sums its hour and day anew, so their parts must live as long as results may come.
	const rawMs = (retentionDays + 2) * dayMs;
	// Today and yesterday stay open: nearly every late result falls into them.
	const packed = await packDays(db, at - dayMs);
	const counts = {
		packedDays: packed.length,
		expiredReservations: await releaseExpired(db, at),
		reservations: await trimReservations(db, at - keptMs.reservations),
		packedMonths: (await dropPackedMonths(db, at - Math.max(keptMs.fiveMinutes, rawMs))).length,
		hourRollups: await trimHourRollups(db, at - Math.max(keptMs.hours, rawMs)),
		quarantine: await trimQuarantine(db, at - keptMs.quarantine),
		deliveries: await trimOutbox(db, at - keptMs.endedDeliveries),
		notices: await trimNoticesBefore(db, at - keptMs.endedDeliveries),
		groups: await trimGroupsBefore(db, at - keptMs.endedDeliveries),
		acknowledgements: await trimAcknowledgements(db, at - keptMs.endedDeliveries),
		standingAlerts: await trimStandingAlerts(db, at - keptMs.endedDeliveries),
	};
	await trimOfficialIncidents(db, at - keptMs.officialWords);
	// Last: on a full disk it can't be done, and the trims that make room must not wait for it.
	const tightened = await tightenDays(db, at - dayMs);
	if (days.length > 0) log.info({ days }, 'results beyond the retention dropped');
	if (counts.expiredReservations > 0) log.warn({ count: counts.expiredReservations }, 'reservations of probes that never ended count as spent');
	log.debug({ ...counts, tightenedDays: tightened.length }, 'pruned');
	return days;
}
