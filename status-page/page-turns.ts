/**
 * Which pages of targets and models are drawn anew. All of a large fleet at each rendering would cost more than its probes: those whose verdict
 * moved are drawn at once, of the others the oldest, so many that each has its turn within a minute.
 */
import type { GroupView, IncidentView, Snapshot, TargetView } from '#core/snapshot.ts';
import { fleetIndex, membersOf } from './fleet-index.ts';
import { modelHref } from './render-models.ts';
import { targetHref } from './render-target.ts';

/** Whose turn it is. */
export interface DuePages {
	/** Relative to the site's root. */
	readonly paths: ReadonlySet<string>;
	/** Targets among them; null: all, so that they may be read at once. */
	readonly targetIds: readonly string[] | null;
}

export interface PageTurns {
	/**
	 * @param now ms since epoch: the longer since the last time, the more are due
	 * @param all every page is due: what is shown has grown old, or nothing is known of what lies on the disk
	 */
	next(snapshot: Snapshot, now: number, all?: boolean): DuePages;
	/** The last ones may not have been written. */
	forget(): void;
}

/** A page is drawn again within a minute, the drawing included. */
const againMs = 55_000;
/** Of a site up to here each page is drawn within a round; of a larger one this many: a seventh of a core with the reading of their results. */
const drawnPerRound = 5_500;
/** A site of so many pages is drawn whole. */
const wholeSite = 500;

export function createPageTurns({ whole = wholeSite, perRound = drawnPerRound } = {}): PageTurns {
	/** Path → what its verdict was when it was drawn; the oldest first. */
	let drawn = new Map<string, string>();
	let drawnAt = 0;
	return {
		next(snapshot, now, all = false) {
			const { incidentsOf } = fleetIndex(snapshot);
			const newsOf = (target: TargetView) => verdictKey(target, incidentsOf.get(target.id) ?? []);
			const pages = new Map<string, { readonly key: string; readonly targetId: string | null }>();
			for (const target of snapshot.targets) pages.set(targetHref(target, ''), { key: newsOf(target), targetId: target.id });
			for (const model of snapshot.models) pages.set(modelHref(model, ''), { key: modelKey(model, membersOf(snapshot, model), newsOf), targetId: null });
			const due = new Set<string>();
			// A clock that was set back is no reason to wait.
			const everything = all || pages.size <= whole || now < drawnAt;
			for (const [path, { key }] of pages) if (everything || drawn.get(path) !== key) due.add(path);
			// One that just missed its turn waits for another rendering: so the round is that much shorter, 40 s where they are each 15 s.
			const sinceMs = now - drawnAt;
			const roundMs = Math.max(sinceMs, againMs - sinceMs);
			const atOnce = Math.ceil((Math.min(pages.size, perRound) * sinceMs) / roundMs);
			for (const path of drawn.keys()) {
				if (due.size >= atOnce) break;
				if (pages.has(path)) due.add(path);
			}
			const kept = [...drawn].filter(([path]) => pages.has(path) && !due.has(path));
			drawn = new Map([...kept, ...[...due].map((path) => [path, pages.get(path)?.key ?? ''] as const)]);
			drawnAt = now;
			return { paths: due, targetIds: everything ? null : [...due].flatMap((path) => pages.get(path)?.targetId ?? []) };
		},
		forget() {
			drawn = new Map();
		},
	};
}

function verdictKey({ state, reason, since }: TargetView, incidents: readonly IncidentView[]): string {
	return [state, since, reason, ...incidents.map(({ id, status, impact, updates }) => `${id} ${status} ${impact} ${updates.length}`)].join('\n');
}

function modelKey({ state, reason }: GroupView, members: readonly TargetView[], newsOf: (target: TargetView) => string): string {
	return [state, reason, ...members.map(newsOf)].join('\n');
}
