/**
 * The site is rendered in a process of its own: 1,000 targets take a second or two, in which no poll may wait. Not in a thread: V8 13.6 now and then
 * aborts the whole process when a second isolate frees its code ("Check failed: jit_page.has_value()", nodejs/node#64500).
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
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
	/** @param document the snapshot as text. Rejects when the disk refuses or the process ended; the next call starts another. */
	write(document: string, now: number): Promise<void>;
	close(): Promise<void>;
}

export function openSiteWriter(dir: string): SiteWriter {
	const waiting = new Map<number, (problem: string | null) => void>();
	let nextId = 0;
	let renderer: ChildProcess | null = null;
	const open = (): ChildProcess => {
		const made = fork(fileURLToPath(import.meta.url), [dir], { serialization: 'advanced', execArgv: [] });
		made.on('message', ({ id, problem }: Done) => waiting.get(id)?.(problem));
		const end = (problem: string) => {
			if (renderer === made) renderer = null;
			for (const settle of [...waiting.values()]) settle(problem);
		};
		made.on('error', (error) => end(String(error)));
		made.on('exit', (code, signal) => end(`the process that writes the site ended with ${signal ?? code}`));
		made.unref();
		made.channel?.unref();
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
				renderer ??= open();
				renderer.send({ id, document, now } satisfies Task);
			}),
		async close() {
			const open = renderer;
			if (open === null) return;
			const ended = once(open, 'exit');
			open.ref();
			// Each file is written whole and renamed, so it may end anywhere.
			open.kill('SIGKILL');
			await ended;
		},
	};
}

function serveTasks(dir: string): void {
	let last: Promise<void> = Promise.resolve();
	process.on('message', ({ id, document, now }: Task) => {
		last = last.then(async () => {
			const done = (problem: string | null) => process.connected && process.send?.({ id, problem } satisfies Done);
			try {
				await writeSite(renderSite(readSnapshot(document), { now }), dir);
				done(null);
			} catch (error) {
				done(String(error));
			}
		});
	});
	process.on('disconnect', () => process.exit());
	// Ctrl-C reaches the whole process group: it ends with its parent, not before.
	for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => {});
}

const [, , siteDir] = process.argv;
if (import.meta.main && siteDir !== undefined) serveTasks(siteDir);
