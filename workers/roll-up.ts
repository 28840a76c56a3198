/** Recorded results -> sums per 5 minutes, hour and day. */
import type { Log } from '#core/log.ts';
import { mergeRollups, type Rollup, type RollupStep, replaceParts } from '#core/rollup.ts';
import { unpackTouched } from '#db/packed-rollups.ts';
import { summarizeResults } from '#db/partitions.ts';
import type { SeriesBucket } from '#db/rollup-row.ts';
import { type Db, isUnavailable, type Tx, transaction } from '#db/sql.ts';
import {
	claimTouchedBuckets,
	coarserBucket,
	readFinerRollups,
	readKnownRollups,
	seriesBucketKey,
	setRollUpProgress,
	sumRawOfBuckets,
	writeRollups,
} from '#db/write-rollups.ts';

export interface RollUpTools {
	readonly db: Db;
	readonly log: Log;
	now(): number;
	/** Taken in together at most; left out: six minutes of 10,000 targets, some seconds. */
	readonly resultsPerStep?: number;
}

// Results of one series that are taken in together change its rows once.
const manyResults = 60_000;
/** At most this long in one job: then the next tick goes on. */
const jobMs = 20_000;

/**
 * Takes in every result committed since the last run. Each 5-minute bucket that one falls into is summed anew from all its raw results, and takes the
 * place of the sum of before in its hour, as the hour's does in its day: so a late, replaced or repeated result leaves the same digits as a
 * timely one, and a crash leaves nothing half done. One process works at a time; a second one that is told to returns at once.
 * @returns how many 5-minute buckets were written.
 */
export async function rollUp({ db, log, now, resultsPerStep = manyResults }: RollUpTools): Promise<number> {
	const startedAt = now();
	let written = 0;
	for (;;) {
		const step = await transaction(db, (tx) => rollUpStep(tx, resultsPerStep));
		written += step?.bucketCount ?? 0;
		if (step === null || !step.hasMore) break;
		if (now() - startedAt > jobMs) {
			log.warn({ bucketCount: written }, 'roll-up is behind: it goes on at the next tick');
			break;
		}
	}
	if (written > 0) log.debug({ bucketCount: written, durationMs: now() - startedAt }, 'rolled up');
	return written;
}

const summarizeEveryMs = 60_000;
const summarizedAt = new WeakMap<object, number>();

/** For readers of what is new: without a summary of the last pages each look reads all of them. Cheap to repeat. */
export async function summarizeSometimes(db: Db, now: number): Promise<void> {
	const last = summarizedAt.get(db.pool) ?? 0;
	if (now >= last && now - last < summarizeEveryMs) return;
	summarizedAt.set(db.pool, now);
	// A neighbour that is at it does the same work.
	await summarizeResults(db).catch((error) => {
		if (!isUnavailable(error)) throw error;
	});
}

async function rollUpStep(tx: Tx, resultsPerStep: number): Promise<{ bucketCount: number; hasMore: boolean } | null> {
	const touched = await claimTouchedBuckets(tx, resultsPerStep);
	if (touched === null) return null;
	if (touched.readThroughSeq === null) return { bucketCount: 0, hasMore: false };
	await rollUpBuckets(tx, touched.buckets);
	await setRollUpProgress(tx, touched.readThroughSeq);
	return { bucketCount: touched.buckets.length, hasMore: true };
}

/** What is read of so many fits into the nursery of a process; of thousands at once all of it outlives its use. */
const bucketsAtOnce = 500;

/** Sums the given 5-minute buckets anew from the raw results, and brings the hours and days that they lie in up to them. Inside a transaction that has the roll-up. */
export async function rollUpBuckets(tx: Tx, buckets: readonly SeriesBucket[]): Promise<void> {
	const sorted = buckets.toSorted((a, b) => a.series_key - b.series_key || a.bucket_at - b.bucket_at);
	for (let start = 0; start < sorted.length; start += bucketsAtOnce) {
		const some = sorted.slice(start, start + bucketsAtOnce);
		await unpackTouched(tx, some);
		const hours = await rollUpInto(tx, 'hour', await replace(tx, 'five_minutes', await sumRawOfBuckets(tx, some)));
		await rollUpInto(tx, 'day', hours);
	}
}

/** A rollup that was written, and the one that it replaced. */
interface Change {
	readonly bucket: SeriesBucket;
	/** Null: there was none. */
	readonly before: Rollup | null;
	readonly after: Rollup;
}

async function replace(tx: Tx, step: RollupStep, rollups: readonly { bucket: SeriesBucket; rollup: Rollup }[], known?: Map<string, Rollup>): Promise<Change[]> {
	const before =
		known ??
		(await readKnownRollups(
			tx,
			step,
			rollups.map(({ bucket }) => bucket),
		));
	await writeRollups(tx, step, rollups);
	return rollups.map(({ bucket, rollup }) => ({ bucket, before: before.get(seriesBucketKey(bucket)) ?? null, after: rollup }));
}

/**
 * An hour or a day takes its changed parts in exchange for those of before; one with a part that is new, so each hour twelve times and each day
 * twenty-four, is added up from all of them: a sum that was wrong does not stay so. (Always from all, a result took twice as
 * much: bench/roll-up.ts.)
 */
async function rollUpInto(tx: Tx, step: 'hour' | 'day', changes: readonly Change[]): Promise<Change[]> {
	const groups = [...Map.groupBy(changes, ({ bucket }) => seriesBucketKey(coarserBucket(bucket, step)))].map(([key, own]) => ({
		key,
		bucket: coarserBucket((own[0] as Change).bucket, step),
		own,
	}));
	const known = await readKnownRollups(
		tx,
		step,
		groups.map(({ bucket }) => bucket),
	);
	const replaced: { bucket: SeriesBucket; rollup: Rollup }[] = [];
	const addedUp: SeriesBucket[] = [];
	for (const { key, bucket, own } of groups) {
		const rollup = takeChanges(known.get(key), own);
		if (rollup === null) addedUp.push(bucket);
		else replaced.push({ bucket, rollup });
	}
	const finer = addedUp.length === 0 ? [] : await readFinerRollups(tx, step, addedUp);
	return replace(tx, step, [...replaced, ...finer.map(({ bucket, parts }) => ({ bucket, rollup: mergeRollups(parts) }))], known);
}

/** Null: it has to be added up from all its parts. */
function takeChanges(sum: Rollup | undefined, changes: readonly Change[]): Rollup | null {
	const before = changes.flatMap((change) => change.before ?? []);
	if (sum === undefined || before.length < changes.length) return null;
	return replaceParts(
		sum,
		before,
		changes.map(({ after }) => after),
	);
}
