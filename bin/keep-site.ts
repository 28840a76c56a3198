import type { Snapshot } from '#core/snapshot.ts';

/**
 * The page is rendered anew at least this often, so that its ages stay true without JavaScript; where that takes seconds, more seldom.
 * A changed verdict waits for neither, only as long as the last rendering took. Less than the 15 s between two snapshots of a large fleet: with as
 * much every other one was left out, and pages grew old by 79 s (5,000 targets, measured).
 */
const [oftenMs, atLeastEveryMs] = [12_500, 40_000];
const oldAfterRenders = 2;
const restAtMostMs = 10_000;

export interface SiteKeeper {
	/** Renders when a verdict changed or the page has become old; returns at once. Of several that come meanwhile only the newest is rendered. */
	take(snapshot: Snapshot): void;
	/** Resolves when nothing is being rendered. */
	settled(): Promise<void>;
	close(): void;
}

export interface KeepSiteTools {
	/** Renders and writes the site. */
	write(snapshot: Snapshot, now: number): Promise<unknown>;
	now(): number;
	/** Runs it later; gives what cancels it. */
	later(run: () => void, afterMs: number): () => void;
	readonly onError: (error: unknown) => void;
}

/** Keeps the folder of the site true to the snapshot; once its deadline passes without another, the page says `unknown` to readers without JavaScript too. */
export function keepSite({ write, now, later, onError }: KeepSiteTools): SiteKeeper {
	const never = { revision: '', at: Number.NEGATIVE_INFINITY, tookMs: 0 };
	let rendered = never;
	let wanted: Snapshot | null = null;
	let running: Promise<void> | null = null;
	let cancel = () => {};
	const run = async () => {
		while (wanted !== null) {
			const restMs = rendered.at + 2 * Math.min(rendered.tookMs, restAtMostMs) - now();
			// A clock that was set back by an hour makes nobody wait for one.
			if (restMs > 0 && restMs <= 2 * restAtMostMs) {
				await new Promise<void>((resolve) => {
					later(resolve, restMs);
				});
			}
			const snapshot: Snapshot = wanted;
			wanted = null;
			const at = now();
			rendered = { revision: snapshot.verdictRevision, at, tookMs: 0 };
			try {
				await write(snapshot, at);
				if (rendered !== never) rendered = { ...rendered, tookMs: Math.max(0, now() - at) };
			} catch (error) {
				rendered = never;
				onError(error);
			}
		}
		running = null;
	};
	const render = (snapshot: Snapshot) => {
		wanted = snapshot;
		running ??= run();
	};
	const oldMs = () => Math.min(atLeastEveryMs, Math.max(oftenMs, oldAfterRenders * rendered.tookMs));
	return {
		take(snapshot) {
			cancel();
			const leftMs = Date.parse(snapshot.staleAfter) - now();
			if (leftMs >= 0) {
				cancel = later(() => {
					render(snapshot);
					// The next snapshot heals it, changed or not.
					rendered = never;
				}, leftMs + 1);
			}
			if (snapshot.verdictRevision !== rendered.revision || Math.abs(now() - rendered.at) > oldMs()) render(snapshot);
		},
		settled: async () => {
			while (running !== null) await running;
		},
		close: () => cancel(),
	};
}
