/**
 * The site is rendered in a process of its own: 1,000 targets take a second or two, in which no poll may wait. Not in a thread: V8 13.6 now and then
 * aborts the whole process when a second isolate frees its code ("Check failed: jit_page.has_value()", nodejs/node#64500).
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { isStale } from '#core/freshness.ts';
import { createSnapshotReader } from '#core/snapshot-text.ts';
import type { FleetEvidence } from '#core/target-evidence.ts';
import { withUnpacked } from '#db/snapshots.ts';
import { openDb } from '#db/sql.ts';
import { createEvidenceReader, type EvidenceReader } from '#db/target-evidence.ts';
import { createPageTurns } from '#status-page/page-turns.ts';
import { siteFiles } from '#status-page/render-site.ts';
import { writeSite } from '#status-page/write-site.ts';
import { collectAlone, giveWay, keepHeapLean, makeAllYoung, packHeap } from './lean-process.ts';

interface Task {
	readonly id: number;
	/** As it is stored: copied from process to process as objects it would take many times as long, as text six times as much memory. */
	readonly packed: Uint8Array;
	readonly now: number;
}

interface Done {
	readonly id: number;
	/** Null: written. */
	readonly problem: string | null;
}

export interface SiteWriter {
	/** @param packed the snapshot as `packSnapshot` makes it. Rejects when the disk refuses or the process ended; the next call starts another. */
	write(packed: Uint8Array, now: number): Promise<void>;
	close(): Promise<void>;
}

/** @param databaseUrl where the raw results of a target's page are read; null: pages are written without them */
export function openSiteWriter(dir: string, databaseUrl: string | null): SiteWriter {
	const waiting = new Map<number, (problem: string | null) => void>();
	let nextId = 0;
	let renderer: ChildProcess | null = null;
	const open = (): ChildProcess => {
		const made = fork(fileURLToPath(import.meta.url), [dir], {
			serialization: 'advanced',
			// Also where NODE_OPTIONS asks for another: of 10,000 targets a tenth less of its CPU than with 8, for no more memory. It does not shrink (packHeap).
			execArgv: ['--min-semi-space-size=16', '--max-semi-space-size=16'],
			// In the environment, not among the arguments: these are seen by everybody on the machine.
			env: { ...process.env, DATABASE_URL: databaseUrl ?? undefined },
		});
		made.on('message', ({ id, problem }: Done) => waiting.get(id)?.(problem));
		const end = (problem: string) => {
			// All that waits was sent to the newest: one that ended before has nothing to settle.
			if (renderer !== made) return;
			renderer = null;
			for (const settle of [...waiting.values()]) settle(problem);
		};
		made.on('error', (error) => end(String(error)));
		made.on('exit', (code, signal) => end(`the process that writes the site ended with ${signal ?? code}`));
		made.unref();
		made.channel?.unref();
		return made;
	};
	return {
		write: (packed, now) =>
			new Promise((resolve, reject) => {
				const id = nextId++;
				waiting.set(id, (problem) => {
					waiting.delete(id);
					if (problem === null) resolve();
					else reject(new Error(problem));
				});
				renderer ??= open();
				renderer.send({ id, packed, now } satisfies Task);
			}),
		async close() {
			if (renderer === null) return;
			const ended = once(renderer, 'exit');
			renderer.ref();
			// Each file is written whole and renamed, so it may end anywhere.
			renderer.kill('SIGKILL');
			await ended;
		},
	};
}

/** Waits no longer for the record: the page must turn though the database is gone. */
const evidenceWaitMs = 2_000;

/**
 * The newest that could be read in time, else for a whole fleet what was read before; null while nothing was.
 * @param targetIds null: of all
 */
export function keepEvidence(
	reader: EvidenceReader,
	waitMs = evidenceWaitMs,
): (now: number, targetIds: readonly string[] | null) => Promise<FleetEvidence | null> {
	let known: FleetEvidence | null = null;
	let reading: { readonly of: readonly string[] | null; readonly found: Promise<FleetEvidence | null> } | null = null;
	return async (now, targetIds) => {
		// One at a time: what a slow one finds of some targets is nothing for others.
		reading ??= {
			of: targetIds,
			found: reader
				.read(now, targetIds)
				.then((found) => {
					if (targetIds === null) known = found;
					return found;
				})
				// Seen on the page, where what is missing says so; the next rendering tries again.
				.catch(() => null)
				.finally(() => {
					reading = null;
				}),
		};
		const { of, found } = reading;
		const waiting = new AbortController();
		const inTime = await Promise.race([found, pause(waitMs, null, { signal: waiting.signal }).catch(() => null)]);
		waiting.abort();
		return targetIds === null ? known : of === targetIds ? inTime : null;
	};
}

function serveTasks(dir: string, databaseUrl: string | undefined): void {
	giveWay('probes and verdicts');
	keepHeapLean(50);
	packHeap();
	collectAlone();
	makeAllYoung();
	const evidenceAt =
		databaseUrl === undefined ? async () => null : keepEvidence(createEvidenceReader(openDb({ url: databaseUrl, max: 1, name: 'linnet page' })));
	const turns = createPageTurns();
	const readSnapshot = createSnapshotReader();
	let last: Promise<void> = Promise.resolve();
	process.on('message', ({ id, packed, now }: Task) => {
		last = last.then(async () => {
			const done = (problem: string | null) => process.connected && process.send?.({ id, problem } satisfies Done);
			try {
				const snapshot = withUnpacked(packed, readSnapshot);
				const { paths: due, targetIds } = turns.next(snapshot, now, isStale(snapshot, now));
				await writeSite(siteFiles(snapshot, { now, evidence: await evidenceAt(now, targetIds), due }), dir);
				done(null);
			} catch (error) {
				turns.forget();
				done(String(error));
			}
		});
	});
	process.on('disconnect', () => process.exit());
	if (!process.connected) process.exit();
	// Ctrl-C reaches the whole process group: it ends with its parent, not before.
	for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => {});
}

const [, , siteDir] = process.argv;
if (import.meta.main && siteDir !== undefined) serveTasks(siteDir, process.env.DATABASE_URL);
