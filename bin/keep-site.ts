import type { Snapshot } from '#core/snapshot.ts';
import { renderSite } from '#status-page/render-site.ts';
import { writeSite } from '#status-page/write-site.ts';

/** The page is rendered anew at least this often, so that its ages stay true without JavaScript. */
const renderAtLeastEveryMs = 15_000;

export interface SiteKeeper {
	/** Renders when a verdict changed or the page has become old. */
	take(snapshot: Snapshot): Promise<void>;
	close(): void;
}

export interface KeepSiteTools {
	readonly dir: string;
	now(): number;
	/** Runs it later; gives what cancels it. */
	later(run: () => void, afterMs: number): () => void;
	readonly onError: (error: unknown) => void;
}

/** Keeps the folder of the site true to the snapshot; once its deadline passes without another, the page says `unknown` to readers without JavaScript too. */
export function keepSite({ dir, now, later, onError }: KeepSiteTools): SiteKeeper {
	let rendered = { revision: '', at: Number.NEGATIVE_INFINITY };
	let cancel = () => {};
	// One writer at a time.
	let last: Promise<unknown> = Promise.resolve();
	const render = (snapshot: Snapshot) => {
		const next = last.catch(() => {}).then(() => writeSite(renderSite(snapshot, { now: now() }), dir));
		last = next;
		return next;
	};
	return {
		async take(snapshot) {
			cancel();
			const leftMs = Date.parse(snapshot.staleAfter) - now();
			if (leftMs >= 0) {
				cancel = later(() => {
					rendered = { revision: '', at: Number.NEGATIVE_INFINITY };
					render(snapshot).catch(onError);
				}, leftMs + 1);
			}
			if (snapshot.verdictRevision === rendered.revision && now() - rendered.at <= renderAtLeastEveryMs) return;
			await render(snapshot);
			rendered = { revision: snapshot.verdictRevision, at: now() };
		},
		close: () => cancel(),
	};
}
