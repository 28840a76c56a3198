/** Results -> Postgres in batches; while it is away -> the disk, and from there later. */
import { statfs } from 'node:fs/promises';
import type { Log } from '#core/log.ts';
import type { ProbeResult } from '#core/probe-result.ts';
import { pressureOf, type SpoolPressure } from '#core/spool-pressure.ts';
import { defaultRetentionDays, insertResults } from '#db/probe-results.ts';
import { quarantine } from '#db/quarantine.ts';
import { type Db, isUnavailable } from '#db/sql.ts';
import { createSpool } from './spool.ts';

export interface RecorderOptions {
	readonly db: Db;
	/** For results that wait for Postgres; created when needed. */
	readonly spoolDir: string;
	readonly log: Log;
	now(): number;
	readonly retentionDays?: () => number;
	/** Hears of each batch that became durable. `spooled`: on the disk. */
	onBatch?(batch: { readonly rows: number; readonly tookMs: number; readonly spooled: boolean }): void;
	/** Bound of the spool, default 256 MB: some 400,000 results. */
	readonly spoolMaxBytes?: number;
	readonly spoolFileBytes?: number;
}

export interface Recorder {
	/**
	 * Resolves when the result is durable: in Postgres, or on the disk. While neither takes it (disk full, spool full) it waits in memory and is tried
	 * again; while too many wait, the caller waits.
	 * @throws when it is closed before one of them did: the result is lost, and the log says so.
	 */
	record(result: ProbeResult): Promise<void>;
	/** Resolves when everything given so far is durable (or refused). */
	flush(): Promise<void>;
	/** Given and not yet durable. */
	pendingCount(): number;
	/** On the disk, not yet in Postgres. */
	spooledBytes(): Promise<number>;
	/** Whether to probe less, so that the disk need not refuse a result. A change is said in the log. */
	pressure(): Promise<SpoolPressure>;
	/** Resolves when the spool is drained; waits for Postgres as long as it takes, or until `close`. */
	drained(): Promise<void>;
	/** Makes what is pending durable and stops. What is spooled waits for the next start. */
	close(): Promise<void>;
}

interface Pending {
	readonly result: ProbeResult;
	resolve(): void;
	reject(error: Error): void;
}

/**
 * Long enough to fill a batch under load, short beside the minute of a verdict: each batch is a commit here and a step of the judge. 167 probes a second
 * are some 2 of 70; at 50 ms they were 26 of 6.
 */
const batchAfterMs = 400;
const batchSize = 500;
const pendingAtMost = 10_000;
const retryFirstMs = 500;
const retryLongestMs = 5_000;

