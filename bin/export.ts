import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Command } from 'commander';
import { createSnapshotSource } from '#api/snapshot-source.ts';
import { staticFeeds } from '#api/static-feeds.ts';
import type { Snapshot } from '#core/snapshot.ts';
import { readSnapshot } from '#core/snapshot-text.ts';
import { readLatestSnapshot } from '#db/snapshots.ts';
import { renderSite } from '#status-page/render-site.ts';
import { type WrittenSite, writeSite } from '#status-page/write-site.ts';
import { readSettings, type Settings } from './environment.ts';
import { ExpectedError } from './expected-error.ts';
import { openLog } from './log.ts';
import { openDatabase } from './open-database.ts';
import type { Closing } from './run-role.ts';
import { openSigner } from './signing-key.ts';

export function exportCommand(): Command {
	return new Command('export')
		.description('the static site from the latest snapshot: pages, JSON feeds with their signatures, RSS, Atom, badges; for any host, or a folder')
		.argument('<dir>', 'a folder; files of an earlier export that are no longer needed are removed, others stay')
		.option('--url <url>', 'public address of the copy, for the links inside its feeds (default: status.url of the configuration)')
		.action(async (dir: string, options: { url?: string }) => {
			if (options.url !== undefined && !/^https?:/.test(URL.canParse(options.url) ? options.url : ''))
				throw new ExpectedError(`--url: expected an http or https URL, got "${options.url}"`, 2);
			const { snapshot, site } = await exportSite(readSettings(), resolve(dir), options.url?.replace(/\/$/, '') ?? null);
			console.log(
				`Snapshot ${snapshot.number} of ${snapshot.generatedAt}: ${site.written} files written, ${site.unchanged} as they were, ${site.removed} removed.`,
			);
		});
}

/** Without a configuration `up` runs the demo, whose record is kept apart: so the export reads that one. */
function recordOf(settings: Settings): Settings {
	const isDemo = settings.databaseUrl === null && !settings.configNamed && !existsSync(settings.configPath);
	return isDemo ? { ...settings, dataDir: join(settings.dataDir, 'demo') } : settings;
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
		const read = readSnapshot(stored.document);
		const snapshot: Snapshot = { ...read, url: url ?? read.url };
		const source = createSnapshotSource();
		source.put(snapshot);
		const now = Date.now();
		const view = source.at(now);
		if (view === null) throw new Error('Expected the snapshot that was put');
		const files = renderSite(snapshot, { now });
		for (const [path, content] of staticFeeds(view, await openSigner(own.dataDir), snapshot.url ?? 'http://localhost')) files.set(path, content);
		return { snapshot, site: await writeSite(files, dir) };
	} finally {
		for (const close of closers.reverse()) await close();
	}
}
