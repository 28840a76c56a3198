/** Holds the current snapshot and the answers made from it, so that no read waits for anything. */
import { staleSnapshot } from '#core/freshness.ts';
import type { Snapshot, TargetView } from '#core/snapshot.ts';
import { createDocument, type Document, jsonDocument } from './document.ts';
import { createHotTable, type HotTable } from './hot-answers.ts';
import { everything, type HealthFilter, healthView, incidentsView, targetsView, targetView, verdictsView } from './public-views.ts';

/** Filtered answers kept per snapshot: enough for the few filters that routers poll, little enough that nobody can fill memory with odd ones. */
const keptAnswers = 256;

export interface Documents {
	verdicts(): Document;
	health(filter?: HealthFilter): Document;
	targets(): Document;
	target(target: TargetView): Document;
	incidents(status: 'open' | 'resolved' | null, limit: number): Document;
	/** Any other text made from this snapshot; the key names it. */
	made(key: string, type: string, make: (snapshot: Snapshot) => string): Document;
}

export interface SnapshotView {
	readonly snapshot: Snapshot;
	readonly targetOf: ReadonlyMap<string, TargetView>;
	readonly documents: Documents;
	/** Answers by URL, ready to be written. */
	readonly hot: HotTable;
}

export interface SnapshotSource {
	/** Null before the first. */
	current(): SnapshotView | null;
	/** As `current`, but once the snapshot's deadline has passed every state in it is `unknown`. */
	at(now: number): SnapshotView | null;
	/** Replaces the current one; an older one is ignored: notifications may overtake each other. */
	put(snapshot: Snapshot): void;
	/** Called after each accepted `put`; gives the function that ends it. */
	onPut(listener: (view: SnapshotView) => void): () => void;
}

function createView(snapshot: Snapshot): SnapshotView {
	const made = new Map<string, Document>();
	const keep = (key: string, make: () => Document): Document => {
		const known = made.get(key);
		if (known !== undefined) return known;
		const document = make();
		if (made.size >= keptAnswers) made.delete(made.keys().next().value ?? '');
		made.set(key, document);
		return document;
	};
	// The two feeds that are polled stand outside the small store, so that nothing pushes them out.
	let verdicts: Document | null = null;
	let health: Document | null = null;
	return {
		snapshot,
		hot: createHotTable(),
		targetOf: new Map(snapshot.targets.map((target) => [target.id, target])),
		documents: {
			verdicts: () => (verdicts ??= jsonDocument(verdictsView(snapshot), snapshot.verdictRevision)),
			health: (filter = everything) =>
				filter === everything
					? (health ??= jsonDocument(healthView(snapshot, everything)))
					: keep(`health ${JSON.stringify(filter)}`, () => jsonDocument(healthView(snapshot, filter))),
			targets: () => keep('targets', () => jsonDocument(targetsView(snapshot))),
			target: (target) => keep(`target ${target.id}`, () => jsonDocument(targetView(snapshot, target))),
			incidents: (status, limit) => keep(`incidents ${status} ${limit}`, () => jsonDocument(incidentsView(snapshot, status, limit))),
			made: (key, type, make) => keep(`made ${key}`, () => createDocument(type, make(snapshot))),
		},
	};
}

export function createSnapshotSource(): SnapshotSource {
	let fresh: SnapshotView | null = null;
	let stale: SnapshotView | null = null;
	/** Read once: this is asked at every request. */
	let staleAfterAt = 0;
	const listeners = new Set<(view: SnapshotView) => void>();
	return {
		current: () => fresh,
		at(now) {
			if (fresh === null || now <= staleAfterAt) return fresh;
			return (stale ??= createView(staleSnapshot(fresh.snapshot)));
		},
		put(snapshot) {
			if (fresh !== null && snapshot.number < fresh.snapshot.number && snapshot.generatedAt <= fresh.snapshot.generatedAt) return;
			const view = createView(snapshot);
			fresh = view;
			stale = null;
			staleAfterAt = Date.parse(snapshot.staleAfter);
			for (const listener of listeners) listener(view);
		},
		onPut(listener) {
			listeners.add(listener);
			return () => listeners.delete(listener);
		},
	};
}
