/** Recorded results -> sums per 5 minutes, hour and day. */
import type { Log } from '#core/log.ts';
import { mergeRollups, rollupOf } from '#core/rollup.ts';
import { unpackTouched } from '#db/packed-rollups.ts';
import { summarizeResults } from '#db/partitions.ts';
import type { SeriesBucket } from '#db/rollup-row.ts';
import { type Db, isUnavailable, type Tx, transaction } from '#db/sql.ts';
import { claimTouchedBuckets, coarserBuckets, readFinerRollups, readRawOfBuckets, setRollUpProgress, writeRollups } from '#db/write-rollups.ts';

export interface RollUpTools {
	readonly db: Db;
	readonly log: Log;
	now(): number;
}

/** One transaction's worth: some seconds of 1,000 targets, and short enough to be no long lock. */
const resultsPerStep = 5_000;
/** At most this long in one job: then the next tick goes on. */
const jobMs = 20_000;

/**
 * Takes in every result committed since the last run. Each 5-minute bucket that one falls into is summed anew from all its raw results,
 * then its hour from the 5-minute sums and its day from the hours: so a late, replaced or repeated result leaves the same digits as a
 * timely one, and a crash leaves nothing half done. One process works at a time; a second one that is told to returns at once.
 * @returns how many 5-minute buckets were written.
 */
export async function rollUp({ db, log, now }: RollUpTools): Promise<number> {
	const startedAt = now();
	let written = 0;
	for (;;) {
		const step = await transaction(db, rollUpStep);
		written += step?.bucketCount ?? 0;
		if (step === null || !step.hasMore) break;
		if (now() - startedAt > jobMs) {
			log.warn({ bucketCount: written }, 'roll-up is behind: it goes on at the next tick');
			break;
		}
	}
	await summarizeSometimes(db, startedAt);
	if (written > 0) log.debug({ bucketCount: written, durationMs: now() - startedAt }, 'rolled up');
	return written;
}

const summarizeEveryMs = 60_000;
const summarizedAt = new WeakMap<object, number>();

async function summarizeSometimes(db: Db, now: number): Promise<void> {
	const last = summarizedAt.get(db.pool) ?? 0;
	if (now >= last && now - last < summarizeEveryMs) return;
	summarizedAt.set(db.pool, now);
	// A neighbour that is at it does the same work.
	await summarizeResults(db).catch((error) => {
		if (!isUnavailable(error)) throw error;
	});
}

async function rollUpStep(tx: Tx): Promise<{ bucketCount: number; hasMore: boolean } | null> {
	const touched = await claimTouchedBuckets(tx, resultsPerStep);
	if (touched === null) return null;
	if (touched.readThroughSeq === null) return { bucketCount: 0, hasMore: false };
	await rollUpBuckets(tx, touched.buckets);
	await setRollUpProgress(tx, touched.readThroughSeq);
	return { bucketCount: touched.buckets.length, hasMore: true };
}

/** Sums the given 5-minute buckets anew from the raw results, and the hours and days that they lie in. Inside a transaction that has the roll-up. */
export async function rollUpBuckets(tx: Tx, buckets: readonly SeriesBucket[]): Promise<void> {
	await unpackTouched(tx, buckets);
	const raw = await readRawOfBuckets(tx, buckets);
	await writeRollups(
		tx,
		'five_minutes',
		raw.map(({ bucket, results }) => ({ bucket, rollup: rollupOf(results) })),
	);
	for (const step of ['hour', 'day'] as const) {
		const finer = await readFinerRollups(tx, step, coarserBuckets(buckets, step));
		await writeRollups(
			tx,
			step,
			finer.map(({ bucket, parts }) => ({ bucket, rollup: mergeRollups(parts) })),
		);
	}
}
