import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ApiTools, createApp } from '#api/create-app.ts';
import { serve } from '#api/serve.ts';
import { createSnapshotSource, type SnapshotSource } from '#api/snapshot-source.ts';
import { silentLog } from '#core/log.ts';
import type { Snapshot } from '#core/snapshot.ts';
import { renderSite } from '#status-page/render-site.ts';
import { writeSite } from '#status-page/write-site.ts';
import { sampleEvidence, sampleTargetEvidence } from './sample-evidence.ts';
import { sampleNow } from './sample-snapshot.ts';

export interface SampleServer {
	readonly url: string;
	readonly snapshots: SnapshotSource;
	/** The API's clock, movable. */
	readonly clock: { now: number };
	/** Puts a snapshot and renders the site from it. */
	publish(snapshot: Snapshot): Promise<void>;
	/** As a listener again on the same port, after `close`. */
	close(): Promise<void>;
}

/** The API on a free port of loopback, with the site in a folder of its own. */
export async function serveSample(changes: Partial<ApiTools> = {}, port = 0): Promise<SampleServer> {
	const dir = await mkdtemp(join(tmpdir(), 'linnet-api-'));
	const clock = { now: sampleNow + 14_000 };
	const snapshots = createSnapshotSource();
	const tools: ApiTools = {
		snapshots,
		evidence: sampleEvidence(),
		now: () => clock.now,
		log: silentLog,
		siteDir: dir,
		version: '0.0.0-test',
		readiness: () => ({ ready: snapshots.current() !== null, checks: { snapshot: snapshots.current() === null ? 'none yet' : 'fresh' } }),
		...changes,
	};
	const server = await serve(createApp(tools), { host: '127.0.0.1', port });
	return {
		url: server.url,
		snapshots: tools.snapshots,
		clock,
		async publish(snapshot) {
			tools.snapshots.put(snapshot);
			await writeSite(renderSite(snapshot, { now: tools.now(), evidence: sampleTargetEvidence(snapshot) }), dir);
		},
		async close() {
			await server.close();
			await rm(dir, { recursive: true });
		},
	};
}
