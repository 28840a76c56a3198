/**
 * Which pages of providers, models and targets are drawn anew. All of a large fleet at each rendering would cost more than its probes: those whose
 * verdict moved are drawn at once, of the others the oldest, so many that each has its turn within a minute.
 */
import type { GroupView, IncidentView, Snapshot, TargetView } from '#core/snapshot.ts';
import { fleetIndex } from './fleet-index.ts';
import { modelHref, modelsHref } from './render-models.ts';
import { providerHref } from './render-provider.ts';
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
/** Of a site up to here each page is drawn within a round; of a larger one this many: a tenth of a core with the reading of their results. */
const drawnPerRound = 3_500;
/** Of these, where there are more of both: who looks for the newest result looks at a target. */
const modelsShare = 0.2;
/** A site of so many pages is drawn whole. */
const wholeSite = 500;

export function createPageTurns({ whole = wholeSite, perRound = drawnPerRound } = {}): PageTurns {
	const begin = () => [createTurns(), createTurns(), createTurns()] as const;
	let [boards, models, targets] = begin();
	return {
		next(snapshot, now, all = false) {
			const { incidentsOf } = fleetIndex(snapshot);
			const newsOf = new Map(snapshot.targets.map((target) => [target.id, verdictKey(target, incidentsOf.get(target.id) ?? [])]));
			const groupKey = ({ state, reason, targetIds }: GroupView) => [state, reason, ...targetIds.map((id) => newsOf.get(id))].join('\n');
			const targetIdOf = new Map(snapshot.targets.map((target) => [targetHref(target, ''), target.id]));
			const targetPages = new Map([...targetIdOf].map(([path, id]) => [path, newsOf.get(id) ?? '']));
			const modelPages = new Map(snapshot.models.map((model) => [modelHref(model, ''), groupKey(model)]));
			const boardPages = new Map(snapshot.providers.map((provider) => [providerHref(provider, ''), groupKey(provider)]));
			boardPages.set(modelsHref(''), [...modelPages.values()].join('\n'));
			const everything = all || targetPages.size + modelPages.size <= whole;
			const modelsPerRound = Math.min(modelPages.size, Math.max(perRound * modelsShare, perRound - targetPages.size));
			const dueTargets = targets(targetPages, now, everything, perRound - modelsPerRound);
			const dueModels = models(modelPages, now, everything, modelsPerRound);
			// Boards are few, and each tells of many targets: none waits for a round of the others.
			const dueBoards = boards(boardPages, now, everything, boardPages.size);
			return {
				paths: new Set([...dueBoards, ...dueModels, ...dueTargets]),
				targetIds: dueTargets.length === targetPages.size ? null : dueTargets.flatMap((path) => targetIdOf.get(path) ?? []),
			};
		},
		forget() {
			[boards, models, targets] = begin();
		},
	};
}

/** @returns of paths and what their verdicts are, the paths that are due */
function createTurns(): (pages: ReadonlyMap<string, string>, now: number, everything: boolean, perRound: number) => readonly string[] {
	/** Path → what its verdict was when it was drawn; the oldest first. */
	let drawn = new Map<string, string>();
	let drawnAt = 0;
	return (pages, now, everything, perRound) => {
		const due = new Set<string>();
		// A clock that was set back is no reason to wait.
		for (const [path, key] of pages) if (everything || now < drawnAt || drawn.get(path) !== key) due.add(path);
		// One that just missed its turn waits for another rendering: so the round is that much shorter, 40 s where they are each 15 s.
		const sinceMs = now - drawnAt;
		const roundMs = Math.max(sinceMs, againMs - sinceMs);
		const atOnce = Math.ceil((Math.min(pages.size, perRound) * sinceMs) / roundMs);
		for (const path of drawn.keys()) {
			if (due.size >= atOnce) break;
			if (pages.has(path)) due.add(path);
		}
		const kept = [...drawn].filter(([path]) => pages.has(path) && !due.has(path));
		drawn = new Map([...kept, ...[...due].map((path) => [path, pages.get(path) ?? ''] as const)]);
		drawnAt = now;
		return [...due];
	};
}

function verdictKey({ state, reason, since }: TargetView, incidents: readonly IncidentView[]): string {
	return [state, since, reason, ...incidents.map(({ id, status, impact, updates }) => `${id} ${status} ${impact} ${updates.length}`)].join('\n');
}