export function createRecorder(options: RecorderOptions): Recorder {
	const { db, log, now, retentionDays = () => defaultRetentionDays } = options;
	const { spoolMaxBytes = 256 * 2 ** 20 } = options;
	const spool = createSpool({ dir: options.spoolDir, maxBytes: spoolMaxBytes, maxFileBytes: options.spoolFileBytes ?? 4 * 2 ** 20 });
	const pending: Pending[] = [];
	let inFlight = 0;
	let timer: NodeJS.Timeout | undefined;
	let flushing: Promise<void> | undefined;
	const roomWaiters: (() => void)[] = [];
	// True while anything lies on the disk: new results line up behind it.
	let spooling = false;
	let draining: Promise<void> | undefined;
	const stop = new AbortController();
	/** Aborted first: what neither the database nor the disk takes now is not tried again. */
	const closed = new AbortController();

	const insert = (results: readonly ProbeResult[]) => insertResults(db, results, { now: now(), retentionDays: retentionDays() });

	let keptOneIn: number | null = 1;
	function tellPressure(pressure: SpoolPressure): SpoolPressure {
		if (pressure.keepOneIn !== keptOneIn) {
			keptOneIn = pressure.keepOneIn;
			if (pressure.reason === null) log.warn({ spoolDir: options.spoolDir }, 'the spool has room again: every slot is probed');
			else log.error({ spoolDir: options.spoolDir, problem: pressure.reason }, 'the disk fills while the database is away: probing slows down');
		}
		return pressure;
	}

	/** What comes while a batch is written waits for the next one, unless that is full: a second batch at once would hold the few of these milliseconds. */
	async function flushBatches(): Promise<void> {
		await leftovers;
		while (pending.length > 0) {
			const batch = pending.splice(0, batchSize);
			inFlight = batch.length;
			await keepTrying(batch);
			inFlight = 0;
			for (const wake of roomWaiters.splice(0)) wake();
			if (pending.length < batchSize) break;
		}
	}

	async function keepTrying(batch: readonly Pending[]): Promise<void> {
		let waitMs = retryFirstMs;
		for (;;) {
			const failure = await flushBatch(batch);
			if (failure === null) {
				if (waitMs > retryFirstMs) log.info({ count: batch.length }, 'results that waited in memory are safe');
				return;
			}
			const facts = { problem: describe(failure), count: batch.length + pending.length };
			if (closed.signal.aborted) {
				log.error(facts, 'results lost: neither the database nor the disk takes them');
				const lost = new Error('the result could not be recorded', { cause: failure });
				for (const { reject } of batch) reject(lost);
				return;
			}
			if (waitMs === retryFirstMs) log.error(facts, 'neither the database nor the disk takes results: they wait in memory');
			await waitOr(closed.signal, waitMs);
			waitMs = Math.min(waitMs * 2, retryLongestMs);
		}
	}

	/** @returns why neither took the batch; null when it is durable */
	async function flushBatch(batch: readonly Pending[]): Promise<unknown> {
		const results = batch.map(({ result }) => result);
		const startedMs = performance.now();
		const tell = (spooled: boolean) => options.onBatch?.({ rows: results.length, tookMs: performance.now() - startedMs, spooled });
		if (!spooling) {
			try {
				const { quarantined } = await insert(results);
				if (quarantined > 0) log.error({ count: quarantined }, 'results refused: see the quarantine');
				for (const { resolve } of batch) resolve();
				tell(false);
				return null;
			} catch (error) {
				const say = isUnavailable(error) ? log.warn : log.error;
				say.call(log, { problem: describe(error), spoolDir: options.spoolDir }, 'database away: results wait on the disk');
			}
		}
		try {
			await spool.append(results);
			for (const { resolve } of batch) resolve();
			tell(true);
			startDraining();
			return null;
		} catch (error) {
			return error;
		}
	}

	function schedule(): void {
		if (flushing !== undefined) return;
		const begin = () => {
			clearTimeout(timer);
			timer = undefined;
			flushing ??= flushBatches().finally(() => {
				flushing = undefined;
				if (pending.length > 0) schedule();
			});
		};
		if (pending.length >= batchSize) begin();
		else timer ??= setTimeout(begin, batchAfterMs);
	}

	function startDraining(): void {
		spooling = true;
		draining ??= drain().finally(() => {
			draining = undefined;
		});
	}

	async function drain(): Promise<void> {
		let waitMs = retryFirstMs;
		let count = 0;
		while (!stop.signal.aborted) {
			try {
				const files = await spool.seal();
				if (files.length === 0) {
					// Between this look and the next line nothing is appended: both run without a pause.
					spooling = false;
					if (count > 0) log.info({ count }, 'results from the disk recorded');
					return;
				}
				for (const file of files) {
					if (stop.signal.aborted) return;
					count += await drainFile(file);
				}
				waitMs = retryFirstMs;
			} catch (error) {
				if (!isUnavailable(error)) log.error({ problem: describe(error) }, 'results on the disk could not be recorded: trying again');
				await waitOr(stop.signal, waitMs);
				waitMs = Math.min(waitMs * 2, retryLongestMs);
			}
		}
	}

	async function drainFile(file: string): Promise<number> {
		const spooled = await spool.read(file).catch(async (error) => {
			log.error({ file, problem: describe(error) }, 'a spool file could not be read: put aside');
			await spool.setAside(file);
			return null;
		});
		if (spooled === null) return 0;
		for (let start = 0; start < spooled.results.length; start += batchSize) await insert(spooled.results.slice(start, start + batchSize));
		if (spooled.damaged.length > 0) {
			log.error({ file, count: spooled.damaged.length }, 'a spool file has damaged lines: see the quarantine');
			await quarantine(
				db,
				spooled.damaged.map((line) => ({ reason: 'damaged on the disk', document: line })),
			);
		}
		if (spooled.torn) log.warn({ file }, 'a spool file ends in the middle of a line: that write was never acknowledged');
		await spool.remove(file);
		return spooled.results.length;
	}

	function waitOr(signal: AbortSignal, ms: number): Promise<void> {
		return new Promise((done) => {
			if (signal.aborted) return done();
			const wait = setTimeout(done, ms);
			signal.addEventListener(
				'abort',
				() => {
					clearTimeout(wait);
					done();
				},
				{ once: true },
			);
		});
	}

	// A process that was killed may have left results: they come first.
	const leftovers = spool.bytes().then(
		(bytes) => {
			if (bytes > 0) startDraining();
		},
		(error) => log.error({ problem: describe(error), spoolDir: options.spoolDir }, 'the spool could not be looked at'),
	);

	const flush = async () => {
		await leftovers;
		while (pending.length + inFlight > 0) {
			clearTimeout(timer);
			timer = undefined;
			flushing ??= flushBatches().finally(() => {
				flushing = undefined;
			});
			await flushing;
		}
	};

	return {
		async record(result) {
			while (pending.length >= pendingAtMost) {
				await new Promise<void>((wake) => {
					roomWaiters.push(wake);
				});
			}
			if (stop.signal.aborted) throw new Error('Expected the recorder to be open');
			return new Promise<void>((resolve, reject) => {
				pending.push({ result, resolve, reject });
				schedule();
			});
		},
		flush,
		pendingCount: () => pending.length + inFlight,
		spooledBytes: () => spool.bytes(),
		async pressure() {
			if (!spooling) return tellPressure({ keepOneIn: 1, reason: null });
			const [usedBytes, freeBytes] = await Promise.all([spool.bytes(), freeBytesOf(options.spoolDir)]);
			return tellPressure(pressureOf({ usedBytes, maxBytes: spoolMaxBytes, freeBytes }));
		},
		async drained() {
			await flush();
			while (draining !== undefined && !stop.signal.aborted) await draining;
		},
		async close() {
			closed.abort();
			await flush();
			stop.abort();
			await draining;
			await spool.close();
		},
	};
}

async function freeBytesOf(dir: string): Promise<number | null> {
	const found = await statfs(dir).catch(() => null);
	return found === null ? null : found.bavail * found.bsize;
}

function describe(error: unknown): string {
	if (!(error instanceof Error)) return String(error);
	return error.message || ((error as { code?: string }).code ?? error.name);
}
