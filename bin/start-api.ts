import { join } from 'node:path';
import { createApp } from '#api/create-app.ts';
import { addUpProcesses } from '#api/exposition.ts';
import { serve } from '#api/serve.ts';
import { createSnapshotSource } from '#api/snapshot-source.ts';
import type { Log } from '#core/log.ts';
import type { Snapshot } from '#core/snapshot.ts';
import { createSnapshotReader, snapshotPieces } from '#core/snapshot-text.ts';
import { listen } from '#db/listen.ts';
import { readProcessMetrics } from '#db/process-metrics.ts';
import { packSnapshot, readLatestSnapshot, snapshotChannel, withUnpacked } from '#db/snapshots.ts';
import type { Settings } from './environment.ts';
import { createEvidence } from './evidence.ts';
import { ExpectedError } from './expected-error.ts';
import { keepObservations } from './keep-observations.ts';
import { keepSite } from './keep-site.ts';
import { openKnownSecrets } from './known-secrets.ts';
import { packHeap } from './lean-process.ts';
import { createOnCallDesk } from './on-call-desk.ts';
import { openDatabase } from './open-database.ts';
import { unpackMetrics } from './packed-metrics.ts';
import { createProcessMetrics } from './process-metrics.ts';
import type { Closing } from './run-role.ts';
import { openSigner } from './signing-key.ts';
import { version } from './version.ts';
import { publishMetrics, watchLoop } from './watch-process.ts';
import { openSiteWriter } from './write-site-apart.ts';

/** Written every 10 s: what is older is of a process that is gone. */
const metricsKeptMs = 45_000;

export async function startApi(settings: Settings, log: Log, closing: Closing): Promise<void> {
	packHeap();
	const { db, url } = await openDatabase(settings, log, closing, { connections: 4 });
	const snapshots = createSnapshotSource();
	const siteDir = join(settings.dataDir, 'site');
	const signer = await openSigner(settings.dataDir);
	const secrets = openKnownSecrets(settings.configPath);
	const observations = keepObservations(db, Date.now, secrets);
	const writer = openSiteWriter(siteDir, url);
	closing.add('site writer', () => writer.close());
	/** Of the snapshots that the keeper may still ask for. */
	const documents = new WeakMap<Snapshot, Uint8Array>();
	const site = keepSite({
		write: (snapshot, now) => writer.write(documents.get(snapshot) ?? packSnapshot(snapshotPieces(snapshot)), now),
		now: Date.now,
		later: (run, afterMs) => {
			const timer = setTimeout(run, afterMs);
			return () => clearTimeout(timer);
		},
		onError: (error) => log.warn({ problem: String(error) }, 'page not written: trying again with the next snapshot'),
	});
	closing.add('site', () => site.close());
	const readSnapshot = createSnapshotReader();
	let reading: Promise<void> | null = null;
	let again = false;

	const take = async () => {
		const stored = await readLatestSnapshot(db, snapshots.current()?.snapshot.number);
		if (stored === null) return;
		const snapshot = withUnpacked(stored.packed, readSnapshot);
		snapshots.put(snapshot);
		documents.set(snapshot, stored.packed);
		site.take(snapshot);
		await observations.refresh();
	};
	// One at a time; a notice that comes meanwhile is not lost.
	const refresh = () => {
		again = true;
		reading ??= (async () => {
			while (again) {
				again = false;
				await take().catch((error) => log.warn({ problem: String(error) }, 'snapshot not read: trying again'));
			}
			reading = null;
		})();
	};
	const listener = listen({
		url,
		channels: [snapshotChannel],
		onNotify: refresh,
		onConnect: refresh,
		onError: (error) => log.warn({ problem: error.message }, 'not listening for snapshots: trying again'),
	});
	closing.add('listener', () => listener.close());
	// A notice can be lost with its connection.
	const timer = setInterval(refresh, 10_000);
	closing.add('refresh', () => clearInterval(timer));

	const metrics = createProcessMetrics();
	watchLoop(metrics, 'api', closing);
	publishMetrics(metrics, 'api', db, log, closing);
	const app = createApp({
		snapshots,
		evidence: createEvidence(db),
		now: Date.now,
		log,
		siteDir,
		signer,
		adminToken: settings.adminToken,
		observations,
		desk: createOnCallDesk(db, Date.now, secrets),
		metrics: async () => addUpProcesses((await readProcessMetrics(db, Date.now() - metricsKeptMs)).map(unpackMetrics)),
		version,
		readiness: () => {
			const current = snapshots.current();
			const fresh = current !== null && Date.now() <= Date.parse(current.snapshot.staleAfter);
			return { ready: fresh, checks: { snapshot: current === null ? 'none yet' : fresh ? 'fresh' : 'stale' } };
		},
	});
	try {
		const server = await serve(app, { host: settings.host, port: settings.port });
		closing.add('server', () => server.close());
		log.info({ address: server.url }, 'listening');
	} catch (error) {
		throw new ExpectedError((error as Error).message, 1, { cause: error });
	}
}
