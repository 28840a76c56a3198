/** The site is rendered in a thread of its own: 1,000 targets take a second or two, in which no poll may wait. */
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { readSnapshot } from '#core/snapshot-text.ts';
import { renderSite } from '#status-page/render-site.ts';
import { writeSite } from '#status-page/write-site.ts';

interface Task {
	readonly id: number;
	/** As text: a string is handed over in a fraction of the time that a copied object takes. */
	readonly document: string;
	readonly now: number;
}

interface Done {
	readonly id: number;
	/** Null: written. */
	readonly problem: string | null;
}

export interface SiteWriter {
	/** @param document the snapshot as text. Rejects when the disk refuses or the thread ended. */
	write(document: string, now: number): Promise<void>;
	close(): Promise<void>;
}

export function openSiteWriter(dir: string): SiteWriter {
	const waiting = new Map<number, (problem: string | null) => void>();
	let nextId = 0;
	let worker: Worker | null = null;
	const open = (): Worker => {
		const made = new Worker(new URL(import.meta.url), { workerData: { siteDir: dir } });
		made.on('message', ({ id, problem }: Done) => waiting.get(id)?.(problem));
		const end = (problem: string) => {
			if (worker === made) worker = null;
			for (const settle of [...waiting.values()]) settle(problem);
		};
		made.on('error', (error) => end(String(error)));
		made.on('exit', (code) => end(`the thread that writes the site ended with ${code}`));
		made.unref();
		return made;
	};
	return {
		write: (document, now) =>
			new Promise((resolve, reject) => {
				const id = nextId++;
				waiting.set(id, (problem) => {
					waiting.delete(id);
					if (problem === null) resolve();
					else reject(new Error(problem));
				});
				worker ??= open();
				worker.postMessage({ id, document, now } satisfies Task);
			}),
		async close() {
			await worker?.terminate();
		},
	};
}

function serveTasks(dir: string): void {
	let last: Promise<void> = Promise.resolve();
	parentPort?.on('message', ({ id, document, now }: Task) => {
		last = last.then(async () => {
			const done = (problem: string | null) => parentPort?.postMessage({ id, problem } satisfies Done);
			try {
				await writeSite(renderSite(readSnapshot(document), { now }), dir);
				done(null);
			} catch (error) {
				done(String(error));
			}
		});
	});
}

if (!isMainThread && typeof (workerData as { siteDir?: unknown } | null)?.siteDir === 'string') serveTasks(workerData.siteDir);
