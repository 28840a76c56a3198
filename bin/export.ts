import { resolve } from 'node:path';
import { Command } from 'commander';
import { z } from 'zod';
import { createSnapshotSource } from '#api/snapshot-source.ts';
import { staticFeeds } from '#api/static-feeds.ts';
import type { Snapshot } from '#core/snapshot.ts';
import { readSnapshot } from '#core/snapshot-text.ts';
import { readLatestSnapshot, unpackSnapshot } from '#db/snapshots.ts';
import { createEvidenceReader } from '#db/target-evidence.ts';
import type { SiteFile } from '#status-page/page-layout.ts';
import { siteFiles } from '#status-page/render-site.ts';
import { type WrittenSite, writeSite } from '#status-page/write-site.ts';
import { rollUp } from '#workers/roll-up.ts';
import { readSettings, type Settings } from './environment.ts';
import { ExpectedError } from './expected-error.ts';
import { type ExportedDay, exportResults } from './export-results.ts';
import { openLog } from './log.ts';
import { openDatabase } from './open-database.ts';
import { recordOf } from './record-of.ts';
import type { Closing } from './run-role.ts';
import { openSigner } from './signing-key.ts';

export function exportCommand(): Command {
	return new Command('export')
		.description('the static site from the latest snapshot: pages, JSON feeds with their signatures, RSS, Atom, badges; for any host, or a folder')
		.argument('<dir>', 'a folder; files of an earlier export that are no longer needed are removed, others stay')
		.option('--url <url>', 'public address of the copy, for the links inside its feeds (default: status.url of the configuration)')
		.option('--results', 'the results too: every day that has ended, as CSV and NDJSON, with manifests that are chained day to day (linnet verify checks them)')
		.option('--day <day>', 'with --results: this UTC day only, YYYY-MM-DD')
		.action(async (dir: string, options: { url?: string; results?: boolean; day?: string }) => {
			if (options.url !== undefined && !/^https?:/.test(URL.canParse(options.url) ? options.url : ''))
				throw new ExpectedError(`--url: expected an http or https URL, got "${options.url}"`, 2);
			if (options.day !== undefined && (options.results !== true || !isDay(options.day)))
				throw new ExpectedError(`--day: expected a UTC day as YYYY-MM-DD, together with --results; got "${options.day}"`, 2);
			const settings = readSettings();
			const { snapshot, site } = await exportSite(settings, resolve(dir), options.url?.replace(/\/$/, '') ?? null);
			console.log(
				`Snapshot ${snapshot.number} of ${snapshot.generatedAt}: ${site.written} files written, ${site.unchanged} as they were, ${site.removed} removed.`,
			);
			if (options.results !== true) return;
			const days = await exportResultsOf(settings, resolve(dir), options.day ?? null, Date.now());
			for (const { day, what, rows } of days) console.log(`${day}: ${rows} results ${what === 'written' ? 'written' : 'as they were'}.`);
			if (days.length === 0) console.log('No further day of results has ended.');
		});
}

const isDay = (text: string) => z.iso.date().safeParse(text).success;

/** @param day null: every day that has ended and is not there yet */
export async function exportResultsOf(settings: Settings, dir: string, day: string | null, now: number): Promise<ExportedDay[]> {
	const own = recordOf(settings);
	const closers: (() => Promise<void> | void)[] = [];
	const closing: Closing = { add: (_, close) => closers.push(close) };
	try {
		const log = openLog({ logLevel: 'warn' }, 'export');
		const { db } = await openDatabase(own, log, closing, { connections: 1 });
		// The figures are of the rollups, so these must have taken in every row first.
		await rollUp({ db, log, now: Date.now });
		return await exportResults(db, dir, { day, now, signer: await openSigner(own.dataDir) });
	} finally {
		for (const close of closers.reverse()) await close();
	}
}

function* bothOf(...all: readonly Iterable<SiteFile>[]): Generator<SiteFile> {
	for (const files of all) yield* files;
}

/** @param url replaces the configured one; null keeps it */
export async function exportSite(settings: Settings, dir: string, url: string | null): Promise<{ snapshot: Snapshot; site: WrittenSite }> {
	const own = recordOf(settings);
	const closers: (() => Promise<void> | void)[] = [];
	const closing: Closing = { add: (_, close) => closers.push(close) };
	try {
		const { db } = await openDatabase(own, openLog({ logLevel: 'warn' }, 'export'), closing, { connections: 1 });
		const stored = await readLatestSnapshot(db);
		if (stored === null) throw new ExpectedError('nothing has been measured yet: there is no snapshot to export');
		const read = readSnapshot(unpackSnapshot(stored.packed));
		const snapshot: Snapshot = { ...read, url: url ?? read.url };
		const source = createSnapshotSource();
		source.put(snapshot);
		const now = Date.now();
		const view = source.at(now);
		if (view === null) throw new Error('Expected the snapshot that was put');
		const evidence = await createEvidenceReader(db).read(now, null);
		const feeds = staticFeeds(view, await openSigner(own.dataDir), snapshot.url ?? 'http://localhost');
		return { snapshot, site: await writeSite(bothOf(siteFiles(snapshot, { now, evidence }), feeds), dir) };
	} finally {
		for (const close of closers.reverse()) await close();
	}
}
