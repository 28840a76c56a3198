/**
 * Which pages of targets and models are drawn anew. Of a large fleet a page a target each time would cost more than its probes (measured with
 * 10,000 targets: 2.3 ms of CPU a probe): those whose verdict moved are drawn at once, of the others as many as fit, the oldest first.
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
	/** @param all every page is due: what is shown has grown old, or nothing is known of what lies on the disk */
	next(snapshot: Snapshot, all?: boolean): DuePages;
	/** The last ones may not have been written. */
	forget(): void;
}

/** About two seconds of a core with the reading of their results; at one rendering in 45 s each page of 10,000 targets has its turn in 7.5 minutes. */
const drawnAtOnce = 1_000;

/** A site of this many turns is drawn whole. */
const wholeSites = 2;

export function createPageTurns(atOnce = drawnAtOnce): PageTurns {
	/** Path → what its verdict was when it was drawn; the oldest first. */
	let drawn = new Map<string, string>();
	return {
		next(snapshot, all = false) {
			const { incidentsOf } = fleetIndex(snapshot);
			const newsOf = (target: TargetView) => verdictKey(target, incidentsOf.get(target.id) ?? []);
			const pages = new Map<string, { readonly key: string; readonly targetId: string | null }>();
			for (const target of snapshot.targets) pages.set(targetHref(target, ''), { key: newsOf(target), targetId: target.id });
			for (const model of snapshot.models) pages.set(modelHref(model, ''), { key: modelKey(model, membersOf(snapshot, model), newsOf), targetId: null });
			const due = new Set<string>();
			const everything = all || pages.size <= wholeSites * atOnce;
			for (const [path, { key }] of pages) if (everything || drawn.get(path) !== key) due.add(path);
			for (const path of drawn.keys()) {
				if (due.size >= atOnce) break;
				if (pages.has(path)) due.add(path);
			}
			const kept = [...drawn].filter(([path]) => pages.has(path) && !due.has(path));
			drawn = new Map([...kept, ...[...due].map((path) => [path, pages.get(path)?.key ?? ''] as const)]);
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
